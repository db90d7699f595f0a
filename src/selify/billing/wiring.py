"""Credits and charges, plugged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from selify import billing
from selify.billing import departure, endpoints, pages, permissions
from selify.core.container import Container
from selify.core.departure import Departure
from selify.core.personal_data import PersonalPart
from selify.core.queue.worker import Routine
from selify.core.wiring import Wing, Work, as_system

STALE_CHARGE = timedelta(minutes=15)


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    container.offer(Departure, departure.BOOKS)
    container.offer(PersonalPart, departure.EARNINGS)
    yield


async def _work(container: Container) -> Work:
    clock = container.clock
    release = as_system(
        container, lambda tx: billing.release_stale(tx, clock, older_than=STALE_CHARGE)
    )
    count = as_system(container, lambda tx: billing.count_days(tx, now=clock.now()))
    return Work(
        routines=[Routine("stale charges", 60, release), Routine("days of spending", 60, count)]
    )


WING = Wing(
    name="billing",
    routers=[endpoints.router],
    permissions=permissions.PERMISSIONS,
    invariants=billing.invariants,
    brings=[pages.PAGES],
    opens=_open,
    work=_work,
)
