"""Foreign telemetry formats, one module each: `decode(body, …)` gives samples by device channel, and the rejects."""
