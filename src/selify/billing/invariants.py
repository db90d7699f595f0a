"""What must be true of the money whenever anyone looks. Checked by routines and after every step of
the property tests; ``selify.core.invariants`` keeps the findings. What reads the whole history is
checked ``seldom``.
"""

from dataclasses import dataclass
from datetime import timedelta

from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.invariants import (
    Invariant,
    OwnerInvariant,
    RowInvariant,
    Violation,
)

EVENTS = "public.workspace_usage_events"
# What was made in this time, or refunded in it.
NEW_EVENTS = f"""
    events AS (
        SELECT * FROM {EVENTS} WHERE created_at > $1 AND created_at <= $2
        UNION
        SELECT * FROM {EVENTS} WHERE refunded_at > $1 AND refunded_at <= $2)
"""
WORKSPACES = """
    SELECT workspace_id FROM public.workspace_quotas
     WHERE workspace_id > $1 ORDER BY workspace_id LIMIT 100
"""
# Ids of workspaces whose credits moved.
CHARGED = f"""
    SELECT workspace_id FROM {EVENTS} WHERE created_at > $1 AND created_at <= $2
    UNION
    SELECT workspace_id FROM {EVENTS} WHERE refunded_at > $1 AND refunded_at <= $2
"""

WEEK_EQUALS_EVENTS = OwnerInvariant(
    "week_equals_events",
    "What is used of a week is the sum of its live charges.",
    """
    SELECT q.workspace_id AS subject, q.weekly_credits_used::bigint AS used, e.charged
      FROM public.workspace_quotas q CROSS JOIN LATERAL (
           SELECT coalesce(sum(cost_credits), 0)::bigint AS charged
             FROM public.workspace_usage_events
            WHERE workspace_id = q.workspace_id AND cost_source = 'subscription'
              AND status IN ('reserved', 'completed')
              AND created_at > q.period_start - interval '1 day'  -- for the index
              AND (metadata -> 'charge' ->> 'week_start')::timestamptz = q.period_start) AS e
     WHERE ($1::uuid[] IS NULL OR q.workspace_id = ANY ($1))
       AND q.weekly_credits_used <> e.charged
    """,
    WORKSPACES,
    changed=CHARGED,
    seldom=False,
)

PAYG_EQUALS_LEDGER = OwnerInvariant(
    "payg_equals_ledger",
    "The balance is what was bought, granted and given back, less what was charged to it.",
    """
    WITH used AS (
        SELECT workspace_id, sum(cost_credits) * 6 AS micro FROM public.workspace_usage_events
         WHERE cost_source = 'payg_balance' AND status IN ('reserved', 'completed', 'refunded')
           AND ($1::uuid[] IS NULL OR workspace_id = ANY ($1))
         GROUP BY 1),
    purchased AS (
        SELECT workspace_id, sum(amount_micro_units) AS micro
          FROM public.workspace_financial_transactions
         WHERE payg_balance_after IS NOT NULL
           AND ($1::uuid[] IS NULL OR workspace_id = ANY ($1)) GROUP BY 1)
    SELECT b.workspace_id AS subject, b.balance_micro_units AS balance,
           b.total_purchased AS purchased, coalesce(p.micro, 0)::bigint AS purchased_in_ledger,
           b.total_used AS used, coalesce(u.micro, 0)::bigint AS used_in_events
      FROM public.workspace_payg_balance b
      LEFT JOIN used u ON u.workspace_id = b.workspace_id
      LEFT JOIN purchased p ON p.workspace_id = b.workspace_id
     WHERE ($1::uuid[] IS NULL OR b.workspace_id = ANY ($1))
       AND (b.balance_micro_units <> b.total_purchased - b.total_used
            OR b.total_purchased <> coalesce(p.micro, 0)
            OR b.total_used <> coalesce(u.micro, 0))
    """,
    WORKSPACES,
)

NOTHING_NEGATIVE = RowInvariant(
    "nothing_negative",
    "No pot, total or price is below zero.",
    """
    SELECT workspace_id AS subject FROM public.workspace_quotas
     WHERE weekly_credits_used < 0 OR weekly_credits_limit < 0
    UNION
    SELECT workspace_id FROM public.workspace_payg_balance
     WHERE least(balance_micro_units, total_purchased, total_used) < 0
    UNION
    SELECT workspace_id FROM public.workspace_usage_events
     WHERE cost_credits < 0 AND created_at > $1 AND created_at <= $2
    """,
    EVENTS,
)

