"""Business invariants: sentences about the stored data that must hold whenever anyone looks.

Each domain brings its own; this file checks them and keeps ``internal.invariant_findings``: a
violation opens a finding, and once it is no longer seen the finding is resolved. Run by routines
and by tests. That one could not be checked is a finding, too.

An invariant is best one SELECT: one statement sees one moment, so that work going on meanwhile
cannot look like a violation.

What is about a history that grows (``HistoryInvariant``) looks at what is new since the last time, and
once a day at the whole, in pieces: ``internal.invariant_progress`` knows how far. While something is
found, each look goes over the whole: a finding stays open until the whole was seen without it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import asyncpg

from selify.core.clock import Clock, is_within
from selify.core.database import Actor, Database, Tx
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.pruning import TROUBLE_KEPT, Rule
from selify.core.queue.claims import NOBODY

log = get_logger(__name__)

ACTOR = Actor.system("invariants")
CHECKABLE = "invariants_checkable"
WHOLE_EVERY = timedelta(hours=24)
# The first look at what is new; what came before it is in the first pass over the whole.
FIRST_LOOK = timedelta(days=1)
# A transaction may commit a while after the time it wrote down.
OVERLAP = timedelta(hours=1)
PIECE = 20_000
ALL_TIME = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
PRUNED = (Rule("internal.invariant_findings", "resolved_at", TROUBLE_KEPT),)


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
        return _violations(await tx.fetch(self.sql))


@runtime_checkable
class HistoryInvariant(Invariant, Protocol):
    """``violations`` are those of the whole."""

    async def recent(self, tx: Tx, since: datetime, until: datetime) -> list[Violation]:
        """Among what was made or changed since then."""

    async def piece(self, tx: Tx, cursor: str) -> tuple[list[Violation], str]:
        """Among the next piece of the whole, and where the one after it begins; empty: nowhere."""


@dataclass(frozen=True, slots=True)
class RowInvariant:
    """A SELECT of rows that break it, each by itself, made (or changed) after $1 and until $2.

    ``paced_by``: the table whose rows are counted, by ``created_at``, to make pieces of one size.
    """

    name: str
    sentence: str
    sql: str
    paced_by: str
    seldom: bool = True

    async def violations(self, tx: Tx) -> list[Violation]:
        return await self.recent(tx, *ALL_TIME)

    async def recent(self, tx: Tx, since: datetime, until: datetime) -> list[Violation]:
        return _violations(await tx.fetch(self.sql, since, until))

    async def piece(self, tx: Tx, cursor: str) -> tuple[list[Violation], str]:
        since = datetime.fromisoformat(cursor) if cursor else ALL_TIME[0]
        until = await tx.fetch_value(
            f"SELECT created_at FROM {self.paced_by} WHERE created_at > $1"
            f" ORDER BY created_at OFFSET {PIECE} LIMIT 1",
            since,
        )
        violations = await self.recent(tx, since, until or ALL_TIME[1])
        return violations, until.isoformat() if until else ""


@dataclass(frozen=True, slots=True)
class OwnerInvariant:
    """A SELECT of the owners in $1 (all of them where that is null) whose rows taken together break it.

    ``changed``: the owners with something new after $1 and until $2; empty where looking at an owner
    takes so much that once a day is enough. ``owners``: the next ones after $1, in order.
    """

    name: str
    sentence: str
    sql: str
    owners: str
    changed: str = ""
    seldom: bool = True

    async def violations(self, tx: Tx) -> list[Violation]:
        return _violations(await tx.fetch(self.sql, None))

    async def recent(self, tx: Tx, since: datetime, until: datetime) -> list[Violation]:
        if not self.changed:
            return []
        owners = [row[0] for row in await tx.fetch(self.changed, since, until)]
        return _violations(await tx.fetch(self.sql, owners)) if owners else []

    async def piece(self, tx: Tx, cursor: str) -> tuple[list[Violation], str]:
        owners = [row[0] for row in await tx.fetch(self.owners, UUID(cursor) if cursor else NOBODY)]
        violations = _violations(await tx.fetch(self.sql, owners)) if owners else []
        return violations, str(owners[-1]) if owners else ""


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
        opened += await _open_all(tx, invariant, violations, now)
        subjects = [violation.subject for violation in violations]
        resolved += await tx.execute(
            f"{_RESOLVE} WHERE resolved_at IS NULL AND invariant = $1 AND subject <> ALL ($3::text[])",
            invariant.name,
            now,
            subjects,
        )
    return Findings(opened, resolved, found)


async def watch(
    database: Database, clock: Clock, invariant: Invariant, *, patience: timedelta
) -> None:
    """A routine: check it, in a transaction of its own that is no longer than ``patience``. That it cannot be
    checked is a finding, too. Raises what the database raises that is away.
    """
    try:
        if isinstance(invariant, HistoryInvariant):
            await _look_at_history(database, clock, invariant, patience)
        else:
            async with database.tx(ACTOR) as tx:
                await tx.allow(patience)
                await check_all(tx, clock, [invariant])
        async with database.tx(ACTOR) as tx:
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


async def _look_at_history(
    database: Database, clock: Clock, invariant: HistoryInvariant, patience: timedelta
) -> None:
    """The new in one transaction, then the pieces of the whole, where it is time, each in its own."""
    now = clock.now()
    async with database.tx(ACTOR) as tx:
        await tx.allow(patience)
        checked_to = await tx.fetch_value(
            """
            INSERT INTO internal.invariant_progress AS p (invariant) VALUES ($1)
            ON CONFLICT (invariant) DO UPDATE SET invariant = p.invariant RETURNING checked_to
            """,
            invariant.name,
        )
        since = min(checked_to, now) - OVERLAP if checked_to else now - FIRST_LOOK
        await _open_all(tx, invariant, await invariant.recent(tx, since, now), now)
        await tx.execute(
            "UPDATE internal.invariant_progress SET checked_to = $2 WHERE invariant = $1",
            invariant.name,
            now,
        )
        whole = await _whole_is_due(tx, invariant, now)
    deadline = time.monotonic() + patience.total_seconds()
    while whole and time.monotonic() < deadline:
        async with database.tx(ACTOR) as tx:
            await tx.allow(patience)
            whole = await _next_piece(tx, invariant, clock.now())


async def _whole_is_due(tx: Tx, invariant: HistoryInvariant, now: datetime) -> bool:
    """A pass is under way, was never made or is a day old, or there is something to be found again."""
    row = await tx.fetch_one(
        """
        SELECT whole_started_at IS NOT NULL OR EXISTS (
                   SELECT FROM internal.invariant_findings
                    WHERE invariant = $1 AND resolved_at IS NULL) AS wanted, whole_finished_at
          FROM internal.invariant_progress WHERE invariant = $1
        """,
        invariant.name,
    )
    assert row is not None  # noqa: S101 - made in this transaction
    last = row["whole_finished_at"]
    return row["wanted"] or last is None or not is_within(WHOLE_EVERY, last, now)


async def _next_piece(tx: Tx, invariant: HistoryInvariant, now: datetime) -> bool:
    """Whether there is another one. With the last, what the whole pass has not seen is resolved."""
    row = await tx.fetch_one(
        """
        UPDATE internal.invariant_progress
           SET whole_started_at = coalesce(whole_started_at, $2) WHERE invariant = $1
        RETURNING whole_cursor, whole_started_at
        """,
        invariant.name,
        now,
    )
    assert row is not None  # noqa: S101 - nobody deletes it
    violations, following = await invariant.piece(tx, row["whole_cursor"])
    # What this pass sees is seen since it began, also where the clock was set back meanwhile.
    await _open_all(tx, invariant, violations, max(now, row["whole_started_at"]))
    if not following:
        await tx.execute(
            f"{_RESOLVE} WHERE resolved_at IS NULL AND invariant = $1 AND seen_at < $3",
            invariant.name,
            now,
            row["whole_started_at"],
        )
    await tx.execute(
        """
        UPDATE internal.invariant_progress
           SET whole_cursor = $2,
               whole_started_at = CASE WHEN $2 <> '' THEN whole_started_at END,
               whole_finished_at = CASE WHEN $2 <> '' THEN whole_finished_at ELSE $3 END
         WHERE invariant = $1
        """,
        invariant.name,
        following,
        now,
    )
    return bool(following)


async def _open_all(
    tx: Tx, invariant: Invariant, violations: Sequence[Violation], now: datetime
) -> int:
    """How many are new."""
    if violations:
        log.error("an invariant does not hold", invariant=invariant.name, times=len(violations))
    opened = 0
    for violation in violations:
        opened += await _open(tx, invariant.name, invariant.sentence, violation, now)
    return opened


def _violations(rows: Sequence[asyncpg.Record]) -> list[Violation]:
    found = [dict(row) for row in rows]
    return [Violation(str(row.pop("subject")), row) for row in found]


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
            INSERT INTO internal.invariant_findings (invariant, subject, detail, found_at, seen_at)
            VALUES ($1, $2, $3, $4, $4)
            ON CONFLICT (invariant, subject) WHERE resolved_at IS NULL
            DO UPDATE SET detail = excluded.detail, seen_at = excluded.seen_at RETURNING xmax = 0
            """,
            invariant,
            violation.subject,
            {"sentence": sentence, **violation.detail},
            now,
        )
    )


_RESOLVE = "UPDATE internal.invariant_findings SET resolved_at = greatest($2, found_at)"


async def count_open(tx: Tx) -> int:
    """In how many places an invariant does not hold."""
    count: int = await tx.fetch_value(
        "SELECT count(*) FROM internal.invariant_findings WHERE resolved_at IS NULL"
    )
    return count
