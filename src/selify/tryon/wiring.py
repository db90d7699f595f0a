"""The bot and try-ons, plugged in. Needs the engines (``ports.EngineChooser``), offers itself to messaging
and reads garments for the wardrobe.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

from selify import assets
from selify.commerce.ports import GarmentReader
from selify.core.clock import Clock
from selify.core.container import Container
from selify.core.invariants import Invariant
from selify.core.queue.worker import Routine
from selify.core.wiring import Wing, Work, as_system
from selify.messaging.clients import Clients
from selify.messaging.ports import Platform
from selify.tryon import (
    bot,
    endpoints,
    funnel,
    interactions,
    lifecycle,
    pages,
    permissions,
    posts,
)
from selify.tryon.bot import TryOnBot
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.engine.leffa import EmbeddedGarmentReader
from selify.tryon.invariants import PicturesArePaidFor
from selify.tryon.job import LONGEST_JOB, PhotoRules, TryOnJob
from selify.tryon.ports import EngineChooser
from selify.tryon.routing import TryOnRouter
from selify.tryon.settings import TryOnSettings
from selify.tryon.types import Picture, Refusal, Rendering, RenderOptions

MEBI = 1024 * 1024


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    """The embedded engine's process starts with the first picture."""
    models, small = assets.ensure("tryon-models"), container.settings.of(TryOnSettings).tryon_small
    async with aclosing(EmbeddedEngine(models, small=small)) as engine:
        container.offer(EmbeddedEngine, engine)
        container.offer(GarmentReader, EmbeddedGarmentReader(engine))
        own = TryOnBot(container.database, container.clock, container.secrets)
        container.offer(Clients, bot.clients(own))
        yield


async def _work(container: Container) -> Work:
    judge = container.one(EmbeddedEngine)
    engines = await container.one(EngineChooser).choose(judge)
    job = tryon_job(container, TryOnRouter(engines, partial(_judged, judge)))
    return Work(jobs={lifecycle.JOB: job}, routines=_routines(container))


def tryon_job(container: Container, router: TryOnRouter) -> TryOnJob:
    settings = container.settings.of(TryOnSettings)
    rules = PhotoRules(
        max_bytes=settings.max_photo_megabytes * MEBI,
        keep=timedelta(hours=settings.photo_hours),
        hosts=tuple(host for one in container.every(Platform) for host in one.media_hosts),
    )
    return TryOnJob(
        container.database,
        container.storage,
        container.fetcher,
        router,
        clock=container.clock,
        rules=rules,
    )


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


def _routines(container: Container) -> list[Routine]:
    database, clock, secrets = container.database, container.clock, container.secrets
    gateways = [platform.gateway for platform in container.every(Platform)]
    return [
        *(
            Routine(
                f"posts of {gateway.platform}",
                60,
                partial(posts.sync_due, database, clock, secrets, gateway),
            )
            for gateway in gateways
        ),
        # What pages show of long histories is counted beforehand.
        Routine(
            "funnel",
            3,
            as_system(container, lambda tx: interactions.refresh_counters(tx, now=clock.now())),
        ),
        Routine(
            "days of the funnel",
            60,
            as_system(container, lambda tx: funnel.count_days(tx, now=clock.now())),
        ),
    ]


def _invariants(clock: Clock) -> Sequence[Invariant]:
    return (PicturesArePaidFor(clock),)


WING = Wing(
    name="tryon",
    routers=[endpoints.router],
    permissions=permissions.PERMISSIONS,
    bounds=posts.BOUNDS,
    payloads={lifecycle.JOB: lifecycle.Request},
    personal_for=lambda settings: max(
        timedelta(hours=settings.of(TryOnSettings).photo_hours), LONGEST_JOB
    ),
    invariants=_invariants,
    media_hosts=lambda settings: settings.of(TryOnSettings).tryon_media_hosts,
    brings=[pages.PAGES],
    opens=_open,
    work=_work,
)
