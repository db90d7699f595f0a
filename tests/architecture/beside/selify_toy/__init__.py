"""A toy, installed beside the product: its settings and commands are found by the names of its files."""
