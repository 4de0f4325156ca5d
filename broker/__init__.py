"""The embedded MQTT broker and the accounts it asks the hub for."""
