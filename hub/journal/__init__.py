"""The journal of each sensor: what went wrong with what it sent."""
