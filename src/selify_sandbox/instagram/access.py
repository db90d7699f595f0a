"""How endpoints are addressed and reach what the app was built around."""

from fastapi import Request
from starlette.convertors import StringConvertor, register_url_convertor

from selify_sandbox.instagram.state.world import World
from selify_sandbox.instagram.webhooks.delivery import DeliveryWorker


class _Version(StringConvertor):
    """``v26.0`` and its like: keeps the Graph's two catch-all paths from catching other pages."""

    regex = r"v\d+\.\d+"


register_url_convertor("graph_version", _Version())


def world_of(request: Request) -> World:
    """The world this app was built around."""
    world: World = request.app.state.world
    return world


def delivery_worker_of(request: Request) -> DeliveryWorker:
    """The app's delivery worker."""
    worker: DeliveryWorker = request.app.state.delivery_worker
    return worker
