"""Pictures that were paid for and never arrived: the charge goes back, and the words about them too.

A try-on is settled when its picture is made, which is before it leaves. What can still happen on the
way: the shopper's window closes, the platform refuses it for good, somebody says stop or takes over,
the account is disconnected. A send of which nobody knows whether it arrived is different: its echo
may still prove that it did, so its charge goes back only when no echo can come any more.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from selify import billing
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.language import _
from selify.core.queue import schedule
from selify.core.queue.claims import BY_INDEX
from selify.core.queue.outbox import Delivery
from selify.messaging import conversations, outgoing
from selify.messaging.ports import Action
from selify.tryon.dialogue import Stage

ROUTINE = "undelivered pictures"
UNCONFIRMED = "unconfirmed"
CODE = "undelivered"
REASON = _("The picture did not reach the shopper.")
NO_ECHO_AFTER = timedelta(days=8)
# What nobody knows of may have arrived, and is paid for as long as that is so.
ARRIVED_PERHAPS = (UNCONFIRMED, Action.ALREADY_DONE.value)


async def settle(tx: Tx, clock: Clock, delivery: Delivery, code: str) -> None:
    """A delivery failed for good. Nothing to do unless it was a picture that was paid for."""
    payload = delivery.payload
    if "charge_id" not in payload or code in ARRIVED_PERHAPS:
        return
    # The conversation first, the books second: in the order in which a try-on begins.
    await _expect_photo(tx, payload)
    await _refund(tx, clock, delivery.id, payload["charge_id"])
    await outgoing.take_back(
        tx,
        payload["photo_ref"],
        account_id=delivery.account_id,
        lane=delivery.lane,
        kinds=("result", "feedback"),
        reason=REASON,
    )


_DUE = """
    state IN ('failed', 'cancelled') AND payload ? 'charge_id'
    AND (state = 'cancelled' OR result ->> 'code' <> ALL ($1)
         OR (result ->> 'code' = $4 AND created_at < $2))
    AND ($3::uuid IS NULL OR account_id = $3)
"""


async def refund_due(tx: Tx, clock: Clock, *, account_id: UUID | None = None) -> int:
    """Give back what was paid for pictures that were taken back before they left, and for those of
    which no proof can come any more; how many. ``account_id``: only of this account.
    """
    await tx.execute(BY_INDEX)
    rows = await tx.fetch(
        f"""
        WITH fresh AS (
            SELECT id, payload FROM internal.outbox
             WHERE {_DUE} AND {schedule.last_try(ROUTINE, "id")} IS NULL
             ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED),
        again AS (
            SELECT id, payload FROM internal.outbox
             WHERE {_DUE} AND id = ANY (ARRAY({schedule.tried(ROUTINE)}))
             ORDER BY {schedule.last_try(ROUTINE, "id")} LIMIT 200 FOR UPDATE SKIP LOCKED)
        SELECT id, payload ->> 'charge_id' AS charge_id
          FROM (SELECT * FROM fresh UNION ALL SELECT * FROM again) AS due
        """,
        list(ARRIVED_PERHAPS),
        clock.now() - NO_ECHO_AFTER,
        account_id,
        UNCONFIRMED,
    )
    refunded = 0
    for row in rows:
        refund = partial(_refund, tx, clock, row["id"], row["charge_id"])
        refunded += await schedule.attempt(tx, ROUTINE, row["id"], refund, now=clock.now())
    return refunded


async def _refund(tx: Tx, clock: Clock, delivery_id: UUID, charge_id: str) -> None:
    """The row forgets its charge: looked at once, whatever became of it."""
    with suppress(billing.ChargeMissing):  # its workspace is gone, and its books with it
        await billing.refund(tx, clock, UUID(charge_id), reason=REASON, code=CODE)
    await tx.execute(
        "UPDATE internal.outbox SET payload = payload - 'charge_id' WHERE id = $1", delivery_id
    )


async def _expect_photo(tx: Tx, payload: dict[str, object]) -> None:
    """There is no result to talk about: the conversation stands where it stood before the photo."""
    conversation = await conversations.lock_by_id(tx, UUID(str(payload["conversation_id"])))
    if conversation is None or str(conversation.state.result_id) != payload["interaction_id"]:
        return
    state = conversation.state
    if state.stage is Stage.RESULT_SENT:
        state = replace(state, stage=Stage.AWAITING_PHOTO, result_id=None)
        await conversations.save_state(tx, conversation, state)
