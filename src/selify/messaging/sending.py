"""Sending an answer: allowed? (account, pause, window, rate) → the platform → what follows.

The outbox channel of this domain. Every refusal is explained on its row: ``window_closed``,
``unreachable``, ``already_done`` … are final; a rate limit or a pause only makes it wait.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.language import _, stored
from selify.core.logging import get_logger
from selify.core.queue.outbox import GAVE_UP, Delivery, Failed, Outcome, Retry, Sent, Unknown, Wait
from selify.core.secrets import SecretBox
from selify.core.web.links import FileLinks
from selify.messaging import conversations, health, limits, repository, send_backoff, unanswered
from selify.messaging.conversations import Conversation
from selify.messaging.ports import (
    Accepted,
    Action,
    Credentials,
    Messenger,
    OutgoingMessage,
    QuickReply,
    Refused,
    SentMessage,
)
from selify.messaging.thread_reading import Interrupted, ThreadReader
from selify.messaging.types import Account
from selify.notifications.outbox import notify_workspace
from selify.tryon import delivery_refunds, interactions
from selify.tryon.dialogue import Stage

log = get_logger(__name__)

ACTOR = Actor.system("sending")
LINK_LIFE = timedelta(days=2)
NOT_CONNECTED_WAIT = timedelta(minutes=5)
RECONNECTED_WAIT = timedelta(seconds=1)
USAGE_ALERT = 0.95
USAGE_PAUSE = timedelta(minutes=2)
CLOCKS_DIFFER = timedelta(seconds=5)
LOOK_AGAIN = timedelta(seconds=12)
PRIVATE_REPLY_LIFE = timedelta(days=7)
DOUBT_LIFE = timedelta(hours=1)
TYPING_LOST = "typing_lost"
GONE = ("disconnected", "purged")
# The bot's last words before it falls silent.
FAREWELLS = ("stopped", "handed_to_human")
# The platform restricted the account and did not say for how long.
UNEXPLAINED_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Cleared:
    """A delivery that may leave now. ``sealed``: the stored form of the token it leaves with."""

    account: Account
    credentials: Credentials
    sealed: str


class MessageChannel:
    """Delivers the outbox's ``messages`` through a platform's messenger."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger,
        *,
        secrets: SecretBox,
        links: FileLinks,
        clock: Clock,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._secrets = secrets
        self._links = links
        self._clock = clock
        self._threads = ThreadReader(database, messenger, clock=clock)

    async def send(self, delivery: Delivery) -> Outcome:
        """Check, count against the limits, send."""
        try:
            message = self._message(delivery)
            async with self._database.tx(ACTOR) as tx:
                cleared = await self._clear(tx, delivery)
        except Exception as error:
            # Nothing has left yet, so it surely did not arrive.
            log.exception("a message could not be prepared", key=delivery.key)
            return Retry(f"{type(error).__name__}: {error}"[:500], code=_given_up_as(delivery))
        if not isinstance(cleared, _Cleared):
            return cleared
        started = monotonic()
        answer = await self._messenger.send(cleared.credentials, message)
        milliseconds = round((monotonic() - started) * 1000)
        if isinstance(answer, Accepted):
            return _sent(answer, milliseconds)
        return await self._refused(delivery, cleared, answer)

    async def reconcile(self, delivery: Delivery) -> Outcome:
        """Look into the thread for a message like ours that we have not recorded yet."""
        person_ref = delivery.payload.get("person_ref")
        if delivery.payload["kind"] == "typing":
            return Failed(TYPING_LOST, "not worth repeating")
        async with self._database.tx(ACTOR) as tx:
            account = await repository.account(tx, _uuid(delivery.account_id))
            if account is None or account.status in GONE:
                return Failed("not_connected", "the account was disconnected")
            if not person_ref:
                # A private reply: the platform refuses a second one, so asking again is safe.
                return Retry("repeating a private reply is safe", code=delivery_refunds.UNCONFIRMED)
            delivery = await _in_doubt(tx, delivery, self._clock.now())
            if account.status != "active":
                return self._still_unknown(delivery, f"the account is {account.status}")
            credentials, _ = await self._credentials(tx, account)
        found = await self._threads.find(
            account.id,
            credentials,
            person_ref,
            since=delivery.created_at - CLOCKS_DIFFER,
            cursor=delivery.payload.get("read_to", {}),
            fits=partial(self._is_this, self._message(delivery)),
        )
        if isinstance(found, SentMessage):
            return Sent({"message_ref": found.message_ref, "person_ref": person_ref})
        async with self._database.tx(ACTOR) as tx:
            if isinstance(found, Interrupted):
                await _mark(tx, delivery, {"read_to": found.cursor})
                return self._still_unknown(delivery, found.reason)
            await _no_doubt(tx, delivery)
        return Retry("it did not arrive", after=timedelta(0))

    async def _is_this(self, wanted: OutgoingMessage, found: SentMessage) -> bool:
        """Whether it says what we meant to say, and belongs to no other send."""
        same = found.has_attachment if wanted.image_url else found.text == wanted.text
        if not same:
            return False
        async with self._database.tx(ACTOR) as tx:
            return not await conversations.knows_message(tx, found.message_ref)

    def _still_unknown(self, delivery: Delivery, reason: str) -> Outcome:
        """Not for ever: what comes after it in the conversation must not wait for days."""
        now = self._clock.now()
        if now - datetime.fromisoformat(delivery.payload["doubted_at"]) > DOUBT_LIFE:
            return Failed(
                delivery_refunds.UNCONFIRMED, f"nobody can tell whether it arrived: {reason}"
            )
        # Apart from each other: platforms let a thread be read only so often.
        return Wait(now + LOOK_AGAIN * random.uniform(0.5, 1.5), reason)

    async def settle(self, tx: Tx, delivery: Delivery, outcome: Outcome) -> None:
        """What a send leaves behind: the message, the funnel, the account's health."""
        now = self._clock.now()
        match outcome:
            case Sent(said):
                await settle_sent(tx, delivery, dict(said), now=now)
            case Failed(code, reason):
                await self._settle_failed(tx, delivery, code, reason, now)
            case Retry() | Unknown() if delivery.payload["kind"] != "typing":
                if isinstance(outcome, Unknown):
                    await _in_doubt(tx, delivery, now)
                # A send that was in doubt has been counted when the doubt began.
                counted = isinstance(outcome, Retry) and "doubted_at" in delivery.payload
                account_id = delivery.account_id
                if account_id and not counted and await repository.account(tx, account_id):
                    await health.failed(
                        tx, account_id, at=now, code="send_uncertain", reason=outcome.reason
                    )
            case _:
                pass

    async def _clear(self, tx: Tx, delivery: Delivery) -> _Cleared | Outcome:
        now = self._clock.now()
        account = await repository.account(tx, _uuid(delivery.account_id))
        if account is None or account.status in GONE:
            return Failed("not_connected", "the account was disconnected")
        typing = delivery.payload["kind"] == "typing"
        if not typing and await _silenced(tx, account, delivery.payload):
            return Failed("silenced", "the person said stop, or somebody of the brand took over")
        photo_ref = delivery.payload.get("photo_ref")
        if photo_ref and await conversations.was_unsent(tx, photo_ref):
            return Failed("taken_back", "the person took the photo back")
        closed = None if typing else await self._window_closed(tx, delivery, now)
        if closed:
            return closed
        if account.status != "active":
            waiting = f"the account is {account.status}: connect it again"
            return (
                Failed(TYPING_LOST, waiting) if typing else Wait(now + NOT_CONNECTED_WAIT, waiting)
            )
        held = await self._held_back(tx, account, now, typing=typing)
        return held or _Cleared(account, *await self._credentials(tx, account))

    async def _held_back(
        self, tx: Tx, account: Account, now: datetime, *, typing: bool
    ) -> Outcome | None:
        """A pause, the pace, or the hour's and the day's limit. Typing dots wait for none of them."""
        paused = await send_backoff.paused_until(tx, account.id, now)
        if paused and paused > now:
            if typing:
                return Failed(TYPING_LOST, "the account is paused")
            after = await limits.queue(tx, account.id, paused)
            return Wait(after, send_backoff.SLOW_DOWN)
        turn = await limits.take_turn(tx, account.id, now)
        if turn:
            return (
                Failed(TYPING_LOST, "there are many answers to send")
                if typing
                else Wait(turn, "many answers leave at this moment: this one has its turn soon")
            )
        opening = None if typing else await limits.take(tx, account.id, now)
        if opening:
            return Wait(opening, "our safety limit of messages per hour or day is reached")
        return None

    async def _window_closed(self, tx: Tx, delivery: Delivery, now: datetime) -> Failed | None:
        """24 hours from the person's last message; 7 days for the reply to a comment."""
        conversation_id = delivery.payload.get("conversation_id")
        if conversation_id is None:
            commented_at = delivery.payload.get("commented_at")
            since = datetime.fromisoformat(commented_at) if commented_at else delivery.created_at
            if now - since > PRIVATE_REPLY_LIFE:
                return Failed("window_closed", "the comment is older than 7 days")
            return None
        until = await conversations.window_open_until(tx, UUID(conversation_id))
        if until is None or until < now:
            return Failed("window_closed", "the person's last message is older than 24 hours")
        return None

    async def _credentials(self, tx: Tx, account: Account) -> tuple[Credentials, str]:
        """And the sealed token."""
        sealed = await tx.fetch_value(
            "SELECT access_token FROM public.connected_social_accounts WHERE id = $1", account.id
        )
        token = self._secrets.open(sealed, about=token_identity(account.id))
        return Credentials(account.platform_account_id, token), sealed

    def _message(self, delivery: Delivery) -> OutgoingMessage:
        payload = delivery.payload
        message = OutgoingMessage(
            person_ref=payload.get("person_ref", ""), comment_ref=payload.get("comment_ref", "")
        )
        match payload["kind"]:
            case "typing":
                return replace(message, typing=True)
            case "image":
                link = self._links.make(
                    payload["storage_key"], now=self._clock.now(), lasts=LINK_LIFE
                )
                return replace(message, image_url=link)
            case _:
                buttons = tuple(
                    QuickReply(title, word) for title, word in payload.get("buttons", ())
                )
                text = self._messenger.split(payload["text"])[0]
                return replace(message, text=text, quick_replies=buttons)

    async def _refused(self, delivery: Delivery, cleared: _Cleared, refused: Refused) -> Outcome:
        """From the platform's refusal to what the outbox should do."""
        log.info("the platform refused", action=refused.action.value, code=refused.code)
        typing = delivery.payload["kind"] == "typing"
        async with self._database.tx(ACTOR) as tx:
            # The pace first, the count second: in the order in which a send asks for them.
            outcome = await self._consequence(tx, delivery, cleared, refused)
            if not typing and refused.action is not Action.UNKNOWN:
                await limits.give_back(tx, cleared.account.id)
        return Failed(TYPING_LOST, refused.reason) if typing else outcome

    async def _consequence(
        self, tx: Tx, delivery: Delivery, cleared: _Cleared, refused: Refused
    ) -> Outcome:
        now, after = self._clock.now(), refused.retry_after
        private = bool(delivery.payload.get("comment_ref"))
        match refused.action:
            case Action.RETRY:
                rest = timedelta(seconds=after) if after else None
                return Retry(refused.reason, rest, _given_up_as(delivery))
            case Action.UNKNOWN:
                return Unknown(refused.reason)
            case Action.LATER:
                return Wait(now + _length(refused), refused.reason)
            case Action.ASK_OWNER if private:
                # What comments need is a permission of its own: other answers may still leave.
                await _blamed(tx, cleared.account, refused, now, only_comments=True)
                return Wait(now + _length(refused), refused.reason)
            case Action.PAUSE_ACCOUNT | Action.PAUSE_PLATFORM | Action.ASK_OWNER:
                until = await _pause(tx, cleared.account, refused, now)
                return Wait(await limits.queue(tx, cleared.account.id, until), refused.reason)
            case Action.REAUTHORISE:
                died = await token_died(
                    tx, cleared.account.id, refused.code, now, sealed=cleared.sealed
                )
                return Wait(
                    now + (NOT_CONNECTED_WAIT if died else RECONNECTED_WAIT), refused.reason
                )
            case Action.ALREADY_DONE if await _is_lost_reply(tx, delivery):
                # The first try arrived, in the thread of whoever wrote that comment.
                return Sent({"message_ref": None, "person_ref": delivery.payload["commenter_ref"]})
            case action:
                return Failed(action.value, f"{refused.code}: {refused.reason}")

    async def _settle_failed(
        self, tx: Tx, delivery: Delivery, code: str, reason: str, now: datetime
    ) -> None:
        if delivery.payload["kind"] == "typing" or delivery.account_id is None:
            return
        await delivery_refunds.settle(tx, self._clock, delivery, code)
        told = await unanswered.settle(tx, delivery, code, now=now)
        if code in (Action.STOP.value, GAVE_UP):
            await health.failed(tx, delivery.account_id, at=now, code=code, reason=reason)
        if not told and code in _telling(delivery):
            await notify_workspace(
                tx,
                workspace_id=_uuid(delivery.workspace_id),
                kind="message_failed",
                title=_("A message could not be delivered"),
                body=stored(reason),
                action_url="/accounts",
                dedupe_key=f"message_failed/{delivery.account_id}/{now:%Y-%m-%d}",
            )


