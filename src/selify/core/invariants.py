"""Business invariants: sentences about the stored data that must hold whenever anyone looks.

Each domain brings its own; this file checks them and keeps ``internal.invariant_findings``: a
violation opens a finding, and once it is no longer seen the finding is resolved. Run by routines
and by tests. That one could not be checked is a finding, too.

An invariant is best one SELECT: one statement sees one moment, so that work going on meanwhile
cannot look like a violation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.turns import take_turn

log = get_logger(__name__)

ACTOR = Actor.system("invariants")
CHECKABLE = "invariants_checkable"


@dataclass(frozen=True, slots=True)
class Violation:
    """``subject`` names the row or workspace, the same each time it is seen."""

    subject: str
    detail: Mapping[str, Any] = field(default_factory=dict)


class Invariant(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def seldom(self) -> bool:
        """It looks at so much that it is checked every hour, not every minute."""

    async def violations(self, tx: Tx) -> list[Violation]: ...


@dataclass(frozen=True, slots=True)
class SqlInvariant:
    """A SELECT of the rows that break it: column ``subject``, and the rest as detail."""

    name: str
    sentence: str
    sql: str
    seldom: bool = False

    async def violations(self, tx: Tx) -> list[Violation]:
        rows = [dict(row) for row in await tx.fetch(self.sql)]
        return [Violation(str(row.pop("subject")), row) for row in rows]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check changed, and what is wrong now."""

    opened: int
    resolved: int
    violations: Mapping[str, Sequence[Violation]]


async def check_all(tx: Tx, clock: Clock, invariants: Sequence[Invariant]) -> Findings:
    """Check each invariant once and write down what changed. Needs a system transaction."""
    now, opened, resolved, found = clock.now(), 0, 0, {}
    for invariant in invariants:
        violations = await invariant.violations(tx)
        if violations:
            found[invariant.name] = violations
            log.error("an invariant does not hold", invariant=invariant.name, times=len(violations))
        for violation in violations:
            opened += await _open(tx, invariant.name, invariant.sentence, violation, now)
        subjects = [violation.subject for violation in violations]
        resolved += await tx.execute(
            f"{_RESOLVE} WHERE resolved_at IS NULL AND invariant = $1 AND subject <> ALL ($3::text[])",
            invariant.name,
            now,
            subjects,
        )
    return Findings(opened, resolved, found)


async def watch(
    database: Database,
    clock: Clock,
    invariants: Sequence[Invariant],
    *,
    every: timedelta,
    patience: timedelta,
) -> int:
    """Check those that no worker has checked within ``every``; how many that were.

    Each in a transaction of its own, and none longer than ``patience``: the slow ones take neither
    time nor findings from the others.
    """
    checked = 0
    for invariant in invariants:
        async with database.tx(ACTOR) as tx:
            turn = f"invariant {invariant.name}"
            if not await take_turn(tx, turn, every=every, now=clock.now()):
                continue
        checked += 1
        try:
            async with database.tx(ACTOR) as tx:
                await tx.allow(patience)
                await check_all(tx, clock, [invariant])
                await tx.execute(
                    f"{_RESOLVE} WHERE resolved_at IS NULL AND invariant = $1 AND subject = $3",
                    CHECKABLE,
                    clock.now(),
                    invariant.name,
                )
        except Exception as error:
            # A statement that was given up is not a database that is away, although both pass.
            if is_away(error) and not isinstance(error, asyncpg.QueryCanceledError):
                raise
            log.exception("an invariant could not be checked", invariant=invariant.name)
            await _not_checked(database, clock, invariant, error)
    return checked


async def _not_checked(
    database: Database, clock: Clock, invariant: Invariant, error: Exception
) -> None:
    why = Violation(invariant.name, {"error": f"{type(error).__name__}: {error}"[:1000]})
    async with database.tx(ACTOR) as tx:
        await _open(tx, CHECKABLE, "Every invariant can be checked.", why, clock.now())


async def _open(tx: Tx, invariant: str, sentence: str, violation: Violation, now: datetime) -> bool:
    """False where the finding is open already."""
    return bool(
        await tx.fetch_value(
            """
            INSERT INTO internal.invariant_findings (invariant, subject, detail, found_at)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (invariant, subject) WHERE resolved_at IS NULL
            DO UPDATE SET detail = excluded.detail RETURNING xmax = 0
            """,
            invariant,
            violation.subject,
            {"sentence": sentence, **violation.detail},
            now,
        )
    )


_RESOLVE = "UPDATE internal.invariant_findings SET resolved_at = greatest($2, found_at)"
