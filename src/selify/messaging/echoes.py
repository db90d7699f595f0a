"""Whose words an echo carries: ours, or those of a person who writes for the brand.

A platform repeats to us everything the account sends. An echo whose message we recorded is ours; so
is one that says what a send of ours says of which we do not know whether it arrived. That echo is
the proof: the send is settled by it. Only what nobody of us wrote was written by a person.

Private replies say the same to everybody, and whose thread one opened is known only by the answer
to it. When several are in doubt, a guess could credit one person with another's reply, who would
then never get theirs: so the platform is asked to whom the message went (channel ``echoes``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.language import _
from selify.core.queue import outbox, outbox_rows
from selify.core.queue.defer import Defer
from selify.core.queue.outbox import OutboxMessage, Outcome, Retry, Sent
from selify.core.queue.outbox_rows import OutboxRow
from selify.core.queue.payload import Payload
from selify.core.secrets import SecretBox
from selify.messaging import conversations, keys, outcomes, outgoing, repository, tokens
from selify.messaging.clients import Clients
from selify.messaging.outgoing import Kind, Outgoing
from selify.messaging.ports import Messenger
from selify.messaging.thread_reading import ThreadReader
from selify.messaging.types import Account, AttachmentKind, MessageWritten

# No send of ours is in doubt for longer: a private reply lives seven days.
OLDEST = timedelta(days=8)
# A platform may name a message differently in its answer and in its echo.
SAME_WORDS = timedelta(minutes=10)
# A text that was cut to a platform's length is known by its beginning.
LONG_TEXT = 200
A_REPLY = {"kind": Kind.PRIVATE_REPLY.value}
# What is moving now has come to rest by then.
MOVING = timedelta(seconds=2)


CHANNEL = "echoes"
ACTOR = Actor.system("echoes")


class Origin(StrEnum):
    RECORDED = "our own message, recorded when it was sent"
    OURS = "ours"
    ASKED = "ours, the platform is asked whose reply it is"
    MAYBE_OURS = "maybe ours"
    A_PERSON = "a person"


class Question(Payload):
    """To whom went the message that this echo repeats."""

    message_ref: str
    person_ref: str
    text: str
    at: datetime

    def echo(self, account: Account) -> MessageWritten:
        return MessageWritten(
            account_ref=account.platform_account_id,
            person_ref=self.person_ref,
            message_ref=self.message_ref,
            text=self.text,
            at=self.at,
            is_echo=True,
        )


@dataclass(frozen=True, slots=True)
class _Send:
    """A delivery that may be what the echo repeats. ``for_them``: surely to the echo's person.

    ``names``: how the platform has named it, when it was sent and in an echo. ``echoed``: a sent
    picture whose echo is here already.
    """

    id: UUID
    state: str
    message: Outgoing
    for_them: bool
    names: frozenset[str]
    echoed: bool

    @property
    def in_doubt(self) -> bool:
        return self.state not in ("sending", "sent")

    def replies_to(self, username: str, echo: MessageWritten) -> bool:
        """Whether it is the private reply to a comment of this name, in the echo's words."""
        return (
            self.message.kind is Kind.PRIVATE_REPLY
            and self.message.username == username != ""
            and _same(self, echo)
        )


async def attribute_sender(
    tx: Tx, clients: Clients, account: Account, echo: MessageWritten, *, now: datetime
) -> Origin:
    """Whose message it is. A send of ours in doubt is settled by it, with all that follows."""
    recorded, candidates = await _look(tx, account, echo, now)
    if recorded or any(echo.message_ref in send.names for send in candidates):
        return Origin.RECORDED
    sends = [send for send in candidates if _same(send, echo)]
    theirs = [send for send in sends if send.for_them]
    others = [send for send in sends if not send.for_them and send.state != "sent"]
    for send in theirs:
        if send.in_doubt:
            await _settle_now(tx, clients, send.id, echo, now=now)
            return Origin.OURS
    if any(send.state == "sending" for send in (*theirs, *others)):
        return Origin.MAYBE_OURS
    if len(others) == 1 and not theirs:
        await _settle_now(tx, clients, others[0].id, echo, now=now)
        return Origin.OURS
    if others:
        await _ask(tx, account, echo, now)
        return Origin.ASKED
    if theirs:
        # Named otherwise than when it was sent. A platform repeats a message once: the next picture
        # without a name that we know is not this one.
        await outbox_rows.note_answer(tx, theirs[0].id, echo_ref=echo.message_ref)
        return Origin.OURS
    return Origin.A_PERSON


