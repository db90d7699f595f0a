"""Accounts, conversations and messages, plugged in.

Needs the platforms (``ports.Platform``, by vendors) and those who use it (``clients.Clients``).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from selify.core.container import Container
from selify.core.departure import Departure
from selify.core.pruning import TROUBLE_KEPT, Rule
from selify.core.queue.worker import Routine
from selify.core.wiring import Sealed, Service, Wing, Work, as_system
from selify.messaging import (
    accounts,
    clock_bounds,
    departure,
    echoes,
    endpoints,
    names,
    outcomes,
    outgoing,
    pages,
    permissions,
    subscriptions,
    tokens,
    unmatched_events,
)
from selify.messaging.clients import Clients
from selify.messaging.connecting import STATE_LIFE, Connector
from selify.messaging.dead_letters import DeadLetters
from selify.messaging.echoes import EchoChannel
from selify.messaging.events import SocialEvents
from selify.messaging.names import NameChannel
from selify.messaging.ports import AccountGateway, Platform
from selify.messaging.sending import MessageChannel


def connector(container: Container) -> Connector:
    return Connector(
        container.database,
        container.one(Clients),
        container.clock,
        container.secrets,
        public_url=container.settings.public_url,
    )


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    leaving = departure.departure(
        container.database,
        container.clock,
        container.one(Clients),
        connector(container),
        _gateways(container),
    )
    container.offer(Departure, leaving)
    yield


def _gateways(container: Container) -> dict[str, AccountGateway]:
    return {platform.name: platform.gateway for platform in container.every(Platform)}


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    yield Service(
        state={
            "clients": container.one(Clients),
            "connector": connector(container),
            "gateways": _gateways(container),
        }
    )


async def _work(container: Container) -> Work:
    database, clock, secrets = container.database, container.clock, container.secrets
    clients, platforms = container.one(Clients), container.every(Platform)
    messenger = container.one(Platform).messenger
    return Work(
        handlers={one.name: SocialEvents(one.translate, clients, clock) for one in platforms},
        dead_letters={one.name: DeadLetters(one.translate, clock) for one in platforms},
        channels={
            outgoing.CHANNEL: MessageChannel(
                database, messenger, clients, secrets=secrets, links=container.links, clock=clock
            ),
            echoes.CHANNEL: EchoChannel(database, messenger, clients, secrets=secrets, clock=clock),
            names.CHANNEL: NameChannel(
                database, messenger, clients.responder, secrets=secrets, clock=clock
            ),
        },
        routines=[*_routines(container), *(one for p in platforms for one in _of(container, p))],
    )


def _routines(container: Container) -> list[Routine]:
    database, clock = container.database, container.clock
    clients = container.one(Clients)
    return [
        Routine(
            "parked events",
            30,
            as_system(container, lambda tx: unmatched_events.retry_attributed(tx, now=clock.now())),
        ),
        Routine(
            "lapsed messages",
            60,
            as_system(container, lambda tx: outcomes.report_lapsed(tx, clients, clock)),
        ),
        Routine("purge", 3600, lambda: accounts.purge_due(database, clients, clock)),
    ]


def _of(container: Container, platform: Platform) -> list[Routine]:
    """What is done for each platform by itself."""
    database, clock, secrets = container.database, container.clock, container.secrets
    gateway = platform.gateway
    return [
        Routine(
            f"parked entries of {platform.name}",
            3600,
            as_system(
                container,
                lambda tx: unmatched_events.retry_raw(tx, platform.read_unmatched, now=clock.now()),
            ),
        ),
        Routine(
            f"subscriptions of {platform.name}",
            300,
            lambda: subscriptions.confirm_due(database, clock, secrets, gateway),
        ),
        Routine(
            f"tokens of {platform.name}",
            600,
            lambda: tokens.renew_due(database, clock, secrets, gateway),
        ),
    ]


WING = Wing(
    name="messaging",
    routers=[endpoints.router],
    permissions=permissions.PERMISSIONS,
    # Deliveries that are parked: also those that waited in vain, for nobody answers last quarter's.
    pruned=(
        Rule("public.instagram_message_queue", "created_at", TROUBLE_KEPT),
        Rule("internal.used_consents", "used_at", 2 * STATE_LIFE),
    ),
    bounds=clock_bounds.BOUNDS,
    personal=(unmatched_events.PERSONAL,),
    sealed=(Sealed(tokens.reseal_tokens, tokens.KEYS_IN_USE),),
    brings=[pages.PAGES],
    opens=_open,
    serve=_serve,
    work=_work,
)
