"""Alembic's entry: runs the revisions on the connection that ``selify.db.migrate`` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # Schema `public` is exactly the reference, so Alembic's own table lives elsewhere.
    version_table_schema="internal",
)
# No transaction is opened here: selify.db.migrate holds one around all revisions, so that an
# upgrade happens wholly or not at all.
context.run_migrations()
