"""The shell of all pages, plugged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from selify.core.container import Container
from selify.core.wiring import Service, Wing
from selify.dash import languages, live, parts, search, stream, vocabulary, words
from selify.dash.pages import Pages
from selify.dash.ports import People


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    async with live.listening(container.database) as changes:
        yield Service(state={"changes": changes, "people": container.one(People)})


PAGES = Pages(
    routers=[languages.router, stream.router, search.router, vocabulary.router],
    parts=[parts.BANNER, parts.ROOMS],
    words=words,
)

# What pages fetch by themselves, as things change, counts a tenth.
WING = Wing(
    name="dash",
    request_costs={"/static/": 0, "/fragments/": 0.1, "/live": 0.1},
    brings=[PAGES],
    serve=_serve,
)
