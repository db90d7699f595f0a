"""Business invariants: sentences about the stored data that must hold whenever anyone looks.

Each domain brings its own; this file checks them and keeps ``internal.invariant_findings``: a
violation opens a finding, and once it is no longer seen the finding is resolved. Run by a routine
and by tests.

An invariant is best one SELECT: one statement sees one moment, so that work going on meanwhile
cannot look like a violation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.logging import get_logger

log = get_logger(__name__)


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
    async def violations(self, tx: Tx) -> list[Violation]: ...


@dataclass(frozen=True, slots=True)
class SqlInvariant:
    """A SELECT of the rows that break it: column ``subject``, and the rest as detail."""

    name: str
    sentence: str
    sql: str

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
            opened += bool(
                await tx.fetch_value(
                    """
                    INSERT INTO internal.invariant_findings (invariant, subject, detail, found_at)
                    VALUES ($1, $2, $3, $4)
                    ON CONFLICT (invariant, subject) WHERE resolved_at IS NULL
                    DO UPDATE SET detail = excluded.detail RETURNING xmax = 0
                    """,
                    invariant.name,
                    violation.subject,
                    {"sentence": invariant.sentence, **violation.detail},
                    now,
                )
            )
        resolved += await tx.execute(
            """
            UPDATE internal.invariant_findings SET resolved_at = greatest($3, found_at)
             WHERE invariant = $1 AND resolved_at IS NULL AND subject <> ALL ($2::text[])
            """,
            invariant.name,
            [violation.subject for violation in violations],
            now,
        )
    return Findings(opened, resolved, found)
