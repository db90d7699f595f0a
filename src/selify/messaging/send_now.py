"""“Send now”: what waits is tried at once, where trying makes sense (``diagnosis.Waiting``).

It clears the wait and no rule: whatever leaves is asked again about window, STOP, a person who took
over, pace and limits (``sending``). What the platform itself gave a time for goes on waiting.
"""

from datetime import datetime
from uuid import UUID

from selify.core.database import Tx
from selify.core.errors import Conflict
from selify.core.language import _
from selify.core.queue import outbox_rows
from selify.messaging import diagnosis, outgoing, send_backoff


class NothingToSendNow(Conflict):
    code = "nothing_to_send_now"
    title = _("Nothing waits that could be sent now")


async def send_now(tx: Tx, account_id: UUID, now: datetime) -> int:
    """How many messages are tried now, in a system transaction. Raises NothingToSendNow."""
    found = await diagnosis.of_account(tx, account_id, now)
    if found and found.waiting and all(item.is_due(now) for item in found.waiting):
        return 0  # somebody pressed just before: it is being tried
    if found is None or not found.may_send_now:
        held = found.waiting[0] if found and found.waiting else None
        raise NothingToSendNow(
            held.why if held else _("Everything has left."),
            hint=_("It is sent by itself as soon as it may.") if held else "",
        )
    await send_backoff.end_early(tx, account_id, now)
    return await outbox_rows.release(
        tx,
        channel=outgoing.CHANNEL,
        account_id=account_id,
        now=now,
        reasons=found.may_be_over,
    )
