"""Shops to walk into."""
