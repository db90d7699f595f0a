"""What the reference calls realtime is published, and told to subscribers."""

from selify.db.migrations.sql import run_file

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("functions/realtime.sql")
