"""Where the copying of an account's posts broke off, so that it goes on there."""

from selify.db.migrations.sql import run_file

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0010_post_listings.sql")
