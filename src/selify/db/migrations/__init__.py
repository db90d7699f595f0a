"""The database's history: one baseline, then forward only."""
