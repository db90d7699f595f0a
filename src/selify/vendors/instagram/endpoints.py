"""Where Instagram reaches us: the webhook's handshake and its deliveries.

The answer is 200 only once every event is stored; what cannot be understood is parked, not dropped.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from selify.core.clock import Clock
from selify.core.inbox import Intake
from selify.vendors.instagram import webhook
from selify.vendors.instagram.adapter import incoming
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.webhook import RawEntry

Park = Callable[[Sequence[RawEntry]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """Verifies, takes apart and stores deliveries. ``park`` keeps what nobody understands."""

    config: InstagramConfig
    intake: Intake
    park: Park
    clock: Clock

    async def receive(self, raw: bytes, signature: str | None) -> int:
        """The number of new events. Raises SignatureWrong and UnreadableDelivery."""
        webhook.verify_signature(raw, signature, self.config.signing_secrets)
        delivery = webhook.parse(raw, received_at=self.clock.now())
        if delivery.unparsed:
            await self.park(delivery.unparsed)
        return await self.intake.receive([incoming(event) for event in delivery.events])


def router(receiver: WebhookReceiver) -> APIRouter:
    """``/webhooks/instagram``."""
    routes = APIRouter(prefix="/webhooks/instagram", tags=["webhooks"])

    @routes.get("", summary="The handshake by which Meta checks the address")
    async def handshake(request: Request) -> Response:
        challenge = webhook.verify_challenge(request.query_params, receiver.config.verify_token)
        return Response(challenge, media_type="text/plain")

    @routes.post("", summary="Events, signed with the app's secret")
    async def deliver(request: Request) -> Response:
        await receiver.receive(await request.body(), request.headers.get("x-hub-signature-256"))
        return Response("EVENT_RECEIVED", media_type="text/plain")

    return routes
