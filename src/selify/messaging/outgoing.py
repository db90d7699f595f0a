"""Messages that are asked for: queued with the change that causes them, sent by ``sending``.

Whoever asks hears what became of it (``clients.DeliveryObserver``). How it ends that did not arrive:
``window_closed``, ``unreachable``, ``silenced``, ``taken_back``, ``gave_up`` … surely not; those of
``ARRIVED_PERHAPS`` may have.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from selify.core.database import Tx
from selify.core.queue import outbox, outbox_rows
from selify.core.queue.payload import Payload
from selify.messaging.conversations import Conversation
from selify.messaging.ports import Action
from selify.messaging.types import Account

CHANNEL = "messages"
UNCONFIRMED = "unconfirmed"
# What nobody knows of may have arrived, and counts as arrived for as long as that is so.
ARRIVED_PERHAPS = (UNCONFIRMED, Action.ALREADY_DONE.value)
# How long a debounced message waits for what would make it needless.
DEBOUNCE = timedelta(seconds=4)


class Kind(StrEnum):
    """``TYPING``: seen, and typing dots. ``PRIVATE_REPLY``: the one answer a comment may get."""

    TEXT = "text"
    IMAGE = "image"
    TYPING = "typing"
    PRIVATE_REPLY = "private_reply"


DOTS = {"kind": Kind.TYPING.value}


class Outgoing(Payload):
    """A message that somebody asks for.

    ``client`` and ``purpose``: who asked, and what for in their words; ``about`` is given back to them with
    the outcome. ``made_of``: the message of theirs that it is made of; taken back, it does not leave.
    ``debounced``: needless if they write meanwhile. ``farewell``: leaves into silence too. ``awaited``:
    its reader waits for it, and gets a person where it never arrives. ``accounted_for``: its client must
    hear how it ends even where it never left; until they have, the row says so.

    ``doubted_at`` and ``read_to`` are notes of ``sending``: since when nobody knows whether it arrived, and how
    far the thread was read to find out.
    """

    kind: Kind
    client: str
    purpose: str = ""
    about: Mapping[str, str] = {}
    person_ref: str = ""
    conversation_id: UUID | None = None
    text: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    storage_key: str = ""
    made_of: str = ""
    debounced: bool = False
    farewell: bool = False
    awaited: bool = True
    accounted_for: bool = False
    comment_ref: str = ""
    commenter_ref: str = ""
    commented_at: datetime | None = None
    username: str = ""
    doubted_at: datetime | None = None
    read_to: Mapping[str, Any] = {}


async def send(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    message: Outgoing,
    *,
    key: str,
    now: datetime,
) -> None:
    """Queue it behind what was asked for before in this conversation. ``key`` names what is being
    answered: asking twice does nothing.
    """
    addressed = message.model_copy(
        update={"person_ref": conversation.person_ref, "conversation_id": conversation.id}
    )
    await _enqueue(tx, account, addressed, ordering_key=conversation.ordering_key, key=key, now=now)


async def show_typing(
    tx: Tx, account: Account, conversation: Conversation, *, client: str, key: str, now: datetime
) -> None:
    """Seen, and typing dots. They go first, outside the queue's order, and may fail silently."""
    dots = Outgoing(kind=Kind.TYPING, client=client, person_ref=conversation.person_ref)
    await _enqueue(tx, account, dots, ordering_key=f"typing:{key}", key=key, now=now)


async def reply_privately(tx: Tx, account: Account, message: Outgoing, *, now: datetime) -> bool:
    """The one private answer a comment may get; false when it has it already. The thread is known
    only once it was sent.
    """
    return await _enqueue(
        tx,
        account,
        message,
        ordering_key=f"comment:{account.id}:{message.commenter_ref}",
        key=f"comment:{message.comment_ref}",
        now=now,
    )


async def cancel(
    tx: Tx,
    message_ref: str,
    *,
    account_id: UUID | None,
    ordering_key: str,
    kinds: Sequence[str],
    reason: str,
    now: datetime,
) -> int:
    """What was queued about one message of theirs and has not left yet does not leave any more; how
    much that was. ``kinds``: how the keys of such answers begin.
    """
    return await outbox_rows.cancel(
        tx,
        channel=CHANNEL,
        ordering_key=ordering_key,
        reason=reason,
        now=now,
        keys=[f"{account_id}/{kind}/{message_ref}" for kind in kinds],
    )


async def cancel_debounced(
    tx: Tx, conversation: Conversation, *, reason: str, now: datetime
) -> None:
    """What they were about to be told has become needless."""
    await outbox_rows.cancel(
        tx,
        channel=CHANNEL,
        ordering_key=conversation.ordering_key,
        reason=reason,
        now=now,
        having="debounced",
    )


async def fall_silent(tx: Tx, conversation: Conversation, *, reason: str, now: datetime) -> None:
    """Nothing that was asked for before leaves any more."""
    await outbox_rows.cancel(
        tx, channel=CHANNEL, ordering_key=conversation.ordering_key, reason=reason, now=now
    )


async def _enqueue(
    tx: Tx,
    account: Account,
    message: Outgoing,
    *,
    ordering_key: str,
    key: str,
    now: datetime,
) -> bool:
    """False when this was queued before."""
    queued = await outbox.enqueue(
        tx,
        channel=CHANNEL,
        key=f"{account.id}/{key}",
        payload=message.stored(),
        ordering_key=ordering_key,
        workspace_id=account.workspace_id,
        account_id=account.id,
        not_before=now + DEBOUNCE if message.debounced else now,
        now=now,
    )
    return queued is not None
