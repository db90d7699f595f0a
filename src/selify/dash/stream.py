"""``/live``: the line on which an open page is told that something changed (server-sent events).

It belongs to one sign-in and one membership. The database says where a right may have ended
(``db/functions/realtime.sql``), in the order of commits and before anything that came later: then, and
whenever something may have been missed, they are looked at again before another word is said.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from selify.core.database import Actor, Database
from selify.core.errors import SelifyError, TooMany
from selify.core.language import _
from selify.core.permissions import BRAND_READ, allows
from selify.core.web.http import CurrentUser, OpenDatabase, still_signed_in
from selify.dash.context import people_of
from selify.dash.live import EVERYTHING, Changes

# The browser comes back by itself, and is then asked again who it is.
LONGEST_SECONDS = 15 * 60
RECONNECT_MILLISECONDS = 2000
KEEP_ALIVE = ": still here\n\n"
RIGHTS = "rights"
ASK_AGAIN = frozenset({RIGHTS, EVERYTHING})

router = APIRouter()


class TooManyPages(TooMany):
    code = "too_many_pages"
    title = _("Too many pages of this brand are open")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody's page of a workspace."""

    request: Request
    database: Database
    user: Actor
    workspace_id: UUID

    async def check(self) -> None:
        """Raises what keeps them out."""
        async with self.database.tx(self.user) as tx:
            await people_of(self.request).access_workspace(tx, self.workspace_id, BRAND_READ)

    async def goes_on(self) -> bool:
        """Whether they may still look. Who may not comes back by itself, and is told why."""
        try:
            await self.check()
            return await still_signed_in(self.request)
        except SelifyError:
            return False


@router.get("/live")
@allows(BRAND_READ)
async def follow(
    request: Request, workspace: UUID, user: CurrentUser, database: OpenDatabase
) -> StreamingResponse:
    """Events named after the changed tables, or ``everything``."""
    visit = Visit(request, database, user, workspace)
    await visit.check()
    changes: Changes = request.app.state.changes
    if not changes.has_room(workspace):
        raise TooManyPages(_("Close some of them, or reload this page by hand."), retry_after=60)
    return StreamingResponse(
        events(changes, workspace, visit.goes_on),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def events(
    changes: Changes,
    workspace_id: UUID,
    goes_on: Callable[[], Awaitable[bool]],
    *,
    longest: float = LONGEST_SECONDS,
) -> AsyncIterator[str]:
    """The stream's text."""
    now = asyncio.get_running_loop().time
    ends = now() + longest
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    if not changes.has_room(workspace_id):
        return  # others, who were let in at the same moment, have taken the last place
    async for changed in changes.follow(workspace_id):
        if changed & ASK_AGAIN and not await goes_on():
            return
        # A browser passes on no event without data.
        told = sorted(changed - {RIGHTS})
        yield "".join(f"event: {name}\ndata: changed\n\n" for name in told) or KEEP_ALIVE
        if now() > ends:
            return