def _telling(delivery: Delivery) -> tuple[str, ...]:
    """Ends that a brand hears of where no conversation tells it: a private reply has none."""
    ends: tuple[str, ...] = (Action.STOP.value, GAVE_UP)
    if delivery.payload["kind"] == "private_reply":
        ends = (*ends, Action.WINDOW_CLOSED.value, delivery_refunds.UNCONFIRMED)
    return ends


def token_identity(account_id: UUID) -> str:
    """What a sealed access token is bound to."""
    return f"connected_social_accounts.access_token:{account_id}"


async def settle_sent(
    tx: Tx,
    delivery: Delivery,
    said: dict[str, Any],
    *,
    now: datetime,
    at: datetime | None = None,
) -> None:
    """A send arrived, by the platform's answer or by its echo (``at``: when, if known)."""
    payload = delivery.payload
    account = await repository.account(tx, _uuid(delivery.account_id))
    if account is None:
        return
    if said.get("usage", 0.0) >= USAGE_ALERT:
        await send_backoff.pause(tx, account.id, now=now, length=USAGE_PAUSE)
    if payload["kind"] == "typing":
        return
    await health.succeeded(
        tx,
        account.id,
        at=now,
        milliseconds=said.get("milliseconds"),
        to_comment=payload["kind"] == "private_reply",
    )
    conversation = await _conversation_of(tx, account, payload, said, now)
    if conversation is None:
        return
    await conversations.record_message(
        tx,
        conversation,
        message_ref=said["message_ref"],
        sender_ref=account.platform_account_id,
        text=payload.get("text", ""),
        kind="image" if payload["kind"] == "image" else "text",
        attachments=_attachments(payload),
        at=min(at or now, now),
    )
    log.info(
        "{shopper} received an answer: {what}",
        shopper=conversation.username or payload.get("username") or "a shopper",
        what=payload["purpose"].replace("_", " ").replace(":", ": "),
    )
    interaction = payload.get("interaction_id")
    if interaction:
        await interactions.responded(
            tx,
            UUID(interaction),
            response=payload["purpose"],
            at=min(at or now, now),
            conversation_id=conversation.id,
        )
    if payload["purpose"] == "feedback" and conversation.state.stage is Stage.RESULT_SENT:
        asked = replace(conversation.state, stage=Stage.AWAITING_FEEDBACK)
        await conversations.save_state(tx, conversation, asked)


