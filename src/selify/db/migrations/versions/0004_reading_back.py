"""Reading conversations back has a pace of its own, and what is open for an account an index."""

from selify.db.migrations.sql import run_file

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0004_reading_back.sql")
