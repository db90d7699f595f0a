"""One worker process: inbox, outbox and jobs, each woken by PostgreSQL's own notifications.

Notifications are hints: one may be missing, or may come just before its row can be claimed. So a
queue that had work, or heard a hint, looks again after ``FIRST_POLL`` seconds, then ever more
seldom; an idle one every ``POLL`` seconds. A missed hint costs that much time, never an event.

On SIGTERM the worker stops claiming and finishes what it holds; on SIGKILL the leases run out and
another takes over.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Protocol

from selify.core.clock import Clock, SystemClock
from selify.core.database import Actor, Database
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.queue import schedule
from selify.core.queue.jobs import JobRunner
from selify.core.queue.outbox import OutboxWorker
from selify.core.waiting import wait_with_timeout

log = get_logger(__name__)

CHANNEL = "selify_work"
FIRST_POLL = 0.1
POLL = 2.0
RECOVER_EVERY = 5.0


class Queue(Protocol):
    """Something with rows to claim."""

    async def run_once(self) -> int: ...
    async def recover(self) -> int: ...


ACTOR = Actor.system("schedule")


@dataclass(frozen=True, slots=True)
class Routine:
    """Something to do every so many seconds, by one worker for all. One that takes longer may meet itself in
    another worker: it must be harmless.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Worker:
    """Runs queues by name (``inbox``, ``outbox``, ``jobs``) and routines until stopped."""

    database: Database
    queues: Mapping[str, Queue]
    routines: Sequence[Routine] = ()
    clock: Clock = field(default_factory=SystemClock)
    _wake: dict[str, asyncio.Event] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until ``stop`` is called."""
        self._wake = {name: asyncio.Event() for name in self.queues}
        background = [
            asyncio.create_task(
                self.database.listen(CHANNEL, self._woken, ready=self._wake_everything)
            ),
            *(asyncio.create_task(self._keep(routine)) for routine in self.routines),
            *(asyncio.create_task(_recover(name, q)) for name, q in self.queues.items()),
        ]
        loops = [asyncio.create_task(self._drain(name, q)) for name, q in self.queues.items()]
        log.info("worker is ready", queues=",".join(self.queues))
        await self._stopping.wait()
        self._wake_everything()
        await asyncio.gather(*loops)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        for queue in self.queues.values():
            if isinstance(queue, OutboxWorker):
                await queue.stop_reconciling()
            if isinstance(queue, JobRunner):
                await queue.finish_running()

    def stop(self) -> None:
        self._stopping.set()

    def _woken(self, name: str) -> None:
        if name in self._wake:
            self._wake[name].set()

    def _wake_everything(self) -> None:
        for event in self._wake.values():
            event.set()

    async def _drain(self, name: str, queue: Queue) -> None:
        wake, pause = self._wake[name], FIRST_POLL
        while not self._stopping.is_set():
            wake.clear()
            if await _guarded(name, queue.run_once):
                pause = FIRST_POLL
            else:
                pause = FIRST_POLL if await wait_with_timeout(wake, pause) else min(2 * pause, POLL)

    async def _keep(self, routine: Routine) -> None:
        """Do it whenever its slot is free, whoever took the one before."""
        while True:
            rest = await _guarded(
                routine.name, partial(run_in_slot, self.database, self.clock, routine)
            )
            await asyncio.sleep(rest)


async def run_in_slot(database: Database, clock: Clock, routine: Routine) -> float:
    """Unless somebody has, within its interval; how many seconds until the next slot."""
    every = timedelta(seconds=routine.every)
    async with database.tx(ACTOR) as tx:
        due = await schedule.claim_slot(tx, routine.name, every=every, now=clock.now())
    if due is not None:
        return due.total_seconds()
    await routine.run()
    return routine.every


async def _recover(name: str, queue: Queue) -> None:
    """Each worker by itself: what another held is free once its lease is over."""
    while True:
        await _guarded(f"recover {name}", queue.recover)
        await asyncio.sleep(RECOVER_EVERY)


async def _guarded(name: str, work: Callable[[], Awaitable[float]]) -> float:
    """The work's answer; on trouble a log line and a short rest instead of a dead worker."""
    try:
        return await work()
    except Exception as error:
        if is_away(error):
            log.warning("the database is away", during=name, reason=str(error))
        else:
            log.exception("something failed", during=name)
        await asyncio.sleep(1)
        return 0


def worker_name() -> str:
    """Unique per process: a restarted worker must not believe it still holds old leases."""
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
