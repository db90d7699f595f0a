"""Whose words an echo carries: ours, or those of a person who writes for the brand.

A platform repeats to us everything the account sends. An echo whose message we recorded is ours; so
is one that says what a send of ours says of which we do not know whether it arrived. That echo is
the proof: the send is settled by it. Only what nobody of us wrote was written by a person.

Our own sends commit while their echoes are handled. What is recorded and what is still on its way are
therefore asked in one statement: a send that settles between two questions would be found by neither.

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

import asyncpg

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.language import _
from selify.core.queue import outbox
from selify.core.queue.inbox import RetryLater
from selify.core.queue.outbox import Delivery, Outcome, Retry, Sent
from selify.core.secrets import SecretBox
from selify.messaging import accounts, outgoing, repository, sending
from selify.messaging.ports import Credentials, Messenger
from selify.messaging.thread_reading import ThreadReader
from selify.messaging.types import Account, AttachmentKind, MessageWritten
from selify.tryon import delivery_refunds

# No send of ours is in doubt for longer: a private reply lives seven days.
OLDEST = timedelta(days=8)
# A platform may name a message differently in its answer and in its echo.
SAME_WORDS = timedelta(minutes=10)
# A text that was cut to a platform's length is known by its beginning.
LONG_TEXT = 200
# What is moving now has come to rest by then.
MOVING = timedelta(seconds=2)


CHANNEL = "echoes"
ACTOR = Actor.system("echoes")

# Of what is not being tried at this moment. Words prove themselves; of pictures, which all look alike, only
# one whose try nobody saw the end of may be what is echoed: a refused one surely did not leave.
_MAY_HAVE_LEFT = f"""
    {outbox.TRIES} > 0
    AND (payload ->> 'kind' <> 'image' OR lost > 0 OR payload ? 'doubted_at')
"""


class Origin(StrEnum):
    RECORDED = "our own message, recorded when it was sent"
    OURS = "ours"
    ASKED = "ours, the platform is asked whose reply it is"
    MAYBE_OURS = "maybe ours"
    A_PERSON = "a person"


@dataclass(frozen=True, slots=True)
class _Send:
    """A delivery that may be what the echo repeats. ``for_them``: surely to the echo's person.

    ``names``: how the platform has named it, when it was sent and in an echo. ``echoed``: a sent
    picture whose echo is here already.
    """

    id: UUID
    state: str
    payload: Mapping[str, Any]
    for_them: bool
    names: frozenset[str]
    echoed: bool

    @property
    def in_doubt(self) -> bool:
        return self.state not in ("sending", "sent")

    def replies_to(self, username: str, echo: MessageWritten) -> bool:
        """Whether it is the private reply to a comment of this name, in the echo's words."""
        return (
            self.payload["kind"] == "private_reply"
            and self.payload.get("username") == username
            and _same(self, echo)
        )


async def recognise(tx: Tx, account: Account, echo: MessageWritten, *, now: datetime) -> Origin:
    """Whose message it is. A send of ours in doubt is settled by it, with all that follows."""
    recorded, candidates = await _look(tx, account, echo, now)
    if recorded or any(echo.message_ref in send.names for send in candidates):
        return Origin.RECORDED
    sends = [send for send in candidates if _same(send, echo)]
    theirs = [send for send in sends if send.for_them]
    others = [send for send in sends if not send.for_them and send.state != "sent"]
    for send in theirs:
        if send.in_doubt:
            await _settle_now(tx, send.id, echo, now=now)
            return Origin.OURS
    if any(send.state == "sending" for send in (*theirs, *others)):
        return Origin.MAYBE_OURS
    if len(others) == 1 and not theirs:
        await _settle_now(tx, others[0].id, echo, now=now)
        return Origin.OURS
    if others:
        await _ask(tx, account, echo)
        return Origin.ASKED
    if theirs:
        await _name(tx, theirs[0].id, echo.message_ref)
        return Origin.OURS
    return Origin.A_PERSON


