"""What the public and users write to us."""
