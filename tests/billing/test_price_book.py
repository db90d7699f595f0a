"""Prices are data with dates; seeding is repeatable and respects what an operator changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from selify import billing
from selify.billing import price_book
from selify.billing.errors import PriceRewritten
from selify.core.database import Actor
from selify.core.money import Credits, MicroUnits

SYSTEM = Actor.system("test")
TODAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def book():
    return price_book.shipped()


async def snapshot(tx):
    return [
        await tx.fetch("SELECT * FROM internal.price_book ORDER BY id"),
        await tx.fetch("SELECT * FROM public.billing_meters ORDER BY id"),
        await tx.fetch("SELECT * FROM public.subscription_tiers ORDER BY id"),
    ]


def test_the_shipped_prices_are_those_of_the_schema(book):
    prices = {entry.meter: entry.credits for entry in book.entries if not entry.provider}
    assert prices["tryon"] == Credits(383)
    assert prices["bot_message"] == Credits(17)
    free = next(tier for tier in book.tiers if tier.slug == "free")
    assert free.weekly_credits == Credits(10_000)
    assert free.weekly_credits.to_micro_units() == MicroUnits(60_000)  # $0.60
    assert len({tier.price_id for tier in book.tiers}) == len(book.tiers)


def test_every_sold_action_covers_what_the_embedded_engine_costs(book):
    for entry in book.entries:
        if entry.provider == "embedded":
            assert entry.cost <= entry.credits.to_micro_units()


async def test_seeding_again_changes_nothing(own_database):
    async with own_database.tx(SYSTEM) as tx:
        before = await snapshot(tx)
        await billing.seed(tx)
        assert await snapshot(tx) == before


async def test_meters_show_cents_and_keep_the_exact_price(own_database):
    async with own_database.tx(SYSTEM) as tx:
        rows = await tx.fetch("SELECT * FROM public.billing_meters")
    meters = {row["slug"]: row for row in rows}
    assert meters["tryon"]["default_unit_amount_cents"] == 2
    assert meters["tryon"]["metadata"]["unit_amount_micro"] == 2298
    assert meters["bot_message"]["default_unit_amount_cents"] == 0
    assert meters["bot_message"]["metadata"]["unit_amount_micro"] == 102


async def test_what_an_operator_changed_stays(own_database):
    async with own_database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE public.billing_meters SET is_active = false WHERE slug = 'tryon'")
        await tx.execute(
            "UPDATE public.subscription_tiers SET stripe_price_id = 'price_1', weekly_credits_limit = 5"
            " WHERE slug = 'pro'"
        )
        before = await snapshot(tx)
        await billing.seed(tx)
        assert await snapshot(tx) == before


async def test_a_new_price_ends_the_old_one_and_re_rates_nothing(lonely_shop, clock, book):
    old = await lonely_shop.reserve("job-1")
    start = clock.now() + timedelta(days=1)
    dearer = [
        replace(entry, since=start, credits=Credits(400))
        for entry in book.entries
        if entry.meter == "tryon"
    ]
    async with lonely_shop.database.tx(SYSTEM) as tx:
        await billing.seed(tx, replace(book, entries=(*book.entries, *dearer)))
        await billing.seed(tx, replace(book, entries=(*book.entries, *dearer)))
        before = await billing.price_of(tx, "tryon", start - timedelta(microseconds=1))
        after = await billing.price_of(tx, "tryon", start)
    assert (before.credits, before.until) == (Credits(383), start)
    assert (after.credits, after.since, after.until) == (Credits(400), start, None)
    assert (await lonely_shop.reserve("job-2")).price == Credits(383)
    clock.advance(timedelta(days=1))
    assert (await lonely_shop.reserve("job-3")).price == Credits(400)
    assert (await lonely_shop.reserve("job-1")).price == Credits(383)
    told = await lonely_shop.explain(old.id)
    assert (told.price, told.price_id) == (Credits(383), before.id)


async def test_editing_a_price_in_force_is_refused(own_database, book):
    edited = tuple(replace(entry, credits=Credits(1)) for entry in book.entries)
    async with own_database.tx(SYSTEM) as tx:
        with pytest.raises(PriceRewritten, match="17 credits"):
            async with tx.savepoint():
                await billing.seed(tx, replace(book, entries=edited))


async def test_costs_are_the_models_own_or_their_providers(own_database):
    async with own_database.tx(SYSTEM) as tx:
        assert await billing.provider_cost(tx, "embedded", "v1", TODAY) == MicroUnits(0)
        listed = await billing.provider_cost(tx, "gemini", "gemini-3.1-flash-image", TODAY)
        other = await billing.provider_cost(tx, "gemini", "brand-new-model", TODAY)
        assert MicroUnits(0) < listed < other
        with pytest.raises(billing.PriceMissing):
            await billing.provider_cost(tx, "nobody", "x", TODAY)
        with pytest.raises(billing.MeterUnknown):
            await billing.price_of(tx, "teleport", TODAY)
        with pytest.raises(billing.PriceMissing):
            await billing.price_of(tx, "tryon", datetime(2001, 1, 1, tzinfo=UTC))


def test_a_providers_line_begins_anew_when_the_brands_price_changes(tmp_path):
    file = tmp_path / "book.toml"
    file.write_text(
        """
        [[meter]]
        slug = "m"
        name = "M"
        unit = "x"
        service_type = "m"
        prices = [{ from = 2025-01-01T00:00:00Z, credits = 1 },
                  { from = 2026-01-01T00:00:00Z, credits = 2 }]
        [[cost]]
        meter = "m"
        provider = "p"
        prices = [{ from = 2025-06-01T00:00:00Z, micro_units = 10 },
                  { from = 2026-06-01T00:00:00Z, micro_units = 20 }]
        """
    )
    lines = [e for e in price_book.read(file).entries if e.provider == "p"]
    assert [(e.since.year, e.since.month, e.credits.value, e.cost.value) for e in lines] == [
        (2025, 6, 1, 10),
        (2026, 1, 2, 10),
        (2026, 6, 2, 20),
    ]