async def _look(
    tx: Tx, account: Account, echo: MessageWritten, now: datetime
) -> tuple[bool, list[_Send]]:
    """Whether the message is recorded; sends to this person, and private replies whose reader nobody
    knows yet. One statement sees all of it at one moment: a send is either on its way or recorded.
    """
    rows = await tx.fetch(
        f"""
        SELECT EXISTS (SELECT FROM public.social_messages
                        WHERE platform_message_id = $8) AS recorded,
               send.*
          FROM (SELECT) AS once LEFT JOIN LATERAL (
            SELECT id, state, payload, result,
                   state = 'sent' AND payload ->> 'kind' = 'image' AND (
                       result ? 'echo_ref'
                       OR EXISTS (SELECT FROM public.webhook_events e
                                   WHERE e.platform = $9 AND e.payload ? 'attachments'
                                     AND e.payload @> jsonb_build_object(
                                             'mid', o.result ->> 'message_ref'))) AS echoed
              FROM internal.outbox o
             WHERE NOT EXISTS (SELECT FROM public.social_messages WHERE platform_message_id = $8)
               AND account_id = $1 AND channel = $2 AND created_at > $4::timestamptz - $5::interval
               AND ($3 IN (payload ->> 'person_ref', payload ->> 'commenter_ref',
                           result ->> 'person_ref')
                    OR (payload ->> 'kind' = 'private_reply' AND state <> 'sent'))
               AND (state IN ('sending', 'unknown')
                    OR (state = 'queued' AND {_MAY_HAVE_LEFT})
                    -- Tried before it was taken back.
                    OR (state = 'cancelled' AND {_MAY_HAVE_LEFT}
                        AND updated_at > $4::timestamptz - $7::interval)
                    OR (state = 'failed' AND result ->> 'code' = ANY ($6))
                    -- For long by its name alone, where it has one.
                    OR (state = 'sent' AND (sent_at > $4::timestamptz - $7::interval
                                            OR coalesce(result ->> 'message_ref', $8) = $8)))
             ORDER BY id) AS send ON true
        """,
        account.id,
        outgoing.CHANNEL,
        echo.person_ref,
        now,
        OLDEST,
        list(delivery_refunds.ARRIVED_PERHAPS),
        SAME_WORDS,
        echo.message_ref,
        account.platform,
    )
    return rows[0]["recorded"], [_send(row, echo.person_ref) for row in rows if row["id"]]


def _send(row: asyncpg.Record, person_ref: str) -> _Send:
    payload, result = row["payload"], row["result"] or {}
    reader = payload.get("person_ref") or result.get("person_ref") or payload.get("commenter_ref")
    names = frozenset(filter(None, (result.get("message_ref"), result.get("echo_ref"))))
    return _Send(
        row["id"],
        row["state"],
        payload,
        for_them=reader == person_ref,
        names=names,
        echoed=row["echoed"],
    )


async def _name(tx: Tx, send_id: UUID, message_ref: str) -> None:
    """The platform named a sent message otherwise in its echo. It repeats a message once: the next
    picture without a name that we know is not this one.
    """
    await tx.execute(
        """
        UPDATE internal.outbox SET result = result || jsonb_build_object('echo_ref', $2::text)
         WHERE id = $1 AND state = 'sent'
        """,
        send_id,
        message_ref,
    )


def _same(send: _Send, echo: MessageWritten) -> bool:
    """Pictures cannot be compared: each of ours explains one echo."""
    match send.payload["kind"]:
        case "image":
            pictures = [a for a in echo.attachments if a.kind is AttachmentKind.IMAGE]
            return bool(pictures) and not echo.text and not send.echoed
        case "text" | "private_reply":
            ours, seen = _words(send.payload["text"]), _words(echo.text)
            return ours == seen or (len(seen) >= LONG_TEXT and ours.startswith(seen))
        case _:
            return False


