"""Queues that stay fast whatever the statistics say, and in which nobody waits for a neighbour."""

from selify.db.migrations.sql import run_file

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only support tables."""
    run_file("migrations/versions/0002_queues.sql")
