"""The engines side by side: how many of their try-ons were sent, why the others were not, how fast, at what price.

Read from what each charge remembers of what was tried for it (``tries``); charges from before that remember the
engine that made their picture and nothing else. The newest charges of a period are read, so that the answer comes
as fast for whoever has many.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from statistics import median
from typing import Any, Final
from uuid import UUID

from selify.core.database import Tx
from selify.core.money import Credits, MicroUnits
from selify.tryon import tries
from selify.tryon.lifecycle import METER
from selify.tryon.routing import Outcome

# So many of a workspace's newest charges in the period are looked at.
MOST: Final = 3_000
_NOT_ASKED: Final = frozenset({Outcome.COOLING_DOWN.value})
_MADE: Final = frozenset({Outcome.PASSED.value, Outcome.QUALITY_TOO_LOW.value})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why try-ons brought no picture. ``outcome``: how the engine's last attempt ended; ``why``: the measure that
    was missed or the code of the refusal, empty where the outcome says all. ``count`` of try-ons.
    """

    outcome: Outcome
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One engine. ``asked`` and ``sent`` count try-ons, of an outfit each piece for itself; ``again`` those it was asked a second time for, ``rescued``
    those of them whose picture was sent. ``middle`` and ``slow``: median and 95th percentile of the seconds a picture
    took, None where none was made. Of a sent picture on average: ``credits`` is what the brand paid, ``cost`` what we
    did, with all attempts; None where nobody may know.
    """

    engine: str
    asked: int
    sent: int
    again: int
    rescued: int
    middle: float | None
    slow: float | None
    credits: float | None
    cost: MicroUnits | None
    reasons: tuple[Reason, ...]

    @property
    def rate(self) -> float:
        return self.sent / self.asked

    @property
    def percent(self) -> int:
        """The pass rate in whole percent."""
        return round(100 * self.rate)


@dataclass(frozen=True, slots=True)
class League:
    """Best first. ``try_ons``: how many were looked at; ``whole``: False where the period has more than that."""

    standings: tuple[Standing, ...]
    try_ons: int
    whole: bool


@dataclass(frozen=True, slots=True)
class TriedOn:
    """A charge in the period. ``ours``: of a try-on; ``tries``: as ``tries.as_metadata`` wrote it. ``engine``, ``seconds``
    and ``number`` are of the picture that was sent; ``cost``: what it cost us, which users cannot read.
    """

    ours: bool
    price: Credits
    cost: MicroUnits | None
    tries: Sequence[Mapping[str, Any]] | None
    engine: str | None
    seconds: float | None
    number: int | None


async def league(tx: Tx, workspace_id: UUID, *, since: datetime, until: datetime) -> League:
    """Of the try-ons in [since, until), by engine. As a user, row level security decides what counts."""
    # Users can read neither our costs nor the schema they are in.
    cost = "NULL::bigint"
    if tx.actor.is_system:
        cost = "(SELECT cost_micro FROM internal.charge_costs WHERE event_id = id)"
    rows = await tx.fetch_as(
        TriedOn,
        f"""
        SELECT coalesce(service_subtype = $5 AND status IN ('completed', 'refunded')
                        AND coalesce((metadata -> 'charge' ->> 'part')::int, 1) = 1, false) AS ours,
               coalesce((metadata -> 'charge' ->> 'price')::bigint, cost_credits) AS price,
               {cost} AS cost,
               metadata -> $6::text AS tries, metadata -> 'settled' ->> 'engine' AS engine,
               processing_time_ms / 1000.0::float8 AS seconds,
               (metadata ->> 'attempts')::int - 1 AS number
          FROM public.workspace_usage_events
         WHERE workspace_id = $1 AND created_at >= $2 AND created_at < $3
         ORDER BY created_at DESC LIMIT $4
        """,
        workspace_id,
        since,
        until,
        MOST + 1,
        METER,
        tries.KEY,
    )
    return standings([row for row in rows[:MOST] if row.ours], whole=len(rows) <= MOST)


def standings(rows: Sequence[TriedOn], *, whole: bool = True) -> League:
    """From charges of try-ons."""
    by_engine: dict[str, list[_TryOn]] = {}
    for row in rows:
        for (engine, _piece), entries in _by_engine(_remembered(row)).items():
            by_engine.setdefault(engine, []).append(_TryOn(entries, row.price, row.cost))
    found = [_standing(engine, try_ons) for engine, try_ons in by_engine.items()]
    found.sort(key=lambda one: (-one.rate, -one.asked, one.engine))
    return League(tuple(found), len(rows), whole)


@dataclass(frozen=True, slots=True)
class _TryOn:
    """One engine's attempts for one photo and garment."""

    entries: Sequence[Mapping[str, Any]]
    price: Credits
    cost: MicroUnits | None

    @property
    def sent(self) -> bool:
        return any(entry["outcome"] == Outcome.PASSED for entry in self.entries)

    @property
    def again(self) -> bool:
        return len(self.entries) > 1

    @property
    def seconds(self) -> Iterable[float]:
        return (float(entry["seconds"]) for entry in self.entries if entry["outcome"] in _MADE)

    @property
    def reasons(self) -> Sequence[tuple[str, str]]:
        """Of the last attempt: outcome and why, once for each measure that was missed."""
        last = self.entries[-1]
        missed = last.get("missed") or [last.get("why", "")]
        return [(last["outcome"], str(why)) for why in missed]


def _remembered(row: TriedOn) -> Sequence[Mapping[str, Any]]:
    if row.tries is not None:
        return row.tries
    if not row.engine:
        return ()
    made = {"engine": row.engine, "outcome": Outcome.PASSED.value, "seconds": row.seconds or 0.0}
    return [{**made, "number": max(0, row.number or 0)}]


def _by_engine(
    entries: Sequence[Mapping[str, Any]],
) -> Mapping[tuple[str, str], list[Mapping[str, Any]]]:
    """By engine and, in an outfit, piece."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in entries:
        if entry["outcome"] not in _NOT_ASKED:
            asked = str(entry["engine"]), str(entry.get("piece", ""))
            found.setdefault(asked, []).append(entry)
    return found


def _standing(engine: str, try_ons: Sequence[_TryOn]) -> Standing:
    sent = [one for one in try_ons if one.sent]
    seconds = sorted(second for one in try_ons for second in one.seconds)
    why = Counter(reason for one in try_ons if not one.sent for reason in one.reasons)
    return Standing(
        engine=engine,
        asked=len(try_ons),
        sent=len(sent),
        again=sum(one.again for one in try_ons),
        rescued=sum(one.again for one in sent),
        middle=median(seconds) if seconds else None,
        slow=_percentile(seconds, 0.95),
        cost=_mean_cost(try_ons, len(sent)),
        credits=sum(one.price.value for one in sent) / len(sent) if sent else None,
        reasons=tuple(
            Reason(Outcome(outcome), said, count) for (outcome, said), count in why.most_common()
        ),
    )


def _mean_cost(try_ons: Sequence[_TryOn], sent: int) -> MicroUnits | None:
    """All that was spent, by the pictures that were sent."""
    known = [one.cost.value for one in try_ons if one.cost is not None]
    return MicroUnits(round(sum(known) / sent)) if known and sent else None


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest rank."""
    return ordered[ceil(share * len(ordered)) - 1] if ordered else None
