"""What arrives is stored once, handled once, retried, and ends as a visible dead letter."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selify.core import inbox
from selify.core.clock import FrozenClock, SystemClock
from selify.core.database import Actor, Database, DatabaseUnavailable, Tx
from selify.core.inbox import Event, InboxWorker, Incoming, Intake, RetryLater, Skip
from selify.core.outage import UNCOUNTED_FOR

SYSTEM = Actor.system("test")


def comment(number: int, *, lane: str = "a", text: str = "try on") -> Incoming:
    return Incoming(
        platform="instagram",
        event_type="comment_received",
        payload={"id": f"c{number}", "text": text},
        lane=lane,
        account_ref="17841",
    )


class Recorder:
    """A handler that writes down what it saw, in the event's own transaction."""

    def __init__(self, *, failing: int = 0, error: Exception | None = None) -> None:
        self.seen: list[str] = []
        self.failing = failing
        self.error = error or RuntimeError("broken")

    async def __call__(self, tx: Tx, event: Event) -> Mapping[str, Any]:
        await tx.execute(
            "INSERT INTO public.contact_submissions (name, email, message) VALUES ($1, $2, $3)",
            event.payload["id"],
            "someone@example.com",
            "an effect of the event",
        )
        if self.failing > 0:
            self.failing -= 1
            raise self.error
        self.seen.append(event.payload["id"])
        return {"handled": True}


def worker(
    database: Database, handler: Recorder, clock: FrozenClock, name: str = "w1"
) -> InboxWorker:
    return InboxWorker(database, {"instagram": handler}, clock=clock, worker_id=name)


async def statuses(database: Database) -> dict[str, str]:
    async with database.tx(SYSTEM) as tx:
        rows = await tx.fetch("SELECT payload ->> 'id' AS id, status FROM public.webhook_events")
    return {row["id"]: row["status"] for row in rows}


async def effects(database: Database) -> int:
    async with database.tx(SYSTEM) as tx:
        return int(await tx.fetch_value("SELECT count(*) FROM public.contact_submissions"))


async def test_the_same_delivery_is_stored_once(database: Database) -> None:
    intake = Intake(database)
    first = await intake.receive([comment(1), comment(2)])
    again = await intake.receive([comment(2), comment(3), comment(3)])
    assert (first, await effects(database)) == (2, 0)
    assert again >= 1
    assert set(await statuses(database)) == {"c1", "c2", "c3"}


async def test_two_comments_with_the_same_words_are_two_events() -> None:
    assert comment(1).fingerprint() != comment(2).fingerprint()


async def test_deliveries_that_arrive_together_all_return_after_their_commit(
    database: Database,
) -> None:
    intake = Intake(database)
    counts = await asyncio.gather(*(intake.receive([comment(n)]) for n in range(50)))
    assert counts == [1] * 50
    assert len(await statuses(database)) == 50


async def test_a_delivery_that_cannot_be_read_is_refused_alone(database: Database) -> None:
    def broken() -> list[Incoming]:
        raise ValueError("no JSON")

    intake = Intake(database)
    answers = await asyncio.gather(
        intake.receive_unread(lambda: [comment(1), comment(2)]),
        intake.receive_unread(broken),
        intake.receive_unread(list),
        intake.receive_unread(lambda: [comment(3)]),
        return_exceptions=True,
    )
    assert [repr(answer) for answer in answers] == ["2", "ValueError('no JSON')", "0", "1"]
    assert set(await statuses(database)) == {"c1", "c2", "c3"}


async def test_the_same_deliveries_at_once_are_stored_once_and_never_wait_for_each_other(
    database: Database,
) -> None:
    events = [comment(n) for n in range(40)]
    intakes = [Intake(database) for _ in range(4)]
    answers = await asyncio.gather(
        *(intake.receive(events[::step]) for intake in intakes for step in (1, -1))
    )
    assert max(answers) <= len(events) <= sum(answers)
    assert len(await statuses(database)) == len(events)


