"""Ours or a person's: an echo may come at any moment of the send it repeats."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.infra.world import ANA, SYSTEM, Brand, World

from selify.core.database import Tx
from selify.core.queue import outbox
from selify.core.queue.defer import Defer
from selify.core.queue.inbox import Event, Skip
from selify.messaging import outgoing
from selify.messaging.ports import Accepted, Action, Credentials, OutgoingMessage, Refused
from selify.messaging.types import Attachment, AttachmentKind, Handler, MessageWritten

PICTURE = Attachment(AttachmentKind.IMAGE, "https://x.example/1.jpg")
# More than the handler of an echo ever needs.
STATEMENTS = 8


class Interrupted(Tx):
    """Something else happens between two statements of a transaction."""

    def __init__(self, tx: Tx, after: int, then: Callable[[], Awaitable[None]]) -> None:
        super().__init__(tx._connection, tx.actor)
        self._left = after
        self._then = then

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        return await self._counted(super().fetch(sql, *args))

    async def fetch_one(self, sql: str, *args: Any) -> Any:
        return await self._counted(super().fetch_one(sql, *args))

    async def fetch_value(self, sql: str, *args: Any) -> Any:
        return await self._counted(super().fetch_value(sql, *args))

    async def execute(self, sql: str, *args: Any) -> int:
        return await self._counted(super().execute(sql, *args))

    async def _counted(self, statement: Awaitable[Any]) -> Any:
        answer = await statement
        self._left -= 1
        if self._left == 0:
            await self._then()
        return answer


class Send:
    """The one message that is due, held between the platform's yes and our writing it down."""

    def __init__(self, world: World, message_ref: str) -> None:
        self._world = world
        self._ref = message_ref
        self._answered, self._go_on = asyncio.Event(), asyncio.Event()
        world.platform.send = self._accept  # type: ignore[method-assign]
        self._task = asyncio.create_task(world.outbox.run_once())

    async def _accept(self, sender: Credentials, message: OutgoingMessage) -> Accepted | Refused:
        self._answered.set()
        await self._go_on.wait()
        return Accepted(self._ref, ANA)

    async def answered(self) -> None:
        await self._answered.wait()

    async def settle(self) -> None:
        """Written down, or waiting for a lock that the other transaction holds."""
        self._go_on.set()
        await asyncio.wait([self._task], timeout=0.5)

    async def over(self) -> None:
        self._go_on.set()
        await self._task


async def queue(world: World, kind: str, text: str = "") -> None:
    """One answer to Ana is due, and nothing else."""
    await world.say(world.comment())
    await world.say(world.message("hm?"))
    payload = {"kind": kind, "storage_key": "a.jpg", "text": text, "purpose": "result_picture"}
    await world.sql(
        """
        UPDATE internal.outbox SET state = 'queued', payload = payload || $1, result = NULL,
               sent_at = NULL, attempts = 0
         WHERE channel = $2 AND payload ->> 'purpose' = 'ask_photo_again'
        """,
        payload,
        outgoing.CHANNEL,
    )
    await world.sql("DELETE FROM public.social_messages WHERE sender_platform_id <> $1", ANA)


async def arrived(world: World, echo: MessageWritten) -> Event:
    await world.arrive(echo)
    row = (await world.sql("SELECT * FROM public.webhook_events ORDER BY created_at DESC LIMIT 1"))[
        0
    ]
    return Event(
        id=row["id"],
        platform=row["platform"],
        event_type=row["event_type"],
        payload=row["payload"],
        account_id=None,
        account_ref="",
        ordering_key="",
        trace="",
        retry_count=0,
        created_at=row["created_at"],
    )


async def handle(
    world: World, event: Event, after: int, then: Callable[[], Awaitable[None]]
) -> str:
    try:
        async with world.database.tx(SYSTEM) as tx:
            said = await world.events(Interrupted(tx, after, then), event)
    except (Defer, Skip) as put_off:
        return str(put_off)
    return str(said)


@pytest.mark.parametrize("kind", ["image", "text"])
@pytest.mark.parametrize("statement", range(1, STATEMENTS))
async def test_a_send_may_settle_between_any_two_statements_about_its_echo(
    world: World, brand: Brand, kind: str, statement: int
) -> None:
    text = "A text that stands for itself" if kind == "text" else ""
    await queue(world, kind, text)
    echo = world.echo(
        text, message_ref="mid.ours", attachments=(PICTURE,) if kind == "image" else ()
    )
    event = await arrived(world, echo)
    send = Send(world, "mid.ours")
    await send.answered()
    await handle(world, event, statement, send.settle)
    await send.over()
    assert (await world.state()).handler is Handler.BOT
    assert await world.notified() == []
    await handle(world, event, 0, send.over)
    assert (await world.state()).handler is Handler.BOT, "and when it is handled again"
    rows = await world.value(
        "SELECT count(*) FROM public.social_messages WHERE platform_message_id = 'mid.ours'"
    )
    assert rows == 1


