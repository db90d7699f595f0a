"""A workspace that is deleted falls silent at once, and may lose its last owner."""

from selify.db.migrations.sql import run_file

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("functions/workspaces.sql")
    run_file("migrations/versions/0012_deleting_workspaces.sql")
