"""How an endpoint reaches what the app was built around."""

from fastapi import Request

from selify.vendors.instagram.sandbox.state.world import World
from selify.vendors.instagram.sandbox.webhooks.delivery import Courier


def world_of(request: Request) -> World:
    """The world this app was built around."""
    world: World = request.app.state.world
    return world


def courier_of(request: Request) -> Courier:
    """The app's courier."""
    courier: Courier = request.app.state.courier
    return courier
