"""What somebody changes in a message afterwards.

Our copy follows. The bot does not answer the same message twice, but who asks for a person, is unhappy,
or says stop is heard however they say it.
"""

from selify.messaging.conversations import Conversation
from selify.messaging.types import MessageEdited, MessageWritten
from selify.tryon import intents


def heard(
    edit: MessageEdited, conversation: Conversation | None, *, before: str
) -> MessageWritten | None:
    """The new words as a message of their own, where they decide who answers and the old ones did not."""
    asked = [intents.wants_stop, intents.wants_person, intents.complains]
    if conversation and conversation.opted_out:
        asked.append(intents.wants_start)
    if edit.is_own or not any(asks(edit.text) and not asks(before) for asks in asked):
        return None
    number = edit.number or f"{edit.at.timestamp():.3f}"
    ref = f"{edit.message_ref}/edit/{number}"
    return MessageWritten(edit.account_ref, edit.person_ref, ref, edit.text, edit.at)
