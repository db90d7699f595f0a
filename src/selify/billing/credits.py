"""Paying for an action: gate → reserve → run → settle or refund.

The money states of one charge::

    (nothing) --reserve--> reserved --settle--> completed
                              |                     |
                              +-------refund--------+--> refunded   (final)

* **reserve** is the gate and the payment in one statement: it either takes the whole price, the
  week's credits first and pay-as-you-go for the rest, or takes nothing and says what is left.
  Credits leave the account here, so what is spoken for cannot be spent twice.
* **settle** moves no credits. It records that the action was done, by what and at what cost to us
  (in ``internal.charge_costs``: the rows of a charge are the brand's to read, our costs are not).
* **refund** gives each part back to where it came from, once. Credits of a week that has ended do
  not come back: that week's leftover would have expired as well, and turning it into balance
  would make money out of an allowance.

Why nothing is charged twice. The id of a usage event is made of (workspace, service type, source,
attempt): the same source is the same primary key. ``reserve`` locks the workspace's quota row
first, so one workspace's charges run one after another, and a second request for the same source
finds the first one's row; were the lock ever forgotten, the key would still refuse. A source that
was refunded may be charged again, as the next attempt.

Why nothing goes below zero. Both pots are only lowered under that lock, the balance by an UPDATE
that carries its own condition, and CHECKs stand behind them.

The lock lasts until the caller's transaction ends: reserve late in it, and never wait for a network
in between. ``workspaces.settings.credits_enabled`` is not looked at: owners can write that column,
and whether a charge is due is not theirs to decide.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg

from selify.billing import errors, repository
from selify.billing.accounts import REFUND, balance_at
from selify.billing.types import (
    CostSource,
    Order,
    Refund,
    RefundTo,
    Reservation,
    UsageEventId,
    UsageStatus,
    Work,
)
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import SelifyError
from selify.core.language import When, _
from selify.core.money import Credits, MicroUnits
from selify.core.queue import schedule

LONGEST_CODE = 50
STALE_CODE = "stale"
STALE_REASON = _("It was never finished: the work stopped before there was a result.")


async def reserve(tx: Tx, clock: Clock, order: Order) -> Reservation:
    """Charge what is ordered; ordering it again answers with the same charge.

    Needs a system transaction. Raises CreditsExhausted, AccountMissing, MeterUnknown, MeterClosed,
    PriceMissing or SourceTaken; in each case nothing was charged and the transaction can go on.
    """
    now = clock.now()
    [row] = await repository.reserve(tx, [order], now)
    outcome = _outcome(order, row, now)
    if isinstance(outcome, SelifyError):
        raise outcome
    return outcome


async def reserve_each(
    tx: Tx, clock: Clock, orders: Sequence[Order]
) -> list[Reservation | SelifyError]:
    """The same for several at once: each is charged or refused by itself, in one statement."""
    now = clock.now()
    rows = await repository.reserve(tx, orders, now)
    return [_outcome(order, row, now) for order, row in zip(orders, rows, strict=True)]


def _outcome(order: Order, row: asyncpg.Record, now: datetime) -> Reservation | SelifyError:
    if row["outcome"] not in ("reserved", "replayed"):
        return _refusal(order, row, now)
    return Reservation(
        id=UsageEventId(row["event_id"]),
        meter=order.meter,
        source_id=order.source_id,
        status=UsageStatus(row["event_status"]),
        price=Credits(row["price_credits"]),
        from_week=Credits(row["week_credits"]),
        from_payg=Credits(row["payg_credits"]).to_micro_units(),
        replayed=row["outcome"] == "replayed",
        balance=balance_at(now, order.workspace_id, row),
    )


def _refusal(order: Order, row: asyncpg.Record, now: datetime) -> SelifyError:
    match row["outcome"]:
        case "exhausted":
            balance = balance_at(now, order.workspace_id, row)
            return errors.CreditsExhausted(
                row["meter_name"], Credits(row["price_credits"]), balance
            )
        case "no_account":
            return errors.AccountMissing(
                _(
                    "Workspace %(workspace_id)s has no billing account.",
                    workspace_id=order.workspace_id,
                )
            )
        case "no_meter":
            return errors.MeterUnknown(
                _("No paid action is called “%(meter)s”.", meter=order.meter)
            )
        case "no_price":
            return errors.PriceMissing(
                _("“%(meter)s” has no price on %(now)s.", meter=order.meter, now=When(now))
            )
        case "meter_closed":
            return errors.MeterClosed(
                _("%(meter_name)s is switched off at the moment.", meter_name=row["meter_name"])
            )
        case "source_taken":
            return errors.SourceTaken(
                _(
                    "“%(source_id)s” was charged as something other than “%(meter)s”.",
                    source_id=order.source_id,
                    meter=order.meter,
                )
            )
        case other:
            raise RuntimeError(f"unknown outcome of reserve_credits: {other}")


async def settle(tx: Tx, clock: Clock, work: Work) -> bool:
    """The action is done: reserved → completed. False when it had been settled before.

    Needs a system transaction. Raises ChargeMissing, or ChargeRefunded when the charge was given
    back meanwhile: let the transaction fail and reserve again, for a result without a charge must
    not leave the house.
    """
    if await repository.settle(tx, [work], at=clock.now()):
        return True
    outcome = await _not_settled(tx, work.charge_id)
    if isinstance(outcome, SelifyError):
        raise outcome
    return outcome


async def settle_each(tx: Tx, clock: Clock, done: Sequence[Work]) -> list[bool | SelifyError]:
    """The same for several at once, in one statement."""
    settled = await repository.settle(tx, done, at=clock.now())
    outcomes: list[bool | SelifyError] = []
    for work in done:
        # The same charge twice: the first one settled it.
        first = work.charge_id in settled
        settled.discard(work.charge_id)
        outcomes.append(first or await _not_settled(tx, work.charge_id))
    return outcomes


async def _not_settled(tx: Tx, charge_id: UUID) -> bool | SelifyError:
    """Why not: False where it had been settled before."""
    status = await repository.status_of(tx, charge_id)
    if status is None:
        return errors.ChargeMissing(_("There is no charge %(charge_id)s.", charge_id=charge_id))
    if status is UsageStatus.REFUNDED:
        return errors.ChargeRefunded(
            _("Charge %(charge_id)s was given back before its work was done.", charge_id=charge_id),
            hint=_("Reserve again for the same source."),
        )
    return False


async def refund(
    tx: Tx,
    clock: Clock,
    reservation_id: UUID,
    *,
    reason: str,
    code: str = "refunded",
    provider_cost: MicroUnits | None = None,
    engine: str = "",
    metadata: Mapping[str, Any] = MappingProxyType({}),
) -> Refund:
    """Give a reserved or completed charge back, exactly once; a second call changes nothing.

    ``reason`` is a sentence for the shop owner, ``code`` a short word to count by. What failed may
    have cost us something all the same: ``provider_cost``, ``engine`` and ``metadata`` as for ``settle``.
    Needs a system transaction. Raises ChargeMissing.
    """
    workspace_id = await repository.workspace_of(tx, reservation_id)
    if workspace_id is None:
        raise errors.ChargeMissing(
            _("There is no charge %(reservation_id)s.", reservation_id=reservation_id)
        )
    quota = await repository.lock_quota(tx, workspace_id)
    if quota is None:
        raise errors.AccountMissing(
            _("Workspace %(workspace_id)s has no billing account.", workspace_id=workspace_id)
        )
    now = clock.now()
    parts = await repository.lock_live_parts(tx, reservation_id)
    total = Refund(Credits.zero(), MicroUnits.zero(), Credits.zero(), repeated=not parts)
    for part in parts:
        give = _to_payg if part["cost_source"] == CostSource.PAYG else _to_week
        given, back = await give(tx, workspace_id, part, quota["period_end"], now, reason)
        await repository.mark_refunded(
            tx,
            part["id"],
            at=now,
            code=code[:LONGEST_CODE],
            reason=reason,
            given_to=given,
            details=metadata,
        )
        total = _plus(total, back)
    if parts and provider_cost is not None:
        await repository.book_cost(
            tx, reservation_id, engine=engine, cost_micro=provider_cost.value, at=now
        )
    return total


async def _to_week(
    tx: Tx,
    workspace_id: UUID,
    part: asyncpg.Record,
    period_end: datetime,
    now: datetime,
    _reason: str,
) -> tuple[RefundTo, Refund]:
    """The row is lowered whenever it still shows that week, so that row and events keep agreeing.

    When that week is over by the clock, nobody gains anything by it.
    """
    amount = Credits(part["cost_credits"])
    nothing = MicroUnits.zero()
    same_week = await repository.give_back_week(
        tx, workspace_id, part["week_start"], amount.value, now
    )
    if same_week and now < period_end:
        return RefundTo.WEEK, Refund(amount, nothing, Credits.zero(), repeated=False)
    return RefundTo.ENDED_WEEK, Refund(Credits.zero(), nothing, amount, repeated=False)


async def _to_payg(
    tx: Tx,
    workspace_id: UUID,
    part: asyncpg.Record,
    _period_end: datetime,
    now: datetime,
    reason: str,
) -> tuple[RefundTo, Refund]:
    amount = Credits(part["cost_credits"]).to_micro_units()
    row = await repository.add_payg(
        tx,
        workspace_id,
        micro_units=amount.value,
        kind=REFUND,
        reference=str(part["id"]),
        reason=reason,
        at=now,
    )
    if row is None:
        raise errors.AccountMissing(
            _("Workspace %(workspace_id)s has no pay-as-you-go balance.", workspace_id=workspace_id)
        )
    return RefundTo.PAYG, Refund(Credits.zero(), amount, Credits.zero(), repeated=False)


def _plus(one: Refund, other: Refund) -> Refund:
    return Refund(
        to_week=one.to_week + other.to_week,
        to_payg=one.to_payg + other.to_payg,
        expired=one.expired + other.expired,
        repeated=False,
    )


async def release_stale(
    tx: Tx, clock: Clock, older_than: timedelta, *, limit: int = 100
) -> list[UsageEventId]:
    """Refund reservations that old whose job is not queued or running any more.

    For a routine. Needs a system transaction; two at once do no harm.
    """
    rows = await repository.abandoned(tx, before=clock.now() - older_than, limit=limit)
    released: list[UsageEventId] = []

    async def release(event_id: UsageEventId) -> None:
        given = await refund(tx, clock, event_id, reason=STALE_REASON, code=STALE_CODE)
        if not given.repeated:
            released.append(event_id)

    for row in rows:
        give_back = partial(release, UsageEventId(row["id"]))
        await schedule.attempt(tx, repository.STALE, row["id"], give_back, now=clock.now())
    return released
