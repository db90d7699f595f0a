"""``/live``: the line on which an open page is told that something changed (server-sent events)."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from selify.core.errors import TooMany
from selify.core.language import _
from selify.core.permissions import BRAND_READ, allows
from selify.core.web.http import CurrentUser, OpenDatabase
from selify.dash.context import people_of
from selify.dash.live import Changes

# The browser comes back by itself, and is then asked again who it is.
LONGEST_SECONDS = 15 * 60
RECONNECT_MILLISECONDS = 2000
KEEP_ALIVE = ": still here\n\n"

router = APIRouter()


class TooManyPages(TooMany):
    code = "too_many_pages"
    title = _("Too many pages of this brand are open")


@router.get("/live")
@allows(BRAND_READ)
async def follow(
    request: Request, workspace: UUID, user: CurrentUser, database: OpenDatabase
) -> StreamingResponse:
    """Events named after the changed tables, or ``everything``."""
    async with database.tx(user) as tx:
        await people_of(request).access_workspace(tx, workspace, BRAND_READ)
    changes: Changes = request.app.state.changes
    if not changes.has_room(workspace):
        raise TooManyPages(_("Close some of them, or reload this page by hand."), retry_after=60)
    return StreamingResponse(
        events(changes, workspace),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def events(
    changes: Changes, workspace_id: UUID, *, longest: float = LONGEST_SECONDS
) -> AsyncIterator[str]:
    """The stream's text."""
    now = asyncio.get_running_loop().time
    ends = now() + longest
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    if not changes.has_room(workspace_id):
        return  # others, who were let in at the same moment, have taken the last place
    async for changed in changes.follow(workspace_id):
        # A browser passes on no event without data.
        yield "".join(f"event: {name}\ndata: changed\n\n" for name in sorted(changed)) or KEEP_ALIVE
        if now() > ends:
            return
