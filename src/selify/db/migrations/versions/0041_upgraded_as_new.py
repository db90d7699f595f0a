"""A database that was upgraded is what a new one is."""

from selify.db.migrations.sql import run_file

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0041_upgraded_as_new.sql")
