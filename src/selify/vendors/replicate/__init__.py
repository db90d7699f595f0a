"""Models hosted on Replicate as a try-on engine."""
