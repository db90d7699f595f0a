"""A clock that jumps ahead and back stops nothing for longer than its bound, and repeats nothing."""

import ast
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.infra.swept import Shared, sweep

import selify
from selify.app import WINGS
from selify.core import upkeep, wrong_clocks
from selify.core.clock import FrozenClock, is_within
from selify.core.database import Actor, Database, Tx
from selify.core.queue import inbox, jobs, outbox
from selify.core.queue.defer import Defer
from selify.core.queue.inbox import Event, InboxWorker, Incoming
from selify.core.queue.jobs import Job, JobRunner
from selify.core.queue.outbox import Deferred, OutboxMessage, OutboxWorker, Outcome, Retry, Sent
from selify.core.queue.payload import Payload

BOUNDED = upkeep.bounds(WINGS)
SOURCE = Path(selify.__file__).parent
SYSTEM = Actor.system("test")
RIGHT = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# Times of support tables that stop nothing when they lie ahead, and why.
HARMLESS = {
    "created_at": "says when a row was made",
    "updated_at": "says when a row was changed",
    "sent_at": "says when it left",
    "started_at": "says when it began",
    "finished_at": "says when it ended",
    "found_at": "says when it was found",
    "requested_at": "says when it was asked for",
    "arrived_at": "says when a mail came",
    "made_at": "says when a link was made",
    "used_at": "says when a link was used",
    "completed_at": "says when it was done",
    "resolved_at": "is kept a little longer",
    "locked_until": "is not used",
    "expires_at": "an answer is remembered a little longer",
    "delete_after": "is as far ahead as its owner wanted",
    "effective_from": "is set by hand",
    "effective_until": "is set by hand",
    "taken_at": "is guarded where it is taken (core.queue.schedule)",
    "seen_at": "is compared with when the same pass began",
    "checked_to": "is guarded where it is read (core.invariants)",
    "whole_started_at": "a pass that has begun goes on",
    "whole_finished_at": "is guarded where it is read (core.invariants)",
    "since": "says when trouble began",
    "told_at": "says when somebody was told",
    "paused_since": "says when a pause began",
    "due_at": "follows the event's own time (a trigger keeps it)",
    "counted_at": "says when a day was counted",
    "last_message_at": "is the order of a list",
    "asked_at": "says when something was asked for",
    "done_at": "says when it was done",
    "last_used_at": "is written anew where it lies ahead (auth.api_keys.repository.touch)",
    "revoked_at": "what was revoked is listed a little longer",
    "last_read": "is guarded where a turn is taken (limits.acquire_read)",
}


def test_what_lies_far_ahead_is_not_within() -> None:
    assert is_within(HOUR, RIGHT, RIGHT)
    assert is_within(HOUR, RIGHT - HOUR / 2, RIGHT)
    assert is_within(HOUR, RIGHT + HOUR / 2, RIGHT), "clocks of several machines differ a little"
    assert not is_within(HOUR, RIGHT - HOUR, RIGHT)
    assert not is_within(HOUR, RIGHT + HOUR, RIGHT)


async def test_each_time_of_a_support_table_has_a_bound_or_a_reason(database: Database) -> None:
    async with database.tx(SYSTEM) as tx:
        rows = await tx.fetch(
            """
            SELECT a.attrelid::regclass::text AS at, a.attname AS name FROM pg_attribute a
              JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace = 'internal'::regnamespace AND c.relkind = 'r'
               AND a.atttypid = 'timestamptz'::regtype AND a.attnum > 0 AND NOT a.attisdropped
            """
        )
    bounded = {(bound.table, bound.column) for bound in BOUNDED}
    bare = {(row["at"], row["name"]) for row in rows if row["name"] not in HARMLESS} - bounded
    assert not bare


WRITING = re.compile(
    r"(UPDATE internal\.(?:outbox|jobs)\b.*?\bSET\b.*?)(?:\bWHERE\b|\Z)", re.DOTALL
)


