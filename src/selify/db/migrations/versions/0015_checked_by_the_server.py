"""What the server checks before it writes it, no user writes by hand."""

from selify.db.migrations.sql import run_file

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0015_checked_by_the_server.sql")
