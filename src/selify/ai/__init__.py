"""The AI domain. Owns the try-on engines behind one port, and the reading of garments."""
