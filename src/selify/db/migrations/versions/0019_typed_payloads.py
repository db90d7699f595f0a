"""A message says who asked for it, and gives back what they want to know with its outcome."""

from selify.db.migrations.sql import run_file

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0019_typed_payloads.sql")