async def test_an_event_is_handled_and_marked_in_one_transaction(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    handler = Recorder()
    assert await worker(database, handler, clock).run_once() == 1
    assert await worker(database, handler, clock).run_once() == 0
    assert handler.seen == ["c1"]
    assert await statuses(database) == {"c1": "completed"}


async def test_a_failing_event_leaves_no_effect_is_retried_and_ends_as_a_dead_letter(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    handler = Recorder(failing=3)
    for _ in range(3):
        assert await worker(database, handler, clock).run_once() == 1
        assert await worker(database, handler, clock).run_once() == 0, "not before its time"
        clock.advance(timedelta(minutes=5))
    assert await worker(database, handler, clock).run_once() == 0, "three failures are enough"
    assert await effects(database) == 0
    async with database.tx(SYSTEM) as tx:
        dead = await inbox.dead_letters(tx)
        assert [row["error_message"] for row in dead] == ["RuntimeError: broken"]
        assert await inbox.replay(tx, dead[0]["id"])
    assert await worker(database, handler, clock).run_once() == 1
    assert await statuses(database) == {"c1": "completed"}


async def test_too_early_is_no_failure(database: Database, clock: FrozenClock) -> None:
    await Intake(database).receive([comment(1)])
    handler = Recorder(failing=5, error=RetryLater("too early", timedelta(seconds=1)))
    for _ in range(5):
        await worker(database, handler, clock).run_once()
        clock.advance(timedelta(seconds=2))
    await worker(database, handler, clock).run_once()
    assert await statuses(database) == {"c1": "completed"}


async def test_a_skipped_event_says_why(database: Database, clock: FrozenClock) -> None:
    await Intake(database).receive([comment(1)])
    await worker(database, Recorder(failing=1, error=Skip("our own")), clock).run_once()
    async with database.tx(SYSTEM) as tx:
        row = await tx.fetch_one("SELECT status, processing_result FROM public.webhook_events")
    assert row is not None
    assert (row["status"], row["processing_result"]) == ("skipped", {"reason": "our own"})
    assert await effects(database) == 0


async def test_what_a_dead_worker_held_is_taken_over(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    async with database.tx(SYSTEM) as tx:
        assert await inbox.claim(tx, worker_id="dead", now=clock.now(), limit=10)
    handler = Recorder()
    heir = worker(database, handler, clock)
    assert await heir.recover() == 0, "the lease still runs"
    clock.advance(inbox.LEASE + timedelta(seconds=1))
    assert await heir.recover() == 1
    await heir.run_once()
    assert handler.seen == ["c1"]


async def test_a_worker_s_death_is_no_failure_of_its_events_but_a_reason_for_it_ends(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    heir = worker(database, Recorder(), clock)
    for times in range(1, inbox.MAX_LOST + 1):
        async with database.tx(SYSTEM) as tx:
            assert await inbox.claim(tx, worker_id="dead", now=clock.now(), limit=10)
        clock.advance(inbox.LEASE + timedelta(seconds=1))
        assert await heir.recover() == 1
        clock.advance(timedelta(minutes=1))
        async with database.tx(SYSTEM) as tx:
            dead = await inbox.dead_letters(tx)
            failures = await tx.fetch_value("SELECT retry_count FROM public.webhook_events")
        assert len(dead) == (times == inbox.MAX_LOST)
        assert failures == (3 if dead else 0)


async def test_an_event_is_not_to_blame_when_the_database_was_away(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    away = Recorder(failing=9, error=DatabaseUnavailable("gone"))
    for _ in range(9):
        await worker(database, away, clock).run_once()
        clock.advance(timedelta(seconds=2))
    await worker(database, away, clock).run_once()
    assert await statuses(database) == {"c1": "completed"}


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("gone, it says"), FileNotFoundError("not the database")]
)
async def test_an_event_that_meets_the_same_trouble_for_ever_ends(
    database: Database, error: Exception
) -> None:
    await Intake(database).receive([comment(1)])
    clock = FrozenClock(datetime.now(UTC) + UNCOUNTED_FOR + timedelta(seconds=1))
    for _ in range(4):
        await worker(database, Recorder(failing=1, error=error), clock).run_once()
        clock.advance(timedelta(minutes=5))
    async with database.tx(SYSTEM) as tx:
        [dead] = await inbox.dead_letters(tx)
    assert str(error) in dead["error_message"]


async def test_a_batch_keeps_its_lease_as_long_as_it_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LEASE", timedelta(seconds=0.3))

    async def slow(tx: Tx, event: Event) -> None:
        await asyncio.sleep(1)

    await Intake(database).receive([comment(1)])
    one = InboxWorker(database, {"instagram": slow}, clock=SystemClock(), worker_id="w1")
    other = InboxWorker(database, {"instagram": slow}, clock=SystemClock(), worker_id="w2")
    working, taken_over = asyncio.create_task(one.run_once()), 0
    while not working.done():
        taken_over += await other.recover()
        await asyncio.sleep(0.05)
    assert taken_over == 0
    assert await statuses(database) == {"c1": "completed"}
    async with database.tx(SYSTEM) as tx:
        took = await tx.fetch_value("SELECT processing_duration_ms FROM public.webhook_events")
    assert took >= 1000, "all of it, not since the last renewal"


async def test_a_worker_that_lost_its_lease_leaves_no_effect(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    handler = Recorder()
    slow = worker(database, handler, clock, "slow")
    async with database.tx(SYSTEM) as tx:
        events = await inbox.claim(tx, worker_id="slow", now=clock.now(), limit=10)
        await tx.execute("UPDATE public.webhook_events SET worker_id = 'other'")
    await slow._run_event(events[0])
    assert await effects(database) == 0
    assert await statuses(database) == {"c1": "processing"}


@pytest.mark.parametrize("workers", [1, 4])
async def test_each_event_is_handled_once_however_many_workers(
    database: Database, clock: FrozenClock, workers: int
) -> None:
    await Intake(database).receive([comment(n, lane=f"l{n % 7}") for n in range(200)])
    handler = Recorder()
    crew = [worker(database, handler, clock, f"w{n}") for n in range(workers)]
    while sum(await asyncio.gather(*(one.run_once() for one in crew))):
        pass
    assert sorted(handler.seen) == sorted(f"c{n}" for n in range(200))
    assert await effects(database) == 200


async def test_an_event_whose_end_cannot_be_stored_does_not_take_its_batch_along(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1, lane="a"), comment(2, lane="b"), comment(3)])
    unwritable = Recorder(failing=1, error=RuntimeError("no text of PostgreSQL's: \0"))
    assert await worker(database, unwritable, clock).run_once() == 3
    assert sorted((await statuses(database)).values()) == ["completed", "completed", "processing"]
    clock.advance(inbox.LEASE + timedelta(seconds=1))
    heir = worker(database, Recorder(), clock)
    assert await heir.recover() == 1
    await heir.run_once()
    assert set((await statuses(database)).values()) == {"completed"}


async def test_a_replayed_event_has_all_its_tries_again(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    heir = worker(database, Recorder(), clock)

    async def lose_it(times: int) -> None:
        for _ in range(times):
            async with database.tx(SYSTEM) as tx:
                assert await inbox.claim(tx, worker_id="dead", now=clock.now(), limit=10)
            clock.advance(inbox.LEASE + timedelta(seconds=1))
            assert await heir.recover() == 1
            clock.advance(timedelta(minutes=1))

    await lose_it(inbox.MAX_LOST)
    async with database.tx(SYSTEM) as tx:
        [dead] = await inbox.dead_letters(tx)
        assert await inbox.replay(tx, dead["id"])
    await lose_it(inbox.MAX_LOST - 1)
    async with database.tx(SYSTEM) as tx:
        assert await inbox.dead_letters(tx) == []


async def test_an_event_whose_effects_are_forgotten_is_not_replayed(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database).receive([comment(1)])
    await worker(database, Recorder(failing=1, error=Skip("our own")), clock).run_once()
    async with database.tx(SYSTEM) as tx:
        event_id = await tx.fetch_value(
            "UPDATE public.webhook_events SET created_at = created_at - $1::interval RETURNING id",
            inbox.REPLAYABLE,
        )
        assert not await inbox.replay(tx, event_id)
