"""Rules that the living database is held to, each a query over its own catalogs."""
