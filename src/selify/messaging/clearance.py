"""What a message must know before it leaves: read by one statement, decided by ``sending``."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selify.core.database import Tx
from selify.core.rows import columns
from selify.messaging.conversations import OPEN_UNTIL, WAS_UNSENT
from selify.messaging.outgoing import Outgoing
from selify.messaging.repository import ACCOUNT, ACCOUNTS
from selify.messaging.send_backoff import UNTIL
from selify.messaging.types import Account


@dataclass(frozen=True, slots=True)
class Clearance:
    """``sealed``: the account's token, as it is stored. ``silenced``: the bot may not speak here (any more),
    whatever was queued before. ``unsent``: what it is made of was taken back. ``open_until``: when the window
    of its conversation closes. ``paused_until``: until when nothing of the account leaves; may be over.
    """

    account: Account
    sealed: str
    silenced: bool
    unsent: bool
    open_until: datetime | None
    paused_until: datetime | None


# Not cancelled with the rest is what was just being tried when the person said stop.
_SILENCED = """(
    SELECT coalesce((c.conversation_state ->> 'opted_out')::boolean, false)
           OR c.conversation_state ->> 'handler' = 'human'
      FROM public.social_conversations c WHERE {})"""
_LOOK = f"""
    SELECT {columns(ACCOUNT, within="account")}, a.access_token AS sealed,
           coalesce({_SILENCED.format("c.id = $3")},
                    {_SILENCED.format("c.connected_account_id = $1 AND c.platform_user_id = $4")}, false)
           AS silenced,
           {WAS_UNSENT.format("$5")} AS unsent,
           (SELECT {OPEN_UNTIL} FROM public.social_conversations c WHERE c.id = $3) AS open_until,
           (SELECT {UNTIL} FROM internal.send_pace WHERE account_id = $1) AS paused_until
      FROM {ACCOUNTS} WHERE a.id = $1
"""


async def look(
    tx: Tx, account_id: UUID | None, message: Outgoing, now: datetime
) -> Clearance | None:
    """None where there is no such account (any more)."""
    return await tx.fetch_one_as(
        Clearance,
        _LOOK,
        account_id,
        now,
        message.conversation_id,
        message.commenter_ref or None,
        message.made_of or None,
    )
