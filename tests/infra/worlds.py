"""Two complete tenants, made from the catalogs: one valid row in every table for each of them.

Nothing here lists tables. Columns, types, foreign keys and CHECKs are read from the database, so a
new table joins the tests by existing. What the catalogs cannot say is in ``HINTS``.
"""

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from selify.core.database import Actor

Row = dict[str, Any]

# (table, column) -> value, where type and constraints are not enough. {n} makes it unique.
HINTS: Mapping[tuple[str, str], Any] = {
    ("conversation_sessions", "customer_id"): "00000000-0000-4000-8000-000000000001",
    ("shopify_inventory_history", "change_amount"): 3,
    ("shopify_inventory_history", "new_quantity"): 5,
    ("shopify_inventory_history", "previous_quantity"): 2,
    ("user_preferences", "customer_id"): "00000000-0000-4000-8000-000000000001",
    ("vr_shop_tokens", "token"): "vrt_{n}",
    ("vr_garments", "is_active"): False,
    ("workspace_auto_reload_settings", "reload_amount_cents"): 1500,
    ("workspace_auto_reload_settings", "threshold_cents"): 500,
    ("workspace_quotas", "period_end"): "2100-01-01T00:00:00Z",
    ("workspaces", "slug"): "brand-{n}",
}
# Whom a column names, where it is not the member.
NAMES: Mapping[tuple[str, str], str] = {
    ("affiliate_commissions", "referred_user_id"): "owner",
    ("workspaces", "owner_id"): "owner",
}
USERS = ("owner", "admin", "member", "invited", "expired", "banned")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalogs have it; ``references`` is the schema and table of its foreign key."""

    name: str
    type: str
    required: bool
    references: str | None
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    key: str
    columns: tuple[Column, ...]

    def references(self) -> Iterable[Column]:
        return (column for column in self.columns if column.references)


@dataclass(slots=True)
class World:
    """One brand: its people by role, and one row of every table that belongs to it."""

    users: dict[str, UUID]
    rows: dict[str, Row] = field(default_factory=dict)

    @property
    def workspace_id(self) -> UUID:
        return self.rows["workspaces"]["id"]


_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL) AS type,
       a.attnotnull AND NOT a.atthasdef AS required,
       (SELECT f.confrelid::regclass::text FROM pg_constraint f
         WHERE f.contype = 'f' AND f.conrelid = c.oid AND f.conkey = ARRAY[a.attnum]) AS refers_to,
       (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e
         WHERE e.enumtypid = a.atttypid) AS labels,
       ARRAY(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
              WHERE k.contype = 'c' AND k.conrelid = c.oid AND a.attnum = ANY (k.conkey)) AS checks,
       (SELECT b.attname FROM pg_index i JOIN pg_attribute b
            ON b.attrelid = i.indrelid AND b.attnum = i.indkey[0]
         WHERE i.indrelid = c.oid AND i.indisprimary) AS key
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
   AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 ORDER BY c.relname, a.attnum
"""


async def read_tables(db: asyncpg.Connection) -> dict[str, Table]:
    """Every table of schema ``public``, by name."""
    records = await db.fetch(_COLUMNS)
    return {
        name: Table(name, group[0]["key"], tuple(_column(record) for record in group))
        for name, records_of in itertools.groupby(records, lambda record: record["relname"])
        for group in [list(records_of)]
    }


def _column(record: asyncpg.Record) -> Column:
    choices = record["labels"] or _choices(record["attname"], record["checks"])
    refers_to = record["refers_to"]
    return Column(
        record["attname"],
        record["type"],
        record["required"],
        refers_to.removeprefix("public.") if refers_to else None,
        tuple(choices),
    )


def _choices(column: str, checks: Iterable[str]) -> list[str]:
    """The values that ``CHECK (column IN (…))`` allows."""
    for check in checks:
        listed = re.search(rf"\(+{column}\)?(?:::text)?\)? = ANY \(+ARRAY\[(.*?)\]", check)
        if listed:
            return re.findall(r"'([^']*)'", listed.group(1))
    return []


def new_row(table: Table, world: World) -> Row:
    """A valid row of this world that is not in the database yet."""
    number = next(_numbers)
    row = {}
    for column in table.columns:
        hint = HINTS.get((table.name, column.name))
        if hint is not None:
            row[column.name] = hint.format(n=number) if isinstance(hint, str) else hint
        elif column.references and column.references != table.name:
            value = _reference(table, column, world)
            if value is not None:
                row[column.name] = value
        elif column.required or column.name == table.key == "id":
            row[column.name] = _value(column, number)
    return row


def _reference(table: Table, column: Column, world: World) -> Any:
    """The world's own row that a foreign key points to; of people, its member."""
    if column.references == "auth.users":
        return world.users[NAMES.get((table.name, column.name), "member")]
    referred = world.rows.get(str(column.references))
    return referred and referred.get("id", referred.get("workspace_id"))


def _value(column: Column, number: int) -> Any:
    if column.choices:
        return column.choices[0]
    if "email" in column.name:
        return f"someone{number}@brand.example"
    by_type = {
        "uuid": str(uuid4()),
        "integer": 1,
        "bigint": 1,
        "numeric": 0.5,
        "boolean": False,
        "jsonb": {},
        "date": "2026-01-01",
        "timestamp with time zone": "2026-01-01T00:00:00Z",
    }
    return by_type.get(column.type, f"{column.name[:10]}-{number}")


