"""What a program asks its database, and how the database would answer: statements and plans."""

import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from selify.core import database
from selify.core.database import Actor, Database, Tx

# More rows than that nobody reads on a page: the longest pages show 200.
MANY = 5_000
_LISTS = ("Plans", "Subplans")
_ANSWERED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "(")
# So often PostgreSQL plans a statement for the values it is asked with, before one plan may do for all.
_PLANNED_ANEW = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A statement as it was sent, and on whose behalf."""

    sql: str
    args: tuple[Any, ...]
    actor: Actor

    @property
    def has_plan(self) -> bool:
        return self.sql.lstrip().upper().startswith(_ANSWERED)


class _Undone(Exception):
    """Takes back what a statement did while its plan was measured."""


@contextlib.contextmanager
def recorded() -> Iterator[list[Question]]:
    """Everything that any transaction of this process asks meanwhile."""
    asked: list[Question] = []

    class Recorded(Tx):
        async def fetch(self, sql: str, *args: Any) -> list[Any]:
            asked.append(Question(sql, args, self.actor))
            return await super().fetch(sql, *args)

        async def fetch_one(self, sql: str, *args: Any) -> Any:
            asked.append(Question(sql, args, self.actor))
            return await super().fetch_one(sql, *args)

        async def fetch_value(self, sql: str, *args: Any) -> Any:
            asked.append(Question(sql, args, self.actor))
            return await super().fetch_value(sql, *args)

        async def execute(self, sql: str, *args: Any) -> int:
            asked.append(Question(sql, args, self.actor))
            return await super().execute(sql, *args)

    with patch.object(database, "Tx", Recorded):
        yield asked


async def plans_of(db: Database, question: Question) -> list[Mapping[str, Any]]:
    """The plans it is carried out by, with the rows each step met: one for these values, and the one
    that a connection may keep for any. None for what has none.
    """
    plans: list[Mapping[str, Any]] = []
    if not question.has_plan:
        return plans
    with contextlib.suppress(_Undone):
        async with db.tx(question.actor) as tx:
            prepared = await tx._connection.prepare(question.sql)
            call = await _call(tx, prepared, question)
            analyse = f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {call}"
            plans.append((await tx.fetch_value(analyse))[0]["Plan"])
            for _ in range(_PLANNED_ANEW - 1):
                await tx.execute(f"EXPLAIN {call}")
            plans.append((await tx.fetch_value(analyse))[0]["Plan"])
            raise _Undone
    return plans


async def _call(tx: Tx, prepared: Any, question: Question) -> str:
    """The prepared statement with these values."""
    values = [
        await tx.fetch_value(f"SELECT quote_nullable(($1::{_type(kind)})::text)", value)
        for kind, value in zip(prepared.get_parameters(), question.args, strict=True)
    ]
    return f"EXECUTE {prepared.get_name()}" + (f" ({', '.join(values)})" if values else "")


def _type(kind: Any) -> str:
    many = "[]" if kind.name.endswith("[]") else ""
    return f"{kind.schema}.{kind.name.removesuffix('[]')}{many}"


async def seconds_of(db: Database, question: Question, *, rounds: int) -> float:
    """How long whoever asks it waits for the answer, on a connection that was asked it before: planned
    for these values or, where PostgreSQL thinks that good enough, for any; the slower of the two.
    """
    if not question.has_plan:
        return 0.0
    anew = [await _seconds_once(db, question) for _ in range(_PLANNED_ANEW)]
    kept = [await _seconds_once(db, question) for _ in range(rounds)]
    return max(statistics.median(anew), statistics.median(kept))


async def _seconds_once(db: Database, question: Question) -> float:
    seconds = 0.0
    with contextlib.suppress(_Undone):
        async with db.tx(question.actor) as tx:
            started = time.perf_counter()
            await tx.fetch(question.sql, *question.args)
            seconds = time.perf_counter() - started
            raise _Undone
    return seconds


def faults(plan: Mapping[str, Any], growing: frozenset[str]) -> Iterator[str]:
    """Why this plan would take longer for whoever has more. ``growing``: tables of many rows."""
    kind, loops = plan["Node Type"], plan["Actual Loops"]
    table = plan.get("Relation Name", "")
    if kind == "Seq Scan" and table in growing and loops:
        yield f"reads all of {table}"
    elif table in growing and (met := _met(plan) * loops) > MANY:
        yield f"{kind} meets {met:,.0f} rows of {table}"
    if kind in ("Sort", "Incremental Sort", "WindowAgg") and kind != "Incremental Sort":
        sorted_rows = sum(child["Actual Rows"] * child["Actual Loops"] for child in plan["Plans"])
        if sorted_rows > MANY:
            yield f"{kind} of {sorted_rows:,.0f} rows by {plan.get('Sort Key')}"
    for name in _LISTS:
        for child in plan.get(name, ()):
            yield from faults(child, growing)


def _met(plan: Mapping[str, Any]) -> float:
    """Rows in one loop, also those that were looked at in vain."""
    vain = (
        "Rows Removed by Filter",
        "Rows Removed by Index Recheck",
        "Rows Removed by Join Filter",
    )
    return float(plan["Actual Rows"]) + sum(plan.get(name, 0) for name in vain)
