"""Whether the platform sends us an account's events: ``instagram_webhook_subscriptions``.

active → error (it refused) → active again by a routine, or inactive when we let go. A platform may
drop a subscription by itself after an outage of ours, so every one is confirmed once a day.
"""

from datetime import timedelta
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.secrets import SecretBox
from selify.social import accounts, health
from selify.social.ports import AccountGateway, PlatformRefused

ACTOR = Actor.system("event subscriptions")
CONFIRM_EVERY = timedelta(days=1)


async def record(tx: Tx, account_id: UUID, fields: tuple[str, ...], *, clock: Clock) -> None:
    """The platform confirmed which events it sends us."""
    await tx.execute(
        """
        INSERT INTO public.instagram_webhook_subscriptions
               (connected_account_id, subscribed_fields, subscription_status, last_verified_at)
        VALUES ($1, $2, 'active', $3)
        ON CONFLICT (connected_account_id) DO UPDATE
           SET subscribed_fields = excluded.subscribed_fields, subscription_status = 'active',
               last_verified_at = excluded.last_verified_at, error_count = 0, last_error = NULL
        """,
        account_id,
        list(fields),
        clock.now(),
    )


async def record_failure(tx: Tx, account_id: UUID, reason: str) -> None:
    await tx.execute(
        """
        INSERT INTO public.instagram_webhook_subscriptions
               (connected_account_id, subscription_status, error_count, last_error)
        VALUES ($1, 'error', 1, $2)
        ON CONFLICT (connected_account_id) DO UPDATE
           SET subscription_status = 'error', last_error = $2,
               error_count = coalesce(instagram_webhook_subscriptions.error_count, 0) + 1
        """,
        account_id,
        reason[:500],
    )


async def subscribe(
    database: Database, clock: Clock, gateway: AccountGateway, account_id: UUID, token: str
) -> bool:
    """Ask for the account's events and write down the answer; whether they come now."""
    try:
        fields = await gateway.subscribe(token)
    except PlatformRefused as refused:
        async with database.tx(ACTOR) as tx:
            await record_failure(tx, account_id, refused.reason)
            await health.tell(tx, account_id, clock.now())
        return False
    async with database.tx(ACTOR) as tx:
        await record(tx, account_id, fields, clock=clock)
    return True


async def confirm_due(
    database: Database, clock: Clock, secrets: SecretBox, gateway: AccountGateway
) -> int:
    """A routine: try again what failed, confirm what is a day old; how many were asked for."""
    async with database.tx(ACTOR) as tx:
        rows = await tx.fetch(
            """
            SELECT a.id FROM public.connected_social_accounts a
              LEFT JOIN public.instagram_webhook_subscriptions s ON s.connected_account_id = a.id
             WHERE a.platform = $1 AND a.status = 'active'
               AND (s.subscription_status IS DISTINCT FROM 'active'
                    OR coalesce(s.last_verified_at, '-infinity') < $2)
             ORDER BY s.last_verified_at NULLS FIRST LIMIT 20
            """,
            gateway.platform,
            clock.now() - CONFIRM_EVERY,
        )
        tokens = {row["id"]: await accounts.open_token(tx, secrets, row["id"]) for row in rows}
    for account_id, token in tokens.items():
        await subscribe(database, clock, gateway, account_id, token)
    return len(tokens)
