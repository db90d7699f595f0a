"""Rows that name a person, found in the catalogs: a later table is found too.

What would go with the account goes. What stays goes on naming the account, which is nobody's then; its columns that
say how to reach somebody, or where they were, are emptied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from selify.core.database import Tx

# Taken care of by themselves: see ``parts`` and ``erasure``.
_OWN_WAY: Final = ("profiles", "workspace_members")
_SAY_WHO: Final = (
    "email",
    "user_email",
    "full_name",
    "phone",
    "ip_address",
    "user_agent",
    "country_code",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """``goes``: a row that means nothing without the account. ``key``: its primary key's first column. ``says``: columns
    that tell who somebody is, where the row is about the person and not of their making.
    """

    table: str
    column: str
    goes: bool
    key: str
    says: tuple[str, ...]


async def references(tx: Tx) -> list[Reference]:
    return await tx.fetch_as(
        Reference,
        """
        SELECT format('%I.%I', n.nspname, c.relname) AS table, quote_ident(a.attname) AS column,
               k.confdeltype = 'c' AS goes,
               (SELECT quote_ident(b.attname) FROM pg_catalog.pg_index i
                  JOIN pg_catalog.pg_attribute b ON b.attrelid = c.oid AND b.attnum = i.indkey[0]
                 WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
               ARRAY(SELECT quote_ident(s.attname) FROM pg_catalog.pg_attribute s
                      WHERE s.attrelid = c.oid AND NOT s.attnotnull AND NOT s.attisdropped
                        AND a.attname = 'user_id' AND s.attname = ANY ($2)) AS says
          FROM pg_catalog.pg_constraint k
          JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
         WHERE k.contype = 'f' AND k.confrelid = 'auth.users'::regclass
           AND n.nspname IN ('public', 'internal') AND c.relname <> ALL ($1)
         ORDER BY 1, 2
        """,
        list(_OWN_WAY),
        list(_SAY_WHO),
    )


async def forget(tx: Tx, person: UUID) -> None:
    for one in await references(tx):
        if one.goes:
            await tx.execute(f"DELETE FROM {one.table} WHERE {one.column} = $1", person)
        elif one.says:
            emptied = ", ".join(f"{name} = NULL" for name in one.says)
            await tx.execute(f"UPDATE {one.table} SET {emptied} WHERE {one.column} = $1", person)


async def elsewhere(tx: Tx, person: UUID) -> list[dict[str, object]]:
    """Which rows of which tables name them, and as what."""
    found: list[dict[str, object]] = []
    for one in await references(tx):
        keys: Sequence[str] = await tx.fetch_value(
            f"SELECT array_agg({one.key}::text ORDER BY {one.key}) FROM {one.table} WHERE {one.column} = $1",
            person,
        )
        if keys:
            found.append({"table": one.table, "as": one.column, "rows": list(keys)})
    return found
