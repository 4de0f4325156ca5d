"""Channels of devices that speak foreign formats: the sensor that each one is, and proposals for the others."""