async def test_a_picture_named_otherwise_in_its_echo_is_ours_once(
    world: World, brand: Brand
) -> None:
    await queue(world, "image")
    await world.deliver()
    echo = world.echo(message_ref="mid.otherwise", attachments=(PICTURE,))
    await world.handle(echo, echo)
    assert (await world.state()).handler is Handler.BOT
    await world.handle(world.echo(attachments=(PICTURE,)))
    assert (await world.state()).handler is Handler.HUMAN, "ours has had its echo"


async def test_a_picture_whose_own_echo_came_explains_no_other(world: World, brand: Brand) -> None:
    await queue(world, "image")
    await world.deliver()
    ours = await world.value(
        "SELECT result ->> 'message_ref' FROM internal.outbox WHERE payload ->> 'kind' = 'image'"
    )
    await world.handle(world.echo(message_ref=ours, attachments=(PICTURE,)))
    assert (await world.state()).handler is Handler.BOT
    await world.handle(world.echo(attachments=(PICTURE,)))
    assert (await world.state()).handler is Handler.HUMAN


async def test_a_send_is_known_by_its_name_also_when_it_left_no_message(
    world: World, brand: Brand
) -> None:
    await queue(world, "image")
    await world.deliver()
    ours = await world.value(
        "SELECT result ->> 'message_ref' FROM internal.outbox WHERE payload ->> 'kind' = 'image'"
    )
    await world.sql("DELETE FROM public.social_messages WHERE platform_message_id = $1", ours)
    world.clock.advance(timedelta(hours=1))
    await world.handle(world.echo(message_ref=ours, attachments=(PICTURE,)))
    assert (await world.state()).handler is Handler.BOT


async def test_the_echo_of_what_was_taken_back_after_a_first_try_is_ours(
    world: World, brand: Brand
) -> None:
    """It was tried, the try seemed to have failed, and then its queue was cleared."""
    await queue(world, "text", "A text that stands for itself")
    await world.sql(
        """
        UPDATE internal.outbox SET state = 'cancelled', attempts = 1, updated_at = $1
         WHERE state = 'queued'
        """,
        world.clock.now(),
    )
    await world.handle(world.echo("A text that stands for itself"))
    assert (await world.state()).handler is Handler.BOT
    assert await world.queued("cancelled") == []


REFUSED = Refused(Action.RETRY, "media_not_fetched", "The picture could not be fetched.", 60)


async def pictures(world: World) -> list[str]:
    rows = await world.sql(
        "SELECT state FROM internal.outbox WHERE payload ->> 'kind' = 'image' ORDER BY id"
    )
    return [row["state"] for row in rows]


@pytest.mark.parametrize("taken_back", [False, True])
async def test_a_person_s_picture_is_not_ours_that_surely_did_not_leave(
    world: World, brand: Brand, taken_back: bool
) -> None:
    """Or nobody would ever send ours, which was paid for."""
    await queue(world, "image")
    world.platform.script.append(REFUSED)
    await world.deliver()
    if taken_back:
        await world.sql(
            "UPDATE internal.outbox SET state = 'cancelled', updated_at = $1 WHERE state = 'queued'",
            world.clock.now(),
        )
    assert await pictures(world) == (["cancelled"] if taken_back else ["queued"])
    await world.handle(world.echo(attachments=(PICTURE,)))
    assert (await world.state()).handler is Handler.HUMAN
    assert await pictures(world) == ["cancelled"]


async def test_a_picture_whose_sender_was_killed_may_be_the_one_that_is_echoed(
    world: World, brand: Brand
) -> None:
    await queue(world, "image")
    async with world.database.tx(SYSTEM) as tx:
        (taken,) = await outbox.claim(
            tx, worker_id="dead", now=world.clock.now(), limit=1, channels=[outgoing.CHANNEL]
        )
    await world.channel.send(taken)
    world.clock.advance(outbox.LEASE * 2)
    await world.recover()
    assert await pictures(world) == ["queued"], "the thread did not show it yet"
    await world.handle(world.echo(attachments=(PICTURE,)))
    assert (await world.state()).handler is Handler.BOT
    assert await pictures(world) == ["sent"]


async def test_the_echo_of_refused_words_is_still_ours(world: World, brand: Brand) -> None:
    """They prove themselves, whatever the platform had said."""
    await queue(world, "text", "A text that stands for itself")
    world.platform.script.append(REFUSED)
    await world.deliver()
    await world.handle(world.echo("A text that stands for itself"))
    assert (await world.state()).handler is Handler.BOT
