"""A stand-in for fal: its queue and its files."""
