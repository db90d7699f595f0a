"""Reading usage: the list, page by page, and sums for pages. As a user, RLS decides what counts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selify.billing import repository
from selify.billing.explanation import usage_part
from selify.billing.types import Spend, SpendBy, UsagePart
from selify.core.clock import LAST_MOMENT
from selify.core.database import Tx
from selify.core.ids import LAST_ID
from selify.core.money import MICRO_UNITS_PER_CREDIT

LARGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class After:
    """Where a page of usage begins: after this row, newest first."""

    created_at: datetime
    id: UUID


async def list_usage(
    tx: Tx, workspace_id: UUID, *, after: After | None = None, limit: int = 50
) -> list[UsagePart]:
    """Newest first. Stable while new charges come in, because pages go on after a row."""
    rows = await tx.fetch_as(
        repository.ChargeRow,
        f"""
        SELECT {repository.PART_COLUMNS} FROM public.workspace_usage_events e
         WHERE e.workspace_id = $1
           AND (e.created_at, e.id) < ($2::timestamptz, $3::uuid)
         ORDER BY e.created_at DESC, e.id DESC LIMIT $4
        """,
        workspace_id,
        # Values: under row level security a coalesce keeps the index from a plan for any of them.
        after.created_at if after else LAST_MOMENT,
        after.id if after else LAST_ID,
        max(1, min(limit, LARGEST_PAGE + 1)),  # one more, to see whether there is a next page
    )
    return [usage_part(row) for row in rows]


_KEYS = {
    SpendBy.METER: "coalesce(e.service_subtype, e.service_type)",
    SpendBy.DAY: "to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    SpendBy.PLATFORM: "coalesce(e.source_platform, 'unknown')",
    SpendBy.SOURCE: "e.cost_source",
    SpendBy.TIER: "e.subscription_tier",
}


async def spend_by(
    tx: Tx, workspace_id: UUID, by: SpendBy, *, since: datetime, until: datetime
) -> list[Spend]:
    """Sums of a workspace's charges in [since, until), in order of key.

    ``actions`` counts a charge that both sources paid once (by cost source: once in each).
    """
    first_part = "coalesce((e.metadata -> 'charge' ->> 'part')::int, 1) = 1"
    counted = "true" if by is SpendBy.SOURCE else first_part
    live = "e.status <> 'refunded'"
    # Users can read neither our costs nor the schema they are in.
    cost, costs = ("NULL", "")
    if tx.actor.is_system:
        cost = "coalesce(sum(c.cost_micro), 0)"
        costs = "LEFT JOIN internal.charge_costs c ON c.event_id = e.id"
    return await tx.fetch_as(
        Spend,
        f"""
        SELECT {_KEYS[by]} AS key,
               count(*) FILTER (WHERE {live} AND {counted}) AS actions,
               coalesce(sum(e.cost_credits) FILTER
                   (WHERE {live} AND e.cost_source = 'subscription'), 0)::bigint AS from_week,
               coalesce(sum(e.cost_credits) FILTER
                   (WHERE {live} AND e.cost_source = 'payg_balance'), 0)::bigint
                   * {MICRO_UNITS_PER_CREDIT} AS from_payg,
               coalesce(sum(e.cost_credits) FILTER (WHERE NOT {live}), 0)::bigint AS refunded,
               {cost}::bigint AS provider_cost
          FROM public.workspace_usage_events e {costs}
         WHERE e.workspace_id = $1 AND e.created_at >= $2 AND e.created_at < $3
         GROUP BY 1 ORDER BY 1
        """,
        workspace_id,
        since,
        until,
    )
