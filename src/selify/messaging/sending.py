"""Sending an answer: allowed? (account, pause, window, rate) → the platform → what follows.

The outbox channel of this wing. Every refusal is explained on its row: ``window_closed``,
``unreachable``, ``already_done`` … are final; a rate limit or a pause only makes it wait.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.logging import get_logger
from selify.core.queue import outbox_rows
from selify.core.queue.outbox import (
    GAVE_UP,
    Deferred,
    Failed,
    OutboxMessage,
    Outcome,
    Retry,
    Sent,
    Unknown,
)
from selify.core.secrets import SecretBox
from selify.core.web.links import FileLinks
from selify.messaging import (
    clearance,
    conversations,
    health,
    limits,
    outcomes,
    repository,
    send_backoff,
    tokens,
)
from selify.messaging.clearance import Clearance
from selify.messaging.clients import Clients
from selify.messaging.outgoing import UNCONFIRMED, Kind, Outgoing
from selify.messaging.ports import (
    Action,
    Credentials,
    Messenger,
    OutgoingMessage,
    QuickReply,
    Refused,
    SentMessage,
)
from selify.messaging.thread_reading import Interrupted, ThreadReader

log = get_logger(__name__)

ACTOR = Actor.system("sending")
LINK_LIFE = timedelta(days=2)
NOT_CONNECTED_WAIT = timedelta(minutes=5)
RECONNECTED_WAIT = timedelta(seconds=1)
CLOCKS_DIFFER = timedelta(seconds=5)
LOOK_AGAIN = timedelta(seconds=12)
PRIVATE_REPLY_LIFE = timedelta(days=7)
DOUBT_LIFE = timedelta(hours=1)
TYPING_LOST = "typing_lost"
# The platform restricted the account and did not say for how long.
UNEXPLAINED_PAUSE = timedelta(minutes=30)


class MessageChannel:
    """Delivers the outbox's ``messages`` through a platform's messenger."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger,
        clients: Clients,
        *,
        secrets: SecretBox,
        links: FileLinks,
        clock: Clock,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._clients = clients
        self._secrets = secrets
        self._links = links
        self._clock = clock
        self._threads = ThreadReader(database, messenger, clock=clock)

    async def send(self, delivery: OutboxMessage) -> Outcome:
        """Check, count against the limits, send."""
        try:
            message = Outgoing.read(delivery.payload)
            prepared = self._prepare(message)
            async with self._database.tx(ACTOR) as tx:
                sender = await self._clear(tx, delivery, message)
        except Exception as error:
            # Nothing has left yet, so it surely did not arrive.
            log.exception("a message could not be prepared", key=delivery.key)
            return Retry(f"{type(error).__name__}: {error}"[:500], code=_given_up_as(delivery))
        if not isinstance(sender, Credentials):
            return sender
        started = monotonic()
        answer = await self._messenger.send(sender, prepared)
        if isinstance(answer, Refused):
            return await self._refused(delivery, message, sender, answer)
        return Sent(
            {
                "message_ref": answer.message_ref,
                "person_ref": answer.person_ref,
                "usage": answer.usage,
                "milliseconds": round((monotonic() - started) * 1000),
            }
        )

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        """Look into the thread for a message like ours that we have not recorded yet."""
        message = Outgoing.read(delivery.payload)
        if message.kind is Kind.TYPING:
            return Failed(TYPING_LOST, "not worth repeating")
        async with self._database.tx(ACTOR) as tx:
            account = await repository.account(tx, _account_of(delivery))
            if account is None or account.status in repository.GONE:
                return Failed("not_connected", "the account was disconnected")
            if message.kind is Kind.PRIVATE_REPLY:
                # The platform refuses a second one, so asking again is safe.
                return Retry("repeating a private reply is safe", code=UNCONFIRMED)
            since = await _in_doubt(tx, delivery, message, self._clock.now())
            if account.status != "active":
                return self._still_unknown(since, f"the account is {account.status}")
            sender = await tokens.credentials(tx, self._secrets, account.id)
        found = await self._threads.find(
            account.id,
            sender,
            message.person_ref,
            since=delivery.created_at - CLOCKS_DIFFER,
            cursor=message.read_to,
            fits=partial(self._is_this, self._prepare(message)),
        )
        if isinstance(found, SentMessage):
            return Sent({"message_ref": found.message_ref, "person_ref": message.person_ref})
        async with self._database.tx(ACTOR) as tx:
            if isinstance(found, Interrupted):
                await outbox_rows.note(tx, delivery.id, read_to=found.cursor)
                return self._still_unknown(since, found.reason)
            # If the next try ends in doubt, that is a new one.
            await outbox_rows.strike_notes(tx, delivery.id, "doubted_at", "read_to")
        return Retry("it did not arrive", after=timedelta(0))

    async def _is_this(self, wanted: OutgoingMessage, found: SentMessage) -> bool:
        """Whether it says what we meant to say, and belongs to no other send."""
        same = found.has_attachment if wanted.image_url else found.text == wanted.text
        if not same:
            return False
        async with self._database.tx(ACTOR) as tx:
            return not await conversations.knows_message(tx, found.message_ref)

    def _still_unknown(self, since: datetime, reason: str) -> Outcome:
        """Not for ever: what comes after it in the conversation must not wait for days."""
        now = self._clock.now()
        if now - since > DOUBT_LIFE:
            return Failed(UNCONFIRMED, f"nobody can tell whether it arrived: {reason}")
        # Apart from each other: platforms let a thread be read only so often.
        return Deferred(now + LOOK_AGAIN * random.uniform(0.5, 1.5), reason)

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        """What a send leaves behind: the message, the account's health, and what its client makes of it."""
        now = self._clock.now()
        match outcome:
            case Sent(said):
                await outcomes.arrived(tx, self._clients, delivery, said, now=now)
            case Failed(code, reason):
                await outcomes.failed(tx, self._clients, delivery, code, reason, now=now)
            case Retry() | Unknown():
                await self._note_doubt(tx, delivery, outcome, now)
            case _:
                pass

    async def _note_doubt(
        self, tx: Tx, delivery: OutboxMessage, outcome: Retry | Unknown, now: datetime
    ) -> None:
        message = Outgoing.read(delivery.payload)
        if message.kind is Kind.TYPING:
            return
        if isinstance(outcome, Unknown):
            await _in_doubt(tx, delivery, message, now)
        # A send that was in doubt has been counted when the doubt began.
        counted = isinstance(outcome, Retry) and message.doubted_at is not None
        account_id = delivery.account_id
        if account_id and not counted and await repository.account(tx, account_id):
            await health.failed(
                tx, account_id, at=now, code="send_uncertain", reason=outcome.reason
            )

    async def _clear(
        self, tx: Tx, delivery: OutboxMessage, message: Outgoing
    ) -> Credentials | Outcome:
        """As whom it may leave now, or why not (yet)."""
        now = self._clock.now()
        found = await clearance.look(tx, delivery.account_id, message, now)
        if found is None or found.account.status in repository.GONE:
            return Failed("not_connected", "the account was disconnected")
        typing = message.kind is Kind.TYPING
        if not typing and not message.farewell and found.silenced:
            return Failed("silenced", "the person said stop, or somebody of the brand took over")
        if found.unsent:
            return Failed("taken_back", "the person took back what it was made of")
        closed = None if typing else _window_closed(delivery, message, found.open_until, now)
        if closed:
            return Failed("window_closed", closed)
        if found.account.status != "active":
            waiting = f"the account is {found.account.status}: connect it again"
            return (
                Failed(TYPING_LOST, waiting)
                if typing
                else Deferred(now + NOT_CONNECTED_WAIT, waiting)
            )
        held = await _held_back(tx, found, now, typing=typing)
        return held or tokens.unseal(
            self._secrets, found.account.id, found.account.platform_account_id, found.sealed
        )

    def _prepare(self, message: Outgoing) -> OutgoingMessage:
        """As the platform takes it. The address under which it fetches a picture is made now."""
        prepared = OutgoingMessage(person_ref=message.person_ref, comment_ref=message.comment_ref)
        match message.kind:
            case Kind.TYPING:
                return replace(prepared, typing=True)
            case Kind.IMAGE:
                link = self._links.make(message.storage_key, now=self._clock.now(), lasts=LINK_LIFE)
                return replace(prepared, image_url=link)
            case _:
                buttons = tuple(QuickReply(title, word) for title, word in message.buttons)
                text = self._messenger.split(message.text)[0]
                return replace(prepared, text=text, quick_replies=buttons)

    async def _refused(
        self, delivery: OutboxMessage, message: Outgoing, sender: Credentials, refused: Refused
    ) -> Outcome:
        """From the platform's refusal to what the outbox should do."""
        log.info("the platform refused", action=refused.action.value, code=refused.code)
        typing = message.kind is Kind.TYPING
        async with self._database.tx(ACTOR) as tx:
            # The pace first, the count second: in the order in which a send asks for them.
            outcome = await self._consequence(tx, delivery, message, sender, refused)
            if not typing and refused.action is not Action.UNKNOWN:
                await limits.release(tx, _account_of(delivery))
        return Failed(TYPING_LOST, refused.reason) if typing else outcome

    async def _consequence(
        self,
        tx: Tx,
        delivery: OutboxMessage,
        message: Outgoing,
        sender: Credentials,
        refused: Refused,
    ) -> Outcome:
        now, after = self._clock.now(), refused.retry_after
        account_id = _account_of(delivery)
        private = message.kind is Kind.PRIVATE_REPLY
        match refused.action:
            case Action.RETRY:
                rest = timedelta(seconds=after) if after else None
                return Retry(refused.reason, rest, _given_up_as(delivery))
            case Action.UNKNOWN:
                return Unknown(refused.reason)
            case Action.LATER:
                return Deferred(now + _length(refused), refused.reason)
            case Action.ASK_OWNER if private:
                # What comments need is a permission of its own: other answers may still leave.
                await _blamed(tx, account_id, refused, now, only_comments=True)
                return Deferred(now + _length(refused), refused.reason)
            case Action.PAUSE_ACCOUNT | Action.PAUSE_PLATFORM | Action.ASK_OWNER:
                until = await _pause(tx, account_id, refused, now)
                return Deferred(await limits.queue(tx, account_id, until), refused.reason)
            case Action.REAUTHORISE:
                died = await tokens.died(tx, account_id, refused.code, now, sealed=sender.sealed)
                return Deferred(
                    now + (NOT_CONNECTED_WAIT if died else RECONNECTED_WAIT), refused.reason
                )
            case Action.ALREADY_DONE if await _is_lost_reply(tx, delivery, message):
                # The first try arrived, in the thread of whoever wrote that comment.
                return Sent({"message_ref": None, "person_ref": message.commenter_ref})
            case action:
                return Failed(action.value, f"{refused.code}: {refused.reason}")


