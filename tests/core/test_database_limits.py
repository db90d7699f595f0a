"""How long a pool's transactions may take, and what it means to whoever waits: try again."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio
from tests.infra.settings import Settings

from selify.core import outage
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database, DatabaseUnavailable, Tx
from selify.core.database_access import Limits
from selify.core.database_errors import from_database
from selify.core.queue import jobs
from selify.core.queue.jobs import Job, JobRunner
from selify.core.queue.payload import Payload
from selify.core.web import problems

SYSTEM = Actor.system("test")
ASKED = """
SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
       current_setting('idle_in_transaction_session_timeout') AS idle
"""


@pytest_asyncio.fixture(loop_scope="session")
async def hurried(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(
        database_url, limits=Limits(statement=0.2, lock=0.1, idle=0.2), max_size=3
    )
    yield opened
    await opened.close()


async def test_a_pool_without_limits_has_none(database: Database) -> None:
    async with database.tx(SYSTEM) as tx:
        assert dict(await tx.fetch_one(ASKED)) == {"statement": "0", "lock": "0", "idle": "0"}


async def test_a_server_is_shorter_of_breath_than_a_worker(database_url: str) -> None:
    settings = Settings()
    for of, expected in (
        (settings.server_limits, {"statement": "15s", "lock": "5s", "idle": "1min"}),
        (settings.worker_limits, {"statement": "2min", "lock": "30s", "idle": "5min"}),
    ):
        opened = await Database.connect(database_url, limits=of)
        async with opened.tx(SYSTEM) as tx:
            assert dict(await tx.fetch_one(ASKED)) == expected
        await opened.close()


async def test_a_statement_that_takes_too_long_is_given_up(hurried: Database) -> None:
    with pytest.raises(asyncpg.QueryCanceledError) as dead_letters:
        async with hurried.tx(SYSTEM) as tx:
            await tx.execute("SELECT pg_sleep(600)")
    _is_asked_to_come_again(dead_letters.value)
    async with hurried.tx(SYSTEM) as tx:
        assert await tx.fetch_value("SELECT 1") == 1


async def test_who_waits_for_a_lock_too_long_is_sent_away(hurried: Database) -> None:
    hold = "SELECT pg_advisory_xact_lock(1)"
    async with hurried.tx(SYSTEM) as first:
        await first.allow(timedelta(minutes=1))
        await first.execute(hold)
        with pytest.raises(asyncpg.LockNotAvailableError) as sent_away:
            async with hurried.tx(SYSTEM) as second:
                await second.execute(hold)
    _is_asked_to_come_again(sent_away.value)


async def test_a_transaction_left_open_is_ended(hurried: Database, database_url: str) -> None:
    watcher = await asyncpg.connect(database_url)
    with pytest.raises(DatabaseUnavailable) as ended:
        async with hurried.tx(SYSTEM) as tx:
            pid = await tx.fetch_value("SELECT pg_backend_pid()")
            while await watcher.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid
            ):
                await watcher.execute("SELECT pg_sleep(0.02)")
            await tx.execute("SELECT 1")
    await watcher.close()
    assert outage.is_away(ended.value)


async def test_what_is_allowed_more_gets_more(hurried: Database) -> None:
    async with hurried.tx(SYSTEM) as tx:
        await tx.allow(timedelta(seconds=20))
        await tx.execute("SELECT pg_sleep(0.5)")
    async with hurried.tx(SYSTEM) as tx:  # and the next one does not inherit it
        assert await tx.fetch_value("SHOW statement_timeout") == "200ms"


class Slow:
    """A job that asks more than its pool allows."""

    def __init__(self, pool: Database) -> None:
        self.pool = pool

    async def run(self, _job: Job) -> None:
        async with self.pool.tx(SYSTEM) as tx:
            await tx.execute("SELECT pg_sleep(600)")

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        raise AssertionError(reason)


async def test_a_job_that_met_a_limit_keeps_its_tries(
    database: Database, hurried: Database, clock: FrozenClock
) -> None:
    async with database.tx(SYSTEM) as tx:
        await jobs.start(tx, kind="slow", key="one", payload=Payload(), now=clock.now())
    for _ in range(5):
        runner = JobRunner(database, {"slow": Slow(hurried)}, clock=clock, worker_id="w")
        assert await runner.run_once() == 1
        await runner.finish_running()
        clock.advance(timedelta(minutes=1))
    async with database.tx(SYSTEM) as tx:
        job = await tx.fetch_one("SELECT state, attempts FROM internal.jobs")
    assert dict(job) == {"state": "queued", "attempts": 0}


def _is_asked_to_come_again(error: BaseException) -> None:
    refusal = from_database(error)
    assert (refusal.status, refusal.code) == (503, "database_busy")
    assert refusal.hint
    assert problems.problem(refusal).headers["Retry-After"]
    assert outage.is_away(error), "a job or an event would spend one of its tries"
