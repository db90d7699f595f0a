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
from selify.core.queue import outbox_rows
from selify.core.queue.outbox_rows import Entry, Needless
from selify.core.queue.payload import Payload
from selify.messaging import keys
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
    await send_all(tx, account, conversation, {key: message}, now=now)


async def send_all(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    messages: Mapping[str, Outgoing],
    *,
    now: datetime,
    instead: str = "",
) -> None:
    """The same for several, in order, by their keys. Typing dots go first, outside the queue's order, and may
    fail silently. ``instead``: why what is debounced need not be said any more.
    """
    entries = []
    for key, message in messages.items():
        typing = message.kind is Kind.TYPING
        addressed = message.model_copy(
            update={
                "person_ref": conversation.person_ref,
                "conversation_id": None if typing else conversation.id,
            }
        )
        entries.append(
            Entry(
                key=keys.message(account.id, key),
                ordering_key=keys.typing(key) if typing else conversation.ordering_key,
                payload=addressed,
                not_before=now + DEBOUNCE if message.debounced else None,
            )
        )
    await outbox_rows.enqueue(
        tx,
        entries,
        channel=CHANNEL,
        workspace_id=account.workspace_id,
        account_id=account.id,
        now=now,
        needless=Needless(conversation.ordering_key, "debounced", instead) if instead else None,
    )


async def reply_privately(tx: Tx, account: Account, message: Outgoing, *, now: datetime) -> bool:
    """The one private answer a comment may get; false when it has it already. The thread is known
    only once it was sent.
    """
    entry = Entry(
        key=keys.private_reply(account.id, message.comment_ref),
        ordering_key=keys.commenter(account.id, message.commenter_ref),
        payload=message,
    )
    queued = await outbox_rows.enqueue(
        tx,
        [entry],
        channel=CHANNEL,
        workspace_id=account.workspace_id,
        account_id=account.id,
        now=now,
    )
    return bool(queued)


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
        keys=[keys.message(account_id, keys.answer(kind, message_ref)) for kind in kinds],
    )


async def fall_silent(tx: Tx, conversation: Conversation, *, reason: str, now: datetime) -> None:
    """Nothing that was asked for before leaves any more."""
    await outbox_rows.cancel(
        tx, channel=CHANNEL, ordering_key=conversation.ordering_key, reason=reason, now=now
    )