async def _conversation_of(
    tx: Tx, account: Account, payload: dict[str, Any], said: dict[str, Any], now: datetime
) -> Conversation | None:
    if payload["kind"] != "private_reply":
        return await conversations.lock_by_id(tx, UUID(payload["conversation_id"]))
    return await _open_thread(tx, account, payload, said["person_ref"], now)


async def _open_thread(
    tx: Tx, account: Account, payload: dict[str, Any], person_ref: str, now: datetime
) -> Conversation:
    """The platform told us whose comment we answered: the thread now knows its garment."""
    conversation = await conversations.lock(tx, account, person_ref)
    await conversations.set_username(tx, conversation, payload.get("username", ""))
    stage = conversation.state.stage
    commented_at = datetime.fromisoformat(payload["commented_at"])
    state = conversation.state.speaking(payload["language"], at=commented_at, now=now)
    state = replace(state, binding_id=UUID(payload["binding_id"]), nudges=0)
    if stage is not Stage.GENERATING:
        state = replace(
            state, stage=Stage.AWAITING_PHOTO, interaction_id=UUID(payload["interaction_id"])
        )
    await conversations.save_state(tx, conversation, state)
    return replace(conversation, state=state, is_new=False)


async def token_died(tx: Tx, account_id: UUID, code: str, now: datetime, *, sealed: str) -> bool:
    """No send of this account leaves until its owner connects it again.

    ``sealed``: the stored token that was refused. False, and nothing happens, when the account has
    another one by now: the refusal is old news.
    """
    died = await tx.execute(
        """
        UPDATE public.connected_social_accounts
           SET status = 'expired', error_message = 'The access token is no longer accepted.'
         WHERE id = $1 AND status = 'active' AND access_token = $2
        """,
        account_id,
        sealed,
    )
    if not died:
        return False
    await health.failed(tx, account_id, at=now, code=code, token_dead=True)
    return True


