"""Forgetting the shoppers of an account: their photos, their pictures, and who they were in the funnel and on
the books. What was charged stays there.
"""

from selify import billing
from selify.core import retention
from selify.core.database import Tx
from selify.core.queue import job_rows
from selify.messaging.types import Account
from selify.tryon import lifecycle


async def forget_account(tx: Tx, account: Account) -> None:
    """Every photo and picture goes now, whether or not it was ever sent."""
    await _forget_pictures(tx, account)
    of_account = {"account_id": str(account.id)}
    for key, workspace_id in await job_rows.delete(tx, lifecycle.JOB, of_account):
        if workspace_id:
            await lifecycle.forget_files(tx, workspace_id, key)
    await _forget_names(tx, account)
    await tx.execute("DELETE FROM internal.post_listings WHERE account_id = $1", account.id)


async def _forget_pictures(tx: Tx, account: Account) -> None:
    """Of shoppers in their new clothes, those that were only paid for, too. With the next sweep."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT e.metadata ->> 'result' AS key
          FROM public.social_conversations c
          JOIN public.workspace_usage_events e ON e.metadata ->> 'conversation_id' = c.id::text
         WHERE c.connected_account_id = $1 AND e.workspace_id = $2 AND e.metadata ? 'result'
        """,
        account.id,
        account.workspace_id,
    )
    for row in rows:
        await retention.delete_soon(
            tx, row["key"], reason="account purged", workspace_id=account.workspace_id
        )


async def _forget_names(tx: Tx, account: Account) -> None:
    """A charge says what was paid for, and from now on not for whom; so does the funnel."""
    rows = await tx.fetch(
        "SELECT id FROM public.social_conversations WHERE connected_account_id = $1", account.id
    )
    await billing.forget_shoppers(tx, account.workspace_id, [row["id"] for row in rows])
    await tx.execute(
        """
        UPDATE public.bot_interactions
           SET instagram_user_id = 'purged', instagram_username = NULL, original_message = NULL,
               user_demographics = '{}', conversation_id = NULL
         WHERE account_id = $1
        """,
        account.id,
    )
