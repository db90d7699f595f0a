"""What arrives is stored once, handled once, retried, and ends as a visible dead letter."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from selify.core.clock import FrozenClock, SystemClock
from selify.core.database import Actor, Database, DatabaseUnavailable, Tx
from selify.core.outage import UNCOUNTED_FOR
from selify.core.queue import inbox
from selify.core.queue.defer import Defer
from selify.core.queue.inbox import Event, InboxWorker, Incoming, Intake, Skip

SYSTEM = Actor.system("test")


def comment(
    number: int, *, ordering_key: str = "a", text: str = "try on", account: str = "17841"
) -> Incoming:
    return Incoming(
        platform="instagram",
        event_type="comment_received",
        payload={"id": f"c{number}", "text": text},
        ordering_key=ordering_key,
        account_ref=account,
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
    intake = Intake(database, SystemClock())
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
    intake = Intake(database, SystemClock())
    counts = await asyncio.gather(*(intake.receive([comment(n)]) for n in range(50)))
    assert counts == [1] * 50
    assert len(await statuses(database)) == 50


async def test_a_delivery_that_cannot_be_read_is_refused_alone(database: Database) -> None:
    def broken() -> list[Incoming]:
        raise ValueError("no JSON")

    intake = Intake(database, SystemClock())
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
    intakes = [Intake(database, SystemClock()) for _ in range(4)]
    answers = await asyncio.gather(
        *(intake.receive(events[::step]) for intake in intakes for step in (1, -1))
    )
    assert max(answers) <= len(events) <= sum(answers)
    assert len(await statuses(database)) == len(events)


async def test_an_event_is_handled_and_marked_in_one_transaction(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database, clock).receive([comment(1)])
    handler = Recorder()
    assert await worker(database, handler, clock).run_once() == 1
    assert await worker(database, handler, clock).run_once() == 0
    assert handler.seen == ["c1"]
    assert await statuses(database) == {"c1": "completed"}


async def test_a_failing_event_leaves_no_effect_is_retried_and_ends_as_a_dead_letter(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database, clock).receive([comment(1)])
    handler = Recorder(failing=3)
    for _ in range(3):
        assert await worker(database, handler, clock).run_once() == 1
        assert await worker(database, handler, clock).run_once() == 0, "not before its time"
        clock.advance(timedelta(minutes=5))
    assert await worker(database, handler, clock).run_once() == 0, "three failures are enough"
    assert await effects(database) == 0
    async with database.tx(SYSTEM) as tx:
        dead = await inbox.dead_letters(tx)
        assert [letter.error_message for letter in dead] == ["RuntimeError: broken"]
        assert await inbox.replay(tx, dead[0].id, now=clock.now())
    assert await worker(database, handler, clock).run_once() == 1
    assert await statuses(database) == {"c1": "completed"}


async def test_too_early_is_no_failure(database: Database, clock: FrozenClock) -> None:
    await Intake(database, clock).receive([comment(1)])
    handler = Recorder(failing=5, error=Defer("too early", timedelta(seconds=1)))
    for _ in range(5):
        await worker(database, handler, clock).run_once()
        clock.advance(timedelta(seconds=2))
    await worker(database, handler, clock).run_once()
    assert await statuses(database) == {"c1": "completed"}


async def test_a_skipped_event_says_why(database: Database, clock: FrozenClock) -> None:
    await Intake(database, clock).receive([comment(1)])
    await worker(database, Recorder(failing=1, error=Skip("our own")), clock).run_once()
    async with database.tx(SYSTEM) as tx:
        row = await tx.fetch_one("SELECT status, processing_result FROM public.webhook_events")
    assert row is not None
    assert (row["status"], row["processing_result"]) == ("skipped", {"reason": "our own"})
    assert await effects(database) == 0


async def test_what_a_dead_worker_held_is_taken_over(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database, clock).receive([comment(1)])
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
    await Intake(database, clock).receive([comment(1)])
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
    await Intake(database, clock).receive([comment(1)])
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
    await Intake(database, SystemClock()).receive([comment(1)])
    clock = FrozenClock(datetime.now(UTC) + UNCOUNTED_FOR + timedelta(seconds=1))
    for _ in range(4):
        await worker(database, Recorder(failing=1, error=error), clock).run_once()
        clock.advance(timedelta(minutes=5))
    async with database.tx(SYSTEM) as tx:
        [dead] = await inbox.dead_letters(tx)
    assert str(error) in dead.error_message


async def test_a_batch_keeps_its_lease_as_long_as_it_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LEASE", timedelta(seconds=0.3))

    async def slow(tx: Tx, event: Event) -> None:
        await asyncio.sleep(1)

    await Intake(database, SystemClock()).receive([comment(1)])
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
    await Intake(database, clock).receive([comment(1)])
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
    await Intake(database, clock).receive(
        [comment(n, ordering_key=f"l{n % 7}") for n in range(200)]
    )
    handler = Recorder()
    crew = [worker(database, handler, clock, f"w{n}") for n in range(workers)]
    while sum(await asyncio.gather(*(one.run_once() for one in crew))):
        pass
    assert sorted(handler.seen) == sorted(f"c{n}" for n in range(200))
    assert await effects(database) == 200


VIRAL, QUIET = "viral", "quiet"


async def crowd_and_one(database: Database, clock: FrozenClock) -> None:
    """Five hundred events of one account, and then one of another."""
    async with database.tx(SYSTEM) as tx:
        user = uuid4()
        await tx.execute("INSERT INTO auth.users (id, email) VALUES ($1, 'o@brand.example')", user)
        await tx.execute(
            """
            INSERT INTO public.connected_social_accounts
                   (workspace_id, platform, platform_account_id, access_token)
            SELECT w.id, 'instagram', brand, ''
              FROM unnest($2::text[]) brand,
                   public.create_workspace_with_owner(brand, NULL, $1) w
            """,
            user,
            [VIRAL, QUIET],
        )
    await Intake(database, clock).receive(
        [comment(n, ordering_key=f"key {n % 7}", account=VIRAL) for n in range(500)]
    )
    await Intake(database, clock).receive([comment(500, account=QUIET)])


@pytest.mark.parametrize("again", [False, True])
async def test_an_event_of_one_account_does_not_wait_behind_the_crowd_of_another(
    database: Database, clock: FrozenClock, again: bool
) -> None:
    await crowd_and_one(database, clock)
    if again:
        async with database.tx(SYSTEM) as tx:
            await tx.execute(
                """
                UPDATE public.webhook_events
                   SET status = 'failed', next_retry_at = $1::timestamptz - (now() - created_at)
                """,
                clock.now(),
            )
    handler = Recorder()
    one = worker(database, handler, clock)
    await one.run_once()
    assert "c500" in handler.seen
    while await one.run_once():
        pass
    assert sorted(handler.seen) == sorted(f"c{n}" for n in range(501))


async def test_turns_between_accounts_keep_the_order_of_a_lane(
    database: Database, clock: FrozenClock
) -> None:
    await crowd_and_one(database, clock)
    for number in range(501, 520):
        await Intake(database, clock).receive([comment(number, account=QUIET)])
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            """
            UPDATE public.webhook_events
               SET created_at = created_at + interval '1 ms' * substr(payload ->> 'id', 2)::int
            """
        )
        await tx.execute(
            "UPDATE internal.waiting_events w SET due_at = created_at"
            "  FROM public.webhook_events e WHERE e.id = w.event_id"
        )
    handler = Recorder()
    one = worker(database, handler, clock)
    while await one.run_once():
        pass
    assert len(handler.seen) == 520
    quiet = [name for name in handler.seen if int(name[1:]) >= 500]
    assert quiet == [f"c{n}" for n in range(500, 520)]
    for ordering_key in range(7):
        seen = [int(name[1:]) for name in handler.seen if int(name[1:]) < 500]
        mine = [number for number in seen if number % 7 == ordering_key]
        assert mine == sorted(mine)


EVENT = "UPDATE public.webhook_events SET "
WRITES = (
    EVENT + "status = 'failed', next_retry_at = now()",
    EVENT + "next_retry_at = now() + interval '1 hour'",
    EVENT + "retry_count = max_retries",
    EVENT + "retry_count = 0",
    EVENT
    + "connected_account_id = (SELECT max(id::text)::uuid FROM public.connected_social_accounts)",
    EVENT + "next_retry_at = NULL",
    EVENT + "status = 'pending'",
    EVENT + "connected_account_id = NULL",
)


async def test_turns_follow_the_events_whoever_writes_them(
    database: Database, clock: FrozenClock
) -> None:
    await crowd_and_one(database, clock)
    turns = "SELECT array_agg(w ORDER BY event_id) FROM internal.waiting_events w"
    owner = await asyncpg.connect(database.url)
    for write in ("SELECT 1", *WRITES):
        await owner.execute(write)
        kept = await owner.fetchval(turns)
        await owner.execute("SELECT internal.rebuild_waiting_events()")
        assert kept == await owner.fetchval(turns), write
    await owner.close()


async def test_a_turn_ends_with_its_event_whoever_ended_it(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database, clock).receive([comment(n) for n in range(4)])
    async with database.tx(SYSTEM) as tx:
        await tx.execute("DELETE FROM public.webhook_events WHERE payload ->> 'id' = 'c0'")
        await tx.execute(
            "UPDATE public.webhook_events SET status = 'skipped' WHERE payload ->> 'id' = 'c1'"
        )
        await tx.execute(
            "UPDATE public.webhook_events SET status = 'failed', retry_count = max_retries"
            " WHERE payload ->> 'id' = 'c2'"
        )
    handler = Recorder()
    assert await worker(database, handler, clock).run_once() == 1
    assert handler.seen == ["c3"]
    async with database.tx(SYSTEM) as tx:
        assert not await tx.fetch_value("SELECT count(*) FROM internal.waiting_events")


async def test_an_event_that_somebody_holds_keeps_its_turn(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database, clock).receive([comment(1), comment(2, ordering_key="b")])
    handler = Recorder()
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            "SELECT FROM public.webhook_events WHERE payload ->> 'id' = 'c1' FOR UPDATE"
        )
        assert await worker(database, handler, clock).run_once() == 1
    assert await worker(database, handler, clock).run_once() == 1
    assert handler.seen == ["c2", "c1"]


async def test_an_event_whose_end_cannot_be_stored_does_not_take_its_batch_along(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database, clock).receive(
        [comment(1, ordering_key="a"), comment(2, ordering_key="b"), comment(3)]
    )
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
    await Intake(database, clock).receive([comment(1)])
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
        assert await inbox.replay(tx, dead.id, now=clock.now())
    await lose_it(inbox.MAX_LOST - 1)
    async with database.tx(SYSTEM) as tx:
        assert await inbox.dead_letters(tx) == []


async def test_an_event_whose_effects_are_forgotten_is_not_replayed(
    database: Database, clock: FrozenClock
) -> None:
    await Intake(database, clock).receive([comment(1)])
    await worker(database, Recorder(failing=1, error=Skip("our own")), clock).run_once()
    async with database.tx(SYSTEM) as tx:
        event_id = await tx.fetch_value(
            "UPDATE public.webhook_events SET created_at = created_at - $1::interval RETURNING id",
            inbox.REPLAYABLE,
        )
        assert not await inbox.replay(tx, event_id, now=clock.now())
