"""Bringing a database to the program's schema, and saying precisely why that cannot be done.

``upgrade`` runs all missing revisions in one transaction under an advisory lock: two processes
that start at once take turns, and a failed upgrade leaves nothing behind.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg

from selify.core.database_access import UNLIMITED
from selify.db import errors

VERSIONS = Path(__file__).parent / "migrations" / "versions"
OLDEST_SERVER = 15
# Any number will do as long as every version of the program uses the same one.
UPGRADE_LOCK = 0x5E11F7

# A migration takes as long as it needs, whatever the database's or the role's own limits are.
SESSION = {"TimeZone": "UTC", **UNLIMITED.settings}

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
        target = head() if revision == "head" else revision
        if before == target:
            progress("The database is up to date.")
            return target
        await _demand_rights(connection)
        from selify.db.migrations import runner  # see ``revisions``

        for step in runner.missing_steps(before, target):
            progress(f"Applying {step}")
        await runner.run(url, target)
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


async def check_empty(url: str) -> None:
    """Raise the ``DatabaseError`` that keeps a backup from being restored there."""
    async with _connection(url) as connection:
        await _demand_server(connection)
        if await _revision_of(connection) is not None:
            raise errors.DatabaseNotEmpty(
                "The database already holds Selify's tables, and nothing is overwritten.",
                hint="Restore into an empty database: a new SELIFY_DATA_DIR, or a new SELIFY_DATABASE_URL.",
            )
        await _demand_empty(connection)
        await _demand_rights(connection)


def check_known(revision: str) -> None:
    """Raise DatabaseNewer for a revision that only a newer program knows."""
    _demand_known(revision)


async def owner_rights(url: str) -> bool:
    """Whether who logs in there could also change the schema, or look past row level security."""
    async with _connection(url) as connection:
        return bool(
            await connection.fetchval(
                "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR EXISTS ("
                " SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
                " AND pg_has_role(r.oid, c.relowner, 'MEMBER'))"
                " FROM pg_roles r WHERE r.rolname = session_user"
            )
        )


def head() -> str:
    """The newest revision this program knows."""
    return revisions()[-1]


def revisions() -> list[str]:
    """All revisions, oldest first, by the names of their files: 0001_…, 0002_…

    Every process asks this when it starts; loading the migrations themselves would take as long
    as everything else together.
    """
    return sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    try:
        connection = await asyncpg.connect(url, timeout=15, server_settings=SESSION)
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
    """Read as service_role where the user itself may not look: the login owns nothing."""
    # From the catalogue, which everybody may read; to_regclass() wants rights on the schema.
    readable = await connection.fetchval(
        "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
        " FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid"
        " WHERE n.nspname = 'internal' AND c.relname = 'alembic_version'"
    )
    if readable is None:
        return None
    async with connection.transaction():
        if not readable:
            await _become_the_system(connection)
        revision = await connection.fetchval("SELECT version_num FROM internal.alembic_version")
    return None if revision is None else str(revision)


async def _become_the_system(connection: "asyncpg.Connection[Any]") -> None:
    user = await connection.fetchval("SELECT quote_ident(session_user)")
    try:
        await connection.execute("SET LOCAL ROLE service_role")
    except asyncpg.InsufficientPrivilegeError as error:
        raise errors.RightsMissing(
            f"The user {user} may not act as service_role.",
            hint=f"As the owner of the database, run: GRANT selify_login TO {user};",
        ) from error


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
