"""What the reference calls realtime is published, and told to subscribers."""

from selify.db.migrations.sql import run_file

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("functions/realtime.sql")
