"""What a program asks its database, and how the database would answer: statements and plans."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from selify.core import database
from selify.core.database import Actor, Database, Tx

# More rows than that nobody reads on a page: the longest pages show 200.
MANY = 5_000
_LISTS = ("Plans", "Subplans")


@dataclass(frozen=True, slots=True)
class Question:
    """A statement as it was sent, and on whose behalf."""

    sql: str
    args: tuple[Any, ...]
    actor: Actor

    @property
    def shape(self) -> tuple[object, ...]:
        """What decides about the plan: also which parameters are missing."""
        return self.sql, tuple(arg is None for arg in self.args), self.actor.role


class _Undone(Exception):
    """Takes back what a statement did while its plan was measured."""


@contextlib.contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Question]]:
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

    with monkeypatch.context() as patch:
        patch.setattr(database, "Tx", Recorded)
        yield asked


async def plan_of(db: Database, question: Question) -> Mapping[str, Any] | None:
    """The plan it was carried out by, with the rows each step met; None for what has none."""
    if not question.sql.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "(")):
        return None
    plan: Mapping[str, Any] = {}
    with contextlib.suppress(_Undone):
        async with db.tx(question.actor) as tx:
            answer = await tx.fetch_value(
                f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {question.sql}", *question.args
            )
            plan = answer[0]["Plan"]
            raise _Undone
    return plan


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
