"""Functions that name schemas themselves, whatever the search path of who calls them."""

from selify.db.migrations.sql import run_file

revision = "0040"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0040_pinned_search_paths.sql")