def _length(refused: Refused) -> timedelta:
    """How long to wait, at first."""
    return timedelta(seconds=refused.retry_after) if refused.retry_after else UNEXPLAINED_PAUSE


async def _pause(tx: Tx, account_id: UUID, refused: Refused, now: datetime) -> datetime:
    """Until when. Who is not told how long waits ever longer."""
    hold = (
        send_backoff.pause_platform
        if refused.action is Action.PAUSE_PLATFORM
        else send_backoff.pause
    )
    grows = refused.grows or not refused.retry_after
    until = await hold(
        tx,
        account_id,
        now=now,
        length=_length(refused),
        grows=grows,
        why=refused.reason,
        may_end_early=refused.guessed,
    )
    await _blamed(tx, account_id, refused, now)
    return until


async def _blamed(
    tx: Tx, account_id: UUID, refused: Refused, now: datetime, *, only_comments: bool = False
) -> None:
    await health.failed(
        tx,
        account_id,
        at=now,
        code=refused.code,
        reason=refused.reason,
        needs_owner=refused.alert,
        only_comments=only_comments,
    )


async def _is_lost_reply(tx: Tx, delivery: OutboxMessage, message: Outgoing) -> bool:
    """A private reply that was tried before, to somebody whose thread has the comment's own id.

    Other threads are found by the reply's echo (``echoes``) or when its reader writes
    (``lost_replies``).
    """
    if not message.commenter_ref or delivery.tries <= 1:
        return False
    return bool(
        await tx.fetch_value(
            """
            SELECT true FROM public.social_conversations
             WHERE connected_account_id = $1 AND platform_user_id = $2
            """,
            delivery.account_id,
            message.commenter_ref,
        )
    )