@pytest.mark.parametrize("column", ["not_before", "run_after"])
def test_whoever_writes_when_something_is_due_writes_when_it_was_by_the_same_clock(
    column: str,
) -> None:
    """By the database's clock, nobody could tell that the worker's was wrong."""
    found = [
        writing
        for path in SOURCE.rglob("*.py")
        for text in strings_of(path)
        for writing in WRITING.findall(text)
        if f"{column} =" in writing
    ]
    assert found
    assert not [writing for writing in found if not re.search(r"updated_at = \$\d", writing)]


def strings_of(path: Path) -> list[str]:
    """The texts in a file; what is inserted into them is left out."""
    code = path.read_text()
    tree = ast.parse(code if "internal." in code else "")
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inner = {id(part) for text in joined for part in text.values}
    return [
        "".join(part.value for part in text.values if isinstance(part, ast.Constant))
        for text in joined
    ] + [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
    ]


async def test_nothing_is_set_right_where_nothing_was_wrong(database: Database) -> None:
    assert await wrong_clocks.set_right(database, BOUNDED, now=RIGHT) == 0


class Shaky:
    """A channel, a kind of job and a handler of events, that fail before they succeed."""

    def __init__(self, clock: FrozenClock, failures: int, wait: timedelta) -> None:
        self.clock = clock
        self.wait = wait
        self.failures: Counter[str] = Counter()
        self.most = failures
        self.done: Counter[str] = Counter()

    def _fails(self, key: str) -> bool:
        self.failures[key] += 1
        return self.failures[key] <= self.most

    async def send(self, delivery: OutboxMessage) -> Outcome:
        if self._fails(delivery.key):
            later = self.clock.now() + self.wait
            return Retry("not now") if self.failures[delivery.key] % 2 else Deferred(later, "limit")
        self.done[delivery.key] += 1
        return Sent({})

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        return Retry("it did not arrive", after=timedelta())

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        """Nothing follows."""

    async def run(self, job: Job) -> None:
        if self._fails(job.key):
            raise Defer("every engine rests", min(self.wait, MINUTE))
        self.done[job.key] += 1

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        raise AssertionError(reason)

    async def handle(self, tx: Tx, event: Event) -> None:
        key = event.payload["id"]
        if self._fails(key):
            raise Defer("too early", timedelta(seconds=5))
        self.done[key] += 1


class Workers:
    """All queues of one machine, and one that dies holding things."""

    def __init__(self, database: Database, clock: FrozenClock, shaky: Shaky) -> None:
        self.database, self.clock = database, clock
        self.outbox = OutboxWorker(database, {"post": shaky}, clock=clock, worker_id="w")
        self.jobs = JobRunner(database, {"work": shaky}, clock=clock, worker_id="w")
        self.inbox = InboxWorker(database, {"x": shaky.handle}, clock=clock, worker_id="w")

    async def work(self) -> None:
        await wrong_clocks.set_right(self.database, BOUNDED, now=self.clock.now())
        for queue in (self.inbox, self.jobs, self.outbox):
            await queue.recover()
            await queue.run_once()
        await self.outbox.finish_reconciling()
        await self.jobs.finish_running()

    async def die(self) -> None:
        """Another worker claims what is due, and is killed."""
        now = self.clock.now()
        async with self.database.tx(SYSTEM) as tx:
            await inbox.claim(tx, worker_id="dead", now=now, limit=10)
            await jobs.claim(tx, worker_id="dead", now=now, limit=10, kinds=["work"])
            await outbox.claim(tx, worker_id="dead", now=now, limit=10, channels=["post"])


KEYS = ("1", "2", "3")
EVERYTHING = Counter({f"{kind} {key}": 1 for kind in ("message", "job", "event") for key in KEYS})
# The clock jumps by so many hours, and then somebody works or dies.
STEPS = st.lists(
    st.tuples(st.sampled_from((0, 1, 5, 50, -1, -5, -50)), st.sampled_from(("work", "die"))),
    min_size=1,
    max_size=6,
)


