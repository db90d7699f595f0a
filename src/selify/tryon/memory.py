"""What the bot remembers of a conversation, between one message and the next."""

from datetime import datetime

from selify.core.database import Tx
from selify.messaging import conversations
from selify.messaging.conversations import Conversation
from selify.tryon.dialogue import State


def recall(conversation: Conversation) -> State:
    return State.from_json(conversation.state)


async def remember(
    tx: Tx, conversation: Conversation, state: State, *, read_to: datetime | None = None
) -> Conversation:
    """The conversation as it is now. Writes only when something changed: an unchanged state wakes no
    page. ``read_to``: what they wrote up to then is dealt with.
    """
    if state != recall(conversation) or conversation.is_new:
        return await conversations.save_state(tx, conversation, state.to_json(), read_to=read_to)
    if read_to is not None:
        await conversations.mark_read(tx, conversation, read_to)
    return conversation
