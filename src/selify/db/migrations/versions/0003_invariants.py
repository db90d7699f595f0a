"""How far the invariants that read history have come."""

from selify.db.migrations.sql import run_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only support tables."""
    run_file("migrations/versions/0003_invariants.sql")
