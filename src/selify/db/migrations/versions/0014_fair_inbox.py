"""Events that wait, by whose they are: nobody waits for the crowd of another account."""

from selify.db.migrations.sql import run_file

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only a support table, which triggers keep."""
    run_file("migrations/versions/0014_fair_inbox.sql")
