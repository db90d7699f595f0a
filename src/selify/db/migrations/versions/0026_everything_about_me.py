"""Somebody may have everything about themselves, and be forgotten."""

from selify.db.migrations.sql import run_file

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0026_everything_about_me.sql")
