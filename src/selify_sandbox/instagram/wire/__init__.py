"""The vendor's HTTP surface: sign-in, Graph reads, comments, the Send API."""
