"""Where the copying of an account's posts broke off, so that it goes on there."""

from selify.db.migrations.sql import run_file

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0005_post_listings.sql")
