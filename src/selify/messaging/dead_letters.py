"""Events that are given up, however often they were tried: whoever wrote one gets a person, and their brand
hears of it. Its words stay with the event, so that it can be replayed as if it came for the first time.
"""

from datetime import datetime

from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.queue.inbox import Event
from selify.messaging import conversations, repository, unanswered
from selify.messaging.ports import Translator
from selify.messaging.types import (
    Account,
    ButtonTapped,
    CommentWritten,
    MessageEdited,
    MessageWritten,
    SocialEvent,
)


class DeadLetters:
    """What the inbox calls for one platform."""

    def __init__(self, translate: Translator, clock: Clock) -> None:
        self._translate = translate
        self._clock = clock

    async def __call__(self, tx: Tx, event: Event) -> None:
        account = await repository.live_account(tx, event.platform, event.account_ref)
        if account is None:
            return
        try:
            happened = self._translate(event.event_type, event.payload, event.created_at)
        except Exception:  # noqa: BLE001 - that may be the very thing that could not be done
            await unanswered.tell_of_account(tx, account, now=self._clock.now())
            return
        await _pass_on(tx, account, happened, self._clock.now())


async def _pass_on(tx: Tx, account: Account, happened: SocialEvent, now: datetime) -> None:
    match happened:
        case MessageWritten(is_echo=False) | ButtonTapped() | MessageEdited():
            if account.is_itself(happened.person_ref):
                return
            conversation = await conversations.lock(tx, account, happened.person_ref)
            handed = await unanswered.hand_over(tx, conversation, unanswered.UNHANDLED, now=now)
        case CommentWritten(is_own=False):
            handed = account.is_itself(happened.person_ref, happened.username)
        case _:
            return
    if not handed:
        await unanswered.tell_of_account(tx, account, now=now)
