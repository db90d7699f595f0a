"""The SQL of charges: one function per statement, no decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from selify.billing.types import CostSource, Order, UsageEventId, UsageStatus, Work
from selify.core.database import Tx
from selify.core.ids import WorkspaceId
from selify.core.money import Credits, MicroUnits
from selify.core.queue import job_rows, schedule

LARGEST_INTEGER = 2**31 - 1
STALE = "stale charges"  # the routine whose failures are noted


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A row of ``workspace_usage_events`` as it stands there (``PART_COLUMNS``)."""

    id: UsageEventId
    workspace_id: WorkspaceId
    user_id: UUID | None
    service_type: str
    service_subtype: str | None
    cost_credits: Credits
    cost_source: CostSource
    status: UsageStatus
    source_platform: str | None
    source_id: str | None
    processing_time_ms: int | None
    error_code: str | None
    error_message: str | None
    subscription_tier: str
    created_at: datetime
    completed_at: datetime | None
    refunded_at: datetime | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


PART_COLUMNS = """
    e.id, e.workspace_id, e.user_id, e.service_type, e.service_subtype, e.cost_credits,
    e.cost_source, e.status, e.source_platform, e.source_id, e.processing_time_ms, e.error_code,
    e.error_message, e.subscription_tier, e.created_at, e.completed_at, e.refunded_at, e.metadata
"""

# Both rows of a charge, from the id of either. Locks are always taken in order of id, so that
# settling and refunding at the same moment cannot wait for each other.
_CHARGE = """
    SELECT c.id FROM public.workspace_usage_events c
     WHERE c.id IN ($1, (SELECT (o.metadata -> 'charge' ->> 'split_with')::uuid
                           FROM public.workspace_usage_events o WHERE o.id = $1))
     ORDER BY c.id
"""

# What was booked before stays: both were paid.
_ADDED = """
    ON CONFLICT (event_id) DO UPDATE
       SET cost_micro = known.cost_micro + excluded.cost_micro, engine = excluded.engine
"""

# Several orders, each by itself: one brand's in the order they came, the brands in order of their id,
# as their rows are locked.
RESERVE = """
    SELECT o.place, charge.*
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::jsonb[])
           WITH ORDINALITY
           AS o (workspace_id, meter, source_id, platform, user_id, job_id, details, place)
     CROSS JOIN LATERAL internal.reserve_credits(
           o.workspace_id, o.meter, o.source_id, o.platform, o.user_id, o.job_id, o.details, $8
           ) AS charge
"""

# Both rows of each charge, each looked up by its key: a join of sets may read the whole table. Our cost
# stands under the first row, so that sums count it once. A subquery hides from the planner how many they
# are: one plan for any number looks dearer than one for a single charge, which it would make each time.
SETTLE = f"""
    WITH done AS (
        SELECT * FROM unnest((SELECT $1::uuid[]), $2::int[], $3::text[], $4::jsonb[], $5::bigint[])
                      AS d (charge_id, processing_time_ms, engine, details, cost_micro)),
    halves AS (
        SELECT charge_id AS id, done.* FROM done
        UNION ALL
        SELECT other.id, done.*
          FROM done CROSS JOIN LATERAL (
               SELECT (metadata -> 'charge' ->> 'split_with')::uuid AS id
                 FROM public.workspace_usage_events WHERE id = charge_id LIMIT 1) AS other
         WHERE other.id IS NOT NULL
         ORDER BY id),
    charge AS (
        SELECT halves.* FROM halves CROSS JOIN LATERAL (
               SELECT FROM public.workspace_usage_events WHERE id = halves.id
                LIMIT 1 FOR NO KEY UPDATE) AS locked),
    settled AS (
        UPDATE public.workspace_usage_events e
           SET status = 'completed', completed_at = $6, processing_time_ms = charge.processing_time_ms,
               metadata = e.metadata || details
                          || jsonb_build_object('settled', jsonb_build_object('engine', engine))
          FROM charge
         WHERE e.id = charge.id AND e.status = 'reserved'
           AND e.id = ANY (ARRAY(SELECT id FROM charge))
        RETURNING e.id, (e.metadata -> 'charge' ->> 'part')::int AS part, charge_id, engine, cost_micro),
    booked AS (
        INSERT INTO internal.charge_costs AS known (event_id, engine, cost_micro, created_at)
        SELECT id, engine, cost_micro, $6 FROM settled WHERE part IS DISTINCT FROM 2
        {_ADDED})
    SELECT charge_id FROM settled
"""


