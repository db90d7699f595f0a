"""Garments are found by what they are called, however its letters are put together."""

from selify.db.migrations.sql import run_file

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0018_composed_words.sql")
