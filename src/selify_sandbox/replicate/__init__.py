"""A stand-in for Replicate: its predictions and files."""
