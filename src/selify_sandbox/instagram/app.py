"""The stand-in as one ASGI app: the wire, the switchboard, the phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from selify.core.web import problems
from selify_sandbox.instagram.config import SandboxConfig
from selify_sandbox.instagram.control import acting, building, reading, trouble
from selify_sandbox.instagram.phone import screens
from selify_sandbox.instagram.state.errors import GraphError
from selify_sandbox.instagram.state.world import build_world, close_world, open_world
from selify_sandbox.instagram.webhooks.delivery import DeliveryWorker
from selify_sandbox.instagram.wire import commenting as _commenting  # registers its edges
from selify_sandbox.instagram.wire import graph, oauth
from selify_sandbox.instagram.wire import nodes as _nodes  # registers its edges
from selify_sandbox.instagram.wire import sending as _sending  # registers its edges

__all__ = ["create_app"]
_REGISTERED = (_commenting, _nodes, _sending)


def create_app(config: SandboxConfig) -> FastAPI:
    """Build the stand-in. It opens its files when it starts and closes them when it stops.

    ``app.state.world.hub.close()`` ends open page streams; a runner calls it on Ctrl-C so that
    the server need not wait for them (see ``serve``).
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        world = build_world(config)
        worker = DeliveryWorker(world)
        app.state.world, app.state.delivery_worker = world, worker
        await open_world(world)
        await worker.start()
        try:
            yield
        finally:
            await app.state.delivery_worker.stop()
            await close_world(app.state.world)

    app = FastAPI(
        title="Instagram stand-in",
        lifespan=lifespan,
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
        openapi_url="/sandbox/openapi.json",
    )
    problems.install(app)
    app.add_exception_handler(GraphError, _graph_error)
    # Routes are tried in this order: the sign-in's own paths lie inside the Graph's pattern.
    for part in (oauth, graph, building, acting, reading, trouble, screens):
        app.include_router(part.router)
    return app


async def _graph_error(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, GraphError):
        raise error
    return JSONResponse(error.refusal.body(), error.refusal.status)
