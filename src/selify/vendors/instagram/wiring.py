"""Instagram, plugged in: a platform for messaging, and where Meta reaches us."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from selify.core.container import Container
from selify.core.queue.inbox import Intake
from selify.core.wiring import ROUTINES, Service, Wing
from selify.messaging import deletion, unmatched_events
from selify.messaging.clients import Clients
from selify.messaging.ports import Platform
from selify.vendors.instagram import adapter, endpoints
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.endpoints import PlatformRequests, WebhookReceiver
from selify.vendors.instagram.gateway import InstagramGateway
from selify.vendors.instagram.media_hosts import MEDIA_DOMAINS
from selify.vendors.instagram.oauth import InstagramOAuth
from selify.vendors.instagram.settings import InstagramSettings
from selify.vendors.instagram.webhook import MAX_BODY_BYTES, RawEntry


def config_of(settings: InstagramSettings) -> InstagramConfig:
    return InstagramConfig(
        app_id=settings.instagram_app_id,
        app_secret=settings.instagram_app_secret.get_secret_value(),
        verify_token=settings.instagram_verify_token.get_secret_value(),
        previous_secrets=settings.instagram_previous_secrets,
        www_url=settings.instagram_www_url,
        api_url=settings.instagram_api_url,
        graph_url=settings.instagram_graph_url,
        version=settings.instagram_version,
        media_hosts=settings.instagram_media_hosts,
    )


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    config = config_of(container.settings.of(InstagramSettings))
    client = InstagramClient(container.http, config)
    oauth = InstagramOAuth(container.http, config, container.clock)
    platform = Platform(
        name=adapter.PLATFORM,
        messenger=adapter.InstagramMessenger(client),
        translate=adapter.translate,
        gateway=InstagramGateway(client, oauth, config),
        read_unmatched=adapter.read_unmatched,
        media_hosts=(*MEDIA_DOMAINS, *config.media_host_names),
    )
    container.offer(Platform, platform)
    yield


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    receiver = _receiver(container)
    yield Service(
        routers=[endpoints.router(receiver, _requests(container))],
        plain_posts={endpoints.WEBHOOK: receiver.answer},
    )


def _receiver(container: Container) -> WebhookReceiver:
    database, clock = container.database, container.clock

    async def park(entries: Sequence[RawEntry]) -> None:
        async with database.tx(ROUTINES) as tx:
            parked = [(e.entry_id, e.raw, e.reason) for e in entries]
            await unmatched_events.keep_raw(tx, parked, now=clock.now())

    config = config_of(container.settings.of(InstagramSettings))
    return WebhookReceiver(config, Intake(database, clock), park, clock)


def _requests(container: Container) -> PlatformRequests:
    async def deletion_state(code: str) -> tuple[str, str]:
        async with container.database.tx(ROUTINES) as tx:
            return await deletion.deletion_state(tx, code)

    of_us = (container.database, container.one(Clients), container.clock, adapter.PLATFORM)
    return PlatformRequests(
        deauthorise=partial(deletion.deauthorise, *of_us),
        request_deletion=partial(deletion.request_deletion, *of_us),
        deletion_state=deletion_state,
        public_url=container.settings.public_url,
    )


WING = Wing(
    name="instagram",
    body_limits={"/webhooks/.*": MAX_BODY_BYTES},
    request_costs={"/webhooks/": 0},
    media_hosts=lambda settings: settings.of(InstagramSettings).instagram_media_hosts,
    opens=_open,
    serve=_serve,
)