async def reserve(tx: Tx, orders: Sequence[Order], at: datetime) -> list[asyncpg.Record]:
    """One row for each order, in their order: see ``internal.reserve_credits`` in
    ``db/functions/billing.sql``.
    """
    places = sorted(range(len(orders)), key=lambda place: orders[place].workspace_id)
    taken = [orders[place] for place in places]
    rows = await tx.fetch(
        RESERVE,
        [order.workspace_id for order in taken],
        [order.meter for order in taken],
        [order.source_id for order in taken],
        [order.source_platform for order in taken],
        [order.user_id for order in taken],
        [order.job_id for order in taken],
        [dict(order.metadata) for order in taken],
        at,
    )
    by_place = {places[row["place"] - 1]: row for row in rows}
    return [by_place[place] for place in range(len(orders))]


async def settle(tx: Tx, done: Sequence[Work], *, at: datetime) -> set[UUID]:
    """The charges (as ``done`` names them) that were reserved, and are completed now."""
    rows = await tx.fetch(
        SETTLE,
        [work.charge_id for work in done],
        [max(0, min(work.processing_time_ms, LARGEST_INTEGER)) for work in done],
        [work.engine for work in done],
        [dict(work.metadata) for work in done],
        [work.provider_cost.value for work in done],
        at,
    )
    return {row["charge_id"] for row in rows}


async def book_cost(tx: Tx, event_id: UUID, *, engine: str, cost_micro: int, at: datetime) -> None:
    """From the id of either row. For what a charge cost that is not settled."""
    await tx.execute(
        f"""
        INSERT INTO internal.charge_costs AS known (event_id, engine, cost_micro, created_at)
        SELECT CASE WHEN (e.metadata -> 'charge' ->> 'part')::int = 2
                    THEN (e.metadata -> 'charge' ->> 'split_with')::uuid ELSE e.id END,
               $2, $3, $4
          FROM public.workspace_usage_events e WHERE e.id = $1
        {_ADDED}
        """,
        event_id,
        engine,
        cost_micro,
        at,
    )


@dataclass(frozen=True, slots=True)
class BookedCost:
    """What a charge cost us."""

    engine: str
    cost_micro: MicroUnits


async def booked_cost(tx: Tx, event_id: UUID) -> BookedCost | None:
    """By the charge's first row; ``internal`` is closed to users."""
    return await tx.fetch_one_as(
        BookedCost,
        "SELECT engine, cost_micro FROM internal.charge_costs WHERE event_id = $1",
        event_id,
    )


async def status_of(tx: Tx, event_id: UUID) -> UsageStatus | None:
    """Where a charge stands; ``None`` where there is none."""
    status = await tx.fetch_value(
        "SELECT status FROM public.workspace_usage_events WHERE id = $1", event_id
    )
    return UsageStatus(status) if status else None


async def workspace_of(tx: Tx, event_id: UUID) -> UUID | None:
    """Whose charge it is."""
    workspace_id: UUID | None = await tx.fetch_value(
        "SELECT workspace_id FROM public.workspace_usage_events WHERE id = $1", event_id
    )
    return workspace_id


async def lock_quota(tx: Tx, workspace_id: UUID) -> asyncpg.Record | None:
    return await tx.fetch_one(
        """
        SELECT period_start, period_end FROM public.workspace_quotas
         WHERE workspace_id = $1 FOR NO KEY UPDATE
        """,
        workspace_id,
    )


async def lock_live_parts(tx: Tx, event_id: UUID) -> list[asyncpg.Record]:
    """The rows of the charge that may be given back, locked."""
    return await tx.fetch(
        f"""
        WITH charge AS ({_CHARGE} FOR NO KEY UPDATE)
        SELECT e.id, e.cost_source, e.cost_credits,
               (e.metadata -> 'charge' ->> 'week_start')::timestamptz AS week_start
          FROM charge JOIN public.workspace_usage_events e ON e.id = charge.id
         WHERE e.status IN ('reserved', 'completed')
        """,
        event_id,
    )


