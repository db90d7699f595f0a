"""The address of a shopper's photo goes with the photo, from wherever it was written."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.infra.world import ANA, PHOTO, SYSTEM, Brand, World

from selify.core.queue import personal
from selify.core.queue.inbox import Incoming
from selify.core.queue.personal import without_addresses
from selify.messaging import unmatched_events
from selify.messaging.types import MessageUnsent, MessageWritten, SocialEvent
from selify.tryon import lifecycle
from selify.tryon.lifecycle import JOB, Request

PAYLOADS = {JOB: Request}
OTHERS = (unmatched_events.PERSONAL,)
KEEP = timedelta(hours=24)
NEEDLE = "photos.example/ana"


async def written_in(world: World) -> set[str]:
    """Every table of the database that holds the address anywhere, in whatever column."""
    tables = await world.sql(
        """
        SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
        """
    )
    async with world.database.tx(SYSTEM) as tx:
        await tx.execute("RESET ROLE")  # some tables are nobody's to read
        return {
            table["name"]
            for table in tables
            if await tx.fetch_value(
                f"SELECT EXISTS (SELECT 1 FROM {table['name']} t WHERE strpos(t::text, $1) > 0)",
                NEEDLE,
            )
        }


async def sweep(world: World, after: timedelta) -> int:
    world.clock.advance(after)
    return await personal.forget_old(
        world.database, PAYLOADS, OTHERS, now=world.clock.now(), keep=KEEP
    )


async def everywhere(world: World, monkeypatch: pytest.MonkeyPatch) -> MessageWritten:
    """A photo under work, one in an unread entry, and one whose event breaks the reader."""
    photo = world.photo(text="see https://ana.example too")
    await world.say(world.comment(), photo)
    async with world.database.tx(SYSTEM) as tx:
        raw = {"odd": {"mid": photo.message_ref, "gift": [{"url": PHOTO.url}]}}
        await unmatched_events.keep_raw(
            tx, [("unknown", raw, "an unknown part")], now=world.clock.now()
        )

    def break_over(*_: Any) -> SocialEvent:
        raise RuntimeError(f"cannot read {PHOTO.url}")

    monkeypatch.setattr(world.events, "_translate", break_over)
    payload = {"id": "x", "mid": photo.message_ref, "attachments": [{"url": PHOTO.url}]}
    await world.intake.receive(
        [Incoming("instagram", "test", payload, ordering_key=ANA, account_ref="1")]
    )
    await world.inbox.run_once()
    monkeypatch.undo()
    return photo


async def test_nothing_holds_it_when_the_photos_life_is_over(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await everywhere(world, monkeypatch)
    assert await written_in(world) == {
        "public.webhook_events",
        "public.instagram_message_queue",
        "internal.jobs",
    }
    assert await sweep(world, KEEP - timedelta(minutes=10)) == 0, "not before its time"
    assert await sweep(world, timedelta(minutes=20)) == 4
    assert await written_in(world) == set()
    said = await world.value(
        "SELECT payload ->> 'text' FROM public.webhook_events WHERE payload ->> 'text' LIKE 'see%'"
    )
    assert said == "see https://ana.example too", "what people wrote is theirs"
    assert await sweep(world, timedelta(minutes=1)) == 0


async def test_nothing_holds_it_once_it_is_taken_back(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = await everywhere(world, monkeypatch)
    await world.say(MessageUnsent(photo.account_ref, ANA, photo.message_ref, world.clock.now()))
    assert await written_in(world) == set()


async def test_nothing_holds_it_once_nobody_wants_the_picture_any_more(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await everywhere(world, monkeypatch)
    (job,) = await world.sql("SELECT * FROM internal.jobs")
    request = request_of(job)
    async with world.database.tx(SYSTEM) as tx:
        await lifecycle.abandon(tx, world.clock, request, reason="a person took over")
    assert await written_in(world) == set()


async def test_no_log_tells_it(
    world: World, brand: Brand, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = world.photo()
    await world.say(world.comment(), photo)
    await world.say(MessageUnsent(photo.account_ref, ANA, photo.message_ref, world.clock.now()))
    await sweep(world, 2 * KEEP)
    said = capsys.readouterr().out
    assert "took a message back" in said
    assert NEEDLE not in said


async def test_a_clock_that_ran_ahead_leaves_none_behind(world: World, brand: Brand) -> None:
    """Swept as if it were next year; what arrives after the clock is right again goes in its time."""
    await personal.forget_old(
        world.database, PAYLOADS, OTHERS, now=world.clock.now() + timedelta(days=365), keep=KEEP
    )
    await world.say(world.comment(), world.photo())
    assert await sweep(world, timedelta(0)) == 0
    await sweep(world, KEEP + timedelta(minutes=10))
    assert await written_in(world) == set()


def request_of(job: Mapping[str, Any]) -> Request:
    class Stored:
        key, workspace_id, payload = job["key"], job["workspace_id"], job["payload"]

    return Request.from_job(Stored)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"url": "HTTPS://x.example/a?b"}, {"url": ""}),
        ([{"payload": {"url": "http://x"}}, 7, None], [{"payload": {"url": ""}}, 7, None]),
        ({"note": "at https://x.example/a now"}, {"note": "at  now"}),
        ({"text": "https://mine.example"}, {"text": "https://mine.example"}),
        ({"text": {"url": "https://x"}}, {"text": {"url": ""}}),
        ("https://x", ""),
    ],
)
def test_which_addresses_go(value: Any, left: Any) -> None:
    assert without_addresses(value) == left