# Movements come from many processes whose clocks differ a little, so their order in time proves
# nothing. Whatever the order, in an unbroken chain each balance is found exactly as often as it is
# left: the first movement finds 0, and the balance of today is what the last one left.
CHAIN_UNBROKEN = OwnerInvariant(
    "payg_chain_unbroken",
    "Each movement of the balance begins where the one before it ended.",
    """
    WITH balances AS (
        SELECT * FROM public.workspace_payg_balance
         WHERE $1::uuid[] IS NULL OR workspace_id = ANY ($1)),
    movements AS (
        SELECT workspace_id, payg_balance_before AS before, payg_balance_after AS after
          FROM public.workspace_financial_transactions
         WHERE payg_balance_after IS NOT NULL AND ($1::uuid[] IS NULL OR workspace_id = ANY ($1))
        UNION ALL
        SELECT workspace_id, (metadata -> 'charge' ->> 'payg_before')::bigint,
               (metadata -> 'charge' ->> 'payg_after')::bigint
          FROM public.workspace_usage_events
         WHERE cost_source = 'payg_balance' AND ($1::uuid[] IS NULL OR workspace_id = ANY ($1))),
    ends AS (
        SELECT workspace_id, before AS balance, 1 AS found, 0 AS left_behind FROM movements
        UNION ALL SELECT workspace_id, after, 0, 1 FROM movements
        UNION ALL SELECT workspace_id, 0, 0, 1 FROM balances
        UNION ALL SELECT workspace_id, balance_micro_units, 1, 0 FROM balances)
    SELECT workspace_id AS subject, min(balance) AS lowest_balance_in_doubt
      FROM (SELECT workspace_id, balance FROM ends
             GROUP BY 1, 2 HAVING sum(found) <> sum(left_behind)) AS broken
     GROUP BY 1
    """,
    WORKSPACES,
)

STEPS_ADD_UP = RowInvariant(
    "payg_steps_add_up",
    "Each movement changes the balance by exactly its amount.",
    """
    SELECT id AS subject FROM public.workspace_financial_transactions
     WHERE created_at > $1 AND created_at <= $2
       AND (payg_balance_after - payg_balance_before <> amount_micro_units
            OR (payg_balance_after IS NULL) <> (payg_balance_before IS NULL))
    UNION ALL
    SELECT id FROM public.workspace_usage_events
     WHERE cost_source = 'payg_balance' AND created_at > $1 AND created_at <= $2
       AND (metadata -> 'charge' ->> 'payg_before')::bigint
           - (metadata -> 'charge' ->> 'payg_after')::bigint IS DISTINCT FROM cost_credits * 6
    """,
    EVENTS,
)

CHARGED_ONCE = OwnerInvariant(
    "charged_once",
    "A source has at most one live charge.",
    """
    SELECT e.workspace_id || '/' || e.service_type || '/' || e.source_id AS subject,
           count(*) AS charges
      FROM public.workspace_usage_events e
     WHERE e.status <> 'refunded' AND e.source_id IS NOT NULL
       AND ($1::uuid[] IS NULL OR e.workspace_id = ANY ($1))
       AND coalesce((e.metadata -> 'charge' ->> 'part')::int, 1) = 1
     GROUP BY e.workspace_id, e.service_type, e.source_id
    HAVING count(*) > 1
    """,
    WORKSPACES,
)

REFUNDED_ONCE = RowInvariant(
    "refunded_once",
    "A charge is refunded wholly or not at all, and each refund to the balance has its charge.",
    f"""
    WITH {NEW_EVENTS}
    SELECT e.id AS subject, 'status and refunded_at disagree' AS why
      FROM events e
     WHERE (e.status = 'refunded') <> (e.refunded_at IS NOT NULL)
    UNION ALL
    SELECT e.id, 'half of a charge was refunded'
      FROM events e
      JOIN public.workspace_usage_events other
        ON other.id = (e.metadata -> 'charge' ->> 'split_with')::uuid
     WHERE e.status <> other.status
    UNION ALL
    SELECT e.id, 'refunded to the balance without an entry in the ledger'
      FROM events e
     WHERE e.status = 'refunded' AND e.cost_source = 'payg_balance'
       AND NOT EXISTS (SELECT FROM public.workspace_financial_transactions t
                        WHERE t.id = internal.credit_entry_id(e.workspace_id, 'refund', e.id::text)
                          AND t.amount_micro_units = e.cost_credits * 6)
    UNION ALL
    SELECT t.id, 'an entry in the ledger without its refunded charge'
      FROM public.workspace_financial_transactions t
     WHERE t.transaction_type = 'refund' AND t.metadata ? 'reference'
       AND t.created_at > $1 AND t.created_at <= $2
       AND NOT EXISTS (SELECT FROM public.workspace_usage_events e
                        WHERE e.id = CASE WHEN t.metadata ->> 'reference' ~ '^[0-9a-f-]{{36}}$'
                                          THEN (t.metadata ->> 'reference')::uuid END AND e.status = 'refunded')
    """,
    EVENTS,
)

