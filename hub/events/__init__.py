"""Events: what happens in a project, told at once to whoever watches; may be lost, unlike journals and facts."""