def _length(refused: Refused) -> timedelta:
    """How long to wait, at first."""
    return timedelta(seconds=refused.retry_after) if refused.retry_after else UNEXPLAINED_PAUSE


async def _pause(tx: Tx, account: Account, refused: Refused, now: datetime) -> datetime:
    """Until when. Who is not told how long waits ever longer."""
    hold = (
        send_backoff.pause_platform
        if refused.action is Action.PAUSE_PLATFORM
        else send_backoff.pause
    )
    grows = refused.grows or not refused.retry_after
    until = await hold(
        tx,
        account.id,
        now=now,
        length=_length(refused),
        grows=grows,
        why=refused.reason,
        may_end_early=refused.guessed,
    )
    await _blamed(tx, account, refused, now)
    return until


async def _blamed(
    tx: Tx, account: Account, refused: Refused, now: datetime, *, only_comments: bool = False
) -> None:
    await health.failed(
        tx,
        account.id,
        at=now,
        code=refused.code,
        reason=refused.reason,
        needs_owner=refused.alert,
        only_comments=only_comments,
    )


async def _is_lost_reply(tx: Tx, delivery: Delivery) -> bool:
    """A private reply that was tried before, to somebody whose thread has the comment's own id.

    Other threads are found by the reply's echo (``echoes``) or when its reader writes
    (``lost_replies``).
    """
    commenter = delivery.payload.get("commenter_ref")
    if not commenter or delivery.tries <= 1:
        return False
    return bool(
        await tx.fetch_value(
            """
            SELECT true FROM public.social_conversations
             WHERE connected_account_id = $1 AND platform_user_id = $2
            """,
            delivery.account_id,
            commenter,
        )
    )


