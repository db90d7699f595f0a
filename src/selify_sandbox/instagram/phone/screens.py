"""The phone: its page, the fragments its script asks for, the live stream, and the CDN."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.responses import RedirectResponse, StreamingResponse

from selify_sandbox.instagram.access import world_of
from selify_sandbox.instagram.phone import feed
from selify_sandbox.instagram.phone.board import board_values
from selify_sandbox.instagram.phone.pages import HERE, render
from selify_sandbox.instagram.state.live import Hub
from selify_sandbox.instagram.state.pictures import draw_avatar, draw_shop_sign
from selify_sandbox.instagram.state.signatures import cdn_signature_ok
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.webhooks import queue

router = APIRouter(include_in_schema=False)
HEARTBEAT = 15.0
PRIVATE_TOPICS = {"lane", "retries"}
NO_STORE = {"Cache-Control": "no-store"}
SHOWN_DELIVERIES = 40
# A page that only ever loads itself; pictures may also come from files being previewed.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/")
async def page(request: Request) -> HTMLResponse:
    """The phone and the switchboard beside it."""
    world = world_of(request)
    values = await world.store.run(board_values, world, request.query_params.get("as", ""))
    people = await world.store.run(feed.people)
    server = urlsplit(world.config.callback_url).netloc or "nobody"
    html = render("page.html", people=people, server=server, **values)
    return HTMLResponse(html, headers={**NO_STORE, "Content-Security-Policy": PAGE_POLICY})


@router.get("/p/{shortcode}/")
async def permalink(shortcode: str) -> RedirectResponse:
    """A post's own address, as it is given out on the wire: the phone shows it."""
    return RedirectResponse(f"/#/post/{shortcode}")


@router.get("/static/{name}")
async def static_file(name: str) -> Response:
    """The page's own style and scripts."""
    path = HERE / "static" / name
    if path.suffix not in STATIC_TYPES or not path.is_file():
        return PlainTextResponse("Not found", 404)
    return FileResponse(
        path, media_type=STATIC_TYPES[path.suffix], headers={"Cache-Control": "no-cache"}
    )


async def _fragment(request: Request, template: str, read: Any, *args: Any) -> HTMLResponse:
    world = world_of(request)
    person = request.query_params.get("as", "")
    values = await world.store.run(read, world, person, *args)
    return HTMLResponse(render(template, **values), headers=NO_STORE)


@router.get("/phone/feed")
async def feed_screen(request: Request) -> HTMLResponse:
    """Stories and posts."""
    return await _fragment(request, "feed.html", feed.feed)


@router.get("/phone/comments/{media}")
async def comments_screen(request: Request, media: str) -> HTMLResponse:
    """The comment sheet of a post."""
    return await _fragment(request, "comments.html", feed.comments, media)


@router.get("/phone/inbox")
async def inbox_screen(request: Request) -> HTMLResponse:
    """Direct messages."""
    return await _fragment(request, "inbox.html", feed.inbox, False)


@router.get("/phone/requests")
async def requests_screen(request: Request) -> HTMLResponse:
    """Message requests."""
    return await _fragment(request, "inbox.html", feed.inbox, True)


@router.get("/phone/thread/{account}")
async def thread_screen(request: Request, account: str) -> HTMLResponse:
    """One conversation."""
    return await _fragment(request, "thread.html", feed.thread, account)


@router.get("/phone/brand/{account}")
async def brand_screen(request: Request, account: str) -> HTMLResponse:
    """A brand's page."""
    return await _fragment(request, "brand.html", feed.brand, account)


@router.get("/phone/post/{shortcode}")
async def post_screen(request: Request, shortcode: str) -> HTMLResponse:
    """One post."""
    return await _fragment(request, "single.html", feed.post, shortcode)


@router.get("/phone/story/{media}")
async def story_screen(request: Request, media: str) -> HTMLResponse:
    """A story, full screen."""
    return await _fragment(request, "story.html", feed.story, media)


@router.get("/phone/people")
async def people_screen(request: Request) -> HTMLResponse:
    """Who holds the phone."""
    return await _fragment(request, "people.html", feed.switcher)


@router.get("/phone/news")
async def news(request: Request) -> dict[str, Any]:
    """Unread counts, and the newest unread message for the banner."""
    world = world_of(request)
    return await world.store.run(feed.news, world, request.query_params.get("as", ""))


@router.get("/phone/board")
async def board_screen(request: Request) -> HTMLResponse:
    """The switchboard's controls in their present positions."""
    return await _fragment(request, "board.html", _board)


def _board(tx: Tx, world: Any, person: str) -> dict[str, Any]:
    return board_values(tx, world, person)


@router.get("/phone/deliveries")
async def deliveries_list(request: Request) -> HTMLResponse:
    """The last deliveries."""
    rows = await world_of(request).store.run(queue.latest, SHOWN_DELIVERIES)
    return HTMLResponse(render("deliveries.html", deliveries=rows), headers=NO_STORE)


@router.get("/live")
async def live(request: Request, only: str = "") -> StreamingResponse:
    """What changes, as server-sent events; ``only`` names the kind of topic wanted."""
    stream = _stream(world_of(request).hub, only)
    return StreamingResponse(stream, media_type="text/event-stream", headers=NO_STORE)


async def _stream(hub: Hub, only: str) -> AsyncIterator[str]:
    with hub.reading() as queue:
        yield "retry: 1000\n\n"
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    note = await queue.get()
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if note is None:
                return
            kind = note.topic.partition(":")[0]
            if kind == only or (not only and kind not in PRIVATE_TOPICS):
                yield f"data: {json.dumps({'topic': note.topic, **note.data})}\n\n"


@router.get("/avatars/{name}.png")
async def avatar(request: Request, name: str) -> Response:
    """A drawn portrait, or a shop's sign."""

    def read(tx: Tx) -> Row | None:
        return tx.one("SELECT * FROM accounts WHERE username = ?", name)

    account = await world_of(request).store.run(read)
    draw = (draw_shop_sign, name, account["name"]) if account else (draw_avatar, name)
    data = await asyncio.to_thread(*draw)
    return Response(data, media_type="image/png", headers={"Cache-Control": "max-age=3600"})


@router.get("/cdn/{file_id}")
@router.head("/cdn/{file_id}", include_in_schema=False)
async def cdn(request: Request, file_id: str, exp: int = 0, sig: str = "") -> Response:
    """A stored picture, while its link is signed, unexpired, and its content not deleted."""
    world = world_of(request)
    if not cdn_signature_ok(file_id, exp, world.config.app_secret, sig):
        return PlainTextResponse("Bad URL hash", 403)
    row = await world.store.run(
        lambda tx: tx.one("SELECT * FROM files WHERE id = ? AND alive = 1", file_id)
    )
    path = world.pictures.path(file_id)
    if row is None or exp < time.time() or not path.is_file():
        return PlainTextResponse("URL signature expired", 403)
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=300"}
    return FileResponse(path, media_type=row["content_type"], headers=headers)
