"""Domain analytics: daily roll-ups per account, and what a holding sees of its brands."""