async def _look(
    tx: Tx, account: Account, echo: MessageWritten, now: datetime
) -> tuple[bool, list[_Send]]:
    """Whether the message is recorded; sends to this person, and private replies whose reader nobody
    knows yet.

    Our own sends commit meanwhile. What is on its way is read first, and what is recorded after it, so
    that one that settles in between is found by the second.
    """
    if await conversations.knows_message(tx, echo.message_ref):
        return True, []
    person = echo.person_ref
    rows = await outbox_rows.find(
        tx,
        channel=outgoing.CHANNEL,
        account_id=account.id,
        since=now - OLDEST,
        saying=[{"person_ref": person}, {"commenter_ref": person}],
        answered=[{"person_ref": person}],
        unsent=[A_REPLY],
    )
    sends = [await _send(tx, account, row, person) for row in rows if _may_be(row, echo, now)]
    return await conversations.knows_message(tx, echo.message_ref), sends


def _may_be(row: OutboxRow, echo: MessageWritten, now: datetime) -> bool:
    """Whether a row, as it stands, may be what the echo repeats."""
    match row.state:
        case "queued":
            return _may_have_left(row)
        case "cancelled":  # tried before it was taken back
            return _may_have_left(row) and row.updated_at > now - SAME_WORDS
        case "failed":
            return row.result.get("code") in outgoing.ARRIVED_PERHAPS
        case "sent":  # for long by its name alone, where it has one
            recent = row.sent_at is not None and row.sent_at > now - SAME_WORDS
            return recent or row.result.get("message_ref") in (None, echo.message_ref)
        case _:
            return True


def _may_have_left(row: OutboxRow) -> bool:
    """Of what is not being tried at this moment. Words prove themselves; of pictures, which all look
    alike, only one whose try nobody saw the end of may be what is echoed: a refused one surely did
    not leave.
    """
    message = Outgoing.read(row.payload)
    seen_to_its_end = row.lost == 0 and message.doubted_at is None
    return row.tries > 0 and not (message.kind is Kind.IMAGE and seen_to_its_end)


async def _send(tx: Tx, account: Account, row: OutboxRow, person_ref: str) -> _Send:
    message, result = Outgoing.read(row.payload), row.result
    reader = message.person_ref or result.get("person_ref") or message.commenter_ref
    names = frozenset(filter(None, (result.get("message_ref"), result.get("echo_ref"))))
    sent_picture = row.state == "sent" and message.kind is Kind.IMAGE
    return _Send(
        row.id,
        row.state,
        message,
        for_them=reader == person_ref,
        names=names,
        echoed=sent_picture and await _is_echoed(tx, account, result),
    )


async def _is_echoed(tx: Tx, account: Account, result: Mapping[str, Any]) -> bool:
    if "echo_ref" in result:
        return True
    told = await conversations.events_about(tx, account.platform, result.get("message_ref") or "")
    return any("attachments" in event.payload for event in told)


def _same(send: _Send, echo: MessageWritten) -> bool:
    """Pictures cannot be compared: each of ours explains one echo."""
    match send.message.kind:
        case Kind.IMAGE:
            pictures = [a for a in echo.attachments if a.kind is AttachmentKind.IMAGE]
            return bool(pictures) and not echo.text and not send.echoed
        case Kind.TEXT | Kind.PRIVATE_REPLY:
            ours, seen = _words(send.message.text), _words(echo.text)
            return ours == seen or (len(seen) >= LONG_TEXT and ours.startswith(seen))
        case _:
            return False


