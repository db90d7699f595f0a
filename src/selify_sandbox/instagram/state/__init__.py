"""What the stand-in remembers, and the rules that need no request: database, files, limits."""
