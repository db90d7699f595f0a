"""What the bot remembers of a conversation, between one message and the next."""

from selify.core.database import Tx
from selify.messaging import conversations
from selify.messaging.conversations import Conversation
from selify.tryon.dialogue import State


def recall(conversation: Conversation) -> State:
    return State.from_json(conversation.state)


async def remember(tx: Tx, conversation: Conversation, state: State) -> Conversation:
    """The conversation as it is now. Writes only when something changed: an unchanged state wakes no
    page.
    """
    if state == recall(conversation) and not conversation.is_new:
        return conversation
    return await conversations.save_state(tx, conversation, state.to_json())
