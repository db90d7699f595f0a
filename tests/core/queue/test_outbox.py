"""What leaves, leaves after its commit, in order, once; what is in doubt is found out."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database, Tx
from selify.core.ids import new_id
from selify.core.queue import outbox, outbox_rows
from selify.core.queue.outbox import (
    Deferred,
    Failed,
    OutboxMessage,
    OutboxWorker,
    Outcome,
    Retry,
    Sent,
    Unknown,
)
from selify.core.queue.payload import Payload
from selify.core.queue.worker import Worker

SYSTEM = Actor.system("test")
MINUTE = timedelta(minutes=1)


class Post:
    """A channel that answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Outcome]] = {}
        self.truth: dict[str, Outcome] = {}
        self.sent: list[str] = []
        self.settled: list[tuple[str, str]] = []

    async def send(self, delivery: OutboxMessage) -> Outcome:
        self.sent.append(delivery.key)
        waiting = self.answers.get(delivery.key)
        return waiting.pop(0) if waiting else Sent({"ref": delivery.key})

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        return self.truth[delivery.key]

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        self.settled.append((delivery.key, type(outcome).__name__))


@pytest.fixture
def post() -> Post:
    return Post()


def worker(database: Database, post: Post, clock: FrozenClock, name: str = "w1") -> OutboxWorker:
    return OutboxWorker(database, {"post": post}, clock=clock, worker_id=name)


async def put(database: Database, clock: FrozenClock, *keys: str, ordering_key: str = "a") -> None:
    async with database.tx(SYSTEM) as tx:
        for key in keys:
            await outbox.enqueue(
                tx,
                channel="post",
                key=key,
                payload=Payload(),
                ordering_key=ordering_key,
                now=clock.now(),
            )


async def states(database: Database) -> dict[str, str]:
    async with database.tx(SYSTEM) as tx:
        rows = await tx.fetch("SELECT key, state FROM internal.outbox")
    return {row["key"]: row["state"] for row in rows}


async def claim(tx: Tx, clock: FrozenClock) -> list[OutboxMessage]:
    return await outbox.claim(tx, worker_id="w", now=clock.now(), limit=16, channels=["post"])


async def drain(one: OutboxWorker) -> None:
    while await one.run_once():
        pass


async def recover(one: OutboxWorker) -> int:
    """Until everything is found out that can be now."""
    begun = await one.recover()
    await one.finish_reconciling()
    return begun


