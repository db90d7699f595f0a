"""Connected accounts: ``connected_social_accounts`` from consent to goodbye.

active → expired (token dead) → active (connected again); any → disconnected → purged after 90 days,
or at once when the platform says so. A platform account is live in one workspace at a time, in the
whole system. Every step is written to ``oauth_audit_logs``; no token ever is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from selify.auth import audit
from selify.core import retention
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import Conflict
from selify.core.ids import new_id
from selify.core.language import _
from selify.core.queue import inbox_rows, outbox_rows, schedule
from selify.core.secrets import SecretBox
from selify.messaging import (
    health,
    outcomes,
    outgoing,
    repository,
    send_backoff,
    tokens,
    unmatched_events,
)
from selify.messaging.clients import Clients
from selify.messaging.ports import Grant
from selify.messaging.tokens import AccountMissing
from selify.messaging.types import Account

ACTOR = Actor.system("accounts")
RETENTION = timedelta(days=90)
PURGING = "purging accounts"  # the routine whose failures are noted


class ConnectedElsewhere(Conflict):
    code = "connected_elsewhere"
    title = _("This account is connected in another workspace")


@dataclass(frozen=True, slots=True)
class Connected:
    """Anew, or for the first time."""

    account_id: UUID


async def connect(
    tx: Tx,
    clock: Clock,
    secrets: SecretBox,
    *,
    workspace_id: UUID,
    user_id: UUID,
    platform: str,
    grant: Grant,
) -> Connected:
    """Store the consent. Raises ConnectedElsewhere. Events that came too early are replayed."""
    await _check_free(tx, platform, grant.platform_account_id, workspace_id)
    earlier = await tx.fetch_value(
        """
        SELECT id FROM public.connected_social_accounts
         WHERE workspace_id = $1 AND platform = $2 AND platform_account_id = $3 FOR UPDATE
        """,
        workspace_id,
        platform,
        grant.platform_account_id,
    )
    account_id = earlier or new_id()
    await _write(tx, clock, secrets, account_id, workspace_id, user_id, platform, grant)
    await health.begin_anew(tx, account_id)
    await tx.execute(
        """
        INSERT INTO public.instagram_rate_limits (account_id) VALUES ($1)
        ON CONFLICT (account_id) DO NOTHING
        """,
        account_id,
    )
    await _release_waiting(tx, account_id, clock.now())
    await audit.record(
        tx,
        audit.OAuthEvent.ACCOUNT_CONNECTED,
        workspace_id=workspace_id,
        user_id=user_id,
        platform=platform,
        platform_account_id=grant.platform_account_id,
        metadata={"username": grant.username, "permissions": list(grant.permissions)},
    )
    await unmatched_events.retry_attributed(tx, now=clock.now())
    return Connected(account_id)


async def access_account(tx: Tx, workspace_id: UUID, account_id: UUID) -> Account:
    """An account of this workspace. Raises AccountMissing."""
    account = await repository.account(tx, account_id)
    if account is None or account.workspace_id != workspace_id:
        raise AccountMissing(_("There is no such account in this workspace."))
    return account


async def is_connected(tx: Tx, platform: str, account_ref: str) -> bool:
    """Whether some workspace has it, live."""
    return bool(
        await tx.fetch_value(
            """
            SELECT true FROM public.connected_social_accounts
             WHERE platform = $1 AND platform_account_id = $2 AND status = ANY ($3) LIMIT 1
            """,
            platform,
            account_ref,
            repository.LIVE,
        )
    )


async def _check_free(tx: Tx, platform: str, account_ref: str, workspace_id: UUID) -> None:
    taken = await tx.fetch_value(
        """
        SELECT true FROM public.connected_social_accounts
         WHERE platform = $1 AND platform_account_id = $2 AND status = ANY ($3)
           AND workspace_id IS DISTINCT FROM $4
        """,
        platform,
        account_ref,
        repository.LIVE,
        workspace_id,
    )
    if taken:
        raise ConnectedElsewhere(
            _("This account is already connected in another workspace."),
            hint=_("Disconnect it there first."),
        )


async def _write(
    tx: Tx,
    clock: Clock,
    secrets: SecretBox,
    account_id: UUID,
    workspace_id: UUID,
    user_id: UUID,
    platform: str,
    grant: Grant,
) -> None:
    sealed = secrets.seal(grant.token, about=tokens.identity(account_id))
    try:
        async with tx.savepoint():
            await tx.execute(
                """
                INSERT INTO public.connected_social_accounts
                       (id, workspace_id, user_id, platform, platform_account_id,
                        platform_username, platform_profile_picture, access_token,
                        token_expires_at, token_last_refreshed_at, platform_data, status)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active')
                ON CONFLICT (id) DO UPDATE
                   SET user_id = excluded.user_id, platform_username = excluded.platform_username,
                       platform_profile_picture = excluded.platform_profile_picture,
                       access_token = excluded.access_token,
                       token_expires_at = excluded.token_expires_at,
                       token_last_refreshed_at = excluded.token_last_refreshed_at,
                       platform_data = excluded.platform_data, status = 'active',
                       error_message = NULL, disconnected_at = NULL
                """,
                account_id,
                workspace_id,
                user_id,
                platform,
                grant.platform_account_id,
                grant.username,
                grant.picture_url or None,
                sealed,
                grant.expires_at,
                clock.now(),
                {
                    **grant.profile,
                    "app_scoped_id": grant.app_scoped_id,
                    "permissions": list(grant.permissions),
                    "granted_at": clock.now().isoformat(),
                },
            )
    except asyncpg.UniqueViolationError as error:
        # Somebody else connected it between our look and our writing.
        raise ConnectedElsewhere(
            _("This account was just connected in another workspace."),
            hint=_("Disconnect it there first."),
        ) from error


async def _release_waiting(tx: Tx, account_id: UUID, now: datetime) -> None:
    """Answers that waited for the account leave now."""
    await send_backoff.lift(tx, account_id)
    await outbox_rows.release(tx, channel=outgoing.CHANNEL, account_id=account_id, now=now)


async def change_settings(
    tx: Tx, account_id: UUID, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> None:
    """Old settings in, new settings out; two who change at once do not undo each other."""
    row = await tx.fetch_one(
        "SELECT settings FROM public.connected_social_accounts WHERE id = $1 FOR UPDATE",
        account_id,
    )
    if row is None:
        raise AccountMissing(_("There is no such account."))
    await tx.execute(
        "UPDATE public.connected_social_accounts SET settings = $2 WHERE id = $1",
        account_id,
        dict(change(row["settings"] or {})),
    )


async def disconnect(
    tx: Tx,
    clients: Clients,
    clock: Clock,
    account: Account,
    *,
    user_id: UUID | None,
    reason: str,
) -> None:
    """No more events, no more answers; the history stays for 90 days in case they come back."""
    await tx.execute(
        """
        UPDATE public.connected_social_accounts
           SET status = 'disconnected', disconnected_at = coalesce(disconnected_at, $2),
               access_token = '', refresh_token = NULL, token_expires_at = NULL
         WHERE id = $1 AND status <> 'purged'
        """,
        account.id,
        clock.now(),
    )
    await tx.execute(
        """
        UPDATE public.instagram_webhook_subscriptions SET subscription_status = 'inactive'
         WHERE connected_account_id = $1
        """,
        account.id,
    )
    await outbox_rows.cancel_account(tx, account_id=account.id, reason=reason, now=clock.now())
    await outcomes.report_lapsed(tx, clients, clock, account_id=account.id)
    await audit.record(
        tx,
        audit.OAuthEvent.ACCOUNT_DISCONNECTED,
        workspace_id=account.workspace_id,
        user_id=user_id,
        platform=account.platform,
        platform_account_id=account.platform_account_id,
        metadata={"reason": reason},
    )


async def by_app_scoped_id(tx: Tx, platform: str, app_scoped_id: str) -> list[Account]:
    """The accounts a platform means when it speaks of one of its users (deauthorise, delete)."""
    ids = await tx.fetch(
        """
        SELECT id FROM public.connected_social_accounts
         WHERE platform = $1 AND status <> 'purged'
           AND (platform_data ->> 'app_scoped_id' = $2 OR platform_account_id = $2)
        """,
        platform,
        app_scoped_id,
    )
    found = [await repository.account(tx, row["id"]) for row in ids]
    return [account for account in found if account is not None]


async def granted_since(
    tx: Tx, found: Sequence[Account], moment: datetime, *, now: datetime
) -> set[UUID]:
    """Those whose owner gave the consent that holds after ``moment``. One that lies ahead of now was
    written by a clock that was wrong, and says nothing.
    """
    rows = await tx.fetch(
        """
        SELECT id FROM public.connected_social_accounts
         WHERE id = ANY ($1)
           AND date_trunc('second', (platform_data ->> 'granted_at')::timestamptz) > $2
           AND (platform_data ->> 'granted_at')::timestamptz <= $3
        """,
        [account.id for account in found],
        moment,
        now,
    )
    return {row["id"] for row in rows}


async def purge(tx: Tx, clients: Clients, account_id: UUID) -> None:
    """Forget the people and the tokens of an account, here and wherever else they are known."""
    account = await repository.account(tx, account_id)
    if account is None:
        return
    for client in clients.accounts:
        await client.forget_account(tx, account)
    await _purge_pictures(tx, account)
    for statement in _PURGE:
        await tx.execute(statement, account.id)
    await outbox_rows.forget_account(tx, account.id)
    await inbox_rows.forget_account(tx, account.id, account.platform, account.platform_account_id)
    await tx.execute(
        "DELETE FROM public.instagram_message_queue WHERE account_id = $1 OR entry_id = $2",
        account.id,
        account.platform_account_id,
    )


_PURGE = (
    "DELETE FROM public.social_conversations WHERE connected_account_id = $1",
    """
    UPDATE public.connected_social_accounts
       SET status = 'purged', access_token = '', refresh_token = NULL, platform_username = NULL,
           platform_profile_picture = NULL, platform_data = '{}', stats = '{}'
     WHERE id = $1
    """,
)


async def _purge_pictures(tx: Tx, account: Account) -> None:
    """What we sent them, with the next sweep."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT a ->> 'storage_key' AS key
          FROM public.social_conversations c
          JOIN public.social_messages m ON m.conversation_id = c.id
         CROSS JOIN LATERAL jsonb_array_elements(m.attachments) a
         WHERE c.connected_account_id = $1 AND a ? 'storage_key'
        """,
        account.id,
    )
    for row in rows:
        await retention.delete_soon(
            tx, row["key"], reason="account purged", workspace_id=account.workspace_id
        )


async def purge_due(database: Database, clients: Clients, clock: Clock) -> int:
    """A routine: accounts whose 90 days are over, the longest first; how many."""
    before = clock.now() - RETENTION
    async with database.tx(ACTOR) as tx:
        due = await tx.fetch(
            f"""
            SELECT id FROM public.connected_social_accounts
             WHERE status = 'disconnected' AND disconnected_at < $1
             ORDER BY coalesce({schedule.last_try(PURGING, "id")}, disconnected_at) LIMIT 20
            """,
            before,
        )
    purged = 0
    for row in due:
        async with database.tx(ACTOR) as tx:
            purge_it = partial(_purge_if_due, tx, clients, row["id"], before)
            purged += await schedule.attempt(tx, PURGING, row["id"], purge_it, now=clock.now())
    return purged


async def _purge_if_due(tx: Tx, clients: Clients, account_id: UUID, before: datetime) -> None:
    """Unless it was connected again, or another worker purges it."""
    due = await tx.fetch_value(
        """
        SELECT true FROM public.connected_social_accounts
         WHERE id = $1 AND status = 'disconnected' AND disconnected_at < $2
           FOR UPDATE SKIP LOCKED
        """,
        account_id,
        before,
    )
    if due:
        await purge(tx, clients, account_id)
