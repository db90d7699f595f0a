"""``GET /api/v1/realtime``: server-sent events for programs and pages of one's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from selify.auth import CurrentAuthenticator, access_workspace
from selify.core.database import Actor, Database, Tx
from selify.core.errors import SelifyError, TooMany
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.permissions import BRAND_READ, allows
from selify.core.web.http import CurrentUser, CurrentUserId, OpenDatabase
from selify.realtime.feed import Change, Feed, Subscriber
from selify.realtime.reading import TABLES, View, view

# Whoever subscribed comes back by itself, with the mark of the last thing it was told.
LONGEST_SECONDS = 15 * 60
RECONNECT_MILLISECONDS = 2000
LOOK_EVERY = 15.0
KEEP_ALIVE = ": still here\n\n"
STREAM = "text/event-stream"
CLOSED = {"reason": "Your sign-in or membership has ended."}
EXAMPLE = (
    "id: 5b1d0c9e77aa-41\nevent: INSERT\n"
    'data: {"schema":"public","table":"oauth_audit_logs","eventType":"INSERT",'
    '"commit_timestamp":"2026-11-18T09:30:00+00:00","new":{"id":"…"},"old":{}}\n\n'
)

log = get_logger(__name__)
router = APIRouter(prefix="/api/v1", tags=["realtime"])


class TooManySubscribers(TooMany):
    code = "too_many_subscribers"
    title = _("Too many subscriptions are open")


@router.get(
    "/realtime",
    response_class=StreamingResponse,
    responses={200: {"content": {STREAM: {"schema": {"type": "string"}, "example": EXAMPLE}}}},
)
@allows(BRAND_READ)
async def subscribe(
    request: Request,
    workspace_id: UUID,
    user: CurrentUser,
    user_id: CurrentUserId,
    authenticator: CurrentAuthenticator,
    database: OpenDatabase,
    table: Annotated[
        list[str], Query(min_length=1, max_length=10, description=f"Of: {', '.join(TABLES)}.")
    ],
    only: Annotated[
        str | None, Query(alias="filter", max_length=600, description="`column=eq.value`")
    ] = None,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> StreamingResponse:
    """Be told of changes as they are committed, each row as you may see it.

    Events are named `INSERT`, `UPDATE` or `DELETE`; their data is what Supabase's `postgres_changes` sends.
    An `UPDATE` brings the row as it is when it is sent. A `DELETE` brings the key alone, and passes a
    filter on any other column. `subscribed` comes first: load what you show after it. `reload` says
    that changes may have been missed (you were away too long, or too slow): load everything again.
    `closed` ends the stream when your sign-in or membership has ended.
    """
    async with database.tx(user) as tx:
        await access_workspace(tx, workspace_id, BRAND_READ)
        shown = await view(tx, workspace_id, list(dict.fromkeys(table)), only)
    feed: Feed = request.app.state.feed
    if not feed.has_room(user_id):
        raise TooManySubscribers(_("Close some of them first."), retry_after=60)

    async def may_listen() -> bool:
        return await authenticator.still_holds(request)

    line = Line(database, user, may_listen, shown)
    subscriber = Subscriber(user_id, workspace_id, frozenset(shown.columns))
    return StreamingResponse(
        events(feed, subscriber, line, after=last_event_id),
        media_type=STREAM,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One subscriber's rights, asked again before anything is said."""

    database: Database
    actor: Actor
    may_listen: Callable[[], Awaitable[bool]]
    shown: View

    async def tell(self, changes: Sequence[Change]) -> list[tuple[Change, dict[str, Any]]] | None:
        """What they see of these; None once they may hear nothing any more."""
        if not await self.may_listen():
            return None
        async with self.database.tx(self.actor) as tx:
            try:
                await access_workspace(tx, self.shown.workspace_id, BRAND_READ)
            except SelifyError:
                return None
            return await self._seen(tx, changes)

    async def _seen(self, tx: Tx, changes: Sequence[Change]) -> list[tuple[Change, dict[str, Any]]]:
        seen = [(change, await self.shown.event(tx, change)) for change in changes]
        return [(change, event) for change, event in seen if event is not None]


async def events(
    feed: Feed,
    subscriber: Subscriber,
    line: Line,
    *,
    after: str | None,
    longest: float = LONGEST_SECONDS,
    look_every: float = LOOK_EVERY,
) -> AsyncIterator[str]:
    """The stream's text."""
    now = asyncio.get_running_loop().time
    ends = now() + longest
    if not feed.has_room(subscriber.user_id):
        return  # others, who were let in at the same moment, have taken the last place
    with feed.subscribed(subscriber, after=after):
        position = feed.position if after is None or subscriber.missed else after
        yield f"retry: {RECONNECT_MILLISECONDS}\n\n" + _event("subscribed", position, {})
        while now() < ends:
            missed, changes = await subscriber.listen(look_every)
            position = feed.position
            try:
                seen = await line.tell(changes)
            except Exception as error:
                if not is_away(error):
                    log.exception("a subscriber could not be told")
                return  # what was not sent comes after the mark they return with
            if seen is None:
                yield _event("closed", position, CLOSED)
                return
            text = [_event(event["eventType"], change.mark, event) for change, event in seen]
            if missed:
                text.insert(0, _event("reload", changes[0].before if changes else position, {}))
            # Also what this line was not told of is behind it: an id alone moves the mark.
            yield "".join(text) + f"id: {position}\n{KEEP_ALIVE}"


def _event(name: str, mark: str, data: Mapping[str, Any]) -> str:
    return f"id: {mark}\nevent: {name}\ndata: {orjson.dumps(data).decode()}\n\n"
