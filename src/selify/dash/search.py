"""``/search``: rooms and things by their words, for the palette that every page opens with Ctrl-K."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from selify.core.language import translated
from selify.core.permissions import BRAND_READ, allows
from selify.core.text import OneLine
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Finder, Hit, Room
from selify.dash.rendering import by_script, fragment, page
from selify.dash.shell import shell_of

router = APIRouter()

Asked = Annotated[OneLine, Query(max_length=100)]


@router.get("/search")
@allows(BRAND_READ)
async def search(ctx: OpenPage, q: Asked = "") -> Response:
    """As much as the user may see. Without words: the rooms alone."""
    found: dict[str, Any] = {"q": q, "found_rooms": rooms(ctx, q), "found": await things(ctx, q)}
    if by_script(ctx.request):
        return fragment(ctx, "palette_list.html", **found)
    return await page(ctx, "search.html", **found)


def rooms(ctx: PageContext, text: str) -> list[Room]:
    """Those in whose name each word begins a word, in the reader's language."""
    asked = text.casefold().split()
    return [
        room
        for room in shell_of(ctx.request).rooms
        if ctx.may(room.permission) and _has(translated(room.title).casefold().split(), asked)
    ]


def _has(words: list[str], asked: list[str]) -> bool:
    return all(any(word.startswith(beginning) for word in words) for beginning in asked)


async def things(ctx: PageContext, text: str) -> list[tuple[Finder, list[Hit]]]:
    if not text:
        return []
    found = [
        (finder, list(await finder.find(ctx, text)))
        for finder in shell_of(ctx.request).finders
        if ctx.may(finder.permission)
    ]
    return [(finder, hits) for finder, hits in found if hits]
