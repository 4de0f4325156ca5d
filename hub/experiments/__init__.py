"""Experiments: what a hypothesis is tested by, as a series of runs."""
