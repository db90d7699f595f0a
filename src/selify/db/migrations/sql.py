"""Running readable SQL files inside a revision."""

from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg
from alembic import op
from sqlalchemy import Connection, text

DB_FILES: Traversable = resources.files("selify.db")


class SqlFileError(RuntimeError):
    """A statement of a SQL file was refused; says which file and line."""


def run_file(path: str) -> None:
    """Run a SQL file of ``selify.db`` (``"roles.sql"``, ``"policies/auth.sql"`` …)."""
    script = DB_FILES.joinpath(path).read_text(encoding="utf-8")
    run_script(op.get_bind(), script, name=path)


def run_folder(path: str) -> None:
    """Run every SQL file of a folder, in order of name."""
    folder = DB_FILES.joinpath(path)
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    for name in names:
        run_file(f"{path}/{name}")


def run_script(connection: Connection, script: str, *, name: str) -> None:
    """Run several statements as one script in the connection's open transaction."""
    # SQLAlchemy sends one prepared statement at a time; a whole script needs the driver's own
    # connection. The empty statement makes sure that SQLAlchemy has begun its transaction.
    connection.execute(text("SELECT 1"))
    driver = connection.connection.dbapi_connection
    if driver is None:
        raise SqlFileError(f"{name}: the connection is closed")
    try:
        driver.run_async(lambda raw: raw.execute(script))
    except asyncpg.PostgresError as error:
        raise SqlFileError(f"{name}{_line_of(error, script)}: {error}") from error


def _line_of(error: asyncpg.PostgresError, script: str) -> str:
    position = getattr(error, "position", None)
    return f", line {script.count(chr(10), 0, int(position)) + 1}" if position else ""
