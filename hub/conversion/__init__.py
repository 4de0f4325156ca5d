"""Conversion profiles: how a sensor's raw values become physical ones, version by version."""
