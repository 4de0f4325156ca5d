"""The audit trail as members of a project read it."""
