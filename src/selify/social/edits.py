"""What somebody changes in a message afterwards.

Our copy follows. The bot does not answer the same message twice, but who asks for a person, is unhappy,
or says stop is heard however they say it.
"""

from selify.social import intents
from selify.social.dialogue import State
from selify.social.types import MessageEdited, MessageWritten


def heard(edit: MessageEdited, state: State, *, before: str) -> MessageWritten | None:
    """The new words as a message of their own, where they decide who answers and the old ones did not."""
    asked = [intents.wants_stop, intents.wants_person, intents.complains]
    if state.opted_out:
        asked.append(intents.wants_start)
    if edit.is_own or not any(asks(edit.text) and not asks(before) for asks in asked):
        return None
    number = edit.number or f"{edit.at.timestamp():.3f}"
    return as_message(edit, message_ref=f"{edit.message_ref}/edit/{number}")


def as_message(edit: MessageEdited, *, message_ref: str) -> MessageWritten:
    """As if it had been written like this."""
    return MessageWritten(edit.account_ref, edit.person_ref, message_ref, edit.text, edit.at)
