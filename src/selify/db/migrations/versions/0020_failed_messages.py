"""Which messages of a kind failed is one look into an index, and no kind is named in it."""

from selify.db.migrations.sql import run_file

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0020_failed_messages.sql")
