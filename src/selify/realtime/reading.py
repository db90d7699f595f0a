"""What a subscriber sees of a change: the row as it is now, by their own rights."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from selify.core.database import Tx
from selify.core.errors import Invalid
from selify.core.language import _
from selify.realtime.feed import Change

PUBLICATION = "supabase_realtime"
# What every member of a workspace sees. A deleted row can no longer be asked who may see it, so a table
# is served only when all members could: tests/realtime holds the policies to it.
TABLES = (
    "oauth_audit_logs",
    "workspace_auto_reload_settings",
    "workspace_financial_transactions",
)
_FILTER = re.compile(r"([a-z_][a-z0-9_]{0,62})=eq\.(.{0,500})", re.DOTALL)


class FilterInvalid(Invalid):
    code = "filter_invalid"
    title = _("This filter cannot be applied")


class NotPublished(Invalid):
    code = "not_published"
    title = _("This table cannot be subscribed to")


@dataclass(frozen=True, slots=True)
class Filter:
    """Rows whose ``column``, written as text, is ``value``."""

    column: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """``column=eq.value``, as Supabase writes it. Raises FilterInvalid."""
        found = _FILTER.fullmatch(text)
        if found is None or "\0" in text:
            raise FilterInvalid(_("A filter is written column=eq.value."))
        return cls(found[1], found[2])


@dataclass(frozen=True, slots=True)
class View:
    """What one subscription shows: tables, the columns this user may read, and one filter."""

    workspace_id: UUID
    columns: Mapping[str, Sequence[str]]
    only: Filter | None

    async def event(self, tx: Tx, change: Change) -> dict[str, Any] | None:
        """As Supabase's ``postgres_changes`` puts it; None where this user sees no such row."""
        if change.kind == "DELETE":
            return self._deleted(change)
        row = await self._row(tx, change)
        return None if row is None else {**_facts(change), "new": row, "old": {}}

    def _deleted(self, change: Change) -> dict[str, Any] | None:
        """Its key and nothing else. A filter on any other column cannot be asked any more."""
        known = {**change.key, "workspace_id": str(change.workspace_id)}
        if self.only and known.get(self.only.column, self.only.value) != self.only.value:
            return None
        return {**_facts(change), "new": {}, "old": dict(change.key)}

    async def _row(self, tx: Tx, change: Change) -> Any:
        [(key, value)] = change.key.items()
        # Table and columns come from the catalogs, never from the request.
        columns = ", ".join(f't."{column}"' for column in self.columns[change.table])
        wanted = f't."{key}" = $1 AND t.workspace_id = $2'
        args: list[Any] = [UUID(value), self.workspace_id]
        if self.only:
            wanted += f' AND t."{self.only.column}"::text = $3'
            args.append(self.only.value)
        # As text: numbers and times as PostgreSQL writes them in JSON.
        found = await tx.fetch_value(
            f'SELECT to_jsonb(r)::text FROM (SELECT {columns} FROM public."{change.table}" t'
            f" WHERE {wanted}) r",
            *args,
        )
        return None if found is None else orjson.loads(found)


def _facts(change: Change) -> dict[str, Any]:
    return {
        "schema": "public",
        "table": change.table,
        "eventType": change.kind,
        "commit_timestamp": change.at,
    }


async def view(tx: Tx, workspace_id: UUID, tables: Sequence[str], filter_text: str | None) -> View:
    """In the subscriber's own transaction. Raises NotPublished, FilterInvalid."""
    unknown = sorted(set(tables) - set(TABLES))
    if unknown:
        raise NotPublished(
            _("Not published: %(tables)s.", tables=", ".join(unknown)[:200]),
            hint=_("There are: %(tables)s.", tables=", ".join(TABLES)),
        )
    rows = await tx.fetch(
        """
        SELECT c.relname, a.attname
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)
           AND a.attnum > 0 AND NOT a.attisdropped
           AND has_column_privilege(c.oid, a.attnum, 'SELECT')
         ORDER BY c.relname, a.attnum
        """,
        list(tables),
    )
    columns: dict[str, list[str]] = {table: [] for table in tables}
    for row in rows:
        columns[row["relname"]].append(row["attname"])
    only = Filter.parse(filter_text) if filter_text else None
    for table, readable in columns.items():
        if only and only.column not in readable:
            raise FilterInvalid(
                _(
                    "%(table)s has no column “%(column)s” that you can read.",
                    table=table,
                    column=only.column,
                )
            )
    return View(workspace_id, columns, only)
