"""Quality tests in plain words, run in a real browser."""
