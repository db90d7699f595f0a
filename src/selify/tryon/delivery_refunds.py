"""Pictures that were paid for and never arrived: the charge goes back, and the words about them too.

A try-on is settled when its picture is made, which is before it leaves. What can still happen on the
way: the shopper's window closes, the platform refuses it for good, somebody says stop or takes over,
the account is disconnected. A send of which nobody knows whether it arrived is different: its echo
may still prove that it did, so its charge goes back only when no echo can come any more.
"""

from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from selify import billing
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.language import _
from selify.messaging import conversations, outgoing
from selify.messaging.clients import Undelivered
from selify.messaging.outgoing import Outgoing
from selify.tryon import keys
from selify.tryon.dialogue import Stage
from selify.tryon.memory import recall, remember

CODE = "undelivered"
REASON = _("The picture did not reach the shopper.")


async def failed(tx: Tx, clock: Clock, undelivered: Undelivered) -> None:
    """A delivery failed for good. Nothing to do unless it was a picture that was paid for."""
    message = undelivered.message
    if not message.accounted_for:
        return
    # The conversation first, the books second: in the order in which a try-on begins.
    await _expect_photo(tx, message)
    await refund(tx, clock, message)
    await outgoing.cancel(
        tx,
        message.about["photo_ref"],
        account_id=undelivered.account_id,
        ordering_key=undelivered.ordering_key,
        kinds=keys.ABOUT_PICTURE,
        reason=REASON,
        now=undelivered.now,
    )


async def refund(tx: Tx, clock: Clock, picture: Outgoing) -> None:
    with suppress(billing.ChargeMissing):  # its workspace is gone, and its books with it
        await billing.refund(tx, clock, UUID(picture.about["charge_id"]), reason=REASON, code=CODE)


async def _expect_photo(tx: Tx, picture: Outgoing) -> None:
    """There is no result to talk about: the conversation stands where it stood before the photo."""
    assert picture.conversation_id is not None  # noqa: S101 - only private replies have none
    conversation = await conversations.lock_by_id(tx, picture.conversation_id)
    if conversation is None:
        return
    state = recall(conversation)
    if state.stage is Stage.RESULT_SENT and str(state.result_id) == picture.about["interaction_id"]:
        await remember(tx, conversation, replace(state, stage=Stage.AWAITING_PHOTO, result_id=None))
