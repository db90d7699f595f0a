"""Files and pictures: stored, checked, and fetched from elsewhere."""
