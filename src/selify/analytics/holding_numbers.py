"""What a holding sees of a brand: how many got how far, and what was spent. No row of anybody, no name, no text."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from selify.billing import spend_by_day
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.money import Credits
from selify.tryon.funnel import funnel


@dataclass(frozen=True, slots=True)
class BrandNumbers:
    """Of what began in the last ``days``; ``spent`` without what was given back."""

    days: int
    triggers: int
    answered: int
    photos: int
    tried_on: int
    liked: int
    spent: Credits


async def numbers_of(tx: Tx, clock: Clock, brand_id: UUID, *, days: int) -> BrandNumbers:
    """A system transaction, after ``auth.holdings.access_held_brand`` has said that one may."""
    now = clock.now()
    since = now - timedelta(days=days)
    steps = await funnel(tx, brand_id, since=since, now=now)
    spent = await spend_by_day(tx, brand_id, first=since.date(), last=now.date())
    return BrandNumbers(
        days=days,
        spent=Credits(sum(day.from_week.value + day.from_payg.value for day in spent.values())),
        **steps,
    )
