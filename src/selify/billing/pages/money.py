"""What was spent: the balance, every charge, and why each is what it is."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from selify import billing
from selify.billing import After, ChargeMissing
from selify.billing.pages import charges
from selify.billing.permissions import USAGE_READ
from selify.core.cursor import Cursor
from selify.core.language import _
from selify.core.money import Credits
from selify.core.permissions import allows
from selify.dash.charts import Chart, Series
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part
from selify.dash.periods import ChosenDays, Period, Trend, days_of
from selify.dash.rendering import by_script, fragment, page
from selify.dash.view import ListView, ListViewed, list_view

router = APIRouter(prefix="/billing")

A_PAGE = 25
LATEST = 6
RATE = Credits(10_000)


@router.get("")
@allows(USAGE_READ)
async def show(ctx: OpenPage, view: ListViewed, days: ChosenDays) -> Response:
    shown = {**await show_books(ctx, days), **await show_charges(ctx, view)}
    return await page(ctx, "billing/money.html", view=view, **shown)


async def show_books(ctx: PageContext, days: int) -> dict[str, Any]:
    """What there is to spend, and what was spent day by day."""
    async with ctx.reading() as tx:
        balance = await billing.balance(tx, ctx.clock, ctx.workspace.id)
    return {"balance": balance, "rate": RATE, **await _spending(ctx, days)}


async def show_charges(ctx: PageContext, view: ListView) -> dict[str, Any]:
    """A page of charges."""
    after = After(view.after.at, view.after.id) if view.after and view.after.at else None
    async with ctx.reading() as tx:
        found = await charges.read(tx, ctx.workspace.id, after=after, limit=A_PAGE)
    ends = found.after
    return {"found": found, "earlier": Cursor(ends.created_at, ends.id) if ends else None}


async def show_money(ctx: PageContext, _: object) -> dict[str, Any]:
    """What there is to spend, and the latest charges."""
    async with ctx.reading() as tx:
        return {
            "balance": await billing.balance(tx, ctx.clock, ctx.workspace.id),
            "charges": (await charges.read(tx, ctx.workspace.id, limit=LATEST)).charges,
        }


_SPENT = ("workspace_usage_events", "workspace_quotas", "workspace_payg_balance")
PARTS = (
    Part(
        name="books",
        template="billing/fragments/books.html",
        draw=show_books,
        permissions=(USAGE_READ,),
        tables=_SPENT,
        view=days_of,
    ),
    Part(
        name="charges",
        template="billing/fragments/charges.html",
        draw=show_charges,
        permissions=(USAGE_READ,),
        tables=("workspace_usage_events",),
        view=list_view,
    ),
    Part(
        name="money",
        template="billing/fragments/money.html",
        draw=show_money,
        permissions=(USAGE_READ,),
        tables=_SPENT,
    ),
)


@router.get("/charges/{charge_id}")
@allows(USAGE_READ)
async def explain(ctx: OpenPage, charge_id: UUID) -> Response:
    """Why a charge is what it is. Raises ChargeMissing."""
    async with ctx.reading() as tx:
        found = await billing.explain(tx, charge_id)
    if found.workspace_id != ctx.workspace.id:
        raise ChargeMissing(_("There is no such charge in this workspace."))
    if by_script(ctx.request):
        return fragment(ctx, "billing/fragments/explanation.html", charge=found)
    return await page(ctx, "billing/charge.html", charge=found)


async def _spending(ctx: PageContext, days: int) -> dict[str, Any]:
    """Day by day, the quiet ones too; and in all, compared with the days before."""
    period = Period(days, ctx.now.date())
    async with ctx.acting() as tx:
        spent = await billing.spend_by_day(
            tx, ctx.workspace.id, first=period.before.first, last=period.today
        )
    totals = {day: of.from_week.value + of.from_payg.value for day, of in spent.items()}
    shown = {day: of for day, of in spent.items() if day >= period.first}
    return {
        "days": days,
        "spent": Trend(period.of(totals), period.before.of(totals)),
        "spending": Chart(
            title=_("Credits a day"),
            days=list(shown),
            series=[
                Series(_("week’s credits"), [of.from_week.value for of in shown.values()]),
                Series(_("pay as you go"), [of.from_payg.value for of in shown.values()]),
            ],
        ),
    }
