"""A workspace's account: the week's allowance (``workspace_quotas``) and the pay-as-you-go balance
(``workspace_payg_balance``).

Two pots with two units and two lives:

* The **week**: credits, given anew every seven days, never carried over. The row is rolled forward
  lazily by the first charge after ``period_end``; until then readers work out what it will be, so
  nothing depends on a job that runs at midnight.
* **Pay as you go**: micro-units, bought or granted, never expiring. ``total_purchased`` and
  ``total_used`` only grow, and balance = purchased − used at all times: a refund therefore counts
  as a grant. Every change leaves a row that names the balance before and after it.
"""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from selify.billing import repository
from selify.billing.errors import AccountMissing, GrantMismatch, TierUnknown
from selify.billing.types import Balance, Grant
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.ids import WorkspaceId
from selify.core.language import _
from selify.core.money import Credits, MicroUnits

WEEK = timedelta(days=7)
FIRST_TIER = "free"
GRANT = "credit_grant"
REFUND = "refund"


async def open_account(tx: Tx, clock: Clock, workspace_id: UUID) -> Balance:
    """Make sure that the workspace has both pots; one that has them keeps them, and its plan, as they
    are. Every workspace is born with both: this is for one that lost them, and gives the free plan.

    The allowance comes from the plan's row, not from the column's default, which would not pay for
    one try-on. Needs a system transaction. Raises TierUnknown.
    """
    now = clock.now()
    limit = await tx.fetch_value(
        "SELECT weekly_credits_limit FROM public.subscription_tiers WHERE slug = $1", FIRST_TIER
    )
    if limit is None:
        raise TierUnknown(
            _("No plan is called “%(first_tier)s”.", first_tier=FIRST_TIER),
            hint=_("Seed the price book first."),
        )
    await tx.execute(
        """
        INSERT INTO public.workspace_quotas
               (workspace_id, subscription_tier, period_start, period_end, weekly_credits_limit)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id) DO NOTHING
        """,
        workspace_id,
        FIRST_TIER,
        now,
        now + WEEK,
        limit,
    )
    await tx.execute(
        """
        INSERT INTO public.workspace_payg_balance (workspace_id) VALUES ($1)
        ON CONFLICT (workspace_id) DO NOTHING
        """,
        workspace_id,
    )
    return await balance(tx, clock, workspace_id)


async def balance(tx: Tx, clock: Clock, workspace_id: UUID) -> Balance:
    """What is left now. As a user, row level security decides; raises AccountMissing."""
    row = await tx.fetch_one(
        """
        SELECT q.subscription_tier AS tier, q.weekly_credits_limit AS week_limit,
               q.weekly_credits_used AS week_used, q.period_start AS week_start,
               q.period_end AS week_end, p.balance_micro_units AS payg_balance
          FROM public.workspace_quotas q
          LEFT JOIN public.workspace_payg_balance p ON p.workspace_id = q.workspace_id
         WHERE q.workspace_id = $1
        """,
        workspace_id,
    )
    if row is None:
        raise AccountMissing(
            _("There is no such workspace, or you are not a member of it."),
            hint=_("Check the address, or ask the workspace's owner to invite you."),
        )
    return balance_at(clock.now(), workspace_id, row)


def balance_at(now: datetime, workspace_id: UUID, row: asyncpg.Record) -> Balance:
    """The row as it will be once the next charge has rolled the week forward."""
    start, end, used = row["week_start"], row["week_end"], row["week_used"]
    if now >= end:
        start, used = end + (now - end) // WEEK * WEEK, 0
        end = start + WEEK
    return Balance(
        workspace_id=WorkspaceId(workspace_id),
        tier=row["tier"],
        week_limit=Credits(row["week_limit"]),
        week_used=Credits(used),
        week_start=start,
        resets_at=end,
        payg=MicroUnits(row["payg_balance"] or 0),
    )


async def grant(
    tx: Tx,
    clock: Clock,
    workspace_id: UUID,
    amount: MicroUnits,
    *,
    reason: str,
    reference: str,
) -> Grant:
    """Give pay-as-you-go credit, once per ``reference`` however often it is asked.

    Needs a system transaction. Raises AccountMissing; GrantMismatch when the reference was used for
    another amount; ValueError for an amount that is not above zero or an empty reference.
    """
    if amount <= MicroUnits.zero() or not reference:
        raise ValueError("a grant needs an amount above zero and a reference")
    # The same order as a charge takes them in, so that the two cannot block each other.
    await repository.lock_quota(tx, workspace_id)
    if not await repository.lock_payg(tx, workspace_id):
        raise AccountMissing(
            _("Workspace %(workspace_id)s has no billing account.", workspace_id=workspace_id)
        )
    earlier = await repository.credit_entry(tx, workspace_id, GRANT, reference)
    if earlier is not None and earlier["amount_micro_units"] != amount.value:
        raise GrantMismatch(
            _(
                "“%(reference)s” was granted as %(amount)s before.",
                reference=reference,
                amount=MicroUnits(earlier["amount_micro_units"]),
            ),
            hint=_("Use a new reference for a new grant."),
        )
    row = earlier or await repository.add_payg(
        tx,
        workspace_id,
        micro_units=amount.value,
        kind=GRANT,
        reference=reference,
        reason=reason,
        at=clock.now(),
    )
    if row is None:
        raise AccountMissing(
            _("Workspace %(workspace_id)s has no billing account.", workspace_id=workspace_id)
        )
    return Grant(
        transaction_id=row["id"],
        amount=amount,
        balance_before=MicroUnits(row["payg_balance_before"]),
        balance_after=MicroUnits(row["payg_balance_after"]),
        repeated=earlier is not None,
    )
