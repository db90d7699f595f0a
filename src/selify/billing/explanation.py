"""A charge that explains itself: what, why, when, what it cost, who paid, and what came back.

Everything is read from the rows of the charge, which keep what was decided as it was then
(``metadata.charge``); later changes of plan or price cannot make an old charge tell another story.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from selify.billing import repository
from selify.billing.errors import ChargeMissing
from selify.billing.repository import BookedCost, ChargeRow
from selify.billing.types import (
    CostSource,
    Explanation,
    RefundTo,
    UsagePart,
    UsageStatus,
)
from selify.core.database import Tx
from selify.core.language import Listed, When, _, stored
from selify.core.money import Credits, MicroUnits


async def explain(tx: Tx, usage_event_id: UUID) -> Explanation:
    """The whole charge that this row (either half of it) belongs to. Raises ChargeMissing.

    As a user, row level security decides whether there is such a charge.
    """
    rows = await repository.charge_parts(tx, usage_event_id)
    if not rows:
        raise ChargeMissing(
            _("There is no such charge in a workspace of yours."),
            hint=_("Check its number on the usage page."),
        )
    # Our costs are for the operator: users can read neither them nor the schema they are in.
    booked = await repository.booked_cost(tx, rows[0].id) if tx.actor.is_system else None
    return _explanation(rows, booked)


def usage_part(row: ChargeRow) -> UsagePart:
    """A row of ``workspace_usage_events`` in our words; also rows that we did not write."""
    charge = row.metadata.get("charge") or {}
    given_to = (row.metadata.get("refund") or {}).get("to")
    meter = row.service_subtype or row.service_type
    return UsagePart(
        id=row.id,
        workspace_id=row.workspace_id,
        user_id=row.user_id,
        service_type=row.service_type,
        meter=meter,
        name=stored(charge.get("name") or meter),
        credits=row.cost_credits,
        source=row.cost_source,
        status=row.status,
        source_platform=row.source_platform or "unknown",
        source_id=row.source_id or "",
        processing_time_ms=row.processing_time_ms,
        error_code=row.error_code,
        error_message=row.error_message,
        tier=row.subscription_tier,
        created_at=row.created_at,
        completed_at=row.completed_at,
        refunded_at=row.refunded_at,
        refunded_to=RefundTo(given_to) if given_to else None,
        charge=charge,
    )


def _explanation(rows: Sequence[ChargeRow], booked: BookedCost | None) -> Explanation:
    parts = tuple(usage_part(row) for row in rows)
    first, facts = parts[0], parts[0].charge
    settled = rows[0].metadata.get("settled") or {}
    price = sum((part.credits for part in parts), Credits.zero())
    cost = booked.cost_micro if booked else None
    earned = MicroUnits.zero() if first.refunded_at else price.to_micro_units()
    return Explanation(
        id=first.id,
        workspace_id=first.workspace_id,
        what=first.name,
        meter=first.meter,
        status=first.status,
        when=first.created_at,
        source_platform=first.source_platform,
        source_id=first.source_id,
        tier=first.tier,
        price=price,
        price_id=UUID(facts["price_id"]) if facts.get("price_id") else None,
        price_since=_time(facts.get("price_since")),
        from_week=_paid_from(parts, CostSource.WEEK),
        from_payg=_paid_from(parts, CostSource.PAYG).to_micro_units(),
        parts=parts,
        engine=settled.get("engine") or (booked.engine if booked else None),
        provider_cost=cost,
        margin=None if cost is None else earned - cost,
        refund_reason=first.error_message if first.refunded_at else None,
        refunded_at=first.refunded_at,
        refunded_to=tuple(part.refunded_to for part in parts if part.refunded_to),
        sentences=tuple(_sentences(parts, price)),
    )


def _paid_from(parts: Sequence[UsagePart], source: CostSource) -> Credits:
    return sum((part.credits for part in parts if part.source is source), Credits.zero())


def _sentences(parts: Sequence[UsagePart], price: Credits) -> Iterator[str]:
    first = parts[0]
    yield _(
        "%(what)s, on %(when)s, asked for through %(platform)s: %(price)s (%(dollars)s).",
        what=first.name,
        when=When(first.created_at, "at"),
        platform=first.source_platform,
        price=price,
        dollars=price.to_micro_units(),
    )
    since = _time(first.charge.get("price_since"))
    if since:
        yield _(
            "The price has been %(price)s per %(unit)s since %(day)s.",
            price=price,
            unit=stored(first.charge["unit"]),
            day=When(since),
        )
    yield from _who_paid(parts)
    yield from _how_it_ended(parts)


def _who_paid(parts: Sequence[UsagePart]) -> Iterator[str]:
    facts = parts[0].charge
    limit, used = facts.get("week_limit"), facts.get("week_used_before")
    if limit is None or used is None:
        yield _("Paid from %(sources)s.", sources=Listed(tuple(_SOURCES[p.source] for p in parts)))
        return
    left, ends = max(Credits(limit - used), Credits.zero()), _time(facts["week_end"])
    for part in parts:
        if part.source is CostSource.WEEK:
            yield _(
                "%(paid)s came from the week's allowance, which is used first:"
                " %(left)s of %(limit)s were left.",
                paid=part.credits,
                left=left,
                limit=Credits(limit),
            )
        else:
            yield _from_balance(part, left, ends)


def _from_balance(part: UsagePart, left: Credits, ends: datetime | None) -> str:
    paid, share = part.credits.to_micro_units(), part.credits
    until = _(" (until %(end)s)", end=When(ends, "hour")) if ends else ""
    if not left:
        return _(
            "%(paid)s (%(credits)s) came from your pay-as-you-go balance, because nothing was left"
            " of the week's allowance%(until)s.",
            paid=paid,
            credits=share,
            until=until,
        )
    return _(
        "%(paid)s (%(credits)s) came from your pay-as-you-go balance, because only %(left)s were"
        " left of the week's allowance%(until)s.",
        paid=paid,
        credits=share,
        left=left,
        until=until,
    )


def _how_it_ended(parts: Sequence[UsagePart]) -> Iterator[str]:
    first = parts[0]
    if first.status is UsageStatus.RESERVED:
        yield _("It is still being made. If it does not succeed, the charge is given back.")
    elif first.status is UsageStatus.COMPLETED and first.completed_at:
        yield _("It was delivered on %(when)s.", when=When(first.completed_at, "at"))
    elif first.refunded_at:
        yield _(
            "It was given back on %(when)s: %(why)s",
            when=When(first.refunded_at, "at"),
            why=stored(first.error_message or ""),
        )
        yield from (_came_back(part) for part in parts)


def _came_back(part: UsagePart) -> str:
    if part.source is CostSource.PAYG:
        return _(
            "%(paid)s went back to your pay-as-you-go balance.", paid=part.credits.to_micro_units()
        )
    if part.refunded_to is RefundTo.ENDED_WEEK:
        return _(
            "The %(credits)s belonged to a week that was over by then; the new week's"
            " allowance comes in full, so there is nothing to return.",
            credits=part.credits,
        )
    return _("%(credits)s went back to the week's allowance.", credits=part.credits)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_SOURCES = {CostSource.WEEK: _("week"), CostSource.PAYG: _("payg")}
