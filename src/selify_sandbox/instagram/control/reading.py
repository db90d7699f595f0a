"""Reading conversations, waiting for messages, and making things older than they are."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from selify.core.errors import NotFound
from selify_sandbox.instagram.access import world_of
from selify_sandbox.instagram.control.schemas import Age
from selify_sandbox.instagram.people import shopper, threads
from selify_sandbox.instagram.state.live import until
from selify_sandbox.instagram.state.store import Tx

router = APIRouter(prefix="/sandbox/api", tags=["conversations"])
MAX_WAIT = 30.0
Json = dict[str, Any]


@router.get("/threads")
async def list_threads(request: Request, shopper_name: str = "", account: str = "") -> list[Json]:
    """Conversations in which something was said."""

    def read(tx: Tx) -> list[Json]:
        rows = tx.all(
            "SELECT t.* FROM threads t JOIN shoppers s ON s.id = t.shopper_id "
            "JOIN accounts a ON a.id = t.account_id WHERE updated_at > 0 "
            "AND (? = '' OR s.username = ? OR s.id = ?) AND (? = '' OR a.username = ? OR a.id = ?) "
            "ORDER BY updated_at DESC",
            shopper_name,
            shopper_name,
            shopper_name,
            account,
            account,
            account,
        )
        return [threads.show_thread(row) for row in rows]

    return await world_of(request).store.run(read)


@router.get("/threads/between/{person}/{account}")
async def thread_between(request: Request, person: str, account: str) -> Json:
    """The thread of two parties, made if they never met."""
    world = world_of(request)
    return await world.store.run(
        lambda tx: threads.show_thread(shopper.meet(world, tx, person, account))
    )


@router.get("/threads/{thread}/messages")
async def read_messages(
    request: Request,
    thread: str,
    after: int = 0,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT)] = 0,
) -> list[Json]:
    """Messages after a sequence number; ``wait`` seconds for the first if there is none yet."""
    world = world_of(request)

    def read(tx: Tx) -> list[Json]:
        if threads.thread_by_id(tx, thread) is None:
            raise NotFound("There is no such conversation.")
        return threads.messages_of(world, tx, thread, after=after)

    with world.hub.watching(f"thread:{thread}") as changed:
        found = await world.store.run(read)
        deadline = time.monotonic() + wait
        while not found and await until(changed, deadline - time.monotonic()):
            found = await world.store.run(read)
    return found


@router.post("/threads/{thread}/close-window", status_code=204)
async def close_window(request: Request, thread: str) -> None:
    """Pretend the shopper last wrote 25 hours ago."""

    def act(tx: Tx) -> None:
        past = time.time() - threads.WINDOW - 3600
        if not tx.run("UPDATE threads SET last_inbound = ? WHERE id = ?", past, thread):
            raise NotFound("There is no such conversation.")

    await world_of(request).store.run(act)


@router.post("/comments/{comment_id}/age", status_code=204)
async def age_comment(request: Request, comment_id: str, new: Age) -> None:
    """Pretend the comment is older (private replies end after seven days)."""

    def act(tx: Tx) -> None:
        seconds = new.days * 86_400
        sql = "UPDATE comments SET created_at = created_at - ? WHERE id = ?"
        if not tx.run(sql, seconds, comment_id):
            raise NotFound("There is no such comment.")

    await world_of(request).store.run(act)
