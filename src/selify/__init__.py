"""Selify: open, self-hostable try-on commerce for fashion brands."""
