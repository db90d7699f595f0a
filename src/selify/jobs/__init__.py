"""Long-running work: one file per job."""
