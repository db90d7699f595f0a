"""Why an account's answers do not leave, since when, and that pages hear of it at once."""

from selify.db.migrations.sql import run_file

revision = "0020"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0020_account_trouble.sql")
