"""The brand's first page, live: the conversation, the funnel, what it cost, and account health."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from selify import commerce
from selify.billing.pages.money import show_money
from selify.billing.permissions import USAGE_READ
from selify.commerce.permissions import GARMENTS_READ
from selify.core.language import _
from selify.core.permissions import allows
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part
from selify.dash.rendering import page
from selify.dash.view import Text
from selify.messaging import queries
from selify.messaging.pages.health import show_health
from selify.messaging.permissions import ACCOUNTS_READ, CONVERSATIONS_READ
from selify.messaging.queries import ConversationMissing
from selify.tryon import funnel
from selify.tryon import queries as posts
from selify.tryon.pages import funnel_chart, inbox
from selify.tryon.pages.inbox import show_conversations, show_thread
from selify.tryon.permissions import FUNNEL_READ, POSTS_READ

router = APIRouter()

PERIODS = (7, 30, 90)
# What the parts of the page show.
SHOWN = (
    CONVERSATIONS_READ,
    ACCOUNTS_READ,
    FUNNEL_READ,
    POSTS_READ,
    GARMENTS_READ,
    USAGE_READ,
)


@dataclass(frozen=True, slots=True)
class View:
    """Of the funnel."""

    days: int = PERIODS[0]


def view_of(days: Text = "") -> View:
    return View(next((period for period in PERIODS if str(period) == days), PERIODS[0]))


Viewed = Annotated[View, Depends(view_of)]


@router.get("/")
@allows(*SHOWN)
async def home(ctx: OpenPage, view: Viewed, talk: inbox.Viewed) -> Response:
    return await _home(ctx, view, talk)


@router.get("/conversations/{conversation_id}")
@allows(*SHOWN)
async def conversation(
    ctx: OpenPage, view: Viewed, talk: inbox.Viewed, conversation_id: UUID
) -> Response:
    """The first page with one conversation open: where notices and links lead."""
    belongs_to = await _workspace_of(ctx, conversation_id)
    if belongs_to != ctx.workspace.id:
        path = f"/conversations/{conversation_id}?workspace={belongs_to}"
        return RedirectResponse(path, status_code=303)
    return await _home(ctx, view, replace(talk, conversation=conversation_id))


async def _home(ctx: PageContext, view: View, talk: inbox.View) -> Response:
    return await page(
        ctx,
        "tryon/home.html",
        view=talk,
        **await show_attention(ctx, view),
        **await show_conversations(ctx, talk),
        **await show_thread(ctx, talk),
        **await show_funnel(ctx, view),
        **await show_money(ctx, view),
        **await show_health(ctx, view),
    )


async def _workspace_of(ctx: PageContext, conversation_id: UUID) -> UUID:
    """A link may lead into another of the user's workspaces. Raises ConversationMissing."""
    elsewhere = [w for w in ctx.workspaces if w.id != ctx.workspace.id]
    async with ctx.reading() as tx:
        for workspace in (ctx.workspace, *elsewhere):
            try:
                await queries.access_conversation(tx, workspace.id, conversation_id)
            except ConversationMissing:
                continue
            return workspace.id
    raise ConversationMissing(_("There is no such conversation in a workspace of yours."))


async def show_attention(ctx: PageContext, _: object) -> dict[str, Any]:
    """What is still to do before shoppers can be answered at all."""
    async with ctx.acting() as tx:
        accounts = await queries.list_accounts(tx, ctx.workspace.id)
        garments = await commerce.list_garments(tx, ctx.workspace.id, limit=1)
        binding = await posts.shows_any_garment(tx, ctx.workspace.id)
    return {"steps": {"account": bool(accounts), "garment": bool(garments), "binding": binding}}


async def show_funnel(ctx: PageContext, view: View) -> dict[str, Any]:
    now = ctx.now
    async with ctx.acting() as tx:
        since = now - timedelta(days=view.days)
        counts = await funnel.funnel(tx, ctx.workspace.id, since=since, now=now)
    return {"funnel": funnel_chart.funnel(counts), "days": view.days, "periods": PERIODS}


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
        view=view_of,
    ),
)
