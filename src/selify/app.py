"""The composition root: the list of wings, and what a server and a worker make of them.

The only file that may import everything; nothing imports it but ``running`` and the tests.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial
from importlib import import_module

from fastapi import FastAPI

from selify import assets
from selify.analytics import wiring as analytics
from selify.auth import wiring as auth
from selify.billing import wiring as billing
from selify.commerce import wiring as commerce
from selify.copywriting import wiring as copywriting
from selify.core import base, discovery, upkeep
from selify.core.clock import Clock
from selify.core.container import Container
from selify.core.opening import open_container
from selify.core.permissions import vocabulary
from selify.core.queue.inbox import InboxWorker
from selify.core.queue.jobs import JobRunner
from selify.core.queue.outbox import OutboxWorker
from selify.core.queue.worker import Queue, Routine, Worker, worker_name
from selify.core.settings import Settings
from selify.core.web import health, http
from selify.core.web.middleware import BodyLimits
from selify.core.web.rate_limits import RequestRates
from selify.core.wiring import Service, Wing, Work
from selify.dash import installing
from selify.dash import wiring as dash
from selify.db import migrate
from selify.mail import wiring as mail
from selify.messaging import wiring as messaging
from selify.notifications import wiring as notifications
from selify.realtime import wiring as realtime
from selify.studio import wiring as studio
from selify.tryon import wiring as tryon
from selify.vendors import engines
from selify.vr import wiring as vr

# Every outside system that has a folder.
VENDORS = [
    import_module(one.name).WING
    for one in discovery.ours("wiring")
    if one.wing.startswith("vendors.")
]
# Who offers something stands before who needs it.
WINGS: tuple[Wing, ...] = (
    base.WING,
    *VENDORS,
    engines.WING,
    auth.WING,
    billing.WING,
    notifications.WING,
    commerce.WING,
    tryon.WING,
    messaging.WING,
    copywriting.WING,
    studio.WING,
    vr.WING,
    mail.WING,
    analytics.WING,
    realtime.WING,
    dash.WING,
)


def create_server(
    settings: Settings, wings: Sequence[Wing] = WINGS, *, clock: Clock | None = None
) -> FastAPI:
    """The web server's application. Opens its container when it starts and closes it when it stops."""
    settings.check_for_the_world()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        limits = settings.server_limits
        async with (
            open_container(settings, wings, clock=clock, limits=limits) as container,
            contextlib.AsyncExitStack() as serving,
        ):
            services = [await serving.enter_async_context(w.serve(container)) for w in wings]
            _furnish(app, container, services)
            yield

    # Without the framework's own pages of the API, which fetch their scripts from elsewhere.
    app = FastAPI(title="Selify", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    bodies = {path: size for wing in wings for path, size in wing.body_limits.items()}
    http.install(
        app,
        https=settings.public_url.startswith("https:"),
        limits=BodyLimits(by_path=bodies),
        rates=RequestRates(*settings.requests_per_minute, request_costs(wings)),
    )
    app.state.permissions = vocabulary(one for wing in wings for one in wing.permissions)
    for wing in wings:
        for router in wing.routers:
            app.include_router(router)
    installing.install(
        app,
        wings,
        files=assets.ensure("page-files"),
        swagger=assets.ensure("api-docs"),
    )
    return app


def request_costs(wings: Sequence[Wing] = WINGS) -> dict[str, float]:
    return {path: cost for wing in wings for path, cost in wing.request_costs.items()}


def _furnish(app: FastAPI, container: Container, services: Sequence[Service]) -> None:
    """What the routers find on ``app.state``, and the routers that need the container itself."""
    for name in ("settings", "database", "clock", "storage", "links", "fetcher"):
        setattr(app.state, name, getattr(container, name))
    checks: dict[str, health.Check] = {
        "schema": partial(migrate.check, container.settings.database_url)
    }
    app.state.plain_posts = {}
    for service in services:
        checks |= service.checks
        app.state.plain_posts |= service.plain_posts
        for name, thing in service.state.items():
            setattr(app.state, name, thing)
        for router in service.routers:
            app.include_router(router)
    app.state.readiness = health.Readiness(checks, inbox=container.database, clock=container.clock)


@contextlib.asynccontextmanager
async def open_worker(
    settings: Settings, wings: Sequence[Wing] = WINGS, *, clock: Clock | None = None
) -> AsyncIterator[Worker]:
    """A worker, ready to run; its engines end with it."""
    limits = settings.worker_limits
    async with open_container(
        settings, wings, clock=clock, connections=24, limits=limits
    ) as container:
        works = [await wing.work(container) for wing in wings]
        yield build_worker(container, works, upkeep.routines(container, wings))


def build_worker(container: Container, works: Sequence[Work], kept: Sequence[Routine]) -> Worker:
    """Queues and routines, wired."""
    database, clock, name = container.database, container.clock, worker_name()
    work = Work.of(works)
    queues: dict[str, Queue] = {
        "inbox": InboxWorker(
            database, work.handlers, dead_letters=work.dead_letters, clock=clock, worker_id=name
        ),
        "outbox": OutboxWorker(database, work.channels, clock=clock, worker_id=name),
        "jobs": JobRunner(database, work.jobs, clock=clock, worker_id=name, parallel=2),
    }
    return Worker(database, queues, [*work.routines, *kept], clock)
