"""Bringing a database to the program's schema, and saying precisely why that cannot be done.

``upgrade`` runs all missing revisions in one transaction under an advisory lock: two processes
that start at once take turns, and a failed upgrade leaves nothing behind.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from selify.db import errors
from selify.db.migrations.sql import SqlFileError

MIGRATIONS = Path(__file__).parent / "migrations"
OLDEST_SERVER = 15
# Any number will do as long as every version of the program uses the same one.
UPGRADE_LOCK = 0x5E11F7
# Alembic keeps what it is working on in module globals, so one process runs one upgrade at a time.
_ALEMBIC_IS_BUSY = asyncio.Lock()

Progress = Callable[[str], None]


def _silent(_step: str) -> None:
    """The progress of a caller who does not watch."""


async def upgrade(url: str, *, progress: Progress = _silent, revision: str = "head") -> str:
    """Bring the database to ``revision``; returns the revision it has then.

    ``progress`` is called with one readable sentence per step. Raises a ``DatabaseError``: not
    reachable, too old, without pgvector, missing rights, newer than this program, not ours.
    """
    async with _connection(url) as connection:
        await _demand_server(connection)
        # Session-wide and released with the connection, also when the process is killed.
        await connection.fetchval("SELECT pg_advisory_lock($1)", UPGRADE_LOCK)
        before = await _revision_of(connection)
        _demand_known(before)
        if before is None:
            await _demand_empty(connection)
        steps = _missing_steps(before, revision)
        if not steps:
            progress("The database is up to date.")
            return before or ""
        await _demand_rights(connection)
        for step in steps:
            progress(f"Applying {step}")
        await _run(url, revision)
        progress("The database is up to date.")
        return await _revision_of(connection) or ""


async def current(url: str) -> str | None:
    """The database's revision; ``None`` when nothing of ours is there."""
    async with _connection(url) as connection:
        return await _revision_of(connection)


async def check(url: str) -> None:
    """Raise the ``DatabaseError`` that keeps the program from working with this database."""
    async with _connection(url) as connection:
        await _demand_server(connection)
        revision = await _revision_of(connection)
    if revision is None:
        raise errors.NotSelifyDatabase(
            "The database holds no Selify tables.", hint="Run `selify db upgrade` first."
        )
    _demand_known(revision)
    if revision != head():
        raise errors.DatabaseOutdated(
            f"The database is at revision {revision}; this program needs {head()}.",
            hint="Run `selify db upgrade`.",
        )


def head() -> str:
    """The newest revision this program knows."""
    return str(_scripts().get_current_head())


def revisions() -> list[str]:
    """All revisions, oldest first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    try:
        connection = await asyncpg.connect(url, timeout=15, server_settings={"TimeZone": "UTC"})
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise errors.DatabaseUnreachable(
            f"The database cannot be reached: {reason}.",
            hint="Check SELIFY_DATABASE_URL, or unset it to use the embedded database.",
        ) from error
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def _revision_of(connection: "asyncpg.Connection[Any]") -> str | None:
    if await connection.fetchval("SELECT to_regclass('internal.alembic_version')") is None:
        return None
    revision = await connection.fetchval("SELECT version_num FROM internal.alembic_version")
    return None if revision is None else str(revision)


async def _demand_server(connection: "asyncpg.Connection[Any]") -> None:
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise errors.DatabaseTooOld(
            f"The server is PostgreSQL {version.major}; Selify needs {OLDEST_SERVER} or newer.",
            hint="Upgrade the server, or unset SELIFY_DATABASE_URL to use the embedded database.",
        )
    if not await connection.fetchval(
        "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"
    ):
        raise errors.VectorMissing(
            "The server does not have the pgvector extension.",
            hint="Install pgvector on the server (https://github.com/pgvector/pgvector).",
        )


def _demand_known(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise errors.DatabaseNewer(
            f"The database is at revision {revision}, which this program does not know.",
            hint="It was made by a newer version of Selify: install that version.",
        )


async def _demand_empty(connection: "asyncpg.Connection[Any]") -> None:
    """A first upgrade must not mix our tables into someone else's."""
    ours = await connection.fetchval(
        "SELECT string_agg(relname, ', ') FROM (SELECT relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
        " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
        " ORDER BY relname LIMIT 5) AS others"
    )
    if ours:
        raise errors.NotSelifyDatabase(
            f"The database already holds tables that are not Selify's: {ours}.",
            hint="Point SELIFY_DATABASE_URL to an empty database.",
        )


async def _demand_rights(connection: "asyncpg.Connection[Any]") -> None:
    """Say before the first statement what the user lacks, instead of failing half-way."""
    row = await connection.fetchrow(
        "SELECT rolname, rolsuper, rolcreaterole,"
        " has_database_privilege(current_database(), 'CREATE') AS may_create,"
        " has_schema_privilege('public', 'CREATE') AS may_create_in_public,"
        " EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') AS has_vector,"
        " (SELECT bool_or(trusted) FROM pg_available_extension_versions"
        "   WHERE name = 'vector') AS vector_is_trusted,"
        " (SELECT count(*) FROM pg_roles"
        "   WHERE rolname IN ('anon', 'authenticated', 'service_role')) = 3 AS has_roles"
        " FROM pg_roles WHERE rolname = current_user"
    )
    if row is None or row["rolsuper"]:
        return
    user = row["rolname"]
    if not row["has_vector"] and not (row["vector_is_trusted"] and row["may_create"]):
        raise errors.VectorMissing(
            f"The user {user} may not switch on pgvector in this database.",
            hint="As a superuser, run: CREATE EXTENSION vector;",
        )
    missing = []
    if not row["may_create"]:
        missing.append("CREATE on the database")
    if not row["may_create_in_public"]:
        missing.append("CREATE on schema public")
    if not row["has_roles"] and not row["rolcreaterole"]:
        missing.append("CREATEROLE (for anon, authenticated and service_role)")
    if missing:
        raise errors.RightsMissing(
            f"The user {user} lacks: {', '.join(missing)}.",
            hint="Grant these, or upgrade once with the owner of the database.",
        )


def _missing_steps(before: str | None, wanted: str) -> list[str]:
    """Readable names of the revisions still to be run, oldest first."""
    scripts = _scripts()
    target = scripts.get_current_head() if wanted == "head" else wanted
    if before == target:
        return []
    chain = list(scripts.iterate_revisions(target, before or "base"))
    return [f"{script.revision}: {script.doc}" for script in reversed(chain)]


async def _run(url: str, revision: str) -> None:
    """Run the revisions as one transaction, on a connection of their own."""

    async def connect(*_args: Any, **_kwargs: Any) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(url, timeout=15, server_settings={"TimeZone": "UTC"})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with _ALEMBIC_IS_BUSY, engine.connect() as session, session.begin():
            await session.run_sync(_run_alembic, revision)
    except SqlFileError as error:
        raise errors.MigrationFailed(
            f"The database refused the upgrade: {error}. Nothing was changed."
        ) from error
    finally:
        await engine.dispose()


def _run_alembic(session: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = session
    session.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS internal")
    session.exec_driver_sql("SET LOCAL search_path TO public, extensions")
    command.upgrade(config, revision)
