"""Outside systems: one folder each, and the only place where their names appear."""
