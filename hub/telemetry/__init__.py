"""Samples: from the door through the durable stream into chunks, and out again."""
