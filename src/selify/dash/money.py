"""What was spent: the balance, every charge, and why each is what it is."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from selify import billing
from selify.billing import After, ChargeMissing, SpendBy
from selify.core.money import MICRO_UNITS_PER_CREDIT
from selify.dash import charges, charts
from selify.dash.desk import AtDesk, Desk
from selify.dash.rendering import by_script, fragment, page

router = APIRouter(prefix="/billing", include_in_schema=False)

A_PAGE = 25
DAYS = 14


@router.get("")
async def show(
    desk: AtDesk,
    before: Annotated[datetime | None, Query()] = None,
    before_id: Annotated[UUID | None, Query()] = None,
) -> Response:
    """``before`` and ``before_id``: where the page before this one ended."""
    after = After(before, before_id) if before and before.tzinfo and before_id else None
    async with desk.reading() as tx:
        found = await charges.read(tx, desk.workspace.id, after=after, limit=A_PAGE)
        balance = await billing.balance(tx, desk.clock, desk.workspace.id)
    if by_script(desk.request) and after:
        return fragment(desk, "fragments/charges.html", found=found)
    days = await _days(desk)
    return await page(
        desk, "billing.html", found=found, balance=balance, days=days, first=not after
    )


@router.get("/charges/{charge_id}")
async def explain(desk: AtDesk, charge_id: UUID) -> Response:
    """Why a charge is what it is. Raises ChargeMissing."""
    async with desk.reading() as tx:
        found = await billing.explain(tx, charge_id)
    if found.workspace_id != desk.workspace.id:
        raise ChargeMissing("There is no such charge in this workspace.")
    if by_script(desk.request):
        return fragment(desk, "fragments/explanation.html", charge=found)
    return await page(desk, "charge.html", charge=found)


async def _days(desk: Desk) -> tuple[charts.Bar, ...]:
    """The last two weeks, day by day, the quiet ones too."""
    today = desk.now.replace(hour=0, minute=0, second=0, microsecond=0)
    dates = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    async with desk.reading() as tx:
        spent = await billing.spend_by(
            tx, desk.workspace.id, SpendBy.DAY, since=dates[0], until=today + timedelta(days=1)
        )
    by_day = {item.key: item for item in spent}
    rows = []
    for date in dates:
        item = by_day.get(f"{date:%Y-%m-%d}")
        week = item.from_week.value if item else 0
        payg = item.from_payg.value // MICRO_UNITS_PER_CREDIT if item else 0
        rows.append((f"{date:%-d %b}", week, payg))
    return charts.bars(rows)
