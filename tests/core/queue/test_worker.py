"""The worker hears of work, looks again by itself, outlives trouble, and finishes what it holds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database
from selify.core.queue import worker as module
from selify.core.queue.worker import FIRST_POLL, POLL, Routine, Worker, worker_name

SYSTEM = Actor.system("test")


class Queue:
    """Work that comes and goes; tells when it was looked at."""

    def __init__(self) -> None:
        self.work = 0
        self.looked = 0
        self.done = 0
        self.recovered = 0
        self.trouble: list[Exception] = []
        self.changed = asyncio.Condition()

    async def run_once(self) -> int:
        async with self.changed:
            self.looked += 1
            self.changed.notify_all()
        if self.trouble:
            raise self.trouble.pop()
        if not self.work:
            return 0
        self.work -= 1
        self.done += 1
        return 1

    async def recover(self) -> int:
        self.recovered += 1
        return 0

    async def until_looked(self, times: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.looked >= times)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    task = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    await asyncio.wait_for(task, 30)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a queue meant to wait each time. It does not really wait."""
    meant: list[float] = []
    real = module.wait_with_timeout

    async def noted(wake: asyncio.Event, seconds: float) -> bool:
        meant.append(seconds)
        return await real(wake, 0.001)

    monkeypatch.setattr(module, "wait_with_timeout", noted)
    return meant


async def test_it_works_until_there_is_nothing_left(database: Database) -> None:
    queue = Queue()
    queue.work = 20
    async with running(Worker(database, {"inbox": queue})):
        await asyncio.wait_for(queue.until_looked(21), 30)
    assert queue.done == 20
    assert queue.recovered >= 1


async def test_an_idle_queue_is_looked_at_ever_more_seldom(
    database: Database, waits: list[float]
) -> None:
    queue = Queue()
    async with running(Worker(database, {"nobody hints": queue})):
        await asyncio.wait_for(queue.until_looked(9), 30)
    # The first connection of the listener is a hint as well.
    starts = [n for n, pause in enumerate(waits) if pause == FIRST_POLL]
    last = waits[starts[-1] :]
    assert all(later == min(2 * pause, POLL) for pause, later in pairwise(last))
    assert max(waits) <= POLL


async def test_work_makes_it_attentive_again(database: Database, waits: list[float]) -> None:
    queue = Queue()
    async with running(Worker(database, {"nobody hints": queue})):
        await asyncio.wait_for(queue.until_looked(8), 30)
        while waits[-1] == FIRST_POLL:  # the listener's first connection is a hint as well
            await asyncio.wait_for(queue.until_looked(queue.looked + 1), 30)
        queue.work = 1
        seen = len(waits)
        await asyncio.wait_for(queue.until_looked(queue.looked + 4), 30)
    assert FIRST_POLL in waits[seen:]


async def test_a_hint_wakes_the_right_queue(database: Database) -> None:
    inbox, outbox = Queue(), Queue()
    async with running(Worker(database, {"inbox": inbox, "outbox": outbox})):
        for queue in (inbox, outbox):
            await asyncio.wait_for(queue.until_looked(5), 30)  # both are patient by now
        before = outbox.looked
        async with database.tx(SYSTEM) as tx:
            await tx.execute(f"NOTIFY {module.CHANNEL}, 'outbox'")
        await asyncio.wait_for(outbox.until_looked(before + 2), 30)
        async with database.tx(SYSTEM) as tx:
            await tx.execute(f"NOTIFY {module.CHANNEL}, 'nobody'")


async def test_trouble_is_outlived(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue()
    queue.trouble = [RuntimeError("broken"), ConnectionError("the database is away")]
    queue.work = 1
    async with running(Worker(database, {"inbox": queue})):
        await asyncio.wait_for(queue.until_looked(3), 30)
    assert queue.done == 1


async def test_routines_run_and_their_trouble_stays_theirs(database: Database) -> None:
    ran = asyncio.Event()

    async def broken() -> None:
        raise RuntimeError("broken")

    async def fine() -> None:
        ran.set()

    routines = [Routine("broken", 60, broken), Routine("fine", 60, fine)]
    async with running(Worker(database, {"inbox": Queue()}, routines)):
        await asyncio.wait_for(ran.wait(), 30)


async def test_a_routine_runs_once_for_all_workers_in_its_interval(
    database: Database, clock: FrozenClock
) -> None:
    ran: list[str] = []

    def routine(name: str) -> Routine:
        async def run() -> None:
            ran.append(name)

        return Routine("count", 0.02, run)

    workers = [
        Worker(database, {"inbox": Queue()}, [routine(name)], clock) for name in ("one", "two")
    ]
    async with running(workers[0]), running(workers[1]):
        await until(lambda: len(ran) == 1)
        await asyncio.sleep(0.3)  # they ask again fifteen times, and the clock stands still
        assert len(ran) == 1
        clock.advance(timedelta(seconds=1))
        await until(lambda: len(ran) == 2)
        # A clock that is set back does not wait for the slot that it took in the future.
        clock.advance(timedelta(hours=-1))
        await until(lambda: len(ran) == 3)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


async def test_it_finishes_what_it_holds(database: Database) -> None:
    class Slow(Queue):
        async def run_once(self) -> int:
            if not self.looked:
                self.looked += 1
                started.set()
                await release.wait()
                self.done += 1
            return 0

    started, release, queue = asyncio.Event(), asyncio.Event(), Slow()
    worker = Worker(database, {"inbox": queue})
    task = asyncio.create_task(worker.run())
    await asyncio.wait_for(started.wait(), 30)
    worker.stop()
    await asyncio.sleep(0)
    assert not task.done()
    release.set()
    await asyncio.wait_for(task, 30)
    assert queue.done == 1


def test_no_two_processes_share_a_name() -> None:
    assert worker_name() != worker_name()
