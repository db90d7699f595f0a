"""Shoppers who wait for an answer that never comes: a person goes on with them.

An answer may end undelivered (its window closed while it waited, the platform refused it for good,
every try failed), what is made for them may end too late for words, and what they wrote may be a dead
letter. Each
time the conversation goes to a person, is unread again, and its brand is told: of each conversation,
but of no more than ``MOST_NOTICES`` an account and day. An outage would ring the bell a thousand times.
"""

from collections.abc import Mapping
from datetime import datetime

from selify.core.database import Tx
from selify.core.language import _, sentences
from selify.core.queue.outbox import GAVE_UP
from selify.messaging import conversations
from selify.messaging.conversations import Conversation
from selify.messaging.outgoing import Outgoing
from selify.messaging.ports import Action
from selify.messaging.types import Account, Handler
from selify.notifications.outbox import notify_workspace

MOST_NOTICES = 10
TOO_LATE = Action.WINDOW_CLOSED.value
UNHANDLED = "unhandled"
# How a delivery ends that surely did not arrive, though its reader is there and waits.
WHY: Mapping[str, str] = {
    TOO_LATE: _(
        "Our answer could not leave within 24 hours of their message, and later the bot may"
        " not write. A person still may, in the app."
    ),
    Action.STOP.value: _("The platform does not take our answer."),
    GAVE_UP: _("Our answer could not be delivered, however often we tried."),
    UNHANDLED: _("What they wrote could not be handled. You find it in the app."),
}


async def failed(tx: Tx, message: Outgoing, code: str, *, now: datetime) -> bool:
    """A delivery failed for good: whether a person has its conversation now, and was told so."""
    if code not in WHY or not message.awaited or message.conversation_id is None:
        return False
    conversation = await conversations.lock_by_id(tx, message.conversation_id)
    return conversation is not None and await hand_over(tx, conversation, code, now=now)


async def hand_over(tx: Tx, conversation: Conversation, code: str, *, now: datetime) -> bool:
    """To a person, unless one has it, or the shopper asked for silence: then false."""
    if conversation.opted_out or conversation.handler is Handler.HUMAN:
        return False
    await conversations.hand_to(tx, conversation, Handler.HUMAN, now=now)
    await conversations.mark_unread(tx, conversation)
    await _tell(tx, conversation, code, now)
    return True


async def _tell(tx: Tx, conversation: Conversation, code: str, now: datetime) -> None:
    """In the first of the day's places that is free; the last one speaks for all the rest."""
    day = f"unanswered/{conversation.account_id}/{now:%Y-%m-%d}"
    for place in range(MOST_NOTICES):
        # No name: a notice outlives the conversation, which the link leads to.
        if await notify_workspace(
            tx,
            workspace_id=conversation.workspace_id,
            kind="message_failed",
            title=_("A shopper got no answer and needs a person"),
            body=sentences(
                WHY[code],
                _("The bot is silent in this conversation until you hand it back."),
            ),
            action_url=f"/conversations/{conversation.id}",
            dedupe_key=f"{day}/{place}",
            now=now,
        ):
            return
    await notify_workspace(
        tx,
        workspace_id=conversation.workspace_id,
        kind="message_failed",
        title=_("More shoppers got no answer and need a person"),
        body=_("You find all of them under “Needs a person”."),
        action_url="/?wanted=human",
        dedupe_key=f"{day}/more",
        now=now,
    )


async def tell_of_account(tx: Tx, account: Account, *, now: datetime) -> None:
    """Something a shopper wrote is a dead letter, and no conversation could be handed over. Once a day."""
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="message_failed",
        title=_("Something written to @%(name)s could not be handled", name=account.username),
        body=_("A shopper may be waiting for an answer. Please look into the app."),
        action_url="/accounts",
        dedupe_key=f"{UNHANDLED}/{account.id}/{now:%Y-%m-%d}",
        now=now,
    )
