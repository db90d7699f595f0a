"""Shoppers who wait for an answer that never comes: a person goes on with them.

An answer may end undelivered (its window closed while it waited, the platform refused it for good,
every try failed), a try-on may end too late for words, and what they wrote may be a dead letter. Each
time the conversation goes to a person, is unread again, and its brand is told: of each conversation,
but of no more than ``MOST_NOTICES`` an account and day. An outage would ring the bell a thousand times.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from selify.core.database import Tx
from selify.core.language import _, sentences
from selify.core.queue.outbox import GAVE_UP, Delivery
from selify.messaging import conversations
from selify.messaging.conversations import Conversation
from selify.messaging.ports import Action
from selify.messaging.types import Account
from selify.notifications.outbox import notify_workspace
from selify.tryon.dialogue import Handler

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
# Nobody waits for these: the bot's last words, what is said about a picture that arrived, and what
# only fills the time until the picture comes or its refusal.
_NOT_WAITED_FOR = (
    "stopped",
    "handed_to_human",
    "result",
    "feedback",
    "generating",
    "still_generating",
    "already_generating",
    "photo_waits",
)


async def settle(tx: Tx, delivery: Delivery, code: str, *, now: datetime) -> bool:
    """A delivery failed for good: whether a person has its conversation now, and was told so."""
    payload = delivery.payload
    if (
        code not in WHY
        or payload.get("purpose") in _NOT_WAITED_FOR
        or "conversation_id" not in payload
    ):
        return False
    conversation = await conversations.lock_by_id(tx, UUID(payload["conversation_id"]))
    return conversation is not None and await hand_over(tx, conversation, code, now=now)


async def hand_over(tx: Tx, conversation: Conversation, code: str, *, now: datetime) -> bool:
    """To a person, unless one has it, or the shopper asked for silence: then false."""
    state = conversation.state
    if state.opted_out or state.handler is Handler.HUMAN:
        return False
    await conversations.save_state(tx, conversation, replace(state, handler=Handler.HUMAN))
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
    )
