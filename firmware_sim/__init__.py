"""Simulated firmware: devices that number, send and resend their packets the way real sensors do."""
