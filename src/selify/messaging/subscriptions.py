"""Whether the platform sends us an account's events: ``instagram_webhook_subscriptions``.

active → error (it refused) → active again by a routine, or inactive when we let go. An active one may
lack kinds of events: then ``last_error`` says why, and whether connecting again helps, and ``missing``
what that costs. A platform may drop a subscription by itself after an outage of ours, so every one is
confirmed once a day; one that was refused is tried again ever more seldom.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.logging import get_logger
from selify.core.secrets import SecretBox, SecretUnreadable
from selify.messaging import health, tokens
from selify.messaging.event_kinds import RECEIVED, RECONNECT
from selify.messaging.ports import AccountGateway, PlatformRefused, Subscription

log = get_logger(__name__)

ACTOR = Actor.system("event subscriptions")
CONFIRM_EVERY = timedelta(days=1)
FIRST_RETRY = timedelta(minutes=5)


async def received(tx: Tx, account_id: UUID) -> list[str] | None:
    """The kinds of events that come: none where the platform refused, ``None`` where it was not asked."""
    fields: list[str] | None = await tx.fetch_value(
        f"""
        SELECT {RECEIVED} FROM public.instagram_webhook_subscriptions s
         WHERE s.connected_account_id = $1
        """,
        account_id,
    )
    return fields


async def record(tx: Tx, account_id: UUID, said: Subscription, *, clock: Clock) -> None:
    """The platform confirmed which events it sends us."""
    await tx.execute(
        """
        INSERT INTO public.instagram_webhook_subscriptions
               (connected_account_id, subscribed_fields, subscription_status, last_verified_at,
                last_error)
        VALUES ($1, $2, 'active', $3, $4)
        ON CONFLICT (connected_account_id) DO UPDATE
           SET subscribed_fields = excluded.subscribed_fields, subscription_status = 'active',
               last_verified_at = excluded.last_verified_at, error_count = 0,
               last_error = excluded.last_error
        """,
        account_id,
        list(said.fields),
        clock.now(),
        _stored(said.complaint, reconnecting_helps=said.reconnecting_helps) or None,
    )
    await health.events_arrive(tx, account_id)


async def record_failure(
    tx: Tx, account_id: UUID, reason: str, *, reconnecting_helps: bool = False, clock: Clock
) -> None:
    """Nothing comes. ``last_verified_at`` is when that was found out."""
    await tx.execute(
        """
        INSERT INTO public.instagram_webhook_subscriptions
               (connected_account_id, subscribed_fields, subscription_status, last_verified_at,
                error_count, last_error)
        VALUES ($1, '{}', 'error', $3, 1, $2)
        ON CONFLICT (connected_account_id) DO UPDATE
           SET subscription_status = 'error', last_error = $2, last_verified_at = $3,
               error_count = coalesce(instagram_webhook_subscriptions.error_count, 0) + 1
        """,
        account_id,
        _stored(reason, reconnecting_helps=reconnecting_helps),
        clock.now(),
    )
    await health.events_refused(tx, account_id, reason, at=clock.now())


def _stored(reason: str, *, reconnecting_helps: bool) -> str:
    return (f"{RECONNECT}: {reason}" if reconnecting_helps else reason)[:500]


async def subscribe(
    database: Database,
    clock: Clock,
    gateway: AccountGateway,
    account_id: UUID,
    token: str,
    permissions: Sequence[str],
) -> bool:
    """Ask for the account's events and write down the answer; whether any come now."""
    try:
        subscription = await gateway.subscribe(token, permissions)
    except PlatformRefused as refused:
        async with database.tx(ACTOR) as tx:
            await record_failure(
                tx,
                account_id,
                refused.reason,
                reconnecting_helps=refused.reconnecting_helps,
                clock=clock,
            )
            await health.tell(tx, account_id, clock.now())
        return False
    async with database.tx(ACTOR) as tx:
        await record(tx, account_id, subscription, clock=clock)
    return True


async def confirm_due(
    database: Database, clock: Clock, secrets: SecretBox, gateway: AccountGateway
) -> int:
    """A routine: try again what failed, confirm what is a day old, the longest unlooked-at first;
    how many were asked for.
    """
    async with database.tx(ACTOR) as tx:
        rows = await tx.fetch(
            """
            SELECT a.id, coalesce(a.platform_data -> 'permissions', '[]') AS permissions
              FROM public.connected_social_accounts a
              LEFT JOIN public.instagram_webhook_subscriptions s ON s.connected_account_id = a.id
             WHERE a.platform = $1 AND a.status = 'active'
               AND (coalesce(s.subscription_status, 'inactive') = 'inactive'
                    OR s.last_verified_at > $2  -- by a clock that ran ahead
                    OR coalesce(s.last_verified_at, '-infinity') < $2::timestamptz - CASE
                           WHEN s.subscription_status = 'active' THEN $3::interval
                           ELSE least($3, $4::interval * power(2, least(s.error_count, 20) - 1)) END)
             ORDER BY s.last_verified_at NULLS FIRST LIMIT 20
            """,
            gateway.platform,
            clock.now(),
            CONFIRM_EVERY,
            FIRST_RETRY,
        )
    for row in rows:
        await _confirm(database, clock, secrets, gateway, row["id"], row["permissions"])
    return len(rows)


async def _confirm(
    database: Database,
    clock: Clock,
    secrets: SecretBox,
    gateway: AccountGateway,
    account_id: UUID,
    permissions: Sequence[str],
) -> None:
    try:
        async with database.tx(ACTOR) as tx:
            token = await tokens.opened(tx, secrets, account_id)
    except (tokens.AccountMissing, SecretUnreadable) as error:
        async with database.tx(ACTOR) as tx:
            await record_failure(
                tx,
                account_id,
                error.detail,
                reconnecting_helps=isinstance(error, SecretUnreadable),
                clock=clock,
            )
        return
    await subscribe(database, clock, gateway, account_id, token, permissions)
