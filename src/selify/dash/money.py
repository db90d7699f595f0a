"""What was spent: the balance, every charge, and why each is what it is."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from selify import billing
from selify.billing import After, ChargeMissing
from selify.billing.permissions import USAGE_READ
from selify.core import language
from selify.core.cursor import Cursor
from selify.core.language import _
from selify.core.permissions import allows
from selify.dash import charges, charts
from selify.dash.context import OpenPage, PageContext
from selify.dash.rendering import by_script, fragment, page
from selify.dash.view import View, Viewed

router = APIRouter(prefix="/billing", include_in_schema=False)

A_PAGE = 25
DAYS = 14


@router.get("")
@allows(USAGE_READ)
async def show(ctx: OpenPage, view: Viewed) -> Response:
    shown = {**await show_books(ctx, view), **await show_charges(ctx, view)}
    return await page(ctx, "billing.html", view=view, **shown)


async def show_books(ctx: PageContext, _: View) -> dict[str, Any]:
    """What there is to spend, and what was spent day by day."""
    async with ctx.reading() as tx:
        balance = await billing.balance(tx, ctx.clock, ctx.workspace.id)
    return {"balance": balance, "days": await _days(ctx)}


async def show_charges(ctx: PageContext, view: View) -> dict[str, Any]:
    """A page of charges."""
    after = After(view.after.at, view.after.id) if view.after and view.after.at else None
    async with ctx.reading() as tx:
        found = await charges.read(tx, ctx.workspace.id, after=after, limit=A_PAGE)
    ends = found.after
    return {"found": found, "earlier": Cursor(ends.created_at, ends.id) if ends else None}


PARTS = {"books": show_books, "charges": show_charges}


@router.get("/charges/{charge_id}")
@allows(USAGE_READ)
async def explain(ctx: OpenPage, charge_id: UUID) -> Response:
    """Why a charge is what it is. Raises ChargeMissing."""
    async with ctx.reading() as tx:
        found = await billing.explain(tx, charge_id)
    if found.workspace_id != ctx.workspace.id:
        raise ChargeMissing(_("There is no such charge in this workspace."))
    if by_script(ctx.request):
        return fragment(ctx, "fragments/explanation.html", charge=found)
    return await page(ctx, "charge.html", charge=found)


async def _days(ctx: PageContext) -> tuple[charts.Bar, ...]:
    """The last two weeks, day by day, the quiet ones too."""
    today = ctx.now.date()
    async with ctx.acting() as tx:
        spent = await billing.spend_by_day(
            tx, ctx.workspace.id, first=today - timedelta(days=DAYS - 1), last=today
        )
    return charts.bars(
        [
            (
                language.moment(datetime.combine(day, time()), "short", language.current()),
                of.from_week.value,
                of.from_payg.value,
            )
            for day, of in spent.items()
        ]
    )
