"""Everything about a person, to have and to be rid of (docs/decisions/0166-everything-about-me-and-gone.md)."""
