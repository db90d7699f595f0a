"""Private replies that had arrived while the answer to the send was lost.

The platform takes one reply to a comment. A repeated one that is refused as done already proves that
the first arrived, but not in whose thread: that was in the lost answer. Its echo may tell
(``echoes``). Where none comes, whoever writes under the id that they commented with is its reader; so
it is with one that was tried until nobody tried it any more (``unconfirmed``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from selify.core.database import Tx
from selify.core.queue import outbox, outbox_rows
from selify.core.queue.outbox_rows import OutboxRow
from selify.messaging import echoes, outcomes, outgoing
from selify.messaging.clients import Clients
from selify.messaging.echoes import A_REPLY
from selify.messaging.outgoing import Kind
from selify.messaging.types import Account

# A comment may be answered for seven days, and the answer be answered at any time after that.
OLDEST = timedelta(days=8)


async def settle_for(
    tx: Tx, clients: Clients, account: Account, person_ref: str, *, now: datetime
) -> bool:
    """Somebody writes: the lost replies to their comments were sent, in this thread. Whether there
    was any.
    """
    failed = await _failed(tx, account, {"commenter_ref": person_ref}, now=now)
    lost = [row for row in failed if row.tries > 1 and _perhaps(row)]
    said = {"message_ref": None, "person_ref": person_ref}
    for row in lost:
        delivery = await outbox.confirm(tx, row.id, result=said, at=now)
        if delivery is not None:
            await outcomes.arrived(tx, clients, delivery, said, now=now, at=row.created_at)
    return bool(lost)


async def in_the_air(
    tx: Tx, account: Account, person_ref: str, *, patience: timedelta, now: datetime
) -> bool:
    """Whether this person may be the reader of a private reply whose thread nobody knows yet: it is
    being sent, or it arrived and its echo will say in whose thread.
    """
    leaving = await outbox_rows.find_open(
        tx,
        channel=outgoing.CHANNEL,
        account_id=account.id,
        since=now - OLDEST,
        saying=A_REPLY,
    )
    if any(reply.state != "queued" or reply.tries > 0 for reply in leaving):
        return True
    failed = await _failed(tx, account, {}, now=now)
    if any(_perhaps(reply) and reply.updated_at > now - patience for reply in failed):
        return True
    return await echoes.is_asking(tx, account, person_ref, now=now)


async def _failed(
    tx: Tx, account: Account, saying: Mapping[str, str], *, now: datetime
) -> list[OutboxRow]:
    return await outbox_rows.find_failed(
        tx,
        channel=outgoing.CHANNEL,
        account_id=account.id,
        since=now - OLDEST,
        kind=Kind.PRIVATE_REPLY,
        saying=saying,
    )


def _perhaps(row: OutboxRow) -> bool:
    return row.result.get("code") in outgoing.ARRIVED_PERHAPS