async def test_nothing_leaves_that_was_not_committed(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    with pytest.raises(RuntimeError):
        async with database.tx(SYSTEM) as tx:
            await outbox.enqueue(
                tx, channel="post", key="k", payload=Payload(), ordering_key="a", now=clock.now()
            )
            raise RuntimeError
    await drain(worker(database, post, clock))
    assert post.sent == []


async def test_the_same_key_leaves_once(database: Database, clock: FrozenClock, post: Post) -> None:
    await put(database, clock, "k")
    await put(database, clock, "k")
    await drain(worker(database, post, clock))
    assert post.sent == ["k"]
    assert post.settled == [("k", "Sent")]


async def test_a_lane_keeps_its_order_even_when_the_first_must_wait(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    await put(database, clock, "1", "2", "3")
    await put(database, clock, "other", ordering_key="b")
    post.answers["1"] = [Deferred(clock.now() + timedelta(minutes=1), "slow down")]
    await drain(worker(database, post, clock))
    assert post.sent == ["1", "other"]
    clock.advance(timedelta(minutes=2))
    await drain(worker(database, post, clock))
    assert post.sent == ["1", "other", "1", "2", "3"]


async def test_several_workers_deliver_each_row_once_and_in_order(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    for ordering_key in range(5):
        await put(
            database,
            clock,
            *(f"{ordering_key}-{n}" for n in range(8)),
            ordering_key=f"key {ordering_key}",
        )
    crew = [worker(database, post, clock, f"w{n}") for n in range(4)]
    while sum(await asyncio.gather(*(one.run_once() for one in crew))):
        pass
    assert len(post.sent) == len(set(post.sent)) == 40
    for ordering_key in range(5):
        mine = [key for key in post.sent if key.startswith(f"{ordering_key}-")]
        assert mine == [f"{ordering_key}-{n}" for n in range(8)]


async def test_waiting_does_not_use_up_tries_but_failing_does(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    await put(database, clock, "k")
    post.answers["k"] = [Deferred(clock.now(), "limit")] * 20 + [Retry("no answer")] * 20
    for _ in range(40):
        await worker(database, post, clock).run_once()
        clock.advance(timedelta(hours=1))
    assert await states(database) == {"k": "failed"}
    assert post.settled[-1] == ("k", "Failed")
    assert post.sent.count("k") == 20 + 8, "eight tries, not counting the waits"


async def test_a_refusal_is_final_and_the_lane_goes_on(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    await put(database, clock, "1", "2")
    post.answers["1"] = [Failed("window_closed", "too late")]
    await drain(worker(database, post, clock))
    assert await states(database) == {"1": "failed", "2": "sent"}


@pytest.mark.parametrize(
    ("truth", "state", "times"), [(Sent({"ref": "x"}), "sent", 1), (Retry("it did not"), "sent", 2)]
)
async def test_what_is_in_doubt_is_found_out_and_never_blindly_repeated(
    database: Database, clock: FrozenClock, post: Post, truth: Outcome, state: str, times: int
) -> None:
    await put(database, clock, "k", "next")
    post.answers["k"] = [Unknown("cut off")]
    post.truth["k"] = truth
    one = worker(database, post, clock)
    await drain(one)
    assert await states(database) == {"k": "unknown", "next": "queued"}
    clock.advance(timedelta(minutes=1))
    await recover(one)
    clock.advance(timedelta(minutes=1))
    await drain(one)
    assert await states(database) == {"k": state, "next": "sent"}
    assert post.sent.count("k") == times


async def test_a_worker_killed_while_sending_leaves_an_unknown_row(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    await put(database, clock, "k")
    async with database.tx(SYSTEM) as tx:
        assert await outbox.claim(tx, worker_id="dead", now=clock.now(), limit=1, channels=["post"])
    post.truth["k"] = Sent({"ref": "found"})
    one = worker(database, post, clock)
    await recover(one)
    assert await states(database) == {"k": "sending"}, "the lease still runs"
    clock.advance(timedelta(minutes=2))
    await recover(one)
    assert await states(database) == {"k": "sent"}
    assert post.sent == []


async def test_a_killed_worker_spends_no_try_but_a_reason_for_it_ends(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    await put(database, clock, "k", "next")
    post.truth["k"] = Retry("it did not arrive", after=timedelta())
    one = worker(database, post, clock)
    for times in range(1, outbox.MAX_LOST + 1):
        async with database.tx(SYSTEM) as tx:
            [taken] = await outbox.claim(
                tx, worker_id="dead", now=clock.now(), limit=1, channels=["post"]
            )
        assert (taken.key, taken.attempts, taken.lost) == ("k", 1, times - 1)
        clock.advance(timedelta(minutes=2))
        await recover(one)
        clock.advance(timedelta(minutes=10))
    assert await states(database) == {"k": "failed", "next": "queued"}
    await drain(one)
    assert post.sent == ["next"]


async def test_what_was_taken_back_does_not_leave(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    await put(database, clock, "1")
    async with database.tx(SYSTEM) as tx:
        taken = await outbox_rows.cancel(
            tx, channel="post", ordering_key="a", reason="stop", now=clock.now()
        )
    assert taken == 1
    await drain(worker(database, post, clock))
    assert post.sent == []


class Unwritable(Post):
    """What follows from its outcomes cannot be stored."""

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.keys = keys

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        if delivery.key in self.keys:
            raise ValueError("a row it refers to is gone")
        await super().on_outcome(tx, delivery, outcome)


async def test_an_outcome_that_cannot_be_stored_is_in_doubt_and_its_batch_goes_on(
    database: Database, clock: FrozenClock
) -> None:
    post = Unwritable("1")
    for number in "123":
        await put(database, clock, number, ordering_key=number)
    assert await worker(database, post, clock).run_once() == 3
    assert await states(database) == {"1": "sending", "2": "sent", "3": "sent"}
    clock.advance(outbox.LEASE * 2)
    post.truth["1"] = Sent({"ref": "found"})
    await recover(worker(database, post, clock))
    assert await states(database) == {"1": "unknown", "2": "sent", "3": "sent"}
    post.keys = ()
    clock.advance(outbox.RECONCILE_AT_LEAST)
    await recover(worker(database, post, clock))
    assert await states(database) == {"1": "sent", "2": "sent", "3": "sent"}
    assert post.sent.count("1") == 1


async def test_a_row_in_doubt_that_cannot_be_settled_does_not_keep_others_from_their_turn(
    database: Database, clock: FrozenClock
) -> None:
    post = Unwritable()
    await put(database, clock, "poison", ordering_key="first")
    for number in range(20):
        await put(database, clock, f"k{number}", ordering_key=f"l{number}")
    one = worker(database, post, clock)
    for key in await states(database):
        post.answers[key] = [Unknown("cut off")]
        post.truth[key] = Sent({"ref": key})
    await drain(one)
    assert set((await states(database)).values()) == {"unknown"}
    post.keys = ("poison",)
    clock.advance(timedelta(minutes=1))
    assert await recover(one) == 16
    assert await recover(one) == 5, "the poison is not the first of them again"
    found = await states(database)
    assert found.pop("poison") == "unknown"
    assert set(found.values()) == {"sent"}


async def test_an_account_does_not_wait_behind_the_messages_of_another(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    crowd, single = new_id(), new_id()
    async with database.tx(SYSTEM) as tx:
        for number in range(100):
            await outbox.enqueue(
                tx,
                channel="post",
                key=f"crowd {number}",
                payload=Payload(),
                ordering_key=f"key {number}",
                account_id=crowd,
                now=clock.now(),
            )
        await outbox.enqueue(
            tx,
            channel="post",
            key="single",
            payload=Payload(),
            ordering_key="single",
            account_id=single,
            now=clock.now(),
        )
    await worker(database, post, clock).run_once()
    assert "single" in post.sent
    await drain(worker(database, post, clock))
    assert len(post.sent) == len(set(post.sent)) == 101


async def test_a_crowded_conversation_does_not_stand_in_the_way_and_keeps_its_order(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    """Its first message waits, and those behind it have been due for longer than anybody's."""
    await put(database, clock, "crowd first", ordering_key="crowd")
    async with database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE internal.outbox SET not_before = $1", clock.now() + MINUTE)
    await put(database, clock, *(f"crowd {n:03}" for n in range(200)), ordering_key="crowd")
    clock.advance(timedelta(seconds=1))
    await put(database, clock, "other", ordering_key="other")
    one = worker(database, post, clock)
    await drain(one)
    assert post.sent == ["other"]
    async with database.tx(SYSTEM) as tx:
        assert await tx.fetch_value("SELECT count(*) FROM internal.outbox WHERE behind") > 100
    clock.advance(MINUTE)
    await drain(one)
    expected = ["other", "crowd first", *(f"crowd {n:03}" for n in range(200))]
    assert post.sent == expected


async def test_the_first_of_a_lane_is_found_by_those_that_are_due_longer_behind_it(
    database: Database, clock: FrozenClock
) -> None:
    keys = [f"key {n:02}" for n in range(16)]
    for ordering_key in keys:
        await put(
            database, clock, *(f"{ordering_key}, {n}" for n in range(20)), ordering_key=ordering_key
        )
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            "UPDATE internal.outbox SET not_before = $1 WHERE key NOT LIKE '%, 0'",
            clock.now() - MINUTE,
        )
        taken = await claim(tx, clock)
        assert {delivery.key for delivery in taken} <= {
            f"{ordering_key}, 0" for ordering_key in keys
        }
        assert len(taken) > 3, "some of each of four keys at least are looked at"
        assert await tx.fetch_value("SELECT count(*) FROM internal.outbox WHERE behind") <= 16


async def test_no_look_sets_more_aside_than_it_might_take(
    database: Database, clock: FrozenClock
) -> None:
    await put(database, clock, *(f"{n:03}" for n in range(100)))
    for looks in range(1, 4):
        async with database.tx(SYSTEM) as tx:
            taken = await claim(tx, clock)
            assert [delivery.key for delivery in taken] == ["000"][looks - 1 :]
            aside = await tx.fetch_value("SELECT count(*) FROM internal.outbox WHERE behind")
            assert aside == looks * 16


async def test_a_row_set_aside_leaves_when_those_before_it_were_taken_back(
    database: Database, clock: FrozenClock, post: Post
) -> None:
    await put(database, clock, "1", "2")
    async with database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE internal.outbox SET behind = true WHERE key = '2'")
        await tx.execute("UPDATE internal.outbox SET state = 'cancelled' WHERE key = '1'")
    one = worker(database, post, clock)
    await drain(one)
    assert post.sent == []
    await recover(one)
    await drain(one)
    assert post.sent == ["2"]


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(3000):
        if await true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


class SlowPost(Post):
    """Of some it takes long to find out whether they arrived."""

    def __init__(self, *slow: str) -> None:
        super().__init__()
        self.slow = slow
        self.asked: list[str] = []
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.dead_letters: list[str] = []

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        self.asked.append(delivery.key)
        self.begun.set()
        if delivery.key in self.slow:
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.dead_letters.append(delivery.key)
                raise
        return Sent({"ref": delivery.key})


async def put_in_doubt(database: Database, clock: FrozenClock, account: UUID, *keys: str) -> None:
    """Their worker was killed while it sent them."""
    async with database.tx(SYSTEM) as tx:
        for key in keys:
            await outbox.enqueue(
                tx,
                channel="post",
                key=key,
                payload=Payload(),
                ordering_key=key,
                account_id=account,
                now=clock.now(),
            )
        await tx.execute(
            """
            UPDATE internal.outbox
               SET state = 'sending', attempts = 1, worker_id = 'dead', leased_until = $2
             WHERE key = ANY ($1)
            """,
            keys,
            clock.now() - MINUTE,
        )


async def test_one_account_s_slow_answers_keep_no_other_account_waiting(
    database: Database, clock: FrozenClock
) -> None:
    post, slow, quick = SlowPost("a1"), new_id(), new_id()
    one = worker(database, post, clock)
    await put_in_doubt(database, clock, slow, "a1", "a2")
    assert await one.recover() == 2
    await put_in_doubt(database, clock, slow, "a3")
    await put_in_doubt(database, clock, quick, "b1")
    await put(database, clock, "1", "2")
    async with database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE internal.outbox SET behind = true WHERE key = '2'")
        await tx.execute("UPDATE internal.outbox SET state = 'cancelled' WHERE key = '1'")
    assert await one.recover() == 1, "only what no other account is asked about"

    async def b1_is_known() -> bool:
        return (await states(database))["b1"] == "sent"

    await until(b1_is_known)
    assert post.asked == ["a1", "b1"]
    assert await states(database) == {
        **dict.fromkeys(("a1", "a2", "a3"), "unknown"),
        "b1": "sent",
        "1": "cancelled",
        "2": "queued",
    }
    await drain(one)
    assert post.sent == ["2"], "what was set aside is not, once nothing is before it"
    post.go_on.set()
    await one.finish_reconciling()
    assert await recover(one) == 1, "and the rest of the slow one has its turn"
    assert post.asked == ["a1", "b1", "a2", "a3"]
    assert set((await states(database)).values()) == {"sent", "cancelled"}


async def test_what_is_being_found_out_stays_ours_however_long_it_takes(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LEASE", timedelta(milliseconds=30))
    post = SlowPost("k")
    one, other = worker(database, post, clock), worker(database, post, clock, "w2")
    await put_in_doubt(database, clock, new_id(), "k")
    assert await one.recover() == 1
    clock.advance(MINUTE)

    async def renewed() -> bool:
        async with database.tx(SYSTEM) as tx:
            until_: datetime = await tx.fetch_value("SELECT leased_until FROM internal.outbox")
        return until_ > clock.now()

    await until(renewed)
    assert await other.recover() == 0
    post.go_on.set()
    await one.finish_reconciling()
    assert await states(database) == {"k": "sent"}
    assert post.asked == ["k"]


async def test_finding_out_ends_with_its_worker_and_goes_on_in_another(
    database: Database, clock: FrozenClock
) -> None:
    post = SlowPost("k")
    await put_in_doubt(database, clock, new_id(), "k")
    leaving = Worker(database, {"outbox": worker(database, post, clock)})
    task = asyncio.create_task(leaving.run())
    await asyncio.wait_for(post.begun.wait(), 30)
    leaving.stop()
    await asyncio.wait_for(task, 30)
    assert post.dead_letters == ["k"]
    assert await states(database) == {"k": "unknown"}
    post.go_on.set()
    clock.advance(outbox.LEASE * 2)
    assert await recover(worker(database, post, clock, "heir")) == 1
    assert await states(database) == {"k": "sent"}


async def test_no_more_accounts_are_asked_at_once_than_one_worker_can_hold(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_ASKED", 2)
    post = SlowPost("a", "b", "c")
    one = worker(database, post, clock)
    for key in "abc":
        await put_in_doubt(database, clock, new_id(), key)
    assert await one.recover() == 2
    assert await one.recover() == 0
    post.go_on.set()
    await one.finish_reconciling()
    assert await recover(one) == 1
    assert set((await states(database)).values()) == {"sent"}
