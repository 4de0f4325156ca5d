"""Projects: the border of visibility, with members in three roles."""
