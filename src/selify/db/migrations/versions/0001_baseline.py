"""Everything the schema reference has, and what it does not print but a real system needs."""

from selify.db.migrations.sql import run_file, run_folder

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DOMAINS = ("auth", "billing", "commerce", "ai", "social", "analytics", "ops")


def upgrade() -> None:
    """Order matters: roles and auth.users before tables, tables before what names them."""
    run_file("migrations/baseline/foundation.sql")
    run_file("session_defaults.sql")
    run_file("roles.sql")
    run_file("auth.sql")
    for domain in DOMAINS:
        run_file(f"migrations/baseline/{domain}.sql")
    run_file("migrations/baseline/internal.sql")
    for domain in DOMAINS:
        run_file(f"migrations/baseline/constraints/{domain}.sql")
    run_file("migrations/baseline/triggers.sql")
    run_file("migrations/baseline/notifications.sql")
    run_folder("functions")
    for domain in DOMAINS:
        run_file(f"policies/{domain}.sql")
    run_file("privileges.sql")
