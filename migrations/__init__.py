"""The database schema, step by step, each step with its way back."""
