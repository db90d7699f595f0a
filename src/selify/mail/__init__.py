"""Mail beside the other channels: mailboxes, shared and personal."""
