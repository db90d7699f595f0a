"""Is the process alive, is it ready to serve, and what does it count: for whoever operates it.

``/healthz`` answers as long as the process does. ``/readyz`` is 503 while something is missing
without which no request can be served. Old events waiting in the inbox are reported there but do
not make a server unready: taking it out of rotation would stop the intake without helping the
worker that is behind.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import prometheus_client
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from selify.core import invariants, metrics
from selify.core.clock import Clock, is_within
from selify.core.database import CONNECTION_TROUBLE, Actor, Database
from selify.core.errors import SelifyError
from selify.core.files import disk
from selify.core.files.storage import Storage
from selify.core.logging import get_logger
from selify.core.permissions import EVERYONE, allows
from selify.core.queue import state

log = get_logger(__name__)

ACTOR = Actor.system("health")
INBOX_IS_LATE = timedelta(minutes=2)
KEPT_FOR = timedelta(seconds=2)
TIME_TO_ANSWER = 5.0
NO_DATABASE = (SelifyError, *CONNECTION_TROUBLE)

Check = Callable[[], Awaitable[object]]
"""Returns when all is well; raises when not."""


class Readiness:
    """Asks the checks at most once per ``KEPT_FOR``: the address is open to everyone."""

    def __init__(self, checks: Mapping[str, Check], *, inbox: Database, clock: Clock) -> None:
        self._checks = checks
        self._inbox = inbox
        self._clock = clock
        self._asking = asyncio.Lock()
        self._answer: tuple[bool, dict[str, Any]] | None = None
        self._asked_at = clock.now()

    async def ask(self) -> tuple[bool, dict[str, Any]]:
        """Whether we can serve, and each check's outcome in words."""
        async with self._asking:
            now = self._clock.now()
            if self._answer is None or not is_within(KEPT_FOR, self._asked_at, now):
                self._answer, self._asked_at = await self._ask(), now
            return self._answer

    async def _ask(self) -> tuple[bool, dict[str, Any]]:
        outcomes = await asyncio.gather(
            *(_outcome(name, check) for name, check in self._checks.items())
        )
        report = dict(zip(self._checks, outcomes, strict=True))
        ready = all(outcome == "ok" for outcome in outcomes)
        return ready, {
            "status": "ready" if ready else "not ready",
            "checks": report,
            "inbox": await self._inbox_state(),
        }

    async def _inbox_state(self) -> dict[str, Any]:
        try:
            async with self._inbox.tx(ACTOR) as tx:
                oldest = await state.oldest_event(tx)
        except NO_DATABASE:
            return {"status": "unknown"}
        age = max(timedelta(), self._clock.now() - oldest) if oldest else timedelta()
        return {
            "status": "late" if age > INBOX_IS_LATE else "ok",
            "oldest_seconds": round(age.total_seconds(), 1),
        }


async def _outcome(name: str, check: Check) -> str:
    """``ok`` or one sentence. Details go to the log only: they may name hosts and users."""
    try:
        async with asyncio.timeout(TIME_TO_ANSWER):
            await check()
    except SelifyError as error:
        log.warning("not ready", check=name, reason=error.detail)
        return error.title
    except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
        log.warning("not ready", check=name, reason=f"{type(error).__name__}: {error}")
        return "does not answer"
    return "ok"


def database_answers(database: Database) -> Check:
    async def check() -> None:
        async with database.tx(ACTOR) as tx:
            await tx.fetch_value("SELECT 1")

    return check


def disk_has_room(folder: Path) -> Check:
    """The data directory, once it is there: the embedded database and the files live in it."""

    def look() -> None:
        if folder.is_dir():
            disk.check_room(folder)

    async def check() -> None:
        await asyncio.to_thread(look)

    return check


def storage_is_writable(storage: Storage) -> Check:
    key = f"health/{os.getpid()}"

    async def check() -> None:
        await storage.put(key, b"ok", content_type="text/plain")
        await storage.delete(key)

    return check


async def _count(database: Database) -> None:
    """Bring what the database knows up to date; without one it keeps its last value."""
    try:
        async with database.tx(ACTOR) as tx:
            found = await state.fill(tx)
            findings = await invariants.count_open(tx)
    except NO_DATABASE as error:
        log.warning("queues could not be counted", reason=str(error))
        return
    for queue, waiting in found.waiting.items():
        metrics.waiting.labels(queue).set(waiting)
    metrics.dead_letters.set(found.dead_letters)
    metrics.invariant_findings.set(findings)


router = APIRouter(include_in_schema=False)


@router.get("/healthz")
@allows(EVERYONE)
async def healthz() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/readyz")
@allows(EVERYONE)
async def readyz(request: Request) -> JSONResponse:
    readiness: Readiness = request.app.state.readiness
    ready, report = await readiness.ask()
    return JSONResponse(report, status_code=200 if ready else 503)


@router.get("/metrics")
@allows(EVERYONE)
async def metrics_page(request: Request) -> Response:
    await _count(request.app.state.database)
    body = await asyncio.to_thread(metrics.scrape)
    return Response(body, media_type=prometheus_client.CONTENT_TYPE_LATEST)
