"""Of owners counts who can act, ownership is handed over, and whoever loses a right hears nothing more."""

from selify.db.migrations.sql import run_file

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0023_acting_owners.sql")
    run_file("functions/workspaces.sql")
    run_file("functions/realtime.sql")
    run_file("migrations/versions/0023_only_their_triggers.sql")
