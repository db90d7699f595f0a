"""What becomes of a message, written down: in its conversation, with its account, and by whoever asked for it.

A delivery that failed or arrived is reported by the transaction that marks it. One that was taken back
before it left, and one of which no proof can come any more, are reported by a routine where they are
``accounted_for``.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.language import _, stored
from selify.core.logging import get_logger
from selify.core.queue import outbox_rows, schedule
from selify.core.queue.outbox import GAVE_UP, OutboxMessage
from selify.core.queue.outbox_rows import OutboxRow
from selify.messaging import conversations, health, repository, send_backoff, unanswered
from selify.messaging.clients import Clients, Delivered, Undelivered
from selify.messaging.conversations import Conversation
from selify.messaging.outgoing import ARRIVED_PERHAPS, UNCONFIRMED, Kind, Outgoing
from selify.messaging.ports import Action
from selify.messaging.types import Account
from selify.notifications.outbox import notify_workspace

log = get_logger(__name__)

LAPSED = "lapsed messages"  # the routine whose failures are noted
# An echo may come until then, a private reply lives seven days.
NO_ECHO_AFTER = timedelta(days=8)
USAGE_ALERT = 0.95
USAGE_PAUSE = timedelta(minutes=2)


async def arrived(
    tx: Tx,
    clients: Clients,
    delivery: OutboxMessage,
    said: Mapping[str, Any],
    *,
    now: datetime,
    at: datetime | None = None,
) -> None:
    """By the platform's answer, or by an echo (``at``: when, if known). ``said``: ``message_ref``,
    ``person_ref``, and of an answer ``usage`` and ``milliseconds``.
    """
    message, account_id = Outgoing.read(delivery.payload), delivery.account_id
    if account_id and said.get("usage", 0.0) >= USAGE_ALERT:
        await send_backoff.pause(tx, account_id, now=now, length=USAGE_PAUSE)
    if message.kind is Kind.TYPING or account_id is None:
        return
    conversation, account = await _thread_of(tx, account_id, message, said)
    if account is None:
        return
    await health.succeeded(
        tx,
        account.id,
        at=now,
        milliseconds=said.get("milliseconds"),
        to_comment=message.kind is Kind.PRIVATE_REPLY,
    )
    if conversation is None:
        return
    moment, pictured = min(at or now, now), message.kind is Kind.IMAGE
    await conversations.record_message(
        tx,
        conversation,
        message_ref=said["message_ref"],
        sender_ref=account.platform_account_id,
        text=message.text,
        kind="image" if pictured else "text",
        attachments=[{"type": "image", "storage_key": message.storage_key}] if pictured else [],
        at=moment,
    )
    log.info(
        "{shopper} received an answer: {what}",
        shopper=conversation.username or message.username or "a shopper",
        what=message.purpose.replace("_", " ").replace(":", ": "),
    )
    await clients.deliveries[message.client].on_delivered(
        tx, Delivered(account, conversation, message, moment, now)
    )


async def _thread_of(
    tx: Tx, account_id: UUID, message: Outgoing, said: Mapping[str, Any]
) -> tuple[Conversation | None, Account | None]:
    """A private reply opens its thread: the platform tells whose comment it answered."""
    if message.kind is not Kind.PRIVATE_REPLY:
        assert message.conversation_id is not None  # noqa: S101 - only private replies have none
        thread = await conversations.lock_with_account(tx, message.conversation_id)
        return thread or (None, await repository.account(tx, account_id))
    account = await repository.account(tx, account_id)
    if account is None:
        return None, None
    conversation = await conversations.lock(tx, account, said["person_ref"])
    await conversations.set_username(tx, conversation, message.username)
    return conversation, account


async def failed(
    tx: Tx, clients: Clients, delivery: OutboxMessage, code: str, reason: str, *, now: datetime
) -> None:
    """For good, whoever waits for it gets a person; and where no conversation tells its brand, the
    bell does.
    """
    message = Outgoing.read(delivery.payload)
    if message.kind is Kind.TYPING or delivery.account_id is None:
        return
    client = clients.deliveries[message.client]
    undelivered = Undelivered(delivery.account_id, delivery.ordering_key, message, code, now)
    if code in ARRIVED_PERHAPS:
        await client.on_unknown(tx, undelivered)
    else:
        await client.on_failed(tx, undelivered)
        if message.accounted_for:
            await _reported(tx, delivery.id)
    told = await unanswered.failed(tx, message, code, now=now)
    if code in (Action.STOP.value, GAVE_UP):
        await health.failed(tx, delivery.account_id, at=now, code=code, reason=reason)
    if not told and delivery.workspace_id and code in _telling(message):
        await notify_workspace(
            tx,
            workspace_id=delivery.workspace_id,
            kind="message_failed",
            title=_("A message could not be delivered"),
            body=stored(reason),
            action_url="/accounts",
            dedupe_key=f"message_failed/{delivery.account_id}/{now:%Y-%m-%d}",
            now=now,
        )


def _telling(message: Outgoing) -> tuple[str, ...]:
    """Ends that a brand hears of where no conversation tells it: a private reply has none."""
    ends: tuple[str, ...] = (Action.STOP.value, GAVE_UP)
    if message.kind is Kind.PRIVATE_REPLY:
        ends = (*ends, Action.WINDOW_CLOSED.value, UNCONFIRMED)
    return ends


async def report_lapsed(
    tx: Tx, clients: Clients, clock: Clock, *, account_id: UUID | None = None
) -> int:
    """Messages that were taken back before they left, and those of which no proof can come any more;
    how many. ``account_id``: only of this account.
    """
    rows = await outbox_rows.lapsed(
        tx,
        LAPSED,
        perhaps=ARRIVED_PERHAPS,
        hopeless=UNCONFIRMED,
        before=clock.now() - NO_ECHO_AFTER,
        account_id=account_id,
    )
    reported = 0
    for row in rows:
        report = partial(_report, tx, clients, row, clock.now())
        reported += await schedule.attempt(tx, LAPSED, row.id, report, now=clock.now())
    return reported


async def _report(tx: Tx, clients: Clients, row: OutboxRow, now: datetime) -> None:
    message = Outgoing.read(row.payload)
    lapsed = Undelivered(row.account_id, row.ordering_key, message, "lapsed", now)
    await clients.deliveries[message.client].on_lapsed(tx, lapsed)
    await _reported(tx, row.id)


async def _reported(tx: Tx, delivery_id: UUID) -> None:
    """Looked at once, whatever became of it."""
    await outbox_rows.strike_notes(tx, delivery_id, "accounted_for")
