"""What a brand sees: pages, live by server-sent events from PostgreSQL's own notifications."""
