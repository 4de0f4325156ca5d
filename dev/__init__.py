"""The embedded platform: PostgreSQL, Valkey and every program of the system run by one supervisor."""
