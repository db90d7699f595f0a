"""The price book: what a paid action costs the brand, and what it costs us.

Data, not code: ``price_book.toml`` here holds meters, prices and plans; ``vendors/prices.toml`` what
providers charge. ``seed`` writes them to ``billing_meters``, ``subscription_tiers`` and
``internal.price_book``. From then on the database is the truth: ``seed`` adds what is new and ends
what has a successor, and leaves alone what an operator changed (a meter switched off, a plan's
price, a price of their own). A price that was in force is never edited.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from selify.billing.errors import MeterUnknown, PriceMissing, PriceRewritten
from selify.billing.types import Price
from selify.core.database import Tx
from selify.core.money import Cents, Credits, MicroUnits

OWN_FILE = resources.files("selify.billing") / "price_book.toml"
PROVIDERS_FILE = resources.files("selify.vendors") / "prices.toml"
MICRO_UNITS_A_MONTH_PER_WEEKLY_CREDIT = 26
"""52 weeks / 12 months x 6 micro-units: ``monthly_tokens_micro`` is derived, never enforced."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Something that is paid for. ``service_type`` is the word of ``workspace_usage_events``."""

    slug: str
    name: str
    unit: str
    service_type: str


@dataclass(frozen=True, slots=True)
class Tier:
    slug: str
    name: str
    price_id: str
    monthly_price: Cents
    weekly_credits: Credits
    description: str
    features: tuple[str, ...]
    is_featured: bool

    @property
    def monthly_grant(self) -> MicroUnits:
        return MicroUnits(self.weekly_credits.value * MICRO_UNITS_A_MONTH_PER_WEEKLY_CREDIT)


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A row of ``internal.price_book``, without its end: it ends where the next one begins."""

    meter: str
    provider: str
    model: str
    since: datetime
    unit: str
    credits: Credits
    cost: MicroUnits
    note: str

    @property
    def series(self) -> tuple[str, str, str]:
        return self.meter, self.provider, self.model


@dataclass(frozen=True, slots=True)
class PriceBook:
    meters: tuple[Meter, ...]
    tiers: tuple[Tier, ...]
    entries: tuple[Entry, ...]


def shipped() -> PriceBook:
    """The price book that comes with the program."""
    return read(OWN_FILE, PROVIDERS_FILE)


def read(*files: Traversable) -> PriceBook:
    """One book of several files. KeyError or ValueError where a file makes no sense."""
    pages = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    meters = [item for page in pages for item in page.get("meter", ())]
    costs = [item for page in pages for item in page.get("cost", ())]
    prices = [entry for item in meters for entry in _prices(item)]
    return PriceBook(
        meters=tuple(
            Meter(item["slug"], item["name"], item["unit"], item["service_type"]) for item in meters
        ),
        tiers=tuple(_tier(item) for page in pages for item in page.get("tier", ())),
        entries=(*prices, *(entry for item in costs for entry in _costs(item, prices))),
    )


def _prices(meter: dict[str, Any]) -> Iterator[Entry]:
    for line in sorted(meter["prices"], key=lambda line: line["from"]):
        price, note = Credits(line["credits"]), line.get("note", "")
        free = MicroUnits.zero()
        yield Entry(meter["slug"], "", "", line["from"], meter["unit"], price, free, note)


def _costs(item: dict[str, Any], prices: Sequence[Entry]) -> Iterator[Entry]:
    """A provider's line repeats the brand's price, so it begins anew whenever either changes."""
    own = sorted(item["prices"], key=lambda line: line["from"])
    brand = sorted(price for price in prices if price.meter == item["meter"])
    days = {line["from"] for line in own} | {price.since for price in brand}
    for day in sorted(day for day in days if day >= own[0]["from"]):
        line = [line for line in own if line["from"] <= day][-1]
        price = next((p for p in reversed(brand) if p.since <= day), None)
        if price is None:
            raise ValueError(
                f"{item['meter']} has no price on {day}, but {item['provider']} a cost"
            )
        yield Entry(
            meter=item["meter"],
            provider=item["provider"],
            model=item.get("model", ""),
            since=day,
            unit=price.unit,
            credits=price.credits,
            cost=MicroUnits(line["micro_units"]),
            note=line.get("note", ""),
        )


def _tier(item: dict[str, Any]) -> Tier:
    return Tier(
        slug=item["slug"],
        name=item["name"],
        price_id=item["price_id"],
        monthly_price=Cents(item["monthly_price_cents"]),
        weekly_credits=Credits(item["weekly_credits"]),
        description=item["description"],
        features=tuple(item["features"]),
        is_featured=item.get("is_featured", False),
    )


async def seed(tx: Tx, book: PriceBook | None = None) -> None:
    """Write the book (the shipped one by default). Running it again changes nothing.

    Needs a system transaction. Raises PriceRewritten when the file contradicts a price that is
    already in the database for the same day.
    """
    book = book or shipped()
    for entry in sorted(book.entries):
        await _write_entry(tx, entry)
    for meter in book.meters:
        await _write_meter(tx, meter, book)
    for order, tier in enumerate(book.tiers):
        await _write_tier(tx, tier, order)


async def _write_entry(tx: Tx, entry: Entry) -> None:
    """End the line before, begin this one. Overlaps with an operator's own line: theirs stays."""
    await tx.execute(
        """
        UPDATE internal.price_book SET effective_until = $4
         WHERE meter = $1 AND provider = $2 AND model = $3
           AND effective_from < $4 AND effective_until IS NULL
        """,
        *entry.series,
        entry.since,
    )
    await tx.execute(
        """
        INSERT INTO internal.price_book
               (meter, provider, model, effective_from, unit, credits, cost_micro, note)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
        """,
        *entry.series,
        entry.since,
        entry.unit,
        entry.credits.value,
        entry.cost.value,
        entry.note,
    )
    kept = await tx.fetch_one(
        """
        SELECT credits, cost_micro FROM internal.price_book
         WHERE meter = $1 AND provider = $2 AND model = $3 AND effective_from = $4
        """,
        *entry.series,
        entry.since,
    )
    if kept and (kept["credits"], kept["cost_micro"]) != (entry.credits.value, entry.cost.value):
        raise PriceRewritten(
            f"{' '.join(filter(None, entry.series))}: the price since {entry.since:%-d %B %Y} is"
            f" {kept['credits']} credits ({kept['cost_micro']} micro-units of cost) in the database"
            f" and {entry.credits.value} ({entry.cost.value}) in the file.",
            hint="Leave the old line as it was and add one with a later date.",
        )


