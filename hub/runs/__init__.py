"""Runs: one execution of an experiment with its parameters, and the sensors that take part."""
