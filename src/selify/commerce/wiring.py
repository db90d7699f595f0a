"""Products and the wardrobe, plugged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from selify import commerce
from selify.commerce import endpoints, pages, permissions
from selify.commerce.ports import GarmentReader
from selify.core.container import Container
from selify.core.queue.worker import Routine
from selify.core.wiring import Service, Wing, Work, as_system

LARGEST_UPLOAD = 40 * 1024 * 1024


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    yield Service(state={"read_garment": container.one(GarmentReader)})


async def _work(container: Container) -> Work:
    refresh = as_system(container, commerce.refresh_usage)
    return Work(routines=[Routine("wardrobe use", 10, refresh)])


WING = Wing(
    name="commerce",
    routers=[endpoints.router],
    permissions=permissions.PERMISSIONS,
    body_limits={
        "/api/v1/workspaces/[^/]+/garments": LARGEST_UPLOAD,
        "/wardrobe": LARGEST_UPLOAD,
    },
    brings=[pages.PAGES],
    serve=_serve,
    work=_work,
)
