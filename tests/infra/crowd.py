"""A database as full as one that has been used for years: one brand has most of it."""

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

ROWS = 100_000
THINGS = 20_000
DAYS = 90
SCRIPT = Path(__file__).with_suffix(".sql")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows they are."""

    workspace_id: UUID
    account_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class Size:
    """``rows`` of what happens (messages, charges), ``things`` of what it happens to (conversations,
    garments) and of what is pruned. Of ten rows so many are the ``rival``'s; both in tens.
    """

    rows: int = ROWS
    things: int = THINGS
    rival: int = 1


async def fill(url: str, brand: Owner, rival: Owner, size: Size = Size()) -> None:
    """Rows into every table that grows with use.

    Triggers and foreign keys stand aside meanwhile; what triggers keep is made afterwards, as the
    migrations do for rows that were there before them. Indexes are made anew from all rows at once.
    """
    db = await asyncpg.connect(url)
    try:
        async with db.transaction():
            await db.execute("SET LOCAL session_replication_role = replica")
            for name in ("workspace_id", "account_id", "user_id"):
                await db.execute(_choice(name, getattr(brand, name), getattr(rival, name), size))
            await db.execute(_moment(size))
            script = SCRIPT.read_text("utf-8")
            tables = re.findall(r"^INSERT INTO (\S+)", script, re.MULTILINE)
            await db.execute(_PUT_INDEXES_ASIDE, tables)
            await db.execute(
                script.replace(":rows", str(size.rows)).replace(":things", str(size.things))
            )
            for table in tables:
                await db.execute(f"REINDEX TABLE {table}")
        await db.execute("SELECT internal.rebuild_lists()")
        await db.execute("VACUUM ANALYZE")
    finally:
        await db.close()


# Making an index anew marks it as ready again.
_PUT_INDEXES_ASIDE = """
    UPDATE pg_index SET indisready = false, indisvalid = false
     WHERE indrelid = ANY ($1::text[]::regclass[])
"""


def _moment(size: Size) -> str:
    """Of the ``n``th row: the newest is a minute old."""
    return f"""
        CREATE FUNCTION pg_temp.moment(n bigint) RETURNS timestamptz LANGUAGE sql STABLE
        RETURN now() - interval '1 minute' - n * interval '{DAYS} days' / {size.rows};
        CREATE FUNCTION pg_temp.moment_of_thing(n bigint) RETURNS timestamptz LANGUAGE sql STABLE
        RETURN pg_temp.moment(n * {size.rows // size.things})
    """


def _choice(name: str, brand: UUID, rival: UUID, size: Size) -> str:
    return f"""
        CREATE FUNCTION pg_temp.{name}(n int) RETURNS uuid LANGUAGE sql IMMUTABLE
        RETURN CASE WHEN n * 7 % 10 < {size.rival} THEN '{rival}'::uuid ELSE '{brand}'::uuid END
    """
