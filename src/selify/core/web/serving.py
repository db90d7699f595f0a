"""The web server as this program runs it: uvicorn, with what it leaves open."""

import asyncio
import resource
from dataclasses import replace
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from selify.core.settings import Settings
from selify.core.web.connections import Connection, ConnectionLimits, Connections

# Files that are neither connections of visitors nor ours to count: the database's, pictures, logs.
OTHER_FILES = 200
FEWEST_CONNECTIONS = 16
# Ctrl-C ends everything within two seconds: what does not let go by itself is cut off.
GRACE_SECONDS = 2
TICKS_A_SECOND = 10


class Server(uvicorn.Server):
    """``connections`` is asked every second who has been too slow."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self.connections = connections

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            self.connections.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)


def build(app: ASGIApp, settings: Settings, limits: ConnectionLimits | None = None) -> Server:
    """Not started yet."""
    connections = Connections(
        limits or limits_of(settings), https=settings.public_url.startswith("https:")
    )
    config = uvicorn.Config(
        cast("Any", app),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        loop="uvloop",
        http=cast("Any", partial(Connection, connections=connections)),
        ws="none",
        # Behind a reverse proxy the visitor's address is in its headers.
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config, connections)


def limits_of(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        connections=settings.max_connections,
        per_address=settings.max_connections_per_address,
        trusted=settings.trusted_proxies,
    )


def make_room(limits: ConnectionLimits) -> ConnectionLimits:
    """As many connections as the system allows this process files, if it is fewer; it is asked to
    allow as many as it may.
    """
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + OTHER_FILES
    if allowed == resource.RLIM_INFINITY:
        return limits
    if allowed < wanted:
        allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    room = max(FEWEST_CONNECTIONS, allowed - OTHER_FILES)
    return replace(limits, connections=min(limits.connections, room))
