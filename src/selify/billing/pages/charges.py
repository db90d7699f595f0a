"""Charges as a shop owner counts them: one line each, although two pots may have paid for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from selify import billing
from selify.billing import After, CostSource, UsagePart
from selify.core.database import Tx
from selify.core.money import Credits, MicroUnits


@dataclass(frozen=True, slots=True)
class Charge:
    """``from_week`` and ``from_payg`` add up to ``price``."""

    id: UUID
    name: str
    when: datetime
    status: str
    price: Credits
    from_week: Credits
    from_payg: MicroUnits


@dataclass(frozen=True, slots=True)
class Page:
    """``after``: where the next page begins; None on the last one."""

    charges: tuple[Charge, ...]
    after: After | None


async def read(tx: Tx, workspace_id: UUID, *, after: After | None = None, limit: int) -> Page:
    """Newest first, as the user whose transaction this is."""
    parts = await billing.list_usage(tx, workspace_id, after=after, limit=2 * limit + 2)
    groups = [tuple(group) for _, group in groupby(parts, key=_charge_of)]
    shown = groups[:limit]
    last = shown[-1][-1] if len(groups) > limit else None
    return Page(
        tuple(_charge(group) for group in shown), After(last.created_at, last.id) if last else None
    )


def _charge_of(part: UsagePart) -> tuple[object, ...]:
    """The parts of a charge are made in one moment, so they follow each other."""
    return part.service_type, part.source_id, part.created_at


def _charge(parts: Sequence[UsagePart]) -> Charge:
    first = min(parts, key=lambda part: part.charge.get("part", 1))
    return Charge(
        id=first.id,
        name=first.name,
        when=first.created_at,
        status=first.status.value,
        price=sum((part.credits for part in parts), Credits.zero()),
        from_week=_paid(parts, CostSource.WEEK),
        from_payg=_paid(parts, CostSource.PAYG).to_micro_units(),
    )


def _paid(parts: Sequence[UsagePart], source: CostSource) -> Credits:
    return sum((part.credits for part in parts if part.source is source), Credits.zero())
