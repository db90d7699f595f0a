"""Everything a request handler needs, in one place."""

from dataclasses import dataclass

import httpx

from selify_sandbox.instagram.config import SandboxConfig
from selify_sandbox.instagram.state.limits import Meter
from selify_sandbox.instagram.state.live import Hub
from selify_sandbox.instagram.state.pictures import Pictures
from selify_sandbox.instagram.state.store import Store
from selify_sandbox.instagram.state.switchboard import Faults, Switchboard

# Shorter than servers commonly keep idle connections: none should die under a delivery.
KEPT_ALIVE = 2.0


@dataclass(frozen=True, slots=True)
class World:
    """The stand-in's parts; built once per app by ``open_world``."""

    config: SandboxConfig
    hub: Hub
    store: Store
    switchboard: Switchboard
    meter: Meter
    pictures: Pictures
    http: httpx.AsyncClient


def build_world(config: SandboxConfig) -> World:
    """Put the parts together; nothing is opened yet."""
    hub = Hub()
    store = Store(config.data_dir / "sandbox.sqlite3", hub)
    calm = Faults(separate_comment_ids_percent=config.separate_comment_ids_percent)
    switchboard = Switchboard(store, calm, config.seed)
    return World(
        config=config,
        hub=hub,
        store=store,
        switchboard=switchboard,
        meter=Meter(config.limits, switchboard),
        pictures=Pictures(config),
        # No proxies and no redirects: the stand-in talks to the server under test and nobody else.
        http=httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=100, keepalive_expiry=KEPT_ALIVE),
            # Loading the certificates for a plain local server would only slow the start.
            verify=config.callback_url.startswith("https:"),
        ),
    )


async def open_world(world: World) -> None:
    """Open the database and take up the saved switchboard."""
    await world.store.open()
    await world.switchboard.load()


async def close_world(world: World) -> None:
    """Let go of everything, in the reverse order."""
    world.hub.close()
    await world.http.aclose()
    await world.store.close()
