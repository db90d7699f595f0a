"""Functions that name schemas themselves, whatever the search path of who calls them."""

from selify.db.migrations.sql import run_file

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0008_pinned_search_paths.sql")
