"""A database as full as one that has been used for years: one brand has most of it."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

ROWS = 100_000
SCRIPT = Path(__file__).with_suffix(".sql")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows they are."""

    workspace_id: UUID
    account_id: UUID
    user_id: UUID


async def fill(url: str, brand: Owner, rival: Owner, *, rows: int = ROWS) -> None:
    """``rows`` rows into every table that grows with use, one in ten the rival's.

    Triggers and foreign keys stand aside meanwhile; what triggers keep is made afterwards, as the
    migrations do for rows that were there before them.
    """
    db = await asyncpg.connect(url)
    try:
        async with db.transaction():
            await db.execute("SET LOCAL session_replication_role = replica")
            for name in ("workspace_id", "account_id", "user_id"):
                await db.execute(_choice(name, getattr(brand, name), getattr(rival, name)))
            await db.execute(_MOMENT)
            await db.execute(SCRIPT.read_text("utf-8").replace(":rows", str(rows)))
        await db.execute("SELECT internal.rebuild_lists()")
        await db.execute("ANALYZE")
    finally:
        await db.close()


_MOMENT = f"""
    CREATE FUNCTION pg_temp.moment(n int) RETURNS timestamptz LANGUAGE sql STABLE
    RETURN now() - interval '1 minute' - n * interval '90 days' / {ROWS}
"""


def _choice(name: str, brand: UUID, rival: UUID) -> str:
    return f"""
        CREATE FUNCTION pg_temp.{name}(n int) RETURNS uuid LANGUAGE sql IMMUTABLE
        RETURN CASE WHEN n % 10 = 0 THEN '{rival}'::uuid ELSE '{brand}'::uuid END
    """
