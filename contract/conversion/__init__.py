"""Conversion of raw to physical values, the same code on the edge and in the hub."""
