"""Events that wait, by whose they are: nobody waits for the crowd of another account."""

from selify.db.migrations.sql import run_file

revision = "0025"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only a support table, which triggers keep."""
    run_file("migrations/versions/0025_fair_inbox.sql")
