"""Capture sessions: ranges of time in which every sample of a run's sensors is kept."""
