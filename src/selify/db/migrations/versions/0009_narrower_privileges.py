"""No user role may do to a row what the API would not do for that rank."""

from selify.db.migrations.sql import run_file

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0009_narrower_privileges.sql")