async def _write_meter(tx: Tx, meter: Meter, book: PriceBook) -> None:
    """``is_active`` is the operator's switch and never touched here.

    Cents are whole numbers in this table and a message costs a tenth of one: ``unit_amount_micro``
    in the metadata is exact, the cents are for display.
    """
    latest = max(e for e in book.entries if e.series == (meter.slug, "", ""))
    amount = latest.credits.to_micro_units()
    await tx.execute(
        """
        INSERT INTO public.billing_meters
               (slug, display_name, unit_label, default_unit_amount_cents, metadata)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (slug) DO UPDATE
           SET display_name = excluded.display_name, unit_label = excluded.unit_label,
               default_unit_amount_cents = excluded.default_unit_amount_cents,
               metadata = billing_meters.metadata || excluded.metadata
         WHERE (billing_meters.display_name, billing_meters.unit_label,
                billing_meters.default_unit_amount_cents)
               <> (excluded.display_name, excluded.unit_label, excluded.default_unit_amount_cents)
            OR NOT coalesce(billing_meters.metadata, '{}') @> excluded.metadata
        """,
        meter.slug,
        meter.name,
        meter.unit,
        amount.to_cents().value,
        {
            "unit_amount_micro": amount.value,
            "unit_amount_credits": latest.credits.value,
            "service_type": meter.service_type,
        },
    )


async def _write_tier(tx: Tx, tier: Tier, order: int) -> None:
    """Only where it is missing: an operator puts real price ids and numbers of their own in."""
    await tx.execute(
        """
        INSERT INTO public.subscription_tiers
               (slug, display_name, stripe_price_id, monthly_price_cents, monthly_tokens_micro,
                weekly_credits_limit, display_order, is_featured, description, features)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
        """,
        tier.slug,
        tier.name,
        tier.price_id,
        tier.monthly_price.value,
        tier.monthly_grant.value,
        tier.weekly_credits.value,
        order,
        tier.is_featured,
        tier.description,
        list(tier.features),
    )


async def price_of(tx: Tx, meter: str, at: datetime) -> Price:
    """What the meter costs at that time, whether or not it is switched on.

    Needs a system transaction. Raises MeterUnknown or PriceMissing.
    """
    row = await tx.fetch_one(
        """
        SELECT p.id, p.credits, p.effective_from, p.effective_until, p.note
          FROM public.billing_meters m
          LEFT JOIN internal.price_book p
                 ON p.meter = m.slug AND p.provider = '' AND p.model = ''
                AND p.effective_from <= $2
                AND (p.effective_until IS NULL OR p.effective_until > $2)
         WHERE m.slug = $1
        """,
        meter,
        at,
    )
    if row is None:
        raise MeterUnknown(f"No paid action is called “{meter}”.")
    if row["id"] is None:
        raise PriceMissing(f"“{meter}” has no price on {at:%-d %B %Y}.")
    return Price(
        id=row["id"],
        meter=meter,
        credits=Credits(row["credits"]),
        since=row["effective_from"],
        until=row["effective_until"],
        note=row["note"] or "",
    )


async def provider_cost(
    tx: Tx, provider: str, model: str, at: datetime, *, meter: str = "tryon"
) -> MicroUnits:
    """What one unit costs us there: the model's own line, else its provider's.

    Needs a system transaction. Raises PriceMissing for a provider that is not in the book.
    """
    cost = await tx.fetch_value(
        """
        SELECT cost_micro FROM internal.price_book
         WHERE meter = $1 AND provider = $2 AND model IN ($3, '') AND provider <> ''
           AND effective_from <= $4 AND (effective_until IS NULL OR effective_until > $4)
         ORDER BY model DESC LIMIT 1
        """,
        meter,
        provider,
        model,
        at,
    )
    if cost is None:
        raise PriceMissing(
            f"The price book does not know what {provider} charges for “{meter}”.",
            hint="Add a [[cost]] line for this provider to the price book.",
        )
    return MicroUnits(cost)
