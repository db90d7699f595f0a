"""What every process does whatever its wings are, plugged in as if it were one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from selify.core import invariants, retention
from selify.core.clock import Clock
from selify.core.container import Container
from selify.core.invariants import Invariant
from selify.core.queue import state as queue_state
from selify.core.queue.worker import Routine
from selify.core.web import file_endpoints, health, idempotency
from selify.core.wiring import Service, Wing, Work


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    checks: dict[str, health.Check] = {
        "database": health.database_answers(container.database),
        "files": health.storage_is_writable(container.storage),
    }
    if container.settings.uses_data_dir:
        checks["disk"] = health.disk_has_room(container.settings.data_dir)
    yield Service(checks=checks)


async def _work(container: Container) -> Work:
    database, storage, now = container.database, container.storage, container.clock.now
    return Work(
        routines=[Routine("retention", 60, lambda: retention.sweep(database, storage, now=now()))]
    )


def _invariants(clock: Clock) -> Sequence[Invariant]:
    return (retention.FilesAreGone(clock),)


WING = Wing(
    name="core",
    routers=[health.router, file_endpoints.router],
    request_costs={"/healthz": 0, "/readyz": 0, "/metrics": 0, "/files/": 0},
    pruned=(*queue_state.PRUNED, *idempotency.PRUNED, *invariants.PRUNED),
    bounds=(*queue_state.BOUNDS, *retention.BOUNDS),
    invariants=_invariants,
    serve=_serve,
    work=_work,
)
