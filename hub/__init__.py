"""The hub: one program that owns projects, sensors, experiments, runs, captures and their samples."""
