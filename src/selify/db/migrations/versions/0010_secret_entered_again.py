"""Where a stored secret is sent does not change without the secret."""

from selify.db.migrations.sql import run_file

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("functions/destinations.sql")
    run_file("migrations/versions/0010_secret_entered_again.sql")
