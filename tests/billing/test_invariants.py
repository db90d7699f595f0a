"""Each invariant sees what it is there to see: the rows are bent by hand, past all our guards."""

import contextlib
from datetime import timedelta

import pytest

from selify import billing
from selify.core.database import Actor
from selify.core.invariants import check_all

SYSTEM = Actor.system("test")

EVENT = "UPDATE public.workspace_usage_events SET"
OF_MINE = "WHERE workspace_id = $1"
BENDS = {
    "week_equals_events": [
        "UPDATE public.workspace_quotas SET weekly_credits_used = weekly_credits_used + 1 "
        + OF_MINE,
        (
            f"{EVENT} cost_credits = cost_credits - 1 {OF_MINE} AND cost_source = 'subscription'"
            " AND status = 'completed'"
        ),
    ],
    "payg_equals_ledger": [
        (
            "UPDATE public.workspace_payg_balance SET balance_micro_units = balance_micro_units + 1,"
            f" total_purchased = total_purchased + 1 {OF_MINE}"
        ),
        f"DELETE FROM public.workspace_financial_transactions {OF_MINE}",
        f"DELETE FROM public.workspace_usage_events {OF_MINE} AND cost_source = 'payg_balance'",
    ],
    "nothing_negative": [
        "ALTER TABLE public.workspace_quotas DROP CONSTRAINT workspace_quotas_credits_check",
        f"UPDATE public.workspace_quotas SET weekly_credits_used = -1 {OF_MINE}",
    ],
    "payg_chain_unbroken": [
        (
            f"{EVENT} metadata = jsonb_set(jsonb_set(metadata, '{{charge,payg_before}}', '90007'),"
            f" '{{charge,payg_after}}', '88000') {OF_MINE} AND cost_source = 'payg_balance'"
        ),
        (
            "UPDATE public.workspace_financial_transactions SET payg_balance_before = 3,"
            f" payg_balance_after = 3 + amount_micro_units {OF_MINE}"
        ),
    ],
    "payg_steps_add_up": [
        (
            f"{EVENT} metadata = metadata #- '{{charge,payg_after}}' {OF_MINE}"
            " AND cost_source = 'payg_balance'"
        ),
        f"UPDATE public.workspace_financial_transactions SET payg_balance_after = 5 {OF_MINE}",
    ],
    "charged_once": [
        (
            "INSERT INTO public.workspace_usage_events (workspace_id, service_type, cost_credits,"
            " cost_source, source_id, metadata, subscription_tier) SELECT workspace_id, service_type,"
            " cost_credits, cost_source, source_id, metadata, subscription_tier"
            f" FROM public.workspace_usage_events {OF_MINE} AND status = 'completed'"
        ),
    ],
    "charged_under_its_id": [
        f"{EVENT} source_id = 'another' {OF_MINE} AND status = 'completed'",
    ],
    "refunded_once": [
        f"{EVENT} status = 'completed' {OF_MINE} AND status = 'refunded'",
        (
            f"{EVENT} status = 'refunded', refunded_at = now() {OF_MINE} AND source_id = 'split'"
            " AND cost_source = 'subscription'"
        ),
        (
            "DELETE FROM public.workspace_financial_transactions"
            f" {OF_MINE} AND transaction_type = 'refund'"
        ),
        f"DELETE FROM public.workspace_usage_events {OF_MINE} AND status = 'refunded'",
    ],
    "parts_sum_to_price": [
        (
            f"DELETE FROM public.workspace_usage_events {OF_MINE} AND source_id = 'split'"
            " AND cost_source = 'payg_balance'"
        ),
        f"{EVENT} cost_credits = cost_credits + 1 {OF_MINE} AND status = 'completed'",
    ],
    "week_has_begun": [
        (
            "UPDATE public.workspace_quotas SET period_start = period_start + interval '1 hour'"
            f" {OF_MINE}"
        ),
    ],
    "reservations_end": [
        f"{EVENT} created_at = created_at - interval '1 day' {OF_MINE} AND status = 'reserved'",
    ],
}
CASES = [(name, bend) for name, bends in BENDS.items() for bend in bends if "ALTER" not in bend]


class Undo(Exception):
    pass


async def busy(shop):
    """A settled charge, a split one, one given back to both pots, and one in work."""
    await shop.limit(383 + 100)
    await shop.grant(90_000)
    await shop.settle((await shop.reserve("done")).id)
    await shop.reserve("split")
    both = await shop.reserve("whole")
    await shop.refund(both.id)
    await shop.reserve("in work")


def test_every_invariant_has_a_case(clock):
    assert {check.name for check in billing.invariants(clock)} == set(BENDS)


@pytest.mark.parametrize(
    ("name", "bend"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)]
)
async def test_it_is_seen(shop, name, bend):
    await busy(shop)
    with contextlib.suppress(Undo):
        async with shop.database.tx(SYSTEM) as tx:
            await tx.execute("SET LOCAL ROLE NONE")  # the tests' connection belongs to the owner
            await tx.execute("SET LOCAL session_replication_role = replica")
            before = await mine(tx, shop, name)
            for prepare in BENDS[name]:
                if "ALTER" in prepare:
                    await tx.execute(prepare)
            assert await tx.execute(bend, shop.workspace_id) > 0
            assert before == []
            assert await mine(tx, shop, name) != []
            raise Undo


async def mine(tx, shop, name):
    """The violations of this invariant that are about this shop."""
    check = next(check for check in billing.invariants(shop.clock) if check.name == name)
    rows = await tx.fetch(
        """
        SELECT id::text FROM public.workspace_usage_events WHERE workspace_id = $1
        UNION SELECT id::text FROM public.workspace_financial_transactions WHERE workspace_id = $1
        """,
        shop.workspace_id,
    )
    ids = {row["id"] for row in rows}
    return [
        violation
        for violation in await check.violations(tx)
        if violation.subject in ids or str(shop.workspace_id) in violation.subject
    ]


async def test_findings_open_once_and_are_resolved(lonely_shop, clock):
    charge = await lonely_shop.reserve("job-1")
    clock.advance(timedelta(hours=3))
    checks = billing.invariants(clock)

    async def check():
        async with lonely_shop.database.tx(SYSTEM) as tx:
            return await check_all(tx, clock, checks)

    first, second = await check(), await check()
    assert (first.opened, first.resolved) == (1, 0)
    assert list(first.violations) == ["reservations_end"]
    assert (second.opened, second.resolved) == (0, 0)
    rows = await lonely_shop.sql("SELECT * FROM internal.invariant_findings")
    assert [row["subject"] for row in rows] == [str(charge.id)]
    assert "stays reserved" in rows[0]["detail"]["sentence"]

    await lonely_shop.refund(charge.id)
    third = await check()
    assert (third.opened, third.resolved, dict(third.violations)) == (0, 1, {})
    rows = await lonely_shop.sql("SELECT resolved_at FROM internal.invariant_findings")
    assert [row["resolved_at"] for row in rows] == [clock.now()]
