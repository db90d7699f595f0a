"""Queues are spoken of in one set of words, and what failed of a kind is one look into an index."""

from selify.db.migrations.sql import run_file

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0020_words_of_the_queues.sql")
