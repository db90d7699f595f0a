"""The page: a phone to play the shopper on, and the switchboard beside it."""