async def mark_refunded(
    tx: Tx,
    part_id: UUID,
    *,
    at: datetime,
    code: str,
    reason: str,
    given_to: str,
    details: Mapping[str, Any],
) -> None:
    """Of a part from ``lock_live_parts``; a trigger refuses one that is refunded already."""
    await tx.execute(
        """
        UPDATE public.workspace_usage_events e
           SET status = 'refunded', refunded_at = $2, error_code = $3, error_message = $4,
               metadata = e.metadata || $6::jsonb || jsonb_build_object('refund',
                   jsonb_build_object('reason', $4::text, 'to', $5::text))
         WHERE e.id = $1
        """,
        part_id,
        at,
        code,
        reason,
        given_to,
        dict(details),
    )


async def give_back_week(
    tx: Tx, workspace_id: UUID, week_start: datetime, amount: int, at: datetime
) -> int:
    """Only to the week it came from: 0 when the quota row is in another week by now."""
    return await tx.execute(
        """
        UPDATE public.workspace_quotas
           SET weekly_credits_used = weekly_credits_used - $3, updated_at = $4
         WHERE workspace_id = $1 AND period_start = $2 AND weekly_credits_used >= $3
        """,
        workspace_id,
        week_start,
        amount,
        at,
    )


async def add_payg(
    tx: Tx,
    workspace_id: UUID,
    *,
    micro_units: int,
    kind: str,
    reference: str,
    reason: str,
    at: datetime,
) -> asyncpg.Record | None:
    """Raise the balance and write the ledger row; None where there is no balance row.

    Refunds count as grants, because ``total_used`` never decreases: balance = purchased − used
    holds throughout. Call it only after making sure that the reference is new.
    """
    return await tx.fetch_one(
        """
        WITH raised AS (
            UPDATE public.workspace_payg_balance
               SET balance_micro_units = balance_micro_units + $2,
                   total_purchased = total_purchased + $2, updated_at = $6
             WHERE workspace_id = $1
            RETURNING balance_micro_units AS after)
        INSERT INTO public.workspace_financial_transactions
               (id, workspace_id, transaction_type, amount_usd_cents, amount_micro_units,
                payg_balance_before, payg_balance_after, status, description, metadata, created_at,
                completed_at)
        SELECT internal.credit_entry_id($1, $3, $4), $1, $3, 0, $2, after - $2, after, 'completed',
               $5, jsonb_build_object('reference', $4::text), $6, $6
          FROM raised
        RETURNING id, payg_balance_before, payg_balance_after
        """,
        workspace_id,
        micro_units,
        kind,
        reference,
        reason,
        at,
    )


async def lock_payg(tx: Tx, workspace_id: UUID) -> bool:
    return bool(
        await tx.fetch_value(
            """
            SELECT true FROM public.workspace_payg_balance WHERE workspace_id = $1
               FOR NO KEY UPDATE
            """,
            workspace_id,
        )
    )


async def credit_entry(
    tx: Tx, workspace_id: UUID, kind: str, reference: str
) -> asyncpg.Record | None:
    return await tx.fetch_one(
        """
        SELECT id, amount_micro_units, payg_balance_before, payg_balance_after
          FROM public.workspace_financial_transactions
         WHERE id = internal.credit_entry_id($1, $2, $3)
        """,
        workspace_id,
        kind,
        reference,
    )


async def abandoned(tx: Tx, *, before: datetime, limit: int) -> list[asyncpg.Record]:
    """Reservations made before then whose job is not going to settle them any more: those that wait
    longest, in order of workspace, so that two processes that tidy up at once cannot block each other.
    """
    return await tx.fetch(
        f"""
        WITH longest AS (
            SELECT e.workspace_id, e.id FROM public.workspace_usage_events e
             WHERE e.status = 'reserved' AND e.created_at < $1
               AND coalesce((e.metadata -> 'charge' ->> 'part')::int, 1) = 1
               AND NOT {job_rows.is_alive("(e.metadata -> 'charge' ->> 'job_id')::uuid")}
             ORDER BY coalesce({schedule.last_try(STALE, "e.id")}, e.created_at) LIMIT $2)
        SELECT id FROM longest ORDER BY workspace_id, id
        """,
        before,
        limit,
    )


async def charge_parts(tx: Tx, event_id: UUID) -> list[ChargeRow]:
    """Both rows of a charge from the id of either, the week's part first."""
    return await tx.fetch_as(
        ChargeRow,
        f"""
        WITH charge AS ({_CHARGE})
        SELECT {PART_COLUMNS} FROM charge JOIN public.workspace_usage_events e ON e.id = charge.id
         ORDER BY coalesce((e.metadata -> 'charge' ->> 'part')::int, 1)
        """,
        event_id,
    )
