"""Runs the simulated firmware as `python -m firmware_sim`."""

from firmware_sim.main import app

app()
