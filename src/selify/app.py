"""The composition root: settings → adapters → domains → HTTP and worker.

The only file that may import everything; nothing imports it but ``running`` and the tests.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import httpx
from fastapi import FastAPI

from selify import assets, auth, billing, commerce
from selify.auth import Gate, sessions, throttle
from selify.auth import endpoints as auth_endpoints
from selify.billing import endpoints as billing_endpoints
from selify.commerce import endpoints as commerce_endpoints
from selify.core import invariants, pruning, retention, wrong_clocks
from selify.core.clock import Clock, SystemClock
from selify.core.database import Actor, Database, Tx
from selify.core.database_access import UNLIMITED, Limits
from selify.core.files.fetch import AllowList, SafeFetcher
from selify.core.files.storage import Storage
from selify.core.invariants import Invariant
from selify.core.logging import get_logger
from selify.core.queue import state as queue_state
from selify.core.queue.inbox import InboxWorker, Intake
from selify.core.queue.jobs import JobKind, JobRunner
from selify.core.queue.outbox import OutboxWorker
from selify.core.queue.worker import Queue, Routine, Worker, worker_name
from selify.core.secrets import SecretBox
from selify.core.settings import Settings, SettingsWrong
from selify.core.web import file_endpoints, health, http, idempotency
from selify.core.web.links import FileLinks
from selify.core.web.middleware import KIB, BodyLimits
from selify.core.web.rate_limits import RequestRates
from selify.dash import live, pages
from selify.db import migrate
from selify.messaging import (
    accounts,
    clock_bounds,
    deletion,
    echoes,
    names,
    outcomes,
    outgoing,
    subscriptions,
    tokens,
    unmatched_events,
)
from selify.messaging import endpoints as social_endpoints
from selify.messaging.clients import Clients
from selify.messaging.connecting import Connector
from selify.messaging.dead_letters import DeadLetters
from selify.messaging.echoes import EchoChannel
from selify.messaging.events import SocialEvents
from selify.messaging.names import NameChannel
from selify.messaging.sending import MessageChannel
from selify.notifications import endpoints as ops_endpoints
from selify.notifications import outbox
from selify.notifications.notices import NoticeChannel
from selify.realtime import endpoints as realtime_endpoints
from selify.realtime import feed as realtime_feed
from selify.tryon import (
    bot,
    funnel,
    interactions,
    lifecycle,
    photo_addresses,
    posts,
)
from selify.tryon import endpoints as tryon_endpoints
from selify.tryon.bot import TryOnBot
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.engine.leffa import EmbeddedGarmentReader
from selify.tryon.invariants import PicturesArePaidFor
from selify.tryon.job import LONGEST_JOB, PhotoRules, TryOnJob
from selify.tryon.routing import TryOnRouter
from selify.tryon.types import Picture, Refusal, Rendering, RenderOptions
from selify.vendors import engines
from selify.vendors.instagram import adapter as instagram
from selify.vendors.instagram import endpoints as instagram_endpoints
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.endpoints import PlatformRequests, WebhookReceiver
from selify.vendors.instagram.gateway import InstagramGateway
from selify.vendors.instagram.media_hosts import MEDIA_DOMAINS
from selify.vendors.instagram.oauth import InstagramOAuth
from selify.vendors.instagram.webhook import MAX_BODY_BYTES, RawEntry
from selify.workspace_deletion import WorkspaceDeletion

log = get_logger(__name__)
STALE_CHARGE = timedelta(minutes=15)
ROUTINES = Actor.system("routine")
# Deliveries that are parked: also those that waited in vain, for nobody answers last quarter's.
PRUNED = (
    *queue_state.PRUNED,
    *idempotency.PRUNED,
    *invariants.PRUNED,
    pruning.Rule("public.instagram_message_queue", "created_at", pruning.TROUBLE_KEPT),
)
# How far ahead the stored times of all domains can honestly lie.
BOUNDED = (
    *queue_state.BOUNDS,
    *retention.BOUNDS,
    *clock_bounds.BOUNDS,
    *throttle.BOUNDS,
    *sessions.BOUNDS,
)
MEBI = 1024 * KIB
LARGEST_UPLOAD = 40 * MEBI
BODY_LIMITS = BodyLimits(
    by_path={
        "/webhooks/.*": MAX_BODY_BYTES,
        "/api/v1/workspaces/[^/]+/garments": LARGEST_UPLOAD,
        "/wardrobe": LARGEST_UPLOAD,
    }
)
# What has a protection of its own counts nothing; what pages fetch by themselves, as things change, a tenth.
_UNCOUNTED = (
    "/webhooks/ /healthz /readyz /metrics /static/ /files/ /sign-in /sign-up /api/v1/auth/sign-"
)
REQUEST_COSTS = {**dict.fromkeys(_UNCOUNTED.split(), 0.0), "/fragments/": 0.1, "/live": 0.1}


@dataclass(frozen=True, slots=True)
class House:
    """Everything a process opens once."""

    settings: Settings
    clock: Clock
    database: Database
    storage: Storage
    secrets: SecretBox
    links: FileLinks
    http: httpx.AsyncClient
    fetcher: SafeFetcher
    instagram: InstagramConfig

    @property
    def instagram_client(self) -> InstagramClient:
        return InstagramClient(self.http, self.instagram)

    @property
    def instagram_gateway(self) -> InstagramGateway:
        oauth = InstagramOAuth(self.http, self.instagram, self.clock)
        return InstagramGateway(self.instagram_client, oauth, self.instagram)


@contextlib.asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    clock: Clock | None = None,
    connections: int = 10,
    limits: Limits = UNLIMITED,
) -> AsyncIterator[House]:
    """Everything open, at the right database revision; closed again at the end."""
    if not settings.database_url:
        raise SettingsWrong(
            "This process needs a database address.",
            hint="Set SELIFY_DATABASE_URL, or start everything with `selify up`.",
        )
    await migrate.check(settings.database_url)
    await _warn_of_owner(settings.database_url)
    secrets = settings.secret_box
    async with (
        _open_database(settings.database_url, connections, limits) as database,
        _open_http() as client,
    ):
        yield House(
            settings=settings,
            clock=clock or SystemClock(),
            database=database,
            storage=Storage.open(settings.files_url),
            secrets=secrets,
            links=FileLinks(secrets, settings.public_url),
            http=client,
            fetcher=SafeFetcher(
                AllowList.of(*settings.instagram_media_hosts, *settings.tryon_media_hosts)
            ),
            instagram=_instagram_config(settings),
        )


def create_server(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The web server's application. Opens its house when it starts and closes it when it stops."""
    settings.check_for_the_world()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_house(settings, clock=clock, limits=settings.server_limits) as house,
            live.listening(house.database) as changes,
            realtime_feed.listening(house.database) as feed,
            contextlib.aclosing(embedded_engine()) as engine,
        ):
            _furnish(app, house, engine)
            app.state.changes = changes
            app.state.feed = feed
            yield

    # Without the framework's own pages of the API, which fetch their scripts from elsewhere.
    app = FastAPI(title="Selify", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    rates = RequestRates(*settings.requests_per_minute, REQUEST_COSTS)
    https = settings.public_url.startswith("https:")
    http.install(app, https=https, limits=BODY_LIMITS, rates=rates)
    for router in (
        health.router,
        file_endpoints.router,
        auth_endpoints.router,
        billing_endpoints.router,
        commerce_endpoints.router,
        social_endpoints.router,
        tryon_endpoints.router,
        ops_endpoints.router,
        realtime_endpoints.router,
    ):
        app.include_router(router)
    pages.install(app, scripts=assets.ensure("page-scripts"), swagger=assets.ensure("api-docs"))
    return app


def _furnish(app: FastAPI, house: House, engine: EmbeddedEngine) -> None:
    """What the routers find on ``app.state``, and the routers that need the house itself."""
    gate = Gate.from_settings(house.settings, house.database, house.clock)
    app.state.settings = house.settings
    app.state.database = house.database
    app.state.clock = house.clock
    app.state.storage = house.storage
    app.state.links = house.links
    app.state.fetcher = house.fetcher
    app.state.gate = gate
    app.state.authenticate = gate.authenticate
    app.state.gateways = {instagram.PLATFORM: house.instagram_gateway}
    app.state.clients = _clients(house)
    app.state.connector = _connector(house)
    app.state.read_garment = EmbeddedGarmentReader(engine)
    checks: dict[str, health.Check] = {
        "database": health.database_answers(house.database),
        "schema": partial(migrate.check, house.settings.database_url),
        "files": health.storage_is_writable(house.storage),
    }
    if house.settings.uses_data_dir:
        checks["disk"] = health.disk_has_room(house.settings.data_dir)
    app.state.readiness = health.Readiness(
        checks,
        inbox=house.database,
        clock=house.clock,
    )
    receiver = _webhook_receiver(house)
    app.state.plain_posts = {instagram_endpoints.WEBHOOK: receiver.answer}
    app.include_router(instagram_endpoints.router(receiver, _platform_requests(house)))


def _connector(house: House) -> Connector:
    return Connector(
        house.database,
        _clients(house),
        house.clock,
        house.secrets,
        public_url=house.settings.public_url,
    )


def _clients(house: House) -> Clients:
    return bot.clients(TryOnBot(house.database, house.clock, house.secrets))


def _webhook_receiver(house: House) -> WebhookReceiver:
    async def park(entries: Sequence[RawEntry]) -> None:
        async with house.database.tx(ROUTINES) as tx:
            await unmatched_events.park_raw(tx, [(e.entry_id, e.raw, e.reason) for e in entries])

    return WebhookReceiver(house.instagram, Intake(house.database), park, house.clock)


def _platform_requests(house: House) -> PlatformRequests:
    async def deletion_state(code: str) -> tuple[str, str]:
        async with house.database.tx(ROUTINES) as tx:
            return await deletion.deletion_state(tx, code)

    platform = (house.database, _clients(house), house.clock, instagram.PLATFORM)
    return PlatformRequests(
        deauthorise=partial(deletion.deauthorise, *platform),
        request_deletion=partial(deletion.request_deletion, *platform),
        deletion_state=deletion_state,
        public_url=house.settings.public_url,
    )


@contextlib.asynccontextmanager
async def open_worker(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Worker]:
    """A worker, ready to run; its engines end with it."""
    async with (
        open_house(settings, clock=clock, connections=24, limits=settings.worker_limits) as house,
        contextlib.aclosing(embedded_engine()) as judge,
    ):
        place = engines.Place(
            house.settings, house.clock, house.database, house.http, house.fetcher
        )
        chosen = await engines.chosen(place, judge)
        yield build_worker(house, TryOnRouter(chosen, partial(_judged, judge)))


async def _judged(
    judge: EmbeddedEngine,
    person: Picture,
    garment: Picture,
    rendering: Rendering,
    options: RenderOptions,
) -> Rendering:
    """The quality gate for hosted engines; the embedded engine has judged itself. What nobody could
    measure has no scores, and the router does not send it.
    """
    found = await judge.assess(person, garment, rendering.picture, options.category)
    if isinstance(found, Refusal):
        return rendering
    return replace(rendering, picture=found.picture, scores=found.scores)


def build_worker(house: House, router: TryOnRouter) -> Worker:
    """Queues and routines, wired."""
    name = worker_name()
    messenger = instagram.InstagramMessenger(house.instagram_client)
    clients = _clients(house)
    channel = MessageChannel(
        house.database,
        messenger,
        clients,
        secrets=house.secrets,
        links=house.links,
        clock=house.clock,
    )
    kinds: dict[str, JobKind] = {
        lifecycle.JOB: _tryon_job(house, router),
        auth.DELETION: WorkspaceDeletion(
            house.database,
            house.clock,
            house.storage,
            clients,
            _connector(house),
            {instagram.PLATFORM: house.instagram_gateway},
        ),
    }
    queues: dict[str, Queue] = {
        "inbox": InboxWorker(
            house.database,
            {instagram.PLATFORM: SocialEvents(instagram.translate, clients, house.clock)},
            given_up={instagram.PLATFORM: DeadLetters(instagram.translate, house.clock)},
            clock=house.clock,
            worker_id=name,
        ),
        "outbox": OutboxWorker(
            house.database,
            {
                outgoing.CHANNEL: channel,
                echoes.CHANNEL: EchoChannel(
                    house.database, messenger, clients, secrets=house.secrets, clock=house.clock
                ),
                names.CHANNEL: NameChannel(
                    house.database,
                    messenger,
                    clients.responder,
                    secrets=house.secrets,
                    clock=house.clock,
                ),
                outbox.CHANNEL: NoticeChannel(),
            },
            clock=house.clock,
            worker_id=name,
        ),
        "jobs": JobRunner(house.database, kinds, clock=house.clock, worker_id=name, parallel=2),
    }
    return Worker(house.database, queues, _routines(house))


def _tryon_job(house: House, router: TryOnRouter) -> TryOnJob:
    rules = PhotoRules(
        max_bytes=house.settings.max_photo_megabytes * MEBI,
        keep=timedelta(hours=house.settings.photo_hours),
        hosts=(*MEDIA_DOMAINS, *house.instagram.media_host_names),
    )
    return TryOnJob(
        house.database, house.storage, house.fetcher, router, clock=house.clock, rules=rules
    )


def _routines(house: House) -> list[Routine]:
    """What happens every so often. Each is harmless when two workers do it at once."""
    database, clock, secrets = house.database, house.clock, house.secrets
    gateway, clients = house.instagram_gateway, _clients(house)
    as_system = partial(_as_system, database)
    return [
        *_counts(house),
        Routine("parked events", 30, as_system(unmatched_events.retry_attributed)),
        Routine(
            "parked entries",
            3600,
            as_system(
                lambda tx: unmatched_events.retry_raw(tx, instagram.read_parked, now=clock.now())
            ),
        ),
        Routine(
            "stale charges",
            60,
            as_system(lambda tx: billing.release_stale(tx, clock, older_than=STALE_CHARGE)),
        ),
        Routine(
            "lapsed messages",
            60,
            as_system(lambda tx: outcomes.report_lapsed(tx, clients, clock)),
        ),
        Routine(
            "photo addresses",
            60,
            lambda: photo_addresses.forget_old(
                database,
                {lifecycle.JOB: lifecycle.Request},
                now=clock.now(),
                keep=max(timedelta(hours=house.settings.photo_hours), LONGEST_JOB),
            ),
        ),
        Routine("retention", 60, lambda: retention.sweep(database, house.storage, now=clock.now())),
        Routine("posts", 60, lambda: posts.sync_due(database, clock, secrets, gateway)),
        Routine(
            "subscriptions",
            300,
            lambda: subscriptions.confirm_due(database, clock, secrets, gateway),
        ),
        Routine("tokens", 600, lambda: tokens.renew_due(database, clock, secrets, gateway)),
        Routine("sign-ins", 600, as_system(lambda tx: auth.tidy(tx, now=clock.now()))),
        Routine(
            "pruning",
            600,
            lambda: pruning.prune(database, PRUNED, now=clock.now()),
        ),
        Routine("clocks", 15, lambda: wrong_clocks.set_right(database, BOUNDED, now=clock.now())),
        Routine("purge", 3600, lambda: accounts.purge_due(database, clients, clock)),
        *_watches(house),
    ]


def _counts(house: House) -> list[Routine]:
    """What pages show of long histories is counted beforehand."""
    as_system, now = partial(_as_system, house.database), house.clock.now
    return [
        Routine("funnel", 3, as_system(lambda tx: interactions.refresh_counters(tx, now=now()))),
        Routine("days of the funnel", 60, as_system(lambda tx: funnel.count_days(tx, now=now()))),
        Routine("days of spending", 60, as_system(lambda tx: billing.count_days(tx, now=now()))),
        Routine("wardrobe use", 10, as_system(commerce.refresh_usage)),
    ]


def _as_system(
    database: Database, work: Callable[[Tx], Awaitable[object]]
) -> Callable[[], Awaitable[object]]:
    async def run() -> object:
        async with database.tx(ROUTINES) as tx:
            return await work(tx)

    return run


def every_invariant(clock: Clock) -> tuple[Invariant, ...]:
    """Of all domains."""
    return (
        *billing.invariants(clock),
        retention.FilesAreGone(clock),
        PicturesArePaidFor(clock),
    )


def _watches(house: House) -> list[Routine]:
    """The invariants: what is soon looked at every minute, the whole history hourly.

    The routines themselves come round more often, so that a restart does not put a check off.
    """
    database, clock = house.database, house.clock
    known = every_invariant(clock)
    often = [invariant for invariant in known if not invariant.seldom]
    seldom = [invariant for invariant in known if invariant.seldom]
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    return [
        Routine(
            "invariants",
            60,
            lambda: invariants.watch(
                database, clock, often, every=minute, patience=timedelta(seconds=20)
            ),
        ),
        Routine(
            "invariants of all time",
            600,
            lambda: invariants.watch(
                database, clock, seldom, every=hour, patience=timedelta(minutes=10)
            ),
        ),
    ]


def embedded_engine() -> EmbeddedEngine:
    """Its process starts with the first picture."""
    return EmbeddedEngine(assets.ensure("tryon-models"))


async def _warn_of_owner(url: str) -> None:
    """A role that a connection took can be laid down again; the one it logged in with cannot."""
    if await migrate.owner_rights(url):
        log.warning(
            "the database is used with its owner's rights: one statement that should not run could"
            " take all of them. Let SELIFY_DATABASE_URL log in as selify_login, and put the owner's"
            " address into SELIFY_DATABASE_OWNER_URL"
        )


@contextlib.asynccontextmanager
async def _open_database(url: str, connections: int, limits: Limits) -> AsyncIterator[Database]:
    database = await Database.connect(url, max_size=connections, limits=limits)
    try:
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _open_http() -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=50)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:
        yield client


def _instagram_config(settings: Settings) -> InstagramConfig:
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
