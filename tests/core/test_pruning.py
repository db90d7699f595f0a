"""What has served its purpose goes; what somebody may still need, or is under way, stays."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from selify.app import WINGS
from selify.core import ids, pruning, upkeep
from selify.core.clock import FrozenClock, SystemClock
from selify.core.database import Actor, Database, Tx
from selify.core.ids import first_id, new_id
from selify.core.queue import jobs, outbox
from selify.core.queue.payload import Payload
from selify.core.queue.worker import Routine, run_in_slot

PRUNED = upkeep.pruned(WINGS)
SYSTEM = Actor.system("test")
NOW = datetime.now(UTC)


async def prune(database: Database, *, days: float = 0) -> int:
    """As a worker does, in its slot; how many rows went."""
    now, gone = NOW + timedelta(days=days), 0

    async def work() -> None:
        nonlocal gone
        gone = await pruning.prune(database, PRUNED, now=now)

    routine = Routine("pruning", pruning.EVERY.total_seconds(), work)
    await run_in_slot(database, FrozenClock(now), routine)
    return gone


async def add_event(tx: Tx, status: str, days_old: float) -> None:
    await tx.execute(
        """
        INSERT INTO public.webhook_events
               (platform, event_type, event_fingerprint, payload, status, created_at, worker_id,
                processing_started_at)
        VALUES ('instagram', 'x', gen_random_uuid()::text, '{}', $1, $2, 'w', now())
        """,
        status,
        NOW - timedelta(days=days_old),
    )


async def rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    async with database.tx(SYSTEM) as tx:
        return sorted(tuple(row) for row in await tx.fetch(statement))


async def test_events_stay_as_long_as_they_may_come_again_and_dead_letters_longer(
    database: Database,
) -> None:
    async with database.tx(SYSTEM) as tx:
        for status in ("pending", "processing", "completed", "skipped", "failed"):
            for days in (13, 15, 89, 91):
                await add_event(tx, status, days)
    assert await prune(database) == 3 + 3 + 1
    left = await rows(database, "SELECT status, count(*) FROM public.webhook_events GROUP BY 1")
    assert left == [
        ("completed", 1),
        ("failed", 3),
        ("pending", 4),
        ("processing", 4),
        ("skipped", 1),
    ]


@pytest.mark.parametrize(
    ("table", "over"),
    [("outbox", ("sent", "failed", "cancelled")), ("jobs", ("done", "failed", "cancelled"))],
)
async def test_queues_forget_what_is_over(
    database: Database, table: str, over: tuple[str, ...]
) -> None:
    running = {"outbox": ("queued", "sending", "unknown"), "jobs": ("queued", "running")}[table]
    async with database.tx(SYSTEM) as tx:
        for number, state in enumerate((*over, *running)):
            if table == "outbox":
                await outbox.enqueue(
                    tx,
                    channel="c",
                    key=state,
                    payload=Payload(),
                    ordering_key=str(number),
                    now=SystemClock().now(),
                )
            else:
                await jobs.start(
                    tx, kind="c", key=state, payload=Payload(), now=SystemClock().now()
                )
            sent = ", sent_at = now()" if table == "outbox" else ""
            await tx.execute(
                f"UPDATE internal.{table} SET state = key, leased_until = now() {sent}"
                " WHERE key = $1",
                state,
            )
    assert await prune(database, days=29) == 0
    assert await prune(database, days=31) == len(over)
    assert await rows(database, f"SELECT state FROM internal.{table}") == sorted(
        (state,) for state in running
    )


async def test_answers_findings_and_parked_deliveries_go_in_their_time(database: Database) -> None:
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            """
            INSERT INTO internal.idempotency_keys (scope_id, key, request_hash, created_at, expires_at)
            SELECT gen_random_uuid(), k, sha256('x'), $1::timestamptz - interval '2 days', until
              FROM (VALUES ('over', $1::timestamptz - interval '1 second'), ('live', $1::timestamptz + interval '1 hour'))
                   AS t (k, until)
            """,
            NOW,
        )
        await tx.execute(
            """
            INSERT INTO internal.invariant_findings (invariant, subject, found_at, resolved_at)
            VALUES ('i', 'open', $1::timestamptz, NULL), ('i', 'long ago', $1, $1),
                   ('i', 'lately', $1, $1::timestamptz + interval '30 days')
            """,
            NOW - timedelta(days=91),
        )
        await tx.execute(
            """
            INSERT INTO public.instagram_message_queue (entry_id, webhook_payload, status, created_at)
            VALUES ('old', '{}', 'completed', $1), ('new', '{}', 'completed', now())
            """,
            NOW - timedelta(days=91),
        )
    assert await prune(database) == 3
    assert await rows(database, "SELECT key FROM internal.idempotency_keys") == [("live",)]
    found = await rows(database, "SELECT subject FROM internal.invariant_findings")
    assert found == [("lately",), ("open",)]
    assert await rows(database, "SELECT entry_id FROM public.instagram_message_queue") == [("new",)]


async def test_a_great_many_go_a_few_at_a_time_and_once_an_hour(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    async with database.tx(SYSTEM) as tx:
        for _ in range(10):
            await add_event(tx, "completed", 20)
    assert await prune(database) == 10
    async with database.tx(SYSTEM) as tx:
        await add_event(tx, "completed", 20)
    assert await prune(database) == 0, "not again within the hour"
    assert await prune(database, days=1) == 1


def test_the_first_id_of_a_moment_comes_before_all_that_are_made_then() -> None:
    before = first_id(datetime.now(UTC) - timedelta(milliseconds=2))
    made = new_id()
    assert before < made < first_id(datetime.now(UTC) + timedelta(seconds=1))
    assert isinstance(before, UUID)
    assert before.version == ids.new_id().version == 7


async def test_a_table_that_cannot_be_cleared_does_not_keep_the_others_full(
    database: Database,
) -> None:
    async with database.tx(SYSTEM) as tx:
        await add_event(tx, "completed", 15)
    broken = pruning.Rule("internal.no_such_table", "created_at", timedelta())
    assert await pruning.prune(database, (broken, *PRUNED), now=NOW) == 1
