"""Words every wing shares, whatever it is that a brand sells."""