PARTS_SUM_TO_PRICE = RowInvariant(
    "parts_sum_to_price",
    "The rows of a charge add up to its price, and a split one has both of them.",
    """
    SELECT e.id AS subject, (e.metadata -> 'charge' ->> 'price')::bigint AS price,
           e.cost_credits + coalesce(other.cost_credits, 0) AS paid
      FROM public.workspace_usage_events e
      LEFT JOIN public.workspace_usage_events other
             ON other.id = (e.metadata -> 'charge' ->> 'split_with')::uuid
     WHERE (e.metadata -> 'charge') IS NOT NULL AND e.created_at > $1 AND e.created_at <= $2
       AND (e.cost_credits + coalesce(other.cost_credits, 0)
                IS DISTINCT FROM (e.metadata -> 'charge' ->> 'price')::bigint
            OR ((e.metadata -> 'charge' ->> 'parts')::int = 2) <> (other.id IS NOT NULL)
            OR other.cost_source = e.cost_source)
    """,
    EVENTS,
)


@dataclass(frozen=True, slots=True)
class ChargedUnderItsId:
    """What stops a second charge of the same source. Making the id takes the processor time, and an id
    never changes: the charges of the last days are enough.
    """

    clock: Clock
    within: timedelta = timedelta(days=2)
    name: str = "charged_under_its_id"
    sentence: str = "A charge has the id that is made of its source."
    seldom: bool = True

    async def violations(self, tx: Tx) -> list[Violation]:
        rows = await tx.fetch(
            """
            SELECT e.id FROM public.workspace_usage_events e
             WHERE e.created_at > $1 AND e.status <> 'refunded' AND e.source_id IS NOT NULL
               AND coalesce((e.metadata -> 'charge' ->> 'part')::int, 1) = 1
               AND e.id <> internal.usage_event_id(e.workspace_id, e.service_type, e.source_id,
                               coalesce((e.metadata -> 'charge' ->> 'attempt')::int, 0), 1)
            """,
            self.clock.now() - self.within,
        )
        return [Violation(str(row["id"])) for row in rows]


@dataclass(frozen=True, slots=True)
class WeekHasBegun:
    """A period may be over (it is rolled when next used) but never lies wholly ahead."""

    clock: Clock
    tolerance: timedelta = timedelta(minutes=5)
    name: str = "week_has_begun"
    sentence: str = "Every week of credits contains this moment or lies behind it."
    seldom: bool = False

    async def violations(self, tx: Tx) -> list[Violation]:
        rows = await tx.fetch(
            """
            SELECT workspace_id, period_start, period_end FROM public.workspace_quotas
             WHERE period_start > $1 OR period_end <= period_start
            """,
            self.clock.now() + self.tolerance,
        )
        return [Violation(str(row["workspace_id"]), dict(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class ReservationsEnd:
    """Something that nobody finishes or releases is a shop's money held for nothing."""

    clock: Clock
    within: timedelta = timedelta(hours=2)
    name: str = "reservations_end"
    sentence: str = "No charge stays reserved for long."
    seldom: bool = False

    async def violations(self, tx: Tx) -> list[Violation]:
        rows = await tx.fetch(
            """
            SELECT id, workspace_id, created_at FROM public.workspace_usage_events
             WHERE status = 'reserved' AND created_at < $1
            """,
            self.clock.now() - self.within,
        )
        return [
            Violation(
                str(row["id"]),
                {"workspace_id": row["workspace_id"], "reserved_at": row["created_at"]},
            )
            for row in rows
        ]


def invariants(clock: Clock) -> tuple[Invariant, ...]:
    """All of billing's."""
    return (
        WEEK_EQUALS_EVENTS,
        PAYG_EQUALS_LEDGER,
        NOTHING_NEGATIVE,
        CHAIN_UNBROKEN,
        STEPS_ADD_UP,
        CHARGED_ONCE,
        ChargedUnderItsId(clock),
        REFUNDED_ONCE,
        PARTS_SUM_TO_PRICE,
        WeekHasBegun(clock),
        ReservationsEnd(clock),
    )
