"""Sensors and the edge agents that speak for them: registration, tokens, signs of life."""
