"""The inbox: who wrote, what was said, and who answers."""

from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from selify.core.cursor import Cursor
from selify.core.language import _
from selify.core.permissions import allows
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part
from selify.dash.rendering import by_script, fragment, page, went_well
from selify.dash.view import Text, number
from selify.messaging import conversations, queries, repository
from selify.messaging.permissions import CONVERSATIONS_ANSWER, CONVERSATIONS_READ
from selify.messaging.queries import (
    Answers,
    ConversationFilter,
    ConversationMissing,
    ListedConversation,
)
from selify.messaging.types import Account, Handler
from selify.tryon import bot_settings
from selify.tryon import repository as garments
from selify.tryon.dialogue import State
from selify.tryon.pages import words

PATH = "/conversations"

router = APIRouter(prefix=PATH)

PEOPLE = 50
MESSAGES = 200


@dataclass(frozen=True, slots=True)
class View:
    """``conversation``: none is the latest one, whichever that is; ``held``: the one somebody is
    reading just now, which nobody takes away from them. ``wanted`` and ``people``: which
    conversations, and where their page begins. ``before``: messages before this one.
    """

    conversation: UUID | None = None
    held: UUID | None = None
    wanted: ConversationFilter = ConversationFilter.ALL
    people: Cursor | None = None
    before: Cursor | None = None


def view_of(
    conversation: Text = "",
    held: Text = "",
    wanted: Text = "",
    people: Text = "",
    before: Text = "",
) -> View:
    return View(
        conversation=number(conversation),
        held=number(held),
        wanted=next((one for one in ConversationFilter if one == wanted), ConversationFilter.ALL),
        people=Cursor.parse(people),
        before=Cursor.parse(before),
    )


Viewed = Annotated[View, Depends(view_of)]


@router.get("")
@allows(CONVERSATIONS_READ)
async def inbox(ctx: OpenPage, view: Viewed) -> Response:
    """On a wide page with the latest conversation beside the list, and following it."""
    return await _inbox(ctx, replace(view, conversation=None))


@router.get("/{conversation_id}")
@allows(CONVERSATIONS_READ)
async def conversation(ctx: OpenPage, view: Viewed, conversation_id: UUID) -> Response:
    """With one conversation open: where notices and links lead."""
    belongs_to = await _workspace_of(ctx, conversation_id)
    if belongs_to != ctx.workspace.id:
        there = f"{PATH}/{conversation_id}?workspace={belongs_to}"
        return RedirectResponse(there, status_code=303)
    return await _inbox(ctx, replace(view, conversation=conversation_id))


async def _inbox(ctx: PageContext, view: View) -> Response:
    return await page(
        ctx,
        "tryon/inbox_page.html",
        view=view,
        **await show_conversations(ctx, view),
        **await show_thread(ctx, view),
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


async def count_waiting(ctx: PageContext) -> int:
    """Conversations in which a person has to answer."""
    async with ctx.acting() as tx:
        return await queries.count_waiting(tx, ctx.workspace.id, ConversationFilter.HUMAN)


CONVERSATIONS = Part(
    name="conversations",
    template="tryon/fragments/conversations.html",
    draw=show_conversations,
    permissions=(CONVERSATIONS_READ,),
    tables=("social_conversations", "social_messages"),
    view=view_of,
)
THREAD = Part(
    name="thread",
    template="tryon/fragments/thread.html",
    draw=show_thread,
    permissions=(CONVERSATIONS_READ,),
    tables=(
        "social_conversations",
        "social_messages",
        "connected_social_accounts",
        "workspaces",
    ),
    view=view_of,
)


# --- Who answers ----------------------------------------------------------------------------------


@router.post("/{conversation_id}/take-over")
@allows(CONVERSATIONS_ANSWER)
async def take_over(ctx: OpenPage, conversation_id: UUID) -> Response:
    """The bot keeps quiet here; a person answers."""
    return await _set_handler(ctx, conversation_id, Handler.HUMAN, "handed_over")


@router.post("/{conversation_id}/hand-back")
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
        return went_well(ctx, f"{PATH}/{conversation_id}", done)
    # Whoever acts stays with this shopper, whoever writes next: the page is one of this conversation.
    view = View(conversation_id)
    shown = {**await show_conversations(ctx, view), **await show_thread(ctx, view)}
    answer = fragment(ctx, "tryon/inbox.html", toast=words.DONE[done], view=view, **shown)
    answer.headers["HX-Push-Url"] = ctx.page(f"{PATH}/{conversation_id}")
    return answer
