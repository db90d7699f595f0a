"""API keys of workspaces: what they open, and what becomes of them when their maker goes."""

from selify.db.migrations.sql import run_file

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0025_api_keys.sql")
    run_file("functions/access.sql")
    run_file("functions/api_keys.sql")
    run_file("migrations/versions/0025_api_keys_triggers.sql")