# The same in minutes.
SHORT_STEPS = st.lists(
    st.tuples(st.sampled_from((0, 1, 10, 50, -1, -10, -50)), st.sampled_from(("work", "die"))),
    min_size=1,
    max_size=4,
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_database(shared: Shared, shared_database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(shared_database_url, max_size=6)
    yield opened
    await opened.close()
    await sweep(shared)


async def empty(database: Database) -> None:
    async with database.tx(SYSTEM) as tx:
        for table in ("internal.outbox", "internal.jobs", "internal.routine_turns"):
            await tx.execute(f"DELETE FROM {table}")
        await tx.execute("DELETE FROM public.webhook_events")


async def jump_about(workers: Workers, steps: list[tuple[timedelta, str]]) -> None:
    """Work comes, the clock jumps and somebody works or dies, and then it is right again."""
    async with workers.database.tx(SYSTEM) as tx:
        await fill(tx, workers.clock.now())
    for jump, what in steps:
        workers.clock.advance(jump)
        await (workers.work() if what == "work" else workers.die())
    workers.clock.advance(RIGHT - workers.clock.now())


async def fill(tx: Tx, now: datetime) -> None:
    for key in KEYS:
        await outbox.enqueue(
            tx,
            channel="post",
            key=f"message {key}",
            payload=Payload(),
            ordering_key="a",
            not_before=now,
            now=now,
        )
        await jobs.start(
            tx, kind="work", key=f"job {key}", payload=Payload(), run_after=now, now=now
        )
    events = [Incoming("x", "x", {"id": f"event {key}"}, "a", "1") for key in KEYS]
    await inbox.store(tx, events, now=now)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, failures=st.integers(min_value=0, max_value=2))
@example(steps=[(50, "work")], failures=2)
@example(steps=[(50, "die")], failures=0)
@example(steps=[(-50, "work"), (100, "die")], failures=1)
async def test_whatever_the_clock_did_all_work_is_done_once_soon_after_it_is_right(
    module_database: Database, steps: list[tuple[int, str]], failures: int
) -> None:
    await empty(module_database)
    clock = FrozenClock(RIGHT)
    shaky = Shaky(clock, failures, timedelta(days=1))
    workers = Workers(module_database, clock, shaky)
    await jump_about(workers, [(timedelta(hours=hours), what) for hours, what in steps])
    for _ in range(20):
        await workers.work()
        clock.advance(HOUR / 2)
        if len(shaky.done) == 9:
            break
    assert shaky.done == EVERYTHING


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=SHORT_STEPS, failures=st.integers(min_value=0, max_value=2))
@example(steps=[(50, "work")], failures=2)
@example(steps=[(50, "die")], failures=0)
@example(steps=[(0, "die"), (50, "work")], failures=0)
@example(steps=[(0, "die"), (1, "work"), (1, "die"), (50, "work")], failures=0)
@example(steps=[(-50, "work"), (100, "work")], failures=1)
async def test_a_clock_that_was_ahead_for_minutes_delays_nothing_by_as_much(
    module_database: Database, steps: list[tuple[int, str]], failures: int
) -> None:
    """Far less than the longest honest wait: only who wrote it tells that it lies too far ahead."""
    await empty(module_database)
    clock = FrozenClock(RIGHT)
    shaky = Shaky(clock, failures, timedelta(seconds=20))
    workers = Workers(module_database, clock, shaky)
    await jump_about(workers, [(minutes * MINUTE, what) for minutes, what in steps])
    while clock.now() < RIGHT + 5 * MINUTE and len(shaky.done) < len(EVERYTHING):
        await workers.work()
        clock.advance(wrong_clocks.EVERY + timedelta(seconds=1))
    assert shaky.done == EVERYTHING
