"""Benchmarks: how fast the system is on this machine, as ratios to what the machine can do."""
