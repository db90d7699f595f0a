"""The brand's first page, live: the conversation, the funnel, what it cost, and account health.

Each part is a fragment: drawn with the page, and fetched again when its tables change.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from selify import billing, commerce
from selify.billing.permissions import USAGE_READ
from selify.commerce.permissions import GARMENTS_READ
from selify.core.cursor import Cursor
from selify.core.language import _
from selify.core.permissions import allows
from selify.dash import charges, charts, health, words
from selify.dash.context import OpenPage, PageContext
from selify.dash.rendering import bell, by_script, fragment, page, went_well
from selify.dash.view import PERIODS, View, Viewed
from selify.messaging import conversations, queries, repository
from selify.messaging.permissions import (
    ACCOUNTS_READ,
    CONVERSATIONS_ANSWER,
    CONVERSATIONS_READ,
)
from selify.messaging.queries import (
    Answers,
    ConversationFilter,
    ConversationMissing,
    ListedConversation,
)
from selify.messaging.types import Account, Handler
from selify.tryon import bot_settings, funnel
from selify.tryon import queries as posts
from selify.tryon import repository as garments
from selify.tryon.dialogue import State
from selify.tryon.permissions import FUNNEL_READ, POSTS_READ

router = APIRouter(include_in_schema=False)

LATEST_CHARGES = 6
PEOPLE = 50
MESSAGES = 200
# What the parts of a page show.
SHOWN = (
    CONVERSATIONS_READ,
    ACCOUNTS_READ,
    FUNNEL_READ,
    POSTS_READ,
    GARMENTS_READ,
    USAGE_READ,
)


@router.get("/")
@allows(*SHOWN)
async def home(ctx: OpenPage, view: Viewed) -> Response:
    return await _home(ctx, view)


@router.get("/conversations/{conversation_id}")
@allows(*SHOWN)
async def conversation(ctx: OpenPage, view: Viewed, conversation_id: UUID) -> Response:
    """The first page with one conversation open: where notices and links lead."""
    belongs_to = await _workspace_of(ctx, conversation_id)
    if belongs_to != ctx.workspace.id:
        path = f"/conversations/{conversation_id}?workspace={belongs_to}"
        return RedirectResponse(path, status_code=303)
    return await _home(ctx, replace(view, conversation=conversation_id))


async def _home(ctx: PageContext, view: View) -> Response:
    shown: dict[str, Any] = {}
    for name, draw in PARTS.items():
        if name != "bell":  # it stands on every page
            shown |= await draw(ctx, view)
    return await page(ctx, "home.html", view=view, **shown)


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


# --- The parts ------------------------------------------------------------------------------------


async def show_attention(ctx: PageContext, _: View) -> dict[str, Any]:
    """What is still to do before shoppers can be answered at all."""
    async with ctx.acting() as tx:
        accounts = await queries.list_accounts(tx, ctx.workspace.id)
        garments = await commerce.list_garments(tx, ctx.workspace.id, limit=1)
        binding = await posts.shows_any_garment(tx, ctx.workspace.id)
    return {"steps": {"account": bool(accounts), "garment": bool(garments), "binding": binding}}


async def show_conversations(ctx: PageContext, view: View) -> dict[str, Any]:
    if view.wanted is not ConversationFilter.ALL:
        async with ctx.acting() as tx:
            found = await queries.list_waiting(
                tx, ctx.workspace.id, view.wanted, after=view.people, limit=PEOPLE + 1
            )
    elif view.people is None:
        found = await ctx.once(_latest_conversations)
    else:
        async with ctx.reading() as tx:
            found = await queries.list_conversations(
                tx, ctx.workspace.id, after=view.people, limit=PEOPLE + 1
            )
    return {
        "conversations": found[:PEOPLE],
        "more_people": Cursor.after(found, PEOPLE, by="last_message_at"),
    }


async def show_thread(ctx: PageContext, view: View) -> dict[str, Any]:
    """The conversation that was chosen, or is being read, or the latest. Raises
    ConversationMissing.
    """
    chosen, latest = view.conversation, None
    if chosen is None:  # whoever chose one is not told who else wrote
        latest = next(iter(await ctx.once(_latest_conversations)), None)
        if latest is None:
            return {"thread": None}
        chosen = view.held or latest.id
    is_latest = latest is not None and chosen == latest.id
    async with ctx.reading() as tx:
        thread = await queries.access_conversation(tx, ctx.workspace.id, chosen)
        about = State.from_json(thread.state).binding_id
        account = await repository.account(tx, thread.account_id) if thread.account_id else None
        found = await queries.list_messages(tx, chosen, before=view.before, limit=MESSAGES + 1)
        return {
            "thread": thread,
            "account": account,
            "who": _who_answers(thread, account),
            "garment": await garments.binding(tx, about) if about else None,
            "messages": found[-MESSAGES:],
            "earlier": Cursor.after(found[::-1], MESSAGES, by="at"),
            "following": is_latest,
            "news": latest if view.held and not is_latest else None,
        }


def _who_answers(thread: ListedConversation, account: Account | None) -> str:
    """As the conversation has it; its bot answers only where the account lets it."""
    if thread.answers is not Answers.BOT or account is None:
        return thread.answers.value
    if account.status not in repository.LIVE:
        return "nobody_connected"
    return "bot" if bot_settings.is_on(account) else "bot_off"


async def _latest_conversations(ctx: PageContext) -> list[ListedConversation]:
    """The first page of them, which begins with the one that the thread follows."""
    async with ctx.reading() as tx:
        return await queries.list_conversations(tx, ctx.workspace.id, limit=PEOPLE + 1)


async def show_funnel(ctx: PageContext, view: View) -> dict[str, Any]:
    now = ctx.now
    async with ctx.acting() as tx:
        since = now - timedelta(days=view.days)
        counts = await funnel.funnel(tx, ctx.workspace.id, since=since, now=now)
    return {"funnel": charts.funnel(counts), "days": view.days, "periods": PERIODS}


async def show_money(ctx: PageContext, _: View) -> dict[str, Any]:
    async with ctx.reading() as tx:
        return {
            "balance": await billing.balance(tx, ctx.clock, ctx.workspace.id),
            "charges": (await charges.read(tx, ctx.workspace.id, limit=LATEST_CHARGES)).charges,
        }


async def show_health(ctx: PageContext, _: View) -> dict[str, Any]:
    return {"accounts": await ctx.once(health.examine)}


async def show_bell(ctx: PageContext, _: View) -> dict[str, Any]:
    return await ctx.once(bell)


PARTS: Mapping[str, Callable[[PageContext, View], Awaitable[dict[str, Any]]]] = {
    "attention": show_attention,
    "conversations": show_conversations,
    "thread": show_thread,
    "funnel": show_funnel,
    "money": show_money,
    "health": show_health,
    "bell": show_bell,
}


# --- Who answers ----------------------------------------------------------------------------------


@router.post("/conversations/{conversation_id}/take-over")
@allows(CONVERSATIONS_ANSWER)
async def take_over(ctx: OpenPage, conversation_id: UUID) -> Response:
    """The bot keeps quiet here; a person answers."""
    return await _set_handler(ctx, conversation_id, Handler.HUMAN, "handed_over")


@router.post("/conversations/{conversation_id}/hand-back")
@allows(CONVERSATIONS_ANSWER)
async def hand_back(ctx: OpenPage, conversation_id: UUID) -> Response:
    """The bot answers here again."""
    return await _set_handler(ctx, conversation_id, Handler.BOT, "handed_back")


async def _set_handler(
    ctx: PageContext, conversation_id: UUID, handler: Handler, done: str
) -> Response:
    async with ctx.acting() as tx:
        await queries.access_conversation(tx, ctx.workspace.id, conversation_id)
        await conversations.set_handler(tx, conversation_id, handler, now=ctx.clock.now())
    if not by_script(ctx.request):
        return went_well(ctx, f"/conversations/{conversation_id}", done)
    # Whoever acts stays with this shopper, whoever writes next: the page is one of this conversation.
    view = View(conversation_id)
    shown = {**await show_conversations(ctx, view), **await show_thread(ctx, view)}
    answer = fragment(ctx, "inbox.html", toast=words.DONE[done], view=view, **shown)
    answer.headers["HX-Push-Url"] = ctx.page(f"/conversations/{conversation_id}")
    return answer
