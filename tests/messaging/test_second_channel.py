"""Messaging knows no client: a guest book, where a parrot answers, works like Instagram with its bot."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from selify import messaging
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database, Tx
from selify.core.queue.inbox import InboxWorker, Incoming, Intake, Skip
from selify.core.queue.outbox import OutboxWorker
from selify.core.secrets import SecretBox
from selify.core.web.links import FileLinks
from selify.messaging import accounts, conversations, outgoing, repository
from selify.messaging.clients import Clients, Delivered, Undelivered
from selify.messaging.conversations import Conversation
from selify.messaging.events import SocialEvents
from selify.messaging.outgoing import Kind, Outgoing
from selify.messaging.ports import (
    Accepted,
    Action,
    Credentials,
    Grant,
    NotNow,
    OutgoingMessage,
    ReadStep,
    Refused,
)
from selify.messaging.sending import MessageChannel
from selify.messaging.types import (
    Account,
    CommentWritten,
    Handler,
    MessageEdited,
    MessageWritten,
    SocialEvent,
)

SYSTEM = Actor.system("test")
PLATFORM = "instagram"  # the reference's CHECK knows no guest book
EVERYTHING = (
    "accounts, clients, connecting, conversations, dead_letters, deletion, diagnosis, echoes,"
    " endpoints, events, names, outcomes, queries, sending, send_now, subscriptions, unanswered"
)


@dataclass
class GuestBook:
    """A platform on which everything arrives at once."""

    written: list[OutgoingMessage] = field(default_factory=list)
    answers: list[Refused] = field(default_factory=list)

    async def send(self, _: Credentials, message: OutgoingMessage) -> Accepted | Refused:
        if self.answers:
            return self.answers.pop()
        self.written.append(message)
        return Accepted(f"line-{len(self.written)}", message.person_ref)

    async def read_back(self, *_: object, **__: object) -> ReadStep | NotNow:
        return ReadStep(None)

    async def addressee(self, *_: object) -> str | None:
        return None

    async def username(self, *_: object) -> str | None:
        return ""

    def split(self, text: str) -> list[str]:
        return [text]


@dataclass
class Parrot:
    """Says again what it is told, and remembers how often."""

    heard: list[str] = field(default_factory=list)

    def is_on(self, *_: object) -> bool:
        return True

    async def on_comment(self, *_: object) -> Mapping[str, Any]:
        raise Skip("a parrot reads no comments")

    async def on_message(
        self, tx: Tx, account: Account, conversation: Conversation, message: MessageWritten
    ) -> Mapping[str, Any]:
        if conversation.handler is Handler.HUMAN:
            return {"decision": "a person talks"}
        said = Outgoing(
            kind=Kind.TEXT,
            client="parrot",
            purpose="echo",
            text=message.text,
            about={"words": message.text},
        )
        times = conversation.state.get("times", 0) + 1
        await conversations.save_state(tx, conversation, {**conversation.state, "times": times})
        await outgoing.send(
            tx, account, conversation, said, key=message.message_ref, now=message.at
        )
        return {"decision": "parroted"}

    def may_be_unattributed(self, _: Conversation) -> bool:
        return False

    def comes_back_to(self, *_: object) -> bool:
        return False

    def hears(self, edit: MessageEdited, *_: object, **__: object) -> MessageWritten | None:
        return None

    async def on_reworded(self, *_: object) -> None: ...

    async def on_unsent(self, *_: object) -> None: ...

    async def on_named(self, *_: object) -> None: ...

    async def on_delivered(self, _: Tx, delivered: Delivered) -> None:
        self.heard.append(f"delivered {delivered.message.about['words']}")

    async def on_failed(self, _: Tx, undelivered: Undelivered) -> None:
        self.heard.append(f"{undelivered.code} {undelivered.message.about['words']}")

    async def on_unknown(self, *_: object) -> None: ...

    async def on_lapsed(self, *_: object) -> None: ...


class Room:
    """A guest book and its parrot on one database."""

    def __init__(self, database: Database, secrets: SecretBox) -> None:
        self.database, self.secrets = database, secrets
        self.clock = FrozenClock(datetime.now(UTC) + timedelta(minutes=5))
        self.book, self.parrot = GuestBook(), Parrot()
        self.lines: dict[str, SocialEvent] = {}
        clients = Clients(self.parrot, {"parrot": self.parrot})
        handler = SocialEvents(lambda _, said, __: self.lines[said["line"]], clients, self.clock)
        self.inbox = InboxWorker(database, {PLATFORM: handler}, clock=self.clock, worker_id="w")
        channel = MessageChannel(
            database,
            self.book,
            clients,
            secrets=secrets,
            links=FileLinks(secrets, "https://selify.example"),
            clock=self.clock,
        )
        self.outbox = OutboxWorker(
            database, {outgoing.CHANNEL: channel}, clock=self.clock, worker_id="w"
        )

    async def open(self) -> Account:
        async with self.database.tx(SYSTEM) as tx:
            owner = uuid4()
            await tx.execute("INSERT INTO auth.users (id, email) VALUES ($1, 'o@x.example')", owner)
            workspace: UUID = await tx.fetch_value(
                "SELECT id FROM public.create_workspace_with_owner('Inn', NULL, $1)", owner
            )
            expires = self.clock.now() + timedelta(days=60)
            connected = await accounts.connect(
                tx,
                self.clock,
                self.secrets,
                workspace_id=workspace,
                user_id=owner,
                platform=PLATFORM,
                grant=Grant("inn", "app-inn", "inn", "", "token", expires, (), {}),
            )
            account = await repository.account(tx, connected.account_id)
        assert account
        return account

    async def write(self, text: str, *, is_echo: bool = False) -> None:
        ref = f"mid-{len(self.lines)}"
        self.lines[ref] = MessageWritten(
            account_ref="inn",
            person_ref="guest",
            message_ref=ref,
            text=text,
            at=self.clock.now() + timedelta(seconds=10 * is_echo),
            is_echo=is_echo,
        )
        line = Incoming(PLATFORM, "line", {"line": ref}, ordering_key="guest", account_ref="inn")
        await Intake(self.database, self.clock).receive([line])
        while await self.inbox.run_once():
            pass
        while await self.outbox.run_once():
            pass

    async def conversation(self, account: Account) -> Conversation:
        async with self.database.tx(SYSTEM) as tx:
            found = await conversations.find(tx, account.id, "guest")
        assert found
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def room(database: Database, secrets: SecretBox) -> Room:
    return Room(database, secrets)


async def test_who_asked_hears_what_became_of_it(room: Room) -> None:
    account = await room.open()
    await room.write("polly")
    room.book.answers.append(Refused(Action.STOP, "torn", "The page is torn out."))
    await room.write("cracker")
    assert [line.text for line in room.book.written] == ["polly"]
    assert room.parrot.heard == ["delivered polly", "stop cracker"]
    now = await room.conversation(account)
    assert now.state["times"] == 2, "its memory is kept beside ours"
    assert now.handler is Handler.HUMAN, "whoever waits in vain gets a person"


async def test_a_person_takes_over_whoever_answers(room: Room) -> None:
    account = await room.open()
    await room.write("polly")
    await room.write("I am the innkeeper, good evening!", is_echo=True)
    await room.write("good evening")
    assert [line.text for line in room.book.written] == ["polly"]
    assert (await room.conversation(account)).state["times"] == 1


async def test_a_skipped_comment_is_the_clients_word(room: Room) -> None:
    await room.open()
    room.lines["c"] = CommentWritten(
        "inn", "guest", "guest", "c1", "post", "hello", room.clock.now()
    )
    comment = Incoming(PLATFORM, "line", {"line": "c"}, ordering_key="guest", account_ref="inn")
    await Intake(room.database, room.clock).receive([comment])
    await room.inbox.run_once()
    async with room.database.tx(SYSTEM) as tx:
        said = await tx.fetch_value("SELECT processing_result FROM public.webhook_events")
    assert said == {"reason": "a parrot reads no comments"}


def test_messaging_loads_without_the_bot() -> None:
    loads = (
        f"import sys; from selify.messaging import {EVERYTHING};"
        "print([name for name in sys.modules if name.startswith(('selify.tryon', 'selify.commerce'))])"
    )
    run = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("word", ["tryon", "try-on", "garment", "selfie"])
def test_messaging_says_no_word_of_trying_on(word: str) -> None:
    """But in the reference's own defaults."""
    folder = Path(messaging.__file__).parent
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        if path.name != "models.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if word in line.lower()
    ]
    assert found == []
