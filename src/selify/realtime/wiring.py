"""Changes of published tables, plugged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from selify.core.container import Container
from selify.core.wiring import Service, Wing
from selify.realtime import endpoints, feed


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    async with feed.listening(container.database) as changes:
        yield Service(state={"feed": changes})


WING = Wing(name="realtime", routers=[endpoints.router], serve=_serve)
