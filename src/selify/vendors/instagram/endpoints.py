"""Where Instagram reaches us: the webhook's handshake, its deliveries, and what users ask of Meta
(stop, forget).

The answer is 200 only once every event is stored; what cannot be understood is parked, not dropped.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from starlette.datastructures import Headers

from selify.core.clock import Clock
from selify.core.language import _, translated
from selify.core.permissions import EVERYONE, allows
from selify.core.queue.inbox import Incoming, Intake
from selify.vendors.instagram import webhook
from selify.vendors.instagram.adapter import incoming
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.signed_request import SignedRequest, parse_signed_request
from selify.vendors.instagram.webhook import RawEntry

SignedForm = Annotated[str, Form(max_length=10_000)]
WEBHOOK = "/webhooks/instagram"
_DELETION = {
    "received": _("received"),
    "working": _("being worked on"),
    "completed": _("completed"),
    "failed": _("failed, and tried again"),
}
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
        unparsed: list[RawEntry] = []

        def read() -> list[Incoming]:
            delivery = webhook.parse(raw, received_at=self.clock.now())
            unparsed.extend(delivery.unparsed)
            return [incoming(event) for event in delivery.events]

        new = await self.intake.receive_unread(read)
        if unparsed:
            await self.park(unparsed)
        return new

    async def answer(self, raw: bytes, headers: Headers) -> Response:
        """200 and what Meta wants to read, once everything is stored."""
        await self.receive(raw, headers.get("x-hub-signature-256"))
        return Response("EVENT_RECEIVED", media_type="text/plain")


@dataclass(frozen=True, slots=True)
class PlatformRequests:
    """What Meta may ask on behalf of its users, and who carries it out.

    ``deauthorise(app_scoped_id, issued_at)``; ``request_deletion(app_scoped_id)`` gives the confirmation
    code; ``deletion_state(code)`` gives state and time in words.
    """

    deauthorise: Callable[[str, datetime | None], Awaitable[object]]
    request_deletion: Callable[[str], Awaitable[str]]
    deletion_state: Callable[[str], Awaitable[tuple[str, str]]]
    public_url: str


def router(receiver: WebhookReceiver, requests: PlatformRequests) -> APIRouter:
    """What lies below ``WEBHOOK``."""
    routes = APIRouter(prefix=WEBHOOK, tags=["webhooks"])

    @routes.get("", summary="The handshake by which Meta checks the address")
    @allows(EVERYONE)
    async def handshake(request: Request) -> Response:
        challenge = webhook.verify_challenge(request.query_params, receiver.config.verify_token)
        return Response(challenge, media_type="text/plain")

    @routes.post("", summary="Events, signed with the app's secret")
    @allows(EVERYONE)
    async def deliver(request: Request) -> Response:
        return await receiver.answer(await request.body(), request.headers)

    @routes.post("/deauthorize", summary="An owner removed the app")
    @allows(EVERYONE)
    async def deauthorize(signed_request: SignedForm) -> dict[str, bool]:
        said = _read(receiver, signed_request)
        await requests.deauthorise(said.user_id, said.issued_at)
        return {"success": True}

    @routes.post("/data-deletion", summary="A user wants everything deleted")
    @allows(EVERYONE)
    async def delete_data(signed_request: SignedForm) -> dict[str, str]:
        code = await requests.request_deletion(_read(receiver, signed_request).user_id)
        url = f"{requests.public_url}{WEBHOOK}/data-deletion/{code}"
        return {"url": url, "confirmation_code": code}

    @routes.get("/data-deletion/{code}", summary="How far a deletion is, for people to read")
    @allows(EVERYONE)
    async def deletion_state(code: Annotated[str, Path(pattern="^[0-9a-f]{16}$")]) -> Response:
        state, asked = await requests.deletion_state(code)
        said = _(
            "Your request of %(when)s to delete your data: %(state)s.",
            when=asked,
            state=_DELETION.get(state, state),
        )
        return Response(translated(said), media_type="text/plain")

    return routes


def _read(receiver: WebhookReceiver, signed_request: str) -> SignedRequest:
    return parse_signed_request(signed_request, receiver.config.signing_secrets)
