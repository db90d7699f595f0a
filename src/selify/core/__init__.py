"""Words every domain shares, and no fashion word."""
