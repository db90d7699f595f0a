"""HTTP: what every endpoint and page stands on."""
