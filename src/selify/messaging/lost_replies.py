"""Private replies that had arrived while the answer to the send was lost.

The platform takes one reply to a comment. A repeated one that is refused as done already proves that
the first arrived, but not in whose thread: that was in the lost answer. Its echo may tell
(``echoes``). Where none comes, whoever writes under the id that they commented with is its reader; so
it is with one that was tried until nobody tried it any more (``unconfirmed``).
"""

from datetime import datetime, timedelta

from selify.core.database import Tx
from selify.core.queue import outbox
from selify.messaging import outcomes, outgoing
from selify.messaging.clients import Clients
from selify.messaging.types import Account

# A comment may be answered for seven days, and the answer be answered at any time after that.
OLDEST = timedelta(days=8)


async def settle_for(
    tx: Tx, clients: Clients, account: Account, person_ref: str, *, now: datetime
) -> bool:
    """Somebody writes: the lost replies to their comments were sent, in this thread. Whether there
    was any.
    """
    rows = await tx.fetch(
        f"""
        SELECT id, created_at FROM internal.outbox
         WHERE account_id = $1 AND channel = $2 AND created_at > $5::timestamptz - $6::interval
           AND state = 'failed' AND payload ->> 'kind' = 'private_reply'
           AND payload ->> 'commenter_ref' = $3 AND result ->> 'code' = ANY ($4)
           AND {outbox.TRIES} > 1
         ORDER BY id
        """,
        account.id,
        outgoing.CHANNEL,
        person_ref,
        list(outgoing.ARRIVED_PERHAPS),
        now,
        OLDEST,
    )
    said = {"message_ref": None, "person_ref": person_ref}
    for row in rows:
        delivery = await outbox.confirm(tx, row["id"], result=said, at=now)
        if delivery is not None:
            await outcomes.arrived(tx, clients, delivery, said, now=now, at=row["created_at"])
    return bool(rows)
