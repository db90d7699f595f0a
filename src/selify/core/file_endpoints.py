"""Stored files for those who hold a signed link."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from selify.core.http import CurrentClock
from selify.core.links import FileLinks
from selify.core.storage import Storage

TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

router = APIRouter(tags=["files"])


@router.get("/files/{token}", summary="A file, by its signed link", response_class=Response)
async def read_file(
    request: Request, clock: CurrentClock, token: Annotated[str, Path(max_length=1000)]
) -> Response:
    """The file's bytes. 404 for a link we did not sign, 410 once it has expired."""
    links: FileLinks = request.app.state.links
    storage: Storage = request.app.state.storage
    key = links.open(token, now=clock.now())
    suffix = key.rsplit(".", 1)[-1]
    return Response(
        await storage.get(key),
        media_type=TYPES.get(suffix, "application/octet-stream"),
        headers={"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"},
    )
