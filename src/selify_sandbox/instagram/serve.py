"""Run the stand-in as a process of its own that stops promptly on Ctrl-C."""

import contextlib
from types import FrameType

import uvicorn
from fastapi import FastAPI

from selify_sandbox.instagram.app import create_app
from selify_sandbox.instagram.config import SandboxConfig

GRACE_SECONDS = 3
KEEP_ALIVE_SECONDS = 30


class SandboxServer(uvicorn.Server):
    """Ends the pages' live streams first; otherwise it would wait for every open browser."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Signal handler: let go of open streams, then stop as usual."""
        world = getattr(self.app.state, "world", None)
        if world is not None:
            world.hub.close()
        super().handle_exit(sig, frame)


def build_server(
    config: SandboxConfig, *, host: str = "127.0.0.1", port: int = 8701, log_level: str = "warning"
) -> SandboxServer:
    """A server that is not started yet; ``await server.serve()`` inside a running loop."""
    app = create_app(config)
    settings = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level=log_level,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return SandboxServer(app, settings)


def serve(
    config: SandboxConfig, *, host: str = "127.0.0.1", port: int = 8701, log_level: str = "warning"
) -> None:
    """Serve until a signal comes. Raises SystemExit if the port is taken."""
    with contextlib.suppress(KeyboardInterrupt):
        build_server(config, host=host, port=port, log_level=log_level).run()
