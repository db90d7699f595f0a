"""Pictures of posts. The platform's links to them end after some days, and the browser of a brand
should not have to ask the platform at all: so we keep a small copy of each, made when it is first
looked at.
"""

import asyncio
from uuid import UUID

from fastapi.responses import RedirectResponse, Response

from selify.core.errors import NotFound, SelifyError
from selify.core.files.fetch import SafeFetcher
from selify.core.files.pictures import open_picture
from selify.core.files.storage import Storage
from selify.core.language import _
from selify.core.logging import get_logger
from selify.dash.context import PageContext
from selify.dash.rendering import picture_link

log = get_logger(__name__)

SIDE = 720
LARGEST_BYTES = 12 * 1024 * 1024
PATIENCE_SECONDS = 10.0
_KEPT = {"Cache-Control": "private, max-age=3600"}


async def answer(ctx: PageContext, post_id: UUID, url: str | None) -> Response:
    """On to our copy. Raises NotFound where there is none and none can be had."""
    storage: Storage = ctx.request.app.state.storage
    key = f"workspaces/{ctx.workspace.id}/posts/{post_id}.jpg"
    if not await storage.exists(key):
        await _copy(ctx, storage, key, url)
    return RedirectResponse(picture_link(ctx.request, key), status_code=302, headers=_KEPT)


async def _copy(ctx: PageContext, storage: Storage, key: str, url: str | None) -> None:
    fetcher: SafeFetcher = ctx.request.app.state.fetcher
    if not url:
        raise NotFound(_("This post has no picture."))
    try:
        fetched = await fetcher.fetch(
            url, accept=("image/*",), max_bytes=LARGEST_BYTES, timeout=PATIENCE_SECONDS
        )
        picture = await asyncio.to_thread(open_picture, fetched.data, max_side=SIDE)
    except SelifyError as refusal:
        log.info("a post's picture could not be copied", reason=refusal.detail)
        raise NotFound(_("The picture of this post cannot be had any more.")) from refusal
    await storage.put(key, picture.data, content_type=picture.content_type)
