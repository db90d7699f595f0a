"""Stored files for those who hold a signed link."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from selify.core.files.storage import Storage
from selify.core.permissions import EVERYONE, allows
from selify.core.web.http import CurrentClock
from selify.core.web.links import FileLinks

TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "zip": "application/zip"}

Token = Annotated[str, Path(max_length=1000)]

router = APIRouter(tags=["files"])


@router.get("/files/{token}", summary="A file, by its signed link", response_class=Response)
@allows(EVERYONE)
async def read_file(request: Request, clock: CurrentClock, token: Token) -> Response:
    """The file's bytes. 404 for a link we did not sign, 410 once it has expired."""
    links: FileLinks = request.app.state.links
    storage: Storage = request.app.state.storage
    key = links.open(token, now=clock.now())
    data = await storage.get(key)
    return Response(data, media_type=content_type(key), headers=_HEADERS)


@router.head("/files/{token}", include_in_schema=False)
@allows(EVERYONE)
async def describe_file(request: Request, clock: CurrentClock, token: Token) -> Response:
    """The same without the bytes: platforms look before they fetch."""
    links: FileLinks = request.app.state.links
    storage: Storage = request.app.state.storage
    key = links.open(token, now=clock.now())
    length = {"Content-Length": str(await storage.size(key))}
    return Response(media_type=content_type(key), headers={**_HEADERS, **length})


_HEADERS = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}


def content_type(key: str) -> str:
    """As its name says."""
    return TYPES.get(key.rsplit(".", 1)[-1], "application/octet-stream")
