"""What lists and figures of pages are read from where the reference has no index for them."""

from selify.db.migrations.sql import run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables, the triggers that keep them, and what the rows that are there say."""
    run_file("migrations/versions/0007_lists.sql")
