"""The server's process with an empty handler: what HTTP alone costs.

Everything is the server's own (uvicorn, middlewares, routing, reading the body, answering), but
the webhook's receiver neither verifies, parses nor stores: ``python -m bench.empty_handler``.
"""

from selify import running
from selify.core import settings
from selify.vendors.instagram.endpoints import WebhookReceiver


async def receive_nothing(_receiver: WebhookReceiver, _raw: bytes, _signature: str | None) -> int:
    return 0


if __name__ == "__main__":
    WebhookReceiver.receive = receive_nothing  # type: ignore[method-assign]
    running.serve(settings.load())
