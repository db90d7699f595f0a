"""A database that was upgraded is what a new one is."""

from selify.db.migrations.sql import run_file

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0016_upgraded_as_new.sql")
