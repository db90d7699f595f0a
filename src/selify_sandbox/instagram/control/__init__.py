"""``/sandbox/api``: the stand-in's own HTTP surface for tests, the page and the chaos run."""
