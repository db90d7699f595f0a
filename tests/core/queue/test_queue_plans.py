"""Queues stay fast when the planner knows nothing of what has just been queued.

Statistics are from another time whenever many rows come at once, which is when speed matters most:
from an empty table, from a table full of finished work, or in a plan that a connection made long ago
and keeps. None of them may lead to a claim that looks at every waiting row.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from tests.infra.queue_plans import QUEUES, Cost, Watching, leave_statistics_alone

from selify.app import WINGS
from selify.core import pruning, retention, upkeep
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Tx
from selify.core.files.storage import Storage
from selify.core.ids import first_id
from selify.core.queue import claims, inbox
from selify.core.queue.claims import by_index
from selify.core.queue.inbox import Event, InboxWorker
from selify.core.queue.jobs import Job, JobRunner
from selify.core.queue.outbox import OutboxMessage, OutboxWorker, Outcome, Sent
from selify.core.secrets import SecretBox
from selify.messaging import lost_replies, outcomes
from selify.messaging.outgoing import CHANNEL
from selify.messaging.types import Account
from selify.tryon import bot
from selify.tryon.bot import TryOnBot

PRUNED = upkeep.pruned(WINGS)
SYSTEM = Actor.system("test")
WAITING = 5_000
# What one statement may look at: some rows for each that it takes, however many wait.
ENOUGH = 1_000
NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
BEFORE, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
OWNER = uuid4()
# The first account that rows below belong to.
BUSY = Account(
    UUID(hashlib.md5(b"0", usedforsecurity=False).hexdigest()),
    OWNER,
    "instagram",
    "1",
    "brand",
    "active",
)


class Post:
    async def send(self, delivery: OutboxMessage) -> Outcome:
        return Sent({})

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        return Sent({})

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        """Nothing follows."""


class Work:
    async def run(self, job: Job) -> None:
        """Nothing to do."""

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        """Nothing to leave honest."""


@dataclass(frozen=True, slots=True)
class Rows:
    """``WAITING`` rows of a queue, by the SQL that makes them. ``first``: what they refer to."""

    sql: str
    first: str = ""

    async def load(self, connection: "asyncpg.Connection[object]") -> None:
        if self.first:
            await connection.execute(self.first)
        await connection.execute(
            f"WITH n AS (SELECT n FROM generate_series(1, {WAITING}) n) {self.sql}"
        )


def messages(
    *,
    state: str = "queued",
    keys: int = WAITING,
    accounts: int = 1,
    due: datetime = BEFORE,
    behind: bool = False,
    channel: str = "post",
) -> Rows:
    """In order of their ids; of each key the first is due at ``due``, those behind it were before."""
    ids = BEFORE - timedelta(days=(state == "sent") + 2 * (channel != "post"))
    return Rows(
        f"""
        INSERT INTO internal.outbox
               (id, channel, key, ordering_key, state, not_before, leased_until, sent_at, account_id, behind,
                payload)
        SELECT ('{str(first_id(ids))[:24]}' || lpad(n::text, 12, '0'))::uuid, '{channel}',
               '{state}' || n, 'key ' || n % {keys}, '{state}',
               CASE WHEN n <= {keys} THEN '{due}' ELSE '{BEFORE}' END::timestamptz,
               '{BEFORE}', '{BEFORE}', md5((n % {accounts})::text)::uuid, {behind} AND n > {keys},
               '{{"kind": "image"}}'
          FROM n
        """
    )


def work(*, state: str = "queued", workspaces: int = 1, due: datetime = BEFORE) -> Rows:
    return Rows(
        f"""
        INSERT INTO internal.jobs (kind, key, state, run_after, leased_until, workspace_id)
        SELECT 'work', '{state}' || n, '{state}', '{due}', '{BEFORE}',
               md5((n % {workspaces})::text)::uuid
          FROM n
        """
    )


def events(*, status: str = "pending", due: datetime = BEFORE, accounts: int = 1) -> Rows:
    return Rows(
        f"""
        INSERT INTO public.webhook_events
               (platform, event_type, event_fingerprint, payload, status, created_at, next_retry_at,
                processing_started_at, worker_id, connected_account_id)
        SELECT 'instagram', 'x', '{status}' || n, '{{}}', '{status}',
               '{BEFORE}'::timestamptz + n * interval '1 millisecond', '{due}', '{NOW}', 'w',
               md5((n % {accounts})::text)::uuid
          FROM n
        """,
        first=f"""
        INSERT INTO auth.users (id, email) VALUES ('{OWNER}', 'owner@brand.example')
            ON CONFLICT DO NOTHING;
        INSERT INTO public.workspaces (id, name, slug, owner_id)
        VALUES ('{OWNER}', 'Brand', 'brand', '{OWNER}') ON CONFLICT DO NOTHING;
        INSERT INTO public.connected_social_accounts
               (id, workspace_id, platform, platform_account_id, access_token)
        SELECT md5(n::text)::uuid, '{OWNER}', 'instagram', n, ''
          FROM generate_series(0, {accounts - 1}) n ON CONFLICT DO NOTHING
        """,
    )


FILES = Rows(
    f"""
    INSERT INTO internal.retention (object_key, delete_after, reason)
    SELECT 'files/' || n, '{BEFORE}', 'test' FROM n
    """
)
PICTURES = Rows(
    """
    INSERT INTO internal.outbox (channel, key, ordering_key, state, payload)
    SELECT 'post', 'p' || n, 'ordering_key', 'cancelled',
           jsonb_build_object('kind', 'image', 'client', 'tryon', 'accounted_for', true,
                              'about', jsonb_build_object('charge_id', gen_random_uuid())) FROM n
    """
)

CLOCK = FrozenClock(NOW)
SECRETS = SecretBox.parse([SecretBox.new_key("test")])


async def deliver(database: Watching) -> None:
    await OutboxWorker(database, {"post": Post()}, clock=CLOCK, worker_id="w").run_once()


async def doubt(database: Watching) -> None:
    worker = OutboxWorker(database, {"post": Post()}, clock=CLOCK, worker_id="w")
    await worker.recover()
    await worker.finish_reconciling()


async def run_jobs(database: Watching) -> None:
    runner = JobRunner(database, {"work": Work()}, clock=CLOCK, worker_id="w")
    await runner.run_once()
    await runner.finish_running()
    await runner.recover()


async def take_events(database: Watching) -> None:
    async with by_index(database, SYSTEM) as tx:
        await inbox.claim(tx, worker_id="w", now=NOW, limit=50)


async def recover_events(database: Watching) -> None:
    async with by_index(database, SYSTEM) as tx:
        await inbox.release_expired(tx, now=NOW)


async def prune(database: Watching) -> None:
    await pruning.prune(database, PRUNED, now=NOW)


async def sweep(database: Watching) -> None:
    await retention.sweep(database, Storage.open("memory:///"), now=NOW)


async def refund(database: Watching) -> None:
    clients = bot.clients(TryOnBot(database, CLOCK, SECRETS))
    async with database.tx(SYSTEM) as tx:
        await outcomes.report_lapsed(tx, clients, CLOCK)


async def somebody_writes(database: Watching) -> None:
    """The first message of whoever may be the reader of a private reply that was lost."""
    clients = bot.clients(TryOnBot(database, CLOCK, SECRETS))
    async with database.tx(SYSTEM) as tx:
        await lost_replies.settle_for(tx, clients, BUSY, "a person", now=NOW)
        await lost_replies.in_the_air(tx, BUSY, "a person", patience=timedelta(minutes=5), now=NOW)


Action = Callable[[Watching], Awaitable[None]]
CASES: dict[str, tuple[Rows, Action]] = {
    "messages of many conversations": (messages(), deliver),
    "messages of many accounts": (messages(accounts=700), deliver),
    "messages of few conversations": (messages(keys=5), deliver),
    "messages of one conversation": (messages(keys=1), deliver),
    "messages behind one that waits": (messages(keys=5, due=LATER), deliver),
    "messages set aside while others are recovered": (messages(keys=50, behind=True), doubt),
    "messages whose time has not come": (messages(due=LATER), deliver),
    "messages of which nobody knows": (messages(state="unknown"), doubt),
    "messages that wait while others are recovered": (messages(), doubt),
    "jobs of one workspace": (work(), run_jobs),
    "jobs of many workspaces": (work(workspaces=700), run_jobs),
    "jobs whose time has not come": (work(due=LATER), run_jobs),
    "new events": (events(), take_events),
    "new events of many accounts": (events(accounts=700), take_events),
    "events of many accounts whose time has come again": (
        events(status="failed", accounts=700),
        take_events,
    ),
    "events whose time has come again": (events(status="failed"), take_events),
    "events whose time has not come": (events(status="failed", due=LATER), take_events),
    "new events while others are recovered": (events(), recover_events),
    "nothing old enough: events": (events(status="completed"), prune),
    "nothing old enough: messages": (messages(), prune),
    "nothing old enough: jobs": (work(), prune),
    "files": (FILES, sweep),
    "pictures that never left": (PICTURES, refund),
}
# What an event asks of a queue. A plan that was kept since the table was empty may go through all of it,
# until the server has counted the rows, a minute later; only claims are better than that.
LOOKS: dict[str, tuple[Rows, Action]] = {
    "messages that were sent while somebody writes": (
        messages(state="sent", channel=CHANNEL),
        somebody_writes,
    ),
    "messages that failed while somebody writes": (
        messages(state="failed", channel=CHANNEL),
        somebody_writes,
    ),
    "messages that were taken back while somebody writes": (
        messages(state="cancelled", channel=CHANNEL),
        somebody_writes,
    ),
}
FINISHED = (
    messages(state="sent"),
    work(state="done"),
    events(status="skipped"),
)


@pytest_asyncio.fixture(loop_scope="session")
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[object]"]:
    connection = await asyncpg.connect(database_url)
    await leave_statistics_alone(connection)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def watching(database_url: str) -> AsyncIterator[Watching]:
    opened = await Watching.open(database_url)
    yield opened
    await opened.close()


async def analyze(connection: "asyncpg.Connection[object]") -> None:
    for table in QUEUES:
        await connection.execute(f"ANALYZE {table}")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("known", ["empty", "finished work", "a kept plan"])
async def test_no_statement_of_a_queue_looks_at_all_that_waits(
    owner: "asyncpg.Connection[object]", watching: Watching, case: str, known: str
) -> None:
    rows, action = CASES[case]
    if known == "finished work":
        for finished in FINISHED:
            await finished.load(owner)
    await analyze(owner)
    if known == "a kept plan":
        await action(watching)
        watching.forget()
    await rows.load(owner)
    await action(watching)
    check_costs(watching)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("finished", [(), FINISHED], ids=["empty", "finished work"])
async def test_no_event_looks_at_all_that_an_account_sent(
    owner: "asyncpg.Connection[object]", watching: Watching, look: str, finished: Sequence[Rows]
) -> None:
    rows, action = LOOKS[look]
    for some in finished:
        await some.load(owner)
    await analyze(owner)
    await rows.load(owner)
    await action(watching)
    check_costs(watching)


def check_costs(watching: Watching) -> None:
    assert watching.costs
    for cost in watching.costs:
        assert cost.rows <= ENOUGH, f"{cost.rows:.0f} rows: {cost.sql}\n{cost.outline}"
        assert not cost.whole, f"all of {cost.whole}: {cost.sql}\n{cost.outline}"


async def test_behind_five_thousand_jobs_of_one_brand_another_s_waits_for_two_at_most(
    owner: "asyncpg.Connection[object]", watching: Watching
) -> None:
    await analyze(owner)
    await work().load(owner)
    await owner.execute(
        "INSERT INTO internal.jobs (kind, key, run_after, workspace_id)"
        " VALUES ('work', 'the single one', $1, gen_random_uuid())",
        NOW - timedelta(seconds=1),
    )
    ran: list[str] = []

    class Render(Work):
        async def run(self, job: Job) -> None:
            ran.append(job.key)

    runner = JobRunner(watching, {"work": Render()}, clock=CLOCK, worker_id="w", parallel=1)
    for _ in range(3):
        await runner.run_once()
        await runner.finish_running()
    assert "the single one" in ran


async def handle(tx: Tx, event: Event) -> None:
    """Nothing to do."""


Poll = Callable[[], Awaitable[int]]


def sending(database: Watching) -> Poll:
    return OutboxWorker(database, {"post": Post()}, clock=CLOCK, worker_id="w").run_once


def finding_out(database: Watching) -> Poll:
    return OutboxWorker(database, {"post": Post()}, clock=CLOCK, worker_id="w").recover


def running(database: Watching) -> Poll:
    return JobRunner(database, {"work": Work()}, clock=CLOCK, worker_id="w").run_once


def handling(database: Watching) -> Poll:
    return InboxWorker(database, {"instagram": handle}, clock=CLOCK, worker_id="w").run_once


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many owners of whom nothing is due. ``due``: makes it the time of the last of them."""

    rows: Callable[[int], Rows]
    poll: Callable[[Watching], Poll]
    due: str


