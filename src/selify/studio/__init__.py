"""Pictures for the shop, and personas that wear its garments."""
