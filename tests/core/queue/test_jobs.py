"""Long work: started once, leased, retried, resumed from its checkpoint, and honestly given up."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from selify.core.clock import FrozenClock, SystemClock
from selify.core.database import Actor, Database, DatabaseUnavailable, Tx
from selify.core.files.storage import StorageFull, StorageReadOnly
from selify.core.ids import new_id
from selify.core.outage import UNCOUNTED_FOR
from selify.core.queue import jobs
from selify.core.queue.defer import Defer
from selify.core.queue.jobs import Job, JobRunner
from selify.core.queue.payload import Payload

SYSTEM = Actor.system("test")


class Work:
    """A kind of job that fails as often as it is told to."""

    def __init__(
        self, database: Database, *, failures: int = 0, error: Exception | None = None
    ) -> None:
        self.database = database
        self.failures = failures
        self.error = error or RuntimeError("broken")
        self.runs: list[dict[str, int]] = []
        self.dead_letters: list[str] = []

    async def run(self, job: Job) -> None:
        self.runs.append(dict(job.checkpoint))
        async with self.database.tx(SYSTEM) as tx:
            await jobs.save_checkpoint(tx, job, {"step": len(self.runs)}, now=SystemClock().now())
        if self.failures > 0:
            self.failures -= 1
            raise self.error

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        self.dead_letters.append(reason)


def runner(database: Database, work: Work, clock: FrozenClock, name: str = "w1") -> JobRunner:
    return JobRunner(database, {"work": work}, clock=clock, worker_id=name)


async def begin(database: Database, clock: FrozenClock, key: str = "k") -> None:
    async with database.tx(SYSTEM) as tx:
        await jobs.start(tx, kind="work", key=key, payload=Payload(), now=clock.now())


async def finish(one: JobRunner) -> None:
    while await one.run_once():
        await one.finish_running()


async def state(database: Database) -> str:
    async with database.tx(SYSTEM) as tx:
        return str(await tx.fetch_value("SELECT state FROM internal.jobs"))


async def test_a_job_runs_once_however_often_it_is_started(
    database: Database, clock: FrozenClock
) -> None:
    work = Work(database)
    for _ in range(3):
        await begin(database, clock)
    crew = [runner(database, work, clock, f"w{n}") for n in range(3)]
    await asyncio.gather(*(finish(one) for one in crew))
    assert len(work.runs) == 1
    assert await state(database) == "done"


async def test_a_failed_try_resumes_from_its_checkpoint(
    database: Database, clock: FrozenClock
) -> None:
    work = Work(database, failures=1)
    await begin(database, clock)
    one = runner(database, work, clock)
    await finish(one)
    clock.advance(timedelta(minutes=1))
    await finish(one)
    assert work.runs == [{}, {"step": 1}]
    assert await state(database) == "done"


async def test_after_three_tries_it_is_given_up_once(
    database: Database, clock: FrozenClock
) -> None:
    work = Work(database, failures=9)
    await begin(database, clock)
    for _ in range(6):
        await finish(runner(database, work, clock))
        clock.advance(timedelta(minutes=5))
    assert len(work.runs) == 3
    assert work.dead_letters == ["RuntimeError: broken"]
    assert await state(database) == "failed"


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("gone"), StorageFull("full"), StorageReadOnly("closed")]
)
async def test_nowhere_to_store_anything_is_no_failure_of_a_job(
    database: Database, clock: FrozenClock, error: Exception
) -> None:
    work = Work(database, failures=9, error=error)
    await begin(database, clock)
    for _ in range(10):
        await finish(runner(database, work, clock))
        clock.advance(timedelta(seconds=20))
    assert (len(work.runs), work.dead_letters, await state(database)) == (10, [], "done")


@pytest.mark.parametrize(
    ("error", "late"),
    [
        (DatabaseUnavailable("gone, it says"), UNCOUNTED_FOR + timedelta(seconds=1)),
        (OSError("cannot identify image file"), timedelta()),
    ],
)
async def test_a_job_that_meets_the_same_trouble_for_ever_is_given_up(
    database: Database, error: Exception, late: timedelta
) -> None:
    clock = FrozenClock(datetime.now(UTC))
    work = Work(database, failures=9, error=error)
    await begin(database, clock)
    clock.advance(late)
    for _ in range(6):
        await finish(runner(database, work, clock))
        clock.advance(timedelta(minutes=5))
    assert len(work.runs) == 3
    assert [str(error) in reason for reason in work.dead_letters] == [True]


async def killed_while_running(database: Database, clock: FrozenClock, *keys: str) -> None:
    """A worker took these jobs, began them and was killed; later they were taken over."""
    async with database.tx(SYSTEM) as tx:
        taken = await jobs.claim(tx, worker_id="dead", now=clock.now(), limit=9, kinds=["work"])
        assert {job.key for job in taken} == set(keys)
        await tx.execute("UPDATE internal.jobs SET started_at = now() WHERE state = 'running'")
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    assert await runner(database, Work(database), clock).recover() == len(keys)
    clock.advance(timedelta(minutes=10))


async def test_killed_workers_spend_no_tries(database: Database, clock: FrozenClock) -> None:
    work = Work(database, failures=2)
    await begin(database, clock)
    for _ in range(jobs.MAX_LOST - 1):
        await killed_while_running(database, clock, "k")
    for _ in range(3):
        await finish(runner(database, work, clock))
        clock.advance(timedelta(minutes=5))
    assert (len(work.runs), await state(database), work.dead_letters) == (3, "done", [])


async def test_whose_fault_it_is_not_is_not_given_up_with_the_reason(database: Database) -> None:
    """A job that needs all the memory kills its worker each time; the others are only in its way."""
    clock = FrozenClock(datetime.now(UTC))
    for key in ("poison", "a", "b", "c"):
        await begin(database, clock, key)

    class Killed(BaseException):
        """The process is gone."""

    class Deadly(Work):
        def __init__(self, database: Database) -> None:
            super().__init__(database)
            self.beside: set[str] = set()
            self.done: list[str] = []

        async def run(self, job: Job) -> None:
            self.beside.add(job.key)
            await asyncio.sleep(0.02)
            if job.key == "poison":
                raise Killed
            await asyncio.sleep(0.05)
            self.beside.discard(job.key)
            self.done.append(job.key)

    work = Deadly(database)
    for life in range(20):
        one = runner(database, work, clock, f"w{life}")
        await one.recover()
        claimed = await one.run_once()
        while claimed and one._running:
            done, _ = await asyncio.wait(one._running, return_when=asyncio.FIRST_COMPLETED)
            if any(isinstance(task.exception(), Killed) for task in done):
                for task in list(one._running):
                    task.cancel()
                await asyncio.gather(*one._running, return_exceptions=True)
        clock.advance(timedelta(minutes=10))
    assert sorted(work.done) == ["a", "b", "c"]
    assert work.dead_letters == ["It stopped the worker each time it was tried."]


async def test_a_killed_runner_is_replaced_and_poison_ends(
    database: Database, clock: FrozenClock
) -> None:
    work = Work(database)
    await begin(database, clock)
    for _ in range(jobs.MAX_LOST):
        await killed_while_running(database, clock, "k")
    await finish(runner(database, work, clock))
    assert work.runs == []
    assert work.dead_letters == ["It stopped the worker each time it was tried."]


async def test_too_early_is_no_failure(database: Database, clock: FrozenClock) -> None:
    class Early(Work):
        async def run(self, job: Job) -> None:
            self.runs.append({"attempts": job.attempts})
            if len(self.runs) < 6:
                raise Defer("not yet", timedelta(seconds=1))

    work = Early(database)
    await begin(database, clock)
    for _ in range(8):
        await finish(runner(database, work, clock))
        clock.advance(timedelta(seconds=2))
    assert await state(database) == "done"
    assert {run["attempts"] for run in work.runs} == {1}


async def test_a_long_job_keeps_its_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.3))

    class Long(Work):
        async def run(self, job: Job) -> None:
            self.runs.append({})
            await asyncio.sleep(1.5)

    work, clock = Long(database), SystemClock()
    async with database.tx(SYSTEM) as tx:
        await jobs.start(tx, kind="work", key="k", payload=Payload(), now=clock.now())
    one = JobRunner(database, {"work": work}, clock=clock, worker_id="w1")
    await one.run_once()
    taken_over = 0
    for _ in range(10):
        await asyncio.sleep(0.1)
        taken_over += await one.recover()
    await one.finish_running()
    assert (taken_over, len(work.runs), await state(database)) == (0, 1, "done")


async def test_a_runner_that_lost_its_job_does_not_move_it_back(
    database: Database, clock: FrozenClock
) -> None:
    async def taken_by(name: str) -> Job:
        async with database.tx(SYSTEM) as tx:
            [job] = await jobs.claim(tx, worker_id=name, now=clock.now(), limit=1, kinds=["work"])
        return job

    await begin(database, clock)
    slow = await taken_by("slow")
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    await runner(database, Work(database), clock).recover()
    heir = await taken_by("heir")
    async with database.tx(SYSTEM) as tx:
        await jobs.save_checkpoint(tx, heir, {"step": 2}, now=clock.now())
    with pytest.raises(jobs.JobLost):
        async with database.tx(SYSTEM) as tx:
            await jobs.save_checkpoint(tx, slow, {"step": 1}, now=clock.now())
    async with database.tx(SYSTEM) as tx:
        assert await tx.fetch_value("SELECT checkpoint FROM internal.jobs") == {"step": 2}


async def test_a_shopper_does_not_wait_behind_the_jobs_of_another_brand(
    database: Database, clock: FrozenClock
) -> None:
    brands = [new_id() for _ in range(3)]
    async with database.tx(SYSTEM) as tx:
        for brand, many in zip(brands, (40, 1, 1), strict=True):
            for number in range(many):
                await jobs.start(
                    tx,
                    kind="work",
                    key=f"{brand}/{number}",
                    payload=Payload(),
                    workspace_id=brand,
                    now=clock.now(),
                )
        await jobs.start(tx, kind="work", key="ours", payload=Payload(), now=clock.now())
    order: list[str] = []

    class Render(Work):
        async def run(self, job: Job) -> None:
            order.append(job.key)

    work = Render(database)
    crew = [
        JobRunner(database, {"work": work}, clock=clock, worker_id=name, parallel=1)
        for name in ("w1", "w2")
    ]
    while sum([await one.run_once() for one in crew]):
        for one in crew:
            await one.finish_running()
    single = [order.index(key) for key in (f"{brands[1]}/0", f"{brands[2]}/0", "ours")]
    assert max(single) <= 2 * 3, "one round of each of the two workers"
    assert len(order) == len(set(order)) == 43


async def test_a_round_takes_the_first_of_each_before_anybodys_second(
    database: Database, clock: FrozenClock
) -> None:
    brands = [new_id() for _ in range(2)]
    async with database.tx(SYSTEM) as tx:
        for brand in brands:
            for number in range(4):
                await jobs.start(
                    tx,
                    kind="work",
                    key=f"{brand}/{number}",
                    payload=Payload(),
                    workspace_id=brand,
                    run_after=clock.now() + timedelta(seconds=number),
                    now=clock.now(),
                )
        taken = await jobs.claim(
            tx, worker_id="w", now=clock.now() + timedelta(minutes=1), limit=4, kinds=["work"]
        )
    assert sorted(job.key for job in taken) == sorted(f"{b}/{n}" for b in brands for n in (0, 1))