MESSAGE_DUE = f"""
    UPDATE internal.outbox SET not_before = '{BEFORE}'
     WHERE id = (SELECT id FROM internal.outbox ORDER BY account_id DESC LIMIT 1)
"""
CROWDS = {
    "messages": Crowd(lambda many: messages(due=LATER, accounts=many), sending, MESSAGE_DUE),
    "messages of which nobody knows": Crowd(
        lambda many: messages(state="unknown", due=LATER, accounts=many), finding_out, MESSAGE_DUE
    ),
    "jobs": Crowd(
        lambda many: work(due=LATER, workspaces=many),
        running,
        f"""
        UPDATE internal.jobs SET run_after = '{BEFORE}'
         WHERE id = (SELECT id FROM internal.jobs ORDER BY workspace_id DESC LIMIT 1)
        """,
    ),
    "events": Crowd(
        lambda many: events(status="failed", due=LATER, accounts=many),
        handling,
        f"""
        UPDATE public.webhook_events SET next_retry_at = '{BEFORE}'
         WHERE id = (SELECT id FROM public.webhook_events
                      ORDER BY connected_account_id DESC LIMIT 1)
        """,
    ),
}


def passed(database: Watching) -> list[Cost]:
    """The claims that met anybody on their way."""
    return [cost for cost in database.costs if "walk" in cost.sql and cost.rows > 1]


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
@pytest.mark.parametrize(("many", "claimed"), [(claims.PASSED, 1), (700, 2)])
async def test_a_round_ends_where_it_began_when_nothing_of_anybody_is_due(
    owner: "asyncpg.Connection[object]", watching: Watching, crowd: Crowd, many: int, claimed: int
) -> None:
    await analyze(owner)
    await crowd.rows(many).load(owner)
    poll = crowd.poll(watching)
    for _ in range(3):
        watching.forget()
        assert await poll() == 0
        assert len(passed(watching)) == claimed
        assert many <= sum(cost.rows for cost in passed(watching)) <= many + 20


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
async def test_what_is_due_is_found_behind_any_number_of_owners_of_whom_nothing_is(
    owner: "asyncpg.Connection[object]",
    watching: Watching,
    monkeypatch: pytest.MonkeyPatch,
    crowd: Crowd,
) -> None:
    monkeypatch.setattr(claims, "uuid4", lambda: UUID(int=0))
    await analyze(owner)
    await crowd.rows(1200).load(owner)
    await owner.execute(crowd.due)
    assert await crowd.poll(watching)() == 1


async def test_a_claim_is_filled_where_the_room_cannot_be_shared_evenly(
    owner: "asyncpg.Connection[object]", watching: Watching
) -> None:
    await messages(state="unknown", accounts=9).load(owner)
    assert await finding_out(watching)() == 16
