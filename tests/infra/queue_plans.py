"""What a statement of the program costs the database when the planner knows nothing of today's rows.

``Watching`` is the program's own ``Database``, with one connection. Whatever runs through it is
explained as it is carried out, with the plan a long-lived connection keeps: the one made the first
time this text was seen, however few rows there were then.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from typing import Any

import asyncpg

from selify.core.database import Actor, Database, Tx

QUEUES = (
    "internal.outbox",
    "internal.jobs",
    "internal.retention",
    "internal.waiting_events",
    "public.webhook_events",
)
_READS = ("SELECT", "WITH", "UPDATE", "DELETE")
# There are few of them: the server skips from one to the next.
_FEW = {"platform"}


@dataclass(frozen=True, slots=True)
class Cost:
    """One statement, carried out once. ``rows``: looked at in tables, kept or not. ``whole``: the
    indexes that it went through from one end to the other, for what they are not sorted by.
    """

    sql: str
    rows: float
    outline: str
    whole: Sequence[str]


@dataclass(slots=True)
class _Prepared:
    sorted_by: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)


class Watching(Database):
    """Explains every statement that reads; ``costs`` since ``forget``."""

    _prepared: _Prepared

    @classmethod
    async def open(cls, url: str) -> "Watching":
        watching = await cls.connect(url, max_size=1)
        async with Database.tx(watching, Actor.system("watching")) as tx:
            first = await tx.fetch(
                """
                SELECT indexrelid::regclass::text AS index, pg_get_indexdef(indexrelid, 1, true) AS by
                  FROM pg_index WHERE indrelid = ANY ($1::text[]::regclass[])
                """,
                QUEUES,
            )
        watching._prepared = _Prepared({row["index"].split(".")[-1]: row["by"] for row in first})
        return watching

    @property
    def costs(self) -> Sequence[Cost]:
        return self._prepared.costs

    def forget(self) -> None:
        self._prepared.costs.clear()

    @contextlib.asynccontextmanager
    async def tx(self, actor: Actor, *, settings: str = "") -> AsyncIterator[Tx]:
        async with super().tx(actor, settings=settings) as tx:
            yield _WatchedTx(tx._connection, actor, self._prepared)


class _WatchedTx(Tx):
    def __init__(self, connection: Any, actor: Actor, prepared: _Prepared) -> None:
        super().__init__(connection, actor)
        self._prepared = prepared

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        await self._explain(sql, args)
        return await super().fetch(sql, *args)

    async def fetch_one(self, sql: str, *args: Any) -> asyncpg.Record | None:
        await self._explain(sql, args)
        return await super().fetch_one(sql, *args)

    async def fetch_value(self, sql: str, *args: Any) -> Any:
        await self._explain(sql, args)
        return await super().fetch_value(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        await self._explain(sql, args)
        return await super().execute(sql, *args)

    async def _explain(self, sql: str, args: Sequence[Any]) -> None:
        """Carried out once for the plan, and taken back."""
        if not sql.strip().upper().startswith(_READS):
            return
        connection = self._connection
        await connection.execute("SAVEPOINT watching")
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        types = [
            parameter.schema + "." + parameter.name
            for parameter in (await connection.prepare(sql)).get_parameters()
        ]
        name = self._prepared.names.get(sql)
        if name is None:
            name = self._prepared.names[sql] = f"watched_{len(self._prepared.names)}"
            declared = f"({', '.join(map(_sql_type, types))})" if types else ""
            await connection.execute(f"PREPARE {name} {declared} AS {sql}")
        values = [
            await connection.fetchval(
                f"SELECT quote_nullable(($1::{_sql_type(kind)})::text)", value
            )
            for kind, value in zip(types, args, strict=True)
        ]
        call = f"EXECUTE {name}({', '.join(values)})" if values else f"EXECUTE {name}"
        said = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {call}")
        await connection.execute("ROLLBACK TO SAVEPOINT watching; RELEASE SAVEPOINT watching")
        self._prepared.costs.append(_cost(sql, said, self._prepared.sorted_by))


def _sql_type(name: str) -> str:
    schema, _, kind = name.partition(".")
    return f"{schema}.{kind.removesuffix('[]')}[]" if kind.endswith("[]") else name


def _cost(sql: str, said: Any, sorted_by: Mapping[str, str]) -> Cost:
    (explained,) = json.loads(said) if isinstance(said, str) else said
    nodes = list(_nodes(explained["Plan"]))
    return Cost(
        sql,
        sum(_rows(node) for _, node in nodes),
        "\n".join(starmap(_line, nodes)),
        [node["Index Name"] for _, node in nodes if _looks_everywhere(node, sorted_by)],
    )


def _looks_everywhere(node: dict[str, Any], sorted_by: Mapping[str, str]) -> bool:
    """It is told what to find, and not by what the index is sorted by first: an index seems small
    enough for that to whoever believes it to be empty.
    """
    condition, first = node.get("Index Cond", ""), sorted_by.get(node.get("Index Name", ""), "")
    if not condition or first in {"", *_FEW}:
        return False
    return first.lower() not in condition.lower()


def _line(depth: int, node: dict[str, Any]) -> str:
    names = [node.get(key, "") for key in ("Node Type", "Relation Name", "Index Name", "CTE Name")]
    return f"{'  ' * depth}{' '.join(filter(None, names))}: {_rows(node):.0f} rows"


def _rows(node: dict[str, Any]) -> float:
    """Of tables; what a join threw away, too: that is where a nested loop over everything shows."""
    rows = node.get("Rows Removed by Join Filter", 0)
    if node["Node Type"].endswith("Scan") and ("Relation Name" in node or "Index Name" in node):
        rows += node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        rows += node.get("Rows Removed by Index Recheck", 0)
    return float(rows * node["Actual Loops"])


def _nodes(plan: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part, depth + 1)


async def leave_statistics_alone(connection: "asyncpg.Connection[Any]") -> None:
    """From here on only the test says when the queues are looked at."""
    for table in QUEUES:
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
