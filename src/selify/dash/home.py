"""The brand's first page, live: the conversation, the funnel, what it cost, and account health.

Each part is a fragment: drawn with the page, and fetched again when its tables change.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from selify import billing, commerce
from selify.core.errors import NotFound
from selify.dash import charges, charts, health, words
from selify.dash.desk import AtDesk, Desk
from selify.dash.rendering import bell, by_script, fragment, page, went_well
from selify.social import conversations, reading, repository
from selify.social.dialogue import Handler, State
from selify.social.reading import ConversationMissing

router = APIRouter(include_in_schema=False)

LATEST_CHARGES = 6


@dataclass(frozen=True, slots=True)
class View:
    """What of the page is looked at. No conversation: the latest one, whichever that is."""

    conversation: UUID | None = None
    days: int = 7


def view(conversation: UUID | None = None, days: Literal["7", "30", "90"] = "7") -> View:
    return View(conversation, int(days))


Viewed = Annotated[View, Depends(view)]


@router.get("/")
async def home(desk: AtDesk, view: Viewed) -> Response:
    return await _home(desk, view)


@router.get("/conversations/{conversation_id}")
async def conversation(desk: AtDesk, view: Viewed, conversation_id: UUID) -> Response:
    """The first page with one conversation open: where notices and links lead."""
    belongs_to = await _workspace_of(desk, conversation_id)
    if belongs_to != desk.workspace.id:
        path = f"/conversations/{conversation_id}?workspace={belongs_to}"
        return RedirectResponse(path, status_code=303)
    return await _home(desk, View(conversation_id, view.days))


async def _home(desk: Desk, view: View) -> Response:
    shown: dict[str, Any] = {}
    for draw in FRAGMENTS.values():
        shown |= await draw(desk, view)
    return await page(desk, "home.html", view=view, steps=await _first_steps(desk), **shown)


async def _workspace_of(desk: Desk, conversation_id: UUID) -> UUID:
    """A link may lead into another of the user's workspaces. Raises ConversationMissing."""
    elsewhere = [w for w in desk.workspaces if w.id != desk.workspace.id]
    async with desk.reading() as tx:
        for workspace in (desk.workspace, *elsewhere):
            try:
                await reading.access_conversation(tx, workspace.id, conversation_id)
            except ConversationMissing:
                continue
            return workspace.id
    raise ConversationMissing("There is no such conversation in a workspace of yours.")


async def _first_steps(desk: Desk) -> Mapping[str, bool]:
    """What has to be there before a shopper can try something on."""
    async with desk.reading() as tx:
        accounts = await reading.list_accounts(tx, desk.workspace.id)
        garments = await commerce.list_garments(tx, desk.workspace.id, limit=1)
        posts = await reading.list_posts(tx, desk.workspace.id)
    return {
        "account": any(row["status"] in health.LIVE for row in accounts),
        "garment": bool(garments),
        "binding": any(row["binding_id"] for row in posts),
    }


# --- The parts ------------------------------------------------------------------------------------


async def show_conversations(desk: Desk, view: View) -> dict[str, Any]:
    async with desk.reading() as tx:
        found = await reading.list_conversations(tx, desk.workspace.id)
    return {"conversations": found, "selected": view.conversation}


async def show_thread(desk: Desk, view: View) -> dict[str, Any]:
    """The conversation that was chosen, or the latest. Raises ConversationMissing."""
    async with desk.reading() as tx:
        chosen = view.conversation
        if chosen is None:
            latest = await reading.list_conversations(tx, desk.workspace.id, limit=1)
            chosen = latest[0]["id"] if latest else None
        if chosen is None:
            return {"thread": None, "messages": [], "following": True}
        thread = await reading.access_conversation(tx, desk.workspace.id, chosen)
        about = State.from_json(thread["conversation_state"]).binding_id
        return {
            "thread": thread,
            "garment": await repository.binding(tx, about) if about else None,
            "messages": await reading.list_messages(tx, chosen),
            "following": view.conversation is None,
        }


async def show_funnel(desk: Desk, view: View) -> dict[str, Any]:
    async with desk.reading() as tx:
        since = desk.now - timedelta(days=view.days)
        counts = await reading.funnel(tx, desk.workspace.id, since=since)
    return {"funnel": charts.funnel(counts), "days": view.days}


async def show_money(desk: Desk, _: View) -> dict[str, Any]:
    async with desk.reading() as tx:
        return {
            "balance": await billing.balance(tx, desk.clock, desk.workspace.id),
            "charges": (await charges.read(tx, desk.workspace.id, limit=LATEST_CHARGES)).charges,
        }


async def show_health(desk: Desk, _: View) -> dict[str, Any]:
    return {"accounts": await health.examine(desk)}


async def show_bell(desk: Desk, _: View) -> dict[str, Any]:
    return await bell(desk)


FRAGMENTS: Mapping[str, Callable[[Desk, View], Awaitable[dict[str, Any]]]] = {
    "conversations": show_conversations,
    "thread": show_thread,
    "funnel": show_funnel,
    "money": show_money,
    "health": show_health,
    "bell": show_bell,
}


@router.get("/fragments/{name}")
async def draw_again(desk: AtDesk, view: Viewed, name: str) -> Response:
    """One part of the page as it is now."""
    if name not in FRAGMENTS:
        raise NotFound("There is no such part of a page.")
    return fragment(desk, f"fragments/{name}.html", **await FRAGMENTS[name](desk, view))


# --- Who answers ----------------------------------------------------------------------------------


@router.post("/conversations/{conversation_id}/take-over")
async def take_over(desk: AtDesk, conversation_id: UUID) -> Response:
    """The bot keeps quiet here; a person answers."""
    return await _set_handler(desk, conversation_id, Handler.HUMAN, "handed_over")


@router.post("/conversations/{conversation_id}/hand-back")
async def hand_back(desk: AtDesk, conversation_id: UUID) -> Response:
    """The bot answers here again."""
    return await _set_handler(desk, conversation_id, Handler.BOT, "handed_back")


async def _set_handler(desk: Desk, conversation_id: UUID, handler: Handler, done: str) -> Response:
    async with desk.acting() as tx:
        await reading.access_conversation(tx, desk.workspace.id, conversation_id)
        await conversations.set_handler(tx, conversation_id, handler)
    if not by_script(desk.request):
        return went_well(desk, f"/conversations/{conversation_id}", done)
    shown = await show_thread(desk, View(conversation_id))
    return fragment(desk, "fragments/thread.html", toast=words.DONE[done], **shown)
