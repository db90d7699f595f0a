"""Since when an account's events do not arrive."""

from selify.db.migrations.sql import run_file

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0017_since_when_nothing_arrives.sql")
