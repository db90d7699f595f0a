"""Taking work from a queue in which thousands of rows came at once; and who has to wait for whom.

The statistics and the plans that a connection keeps are those of the empty queue, as they are when a
crowd comes. Of each queue, one claim; then one brand's single event and job behind the crowd of another.
"""

import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import asyncpg

from bench.instruments import stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, WrongResult
from selify.core.clock import SystemClock
from selify.core.database import Database, Tx
from selify.core.ids import new_id
from selify.core.queue import inbox, jobs, outbox
from selify.core.queue.claims import Round, by_index, go_round
from selify.core.queue.payload import Payload

FIGURE = "claims"
WAITING = 5000
TAKEN = 16
AIM_MILLISECONDS = 5.0
AIM_BEFORE = 2.0
CLOCK = SystemClock()
TABLES = ("internal.outbox", "internal.jobs", "internal.waiting_events", "public.webhook_events")
KIND = "bench"

Claim = Callable[[Tx], Awaitable[object]]

# A hundred conversations with fifty messages each: nearly every row waits behind another.
OUTBOX = """
    INSERT INTO internal.outbox (id, channel, key, ordering_key, payload, not_before)
    SELECT gen_random_uuid(), 'bench', n::text, (n % 100)::text, '{}', now()
      FROM generate_series(1, $1) n
"""
JOBS = """
    INSERT INTO internal.jobs (id, kind, key, payload, workspace_id, run_after)
    SELECT gen_random_uuid(), 'bench', n::text, '{}', $2, now() FROM generate_series(1, $1) n
"""
EVENTS = """
    INSERT INTO public.webhook_events
           (id, platform, event_type, event_fingerprint, payload, status, created_at,
            connected_account_id)
    SELECT gen_random_uuid(), 'bench', 'bench', md5(n::text), '{}', 'pending', now(), $2
      FROM generate_series(1, $1) n
"""
EVENT = """
    INSERT INTO public.webhook_events
           (platform, event_type, event_fingerprint, payload, connected_account_id)
    VALUES ('bench', 'bench', gen_random_uuid()::text, '{}', $1) RETURNING id
"""
ACCOUNT = """
    INSERT INTO public.connected_social_accounts
           (workspace_id, platform, platform_account_id, access_token)
    VALUES ($1, 'bench', $1::uuid::text, 'sealed') RETURNING id
"""


async def measure(where: stage.Stage, effort: Effort) -> list[Line]:
    """Milliseconds of a claim of each queue, and what somebody else's work waits for."""
    url = await where.database("bench_claims")
    await _leave_statistics_alone(url)
    database = await Database.connect(url, max_size=1)
    async with database.tx(stage.SYSTEM) as tx:
        crowded, quiet = [await stage.open_workspace(tx, name) for name in ("Crowded", "Quiet")]
        viral, other = [await tx.fetch_value(ACCOUNT, brand) for brand in (crowded, quiet)]
    lines = [
        await _time(database, effort, "the outbox", OUTBOX, (), _claim_messages),
        await _time(database, effort, "the inbox", EVENTS, (viral,), _claim_events),
        await _time(database, effort, "jobs", JOBS, (crowded,), _claim_jobs),
        await _wait_behind_a_crowd(effort, "events", partial(_events_before, database, other)),
        await _wait_behind_a_crowd(effort, "renders", partial(_renders_before, database, quiet)),
    ]
    await database.close()
    return lines


async def _claim_messages(tx: Tx) -> object:
    return await outbox.claim(
        tx, worker_id="bench", now=CLOCK.now(), limit=TAKEN, channels=["bench"]
    )


async def _claim_events(tx: Tx) -> object:
    return await inbox.claim(tx, worker_id="bench", now=CLOCK.now(), limit=TAKEN)


async def _claim_jobs(tx: Tx) -> object:
    return await jobs.claim(tx, worker_id="bench", now=CLOCK.now(), limit=TAKEN, kinds=[KIND])


async def _time(
    database: Database, effort: Effort, what: str, fill: str, more: tuple[UUID, ...], claim: Claim
) -> Line:
    """The plan is made while the queue is empty, and kept."""
    await _timed(database, claim)
    async with database.tx(stage.SYSTEM) as tx:
        await tx.execute("SET LOCAL selify.quiet = 'on'")
        await tx.execute(fill, WAITING, *more)
    times = [await _timed(database, claim) for _ in range(10 * effort.rounds)]
    return Line(
        FIGURE,
        f"A claim of {TAKEN} from {what}, {WAITING:,} waiting, statistics of an empty queue",
        statistics.median(times) * 1000,
        "ms",
        aim=AIM_MILLISECONDS,
        aim_is_limit=True,
    )


async def _timed(database: Database, claim: Claim) -> float:
    async with by_index(database, stage.SYSTEM) as tx:
        started = time.perf_counter()
        await claim(tx)
        return time.perf_counter() - started


async def _wait_behind_a_crowd(
    effort: Effort, what: str, count: Callable[[], Awaitable[int]]
) -> Line:
    """Whatever the place in its round at which a worker begins."""
    waits = [await count() for _ in range(10 * effort.rounds)]
    return Line(
        FIGURE,
        f"A shopper behind {WAITING:,} {what} of another brand waits for, at most",
        max(waits),
        what,
        aim=AIM_BEFORE,
        aim_is_limit=True,
    )


async def _events_before(database: Database, quiet: UUID) -> int:
    async with database.tx(stage.SYSTEM) as tx:
        theirs = await tx.fetch_value(EVENT, quiet)
    rounds = Round(), Round()
    for before in range(WAITING):
        taken = await go_round(
            database,
            stage.SYSTEM,
            lambda tx: inbox.claim(tx, worker_id="bench", now=CLOCK.now(), limit=1, rounds=rounds),
            *rounds,
        )
        if theirs in {event.id for event in taken}:
            return before
    raise WrongResult("the other brand's event never had its turn")


async def _renders_before(database: Database, quiet: UUID) -> int:
    async with database.tx(stage.SYSTEM) as tx:
        theirs = await jobs.start(
            tx, kind=KIND, key=str(new_id()), payload=Payload(), workspace_id=quiet, now=CLOCK.now()
        )
    turn = Round()
    for before in range(WAITING):
        [taken] = await go_round(
            database,
            stage.SYSTEM,
            lambda tx: jobs.claim(
                tx, worker_id="bench", now=CLOCK.now(), limit=1, kinds=[KIND], turn=turn
            ),
            turn,
        )
        if taken.id == theirs:
            return before
    raise WrongResult("the other brand's render never had its turn")


async def _leave_statistics_alone(url: str) -> None:
    owner = await asyncpg.connect(url)
    for table in TABLES:
        await owner.execute(f"ANALYZE {table}")
        await owner.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await owner.close()