def _words(text: str) -> str:
    return " ".join(text.split())


async def _settle_now(tx: Tx, send_id: UUID, echo: MessageWritten, *, now: datetime) -> None:
    """Raises RetryLater when it is being sent again, or was settled, at this very moment."""
    if not await _settle(tx, send_id, echo, now=now):
        raise RetryLater("its send is moving at this moment", MOVING)


async def _settle(tx: Tx, send_id: UUID, echo: MessageWritten, *, now: datetime) -> bool:
    """False when the send is not in doubt (any more)."""
    said = {"message_ref": echo.message_ref, "person_ref": echo.person_ref}
    delivery = await outbox.confirm(tx, send_id, result=said, at=now)
    if delivery is None:
        return False
    await sending.settle_sent(tx, delivery, said, now=now, at=echo.at)
    return True


async def _ask(tx: Tx, account: Account, echo: MessageWritten) -> None:
    """A question leaves like everything else: after the commit, and again until it is answered."""
    await outbox.enqueue(
        tx,
        channel=CHANNEL,
        key=echo.message_ref,
        lane=f"echo:{echo.message_ref}",
        payload={
            "message_ref": echo.message_ref,
            "person_ref": echo.person_ref,
            "text": echo.text,
            "at": echo.at,
        },
        workspace_id=account.workspace_id,
        account_id=account.id,
    )


class EchoChannel:
    """Asks the platform to whom a message of ours went, and settles that person's private reply."""

    def __init__(
        self, database: Database, messenger: Messenger, *, secrets: SecretBox, clock: Clock
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._secrets = secrets
        self._clock = clock
        self._threads = ThreadReader(database, messenger, clock=clock)

    async def send(self, delivery: Delivery) -> Outcome:
        """Sent: with the private reply that it is, if any."""
        async with self._database.tx(ACTOR) as tx:
            account = await _account_of(tx, delivery)
            token = await accounts.open_token(tx, self._secrets, account.id)
        echo = _echo_of(delivery, account)
        sender = Credentials(account.platform_account_id, token)
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

    async def reconcile(self, delivery: Delivery) -> Outcome:  # noqa: ARG002 - a port's signature
        """Asking twice does no harm."""
        return Retry("the question may be asked again")

    async def settle(self, tx: Tx, delivery: Delivery, outcome: Outcome) -> None:
        if isinstance(outcome, Sent) and outcome.result["send_id"]:
            echo = _echo_of(delivery, await _account_of(tx, delivery))
            now, send_id = self._clock.now(), UUID(outcome.result["send_id"])
            if not await _settle(tx, send_id, echo, now=now):
                await _ask_again(tx, delivery, send_id, now)


async def _ask_again(tx: Tx, delivery: Delivery, send_id: UUID, now: datetime) -> None:
    """Its reply was being sent again just then: the question is open until that is over."""
    await tx.execute(
        """
        UPDATE internal.outbox
           SET state = 'queued', not_before = $2, result = NULL, sent_at = NULL, updated_at = $4
         WHERE id = $1
           AND EXISTS (SELECT 1 FROM internal.outbox WHERE id = $3 AND state = 'sending')
        """,
        delivery.id,
        now + MOVING,
        send_id,
        now,
    )


async def _account_of(tx: Tx, delivery: Delivery) -> Account:
    account = await repository.account(tx, delivery.account_id) if delivery.account_id else None
    if account is None:
        raise accounts.AccountMissing(_("The account of this echo is gone."))
    return account


def _echo_of(delivery: Delivery, account: Account) -> MessageWritten:
    payload = delivery.payload
    return MessageWritten(
        account_ref=account.platform_account_id,
        person_ref=payload["person_ref"],
        message_ref=payload["message_ref"],
        text=payload["text"],
        at=datetime.fromisoformat(payload["at"]),
        is_echo=True,
    )
