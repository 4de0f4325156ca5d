"""The edge agent: takes sensors' messages from the broker, converts, keeps and forwards them to the hub."""