def _words(text: str) -> str:
    return " ".join(text.split())


async def _settle_now(
    tx: Tx, clients: Clients, send_id: UUID, echo: MessageWritten, *, now: datetime
) -> None:
    """Raises Defer when it is being sent again, or was settled, at this very moment."""
    if not await _settle(tx, clients, send_id, echo, now=now):
        raise Defer("its send is moving at this moment", MOVING)


async def _settle(
    tx: Tx, clients: Clients, send_id: UUID, echo: MessageWritten, *, now: datetime
) -> bool:
    """False when the send is not in doubt (any more)."""
    said = {"message_ref": echo.message_ref, "person_ref": echo.person_ref}
    delivery = await outbox.confirm(tx, send_id, result=said, at=now)
    if delivery is None:
        return False
    await outcomes.arrived(tx, clients, delivery, said, now=now, at=echo.at)
    return True


async def is_asking(tx: Tx, account: Account, person_ref: str, *, now: datetime) -> bool:
    """Whether the platform is being asked whose reply it was that somebody got."""
    asked = await outbox_rows.find_open(
        tx,
        channel=CHANNEL,
        account_id=account.id,
        since=now - OLDEST,
        saying={"person_ref": person_ref},
    )
    return bool(asked)


async def _ask(tx: Tx, account: Account, echo: MessageWritten, now: datetime) -> None:
    """A question leaves like everything else: after the commit, and again until it is answered."""
    await outbox.enqueue(
        tx,
        channel=CHANNEL,
        key=echo.message_ref,
        ordering_key=keys.echo(echo.message_ref),
        payload=Question(
            message_ref=echo.message_ref, person_ref=echo.person_ref, text=echo.text, at=echo.at
        ),
        workspace_id=account.workspace_id,
        account_id=account.id,
        now=now,
    )


class EchoChannel:
    """Asks the platform to whom a message of ours went, and settles that person's private reply."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger,
        clients: Clients,
        *,
        secrets: SecretBox,
        clock: Clock,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._clients = clients
        self._secrets = secrets
        self._clock = clock
        self._threads = ThreadReader(database, messenger, clock=clock)

    async def send(self, delivery: OutboxMessage) -> Outcome:
        """Sent: with the private reply that it is, if any."""
        async with self._database.tx(ACTOR) as tx:
            account = await _account_of(tx, delivery)
            sender = await tokens.credentials(tx, self._secrets, account.id)
        echo = Question.read(delivery.payload).echo(account)
        if not await self._threads.turn(account.id):
            return Retry("many threads of this account are being read", MOVING)
        username = await self._messenger.addressee(sender, echo.message_ref)
        if username is None:
            return Retry("the platform does not say now")
        async with self._database.tx(ACTOR) as tx:
            _, found = await _look(tx, account, echo, self._clock.now())
        theirs = [one for one in found if one.state != "sent" and one.replies_to(username, echo)]
        if any(one.state == "sending" for one in theirs):
            return Retry("its reply is being sent again at this moment", MOVING)
        return Sent({"username": username, "send_id": str(theirs[0].id) if theirs else None})

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:  # noqa: ARG002 - a port's signature
        """Asking twice does no harm."""
        return Retry("the question may be asked again")

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        if isinstance(outcome, Sent) and outcome.result["send_id"]:
            account = await _account_of(tx, delivery)
            echo = Question.read(delivery.payload).echo(account)
            now, send_id = self._clock.now(), UUID(outcome.result["send_id"])
            if not await _settle(tx, self._clients, send_id, echo, now=now):
                # It was being sent again just then: the question is open until that is over.
                await outbox_rows.wait_for(tx, delivery.id, send_id, until=now + MOVING, now=now)


async def _account_of(tx: Tx, delivery: OutboxMessage) -> Account:
    account = await repository.account(tx, delivery.account_id) if delivery.account_id else None
    if account is None:
        raise tokens.AccountMissing(_("The account of this echo is gone."))
    return account