def _given_up_as(delivery: OutboxMessage) -> str:
    """A private reply of which one try ended in doubt may have arrived, whatever its last try says:
    nobody looks into its thread.
    """
    doubted = "doubted_at" in delivery.payload or delivery.lost > 0
    private = delivery.payload.get("kind") == Kind.PRIVATE_REPLY
    return UNCONFIRMED if private and doubted else GAVE_UP


async def _in_doubt(tx: Tx, delivery: OutboxMessage, message: Outgoing, now: datetime) -> datetime:
    """Since when nobody can tell; from now on, at the latest."""
    if message.doubted_at is None:
        await outbox_rows.note(tx, delivery.id, doubted_at=now.isoformat())
    return message.doubted_at or now


def _window_closed(
    delivery: OutboxMessage, message: Outgoing, until: datetime | None, now: datetime
) -> str:
    """24 hours from the person's last message; 7 days for the reply to a comment."""
    if message.conversation_id is None:
        late = now - (message.commented_at or delivery.created_at) > PRIVATE_REPLY_LIFE
        return "the comment is older than 7 days" if late else ""
    late = until is None or until < now
    return "the person's last message is older than 24 hours" if late else ""


async def _held_back(tx: Tx, found: Clearance, now: datetime, *, typing: bool) -> Outcome | None:
    """A pause, the pace, or the hour's and the day's limit. Typing dots wait for none of them."""
    account_id, paused = found.account.id, found.paused_until
    if paused and paused > now:
        if typing:
            return Failed(TYPING_LOST, "the account is paused")
        return Deferred(await limits.queue(tx, account_id, paused), send_backoff.SLOW_DOWN)
    if typing:
        turn = await limits.acquire_slot(tx, account_id, now)
        return Failed(TYPING_LOST, "there are many answers to send") if turn else None
    try:
        opening = await limits.take_in_turn(tx, account_id, now)
    except limits.NotInTurn as ahead:
        return Deferred(ahead.until, str(ahead))
    if opening:
        return Deferred(opening, "our safety limit of messages per hour or day is reached")
    return None


def _account_of(delivery: OutboxMessage) -> UUID:
    if delivery.account_id is None:
        raise ValueError("this delivery belongs to no account")
    return delivery.account_id
