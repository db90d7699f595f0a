"""Why an account's answers do not leave, since when, and that pages hear of it at once."""

from selify.db.migrations.sql import run_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0006_account_trouble.sql")
