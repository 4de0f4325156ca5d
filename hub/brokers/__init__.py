"""The accounts of a Mosquitto broker, kept equal to the hub's tokens."""
