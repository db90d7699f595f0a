"""What people do with their own account: address, password and sessions."""
