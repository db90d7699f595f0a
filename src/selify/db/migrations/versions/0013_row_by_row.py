"""What a policy looks up in another table is looked up row by row, however large that table is."""

from selify.db.migrations.sql import run_file

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0013_row_by_row.sql")