def _given_up_as(delivery: Delivery) -> str:
    """A private reply of which one try ended in doubt may have arrived, whatever its last try says:
    nobody looks into its thread.
    """
    doubted = "doubted_at" in delivery.payload or delivery.lost > 0
    private = delivery.payload["kind"] == "private_reply"
    return delivery_refunds.UNCONFIRMED if private and doubted else GAVE_UP


async def _in_doubt(tx: Tx, delivery: Delivery, now: datetime) -> Delivery:
    """From now on the delivery knows since when nobody can tell."""
    if "doubted_at" in delivery.payload:
        return delivery
    mark = {"doubted_at": now.isoformat()}
    await _mark(tx, delivery, mark)
    return replace(delivery, payload={**delivery.payload, **mark})


async def _mark(tx: Tx, delivery: Delivery, mark: Mapping[str, Any]) -> None:
    """Remember something about a delivery in doubt, on its row."""
    await tx.execute(
        "UPDATE internal.outbox SET payload = payload || $2 WHERE id = $1", delivery.id, dict(mark)
    )


async def _no_doubt(tx: Tx, delivery: Delivery) -> None:
    """It surely did not arrive. If the next try ends in doubt, that is a new one."""
    await tx.execute(
        "UPDATE internal.outbox SET payload = payload - 'doubted_at' - 'read_to' WHERE id = $1",
        delivery.id,
    )


async def _silenced(tx: Tx, account: Account, payload: dict[str, Any]) -> bool:
    """Whether the bot may not speak here (any more), whatever was queued before.

    Not cancelled with the rest is what was just being tried when the person said stop.
    """
    if payload["purpose"] in FAREWELLS:
        return False
    return bool(
        await tx.fetch_value(
            """
            SELECT coalesce((conversation_state ->> 'opted_out')::boolean, false)
                   OR conversation_state ->> 'handler' = 'human'
              FROM public.social_conversations
             WHERE id = $1 OR (connected_account_id = $2 AND platform_user_id = $3)
            """,
            UUID(payload["conversation_id"]) if payload.get("conversation_id") else None,
            account.id,
            payload.get("commenter_ref"),
        )
    )


def _sent(answer: Accepted, milliseconds: int) -> Sent:
    return Sent(
        {
            "message_ref": answer.message_ref,
            "person_ref": answer.person_ref,
            "usage": answer.usage,
            "milliseconds": milliseconds,
        }
    )


def _attachments(payload: dict[str, Any]) -> list[dict[str, Any]]:
    if payload["kind"] != "image":
        return []
    return [{"type": "image", "storage_key": payload["storage_key"]}]


def _uuid(value: UUID | None) -> UUID:
    if value is None:
        raise ValueError("this delivery belongs to no account")
    return value
