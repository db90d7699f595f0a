"""Links that are good for one thing once, and what users read of their own sign-ins."""

from selify.db.migrations.sql import run_file

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0022_signing_in.sql")
