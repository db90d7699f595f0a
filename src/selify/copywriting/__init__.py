"""Catalogue texts: voice, writing, review, publishing."""
