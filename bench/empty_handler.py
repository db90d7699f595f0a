"""The server's process with an empty handler: what HTTP alone costs.

Everything is the server's own (uvicorn, middlewares, reading the body, answering), but the webhook's
receiver neither verifies, parses nor stores. ``python -m bench.empty_handler``: as a route of the
framework, the first one it looks at. With ``plain``: beside the framework, as the product does it.
"""

import sys
from typing import Any

from fastapi import FastAPI

from selify import app as composition
from selify import running
from selify.core import settings
from selify.vendors.instagram.endpoints import WebhookReceiver

_furnish = composition._furnish  # noqa: SLF001 - measured against itself, with one thing left out


async def receive_nothing(_receiver: WebhookReceiver, _raw: bytes, _signature: str | None) -> int:
    return 0


def furnish_for_the_framework(app: FastAPI, *rest: Any) -> None:
    _furnish(app, *rest)
    app.state.plain_posts = {}
    routes = app.router.routes
    routes.insert(0, routes.pop())  # the webhooks' own were added last


if __name__ == "__main__":
    WebhookReceiver.receive = receive_nothing  # type: ignore[method-assign]
    if sys.argv[1:] != ["plain"]:
        composition._furnish = furnish_for_the_framework  # noqa: SLF001
    running.serve(settings.load())