def insert_sql(table: str, row: Row) -> str:
    """One INSERT as text, so that it needs no preparation; values travel as one JSON document."""
    columns = ", ".join(f'"{name}"' for name in row)
    document = orjson.dumps(row, default=str).decode().replace("'", "''")
    return (
        f'INSERT INTO public."{table}" ({columns}) SELECT {columns}'
        f" FROM jsonb_populate_record(NULL::public.\"{table}\", '{document}'::jsonb)"
    )


def in_order(tables: Mapping[str, Table]) -> list[Table]:
    """Tables such that what a row must refer to is there before it, and what it may, if possible."""
    waiting = dict(tables)
    ordered: list[Table] = []
    while waiting:
        ready = [t for t in waiting.values() if not _missing(t, waiting, required_only=False)]
        # A cycle of optional references: begin where nothing that is required is missing.
        ready = (
            ready
            or [t for t in waiting.values() if not _missing(t, waiting, required_only=True)][:1]
        )
        ordered += ready
        waiting = {name: table for name, table in waiting.items() if table not in ready}
    return ordered


def _missing(table: Table, waiting: Mapping[str, Table], *, required_only: bool) -> bool:
    return any(
        column.references in waiting and column.references != table.name
        for column in table.references()
        if column.required or not required_only
    )


async def sign_up(db: asyncpg.Connection, name: str, **facts: Any) -> UUID:
    """An account; ``facts`` are what the system knows about it, such as ``team=True``."""
    user_id = uuid4()
    await db.execute(
        "INSERT INTO auth.users (id, email, raw_app_meta_data) VALUES ($1, $2, $3::jsonb)",
        user_id,
        f"{name}-{user_id}@people.example",
        orjson.dumps(facts).decode(),
    )
    return user_id


async def build_world(db: asyncpg.Connection, tables: Mapping[str, Table], name: str) -> World:
    """Sign everyone up, make the workspace as the product does, then fill every other table."""
    world = World({role: await sign_up(db, f"{name}-{role}") for role in USERS})
    workspace = await db.fetchrow(
        "SELECT * FROM public.create_workspace_with_owner($1, owner_id => $2)",
        f"Brand {name}",
        world.users["owner"],
    )
    await _add_members(db, workspace["id"], world.users)
    for table in in_order(tables):
        existing = await _provisioned(db, table, workspace["id"], world.users["member"])
        world.rows[table.name] = existing or await _inserted(db, table, world)
    return world


async def _add_members(
    db: asyncpg.Connection, workspace_id: UUID, users: Mapping[str, UUID]
) -> None:
    for role in USERS[1:]:
        await db.execute(
            "INSERT INTO public.workspace_members"
            " (workspace_id, user_id, role, invited_at, joined_at, expires_at)"
            " VALUES ($1, $2, $3, now(), CASE WHEN $4 = 'invited' THEN NULL ELSE now() END,"
            " CASE WHEN $4 = 'expired' THEN now() END)",
            workspace_id,
            users[role],
            "admin" if role in ("admin", "invited", "expired", "banned") else "member",
            role,
        )
    await db.execute(
        "UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE id = $1",
        users["banned"],
    )


async def _provisioned(
    db: asyncpg.Connection, table: Table, workspace_id: UUID, member: UUID
) -> Row | None:
    """The row that signing up or making the workspace has already made, if any."""
    names = {column.name for column in table.columns}
    if table.name == "profiles":
        where, value = "id", member
    elif table.name == "workspaces":
        where, value = "id", workspace_id
    elif table.name == "workspace_members":
        where, value = "user_id", member
    elif "workspace_id" in names:
        where, value = "workspace_id", workspace_id
    else:
        return None
    found = await db.fetchrow(f'SELECT * FROM public."{table.name}" WHERE {where} = $1', value)
    return dict(found) if found else None


async def _inserted(db: asyncpg.Connection, table: Table, world: World) -> Row:
    row = new_row(table, world)
    return dict(await db.fetchrow(f"{insert_sql(table.name, row)} RETURNING *"))


# Acting as someone ---------------------------------------------------------------------------


async def act(db: asyncpg.Connection, actor: Actor) -> None:
    """Go on in this transaction as someone else, without plans cached with other rights."""
    await db.execute(f"RESET ROLE; DISCARD PLANS; {actor.opening().removeprefix('BEGIN;')}")


async def refusal_of(db: asyncpg.Connection, statement: str, *args: Any) -> asyncpg.PostgresError:
    """The error of a statement that must fail; the transaction goes on."""
    with pytest.raises(asyncpg.PostgresError) as refusal:
        async with db.transaction():
            await db.execute(statement, *args)
    return refusal.value


async def new_workspace(db: asyncpg.Connection, owner: UUID) -> UUID:
    """A workspace as the product makes it."""
    return await db.fetchval(
        "SELECT id FROM public.create_workspace_with_owner('Brand', owner_id => $1)", owner
    )


async def add_member(
    db: asyncpg.Connection, workspace_id: UUID, user_id: UUID, role: str = "member"
) -> None:
    """A member who has joined."""
    await db.execute(
        "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
        " VALUES ($1, $2, $3, now())",
        workspace_id,
        user_id,
        role,
    )
