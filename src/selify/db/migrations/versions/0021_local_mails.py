"""Mails of an installation without a mail server lie in a mailbox of its own."""

from selify.db.migrations.sql import run_file

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0021_local_mails.sql")
