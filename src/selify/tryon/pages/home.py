"""The brand's first page: what is still to do, the funnel, what it cost, and account health."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from selify import commerce
from selify.billing.pages.money import show_money
from selify.billing.permissions import USAGE_READ
from selify.commerce.permissions import GARMENTS_READ
from selify.core.permissions import allows
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part
from selify.dash.periods import ChosenDays, days_of
from selify.dash.rendering import page
from selify.messaging import queries
from selify.messaging.pages.health import show_health
from selify.messaging.permissions import ACCOUNTS_READ
from selify.tryon import funnel
from selify.tryon import queries as posts
from selify.tryon.pages import funnel_chart
from selify.tryon.permissions import FUNNEL_READ, POSTS_READ

router = APIRouter()

# What the parts of the page show.
SHOWN = (
    ACCOUNTS_READ,
    FUNNEL_READ,
    POSTS_READ,
    GARMENTS_READ,
    USAGE_READ,
)


@router.get("/")
@allows(*SHOWN)
async def home(ctx: OpenPage, days: ChosenDays) -> Response:
    return await page(
        ctx,
        "tryon/home.html",
        **await show_attention(ctx, days),
        **await show_funnel(ctx, days),
        **await show_money(ctx, days),
        **await show_health(ctx, days),
    )


async def show_attention(ctx: PageContext, _: object) -> dict[str, Any]:
    """What is still to do before shoppers can be answered at all."""
    async with ctx.acting() as tx:
        accounts = await queries.list_accounts(tx, ctx.workspace.id)
        garments = await commerce.list_garments(tx, ctx.workspace.id, limit=1)
        binding = await posts.shows_any_garment(tx, ctx.workspace.id)
    return {"steps": {"account": bool(accounts), "garment": bool(garments), "binding": binding}}


async def show_funnel(ctx: PageContext, days: int) -> dict[str, Any]:
    now = ctx.now
    async with ctx.acting() as tx:
        since = now - timedelta(days=days)
        counts = await funnel.funnel(tx, ctx.workspace.id, since=since, now=now)
    return {"funnel": funnel_chart.funnel(counts), "days": days}


PARTS = (
    Part(
        name="attention",
        template="tryon/fragments/attention.html",
        draw=show_attention,
        permissions=(ACCOUNTS_READ, GARMENTS_READ, POSTS_READ),
        tables=("connected_social_accounts", "wardrobe_garments", "social_posts_garment_bindings"),
    ),
    Part(
        name="funnel",
        template="tryon/fragments/funnel.html",
        draw=show_funnel,
        permissions=(FUNNEL_READ,),
        tables=("bot_interactions",),
        view=days_of,
    ),
)
