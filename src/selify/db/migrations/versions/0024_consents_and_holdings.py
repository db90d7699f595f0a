"""A platform's consent is used once, and a brand joins a holding by offer and acceptance."""

from selify.db.migrations.sql import run_file

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("migrations/versions/0024_consents_and_holdings.sql")
