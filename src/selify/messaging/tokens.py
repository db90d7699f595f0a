"""Access tokens of connected accounts: sealed at rest, opened for one call, renewed in time, dead.

A dead one is said so, to the owner too: no send of the account leaves until it is connected again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selify.auth import audit
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import NotFound, SelifyError
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.queue import schedule
from selify.core.secrets import SecretBox
from selify.messaging import health, repository
from selify.messaging.ports import AccountGateway, Credentials, PlatformRefused
from selify.messaging.types import Account

log = get_logger(__name__)

ACTOR = Actor.system("access tokens")
RENEW_BEFORE = timedelta(days=10)
RENEW_AGE = timedelta(hours=24)
RENEWAL = "token renewal"  # the routine whose failures are noted
KEYS_IN_USE = (
    "SELECT DISTINCT split_part(access_token, '.', 2) FROM public.connected_social_accounts"
    " WHERE access_token LIKE 'v1.%'"
)


class AccountMissing(NotFound):
    code = "account_missing"
    title = _("This account is not connected here")


def identity(account_id: UUID) -> str:
    """What a sealed access token is bound to."""
    return f"connected_social_accounts.access_token:{account_id}"


async def opened(tx: Tx, secrets: SecretBox, account_id: UUID) -> str:
    """The access token, for one call. Raises AccountMissing."""
    return (await credentials(tx, secrets, account_id)).token


async def find(tx: Tx, secrets: SecretBox, account_id: UUID) -> str | None:
    """The access token where there is one that can be opened."""
    try:
        return await opened(tx, secrets, account_id)
    except SelifyError:
        return None


async def credentials(tx: Tx, secrets: SecretBox, account_id: UUID) -> Credentials:
    """Raises AccountMissing."""
    row = await tx.fetch_one(
        """
        SELECT platform_account_id, access_token FROM public.connected_social_accounts WHERE id = $1
        """,
        account_id,
    )
    return unseal(secrets, account_id, *(row or ("", "")))


def unseal(
    secrets: SecretBox, account_id: UUID, platform_account_id: str, sealed: str
) -> Credentials:
    """From what is stored of an account. Raises AccountMissing."""
    if not sealed:
        raise AccountMissing(_("This account is not connected (any more)."))
    token = secrets.open(sealed, about=identity(account_id))
    return Credentials(platform_account_id, token, sealed)


async def died(tx: Tx, account_id: UUID, code: str, now: datetime, *, sealed: str) -> bool:
    """No send of this account leaves until its owner connects it again.

    ``sealed``: the stored token that was refused. False, and nothing happens, when the account has
    another one by now: the refusal is old news.
    """
    dead = await tx.execute(
        """
        UPDATE public.connected_social_accounts
           SET status = 'expired', error_message = 'The access token is no longer accepted.'
         WHERE id = $1 AND status = 'active' AND access_token = $2
        """,
        account_id,
        sealed,
    )
    if not dead:
        return False
    await health.failed(tx, account_id, at=now, code=code, token_dead=True)
    return True


@dataclass(frozen=True, slots=True)
class _Due:
    """A stored token whose renewal is due. ``since``: when it was given or renewed last."""

    id: UUID
    access_token: str
    token_expires_at: datetime
    since: datetime


async def renew_due(
    database: Database, clock: Clock, secrets: SecretBox, gateway: AccountGateway
) -> int:
    """A routine: renew tokens well before they end, the longest waiting first. A dead one is said so,
    to the owner too.
    """
    now = clock.now()
    async with database.tx(ACTOR) as tx:
        due = await tx.fetch_as(
            _Due,
            f"""
            SELECT id, access_token, token_expires_at,
                   coalesce(token_last_refreshed_at, created_at) AS since
              FROM public.connected_social_accounts
             WHERE platform = $1 AND status = 'active' AND token_expires_at < $2
               AND coalesce(token_last_refreshed_at, created_at) < $3
             ORDER BY coalesce({schedule.last_try(RENEWAL, "id")}, token_expires_at - $4::interval)
             LIMIT 20
            """,
            gateway.platform,
            now + RENEW_BEFORE,
            now - RENEW_AGE,
            RENEW_BEFORE,
        )
        for one in due:
            await schedule.note_try(tx, RENEWAL, one.id, now=now)
    for one in due:
        try:
            await _renew(database, clock, secrets, gateway, one)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("a token could not be renewed", account_id=str(one.id))
    return len(due)


async def _renew(
    database: Database, clock: Clock, secrets: SecretBox, gateway: AccountGateway, due: _Due
) -> None:
    async with database.tx(ACTOR) as tx:
        account = await repository.account(tx, due.id)
        if account is None or account.status != "active":
            return
        sender = await credentials(tx, secrets, due.id)
    if sender.sealed != due.access_token:
        return  # the owner connected it again meanwhile
    try:
        renewed = await gateway.renew(
            sender.token, expires_at=due.token_expires_at, since=due.since
        )
    except PlatformRefused as refused:
        async with database.tx(ACTOR) as tx:
            await _audit_renewal(tx, account, error=refused.code)
            if refused.token_dead or due.token_expires_at <= clock.now():
                await died(tx, account.id, refused.code, clock.now(), sealed=sender.sealed)
        return
    async with database.tx(ACTOR) as tx:
        stored = await tx.execute(
            """
            UPDATE public.connected_social_accounts
               SET access_token = $2, token_expires_at = $3, token_last_refreshed_at = $4
             WHERE id = $1 AND status = 'active' AND access_token = $5
            """,
            account.id,
            secrets.seal(renewed.token, about=identity(account.id)),
            renewed.expires_at,
            clock.now(),
            sender.sealed,
        )
        if stored:
            await schedule.forget_try(tx, RENEWAL, account.id)
            await _audit_renewal(tx, account, error=None)


async def _audit_renewal(tx: Tx, account: Account, *, error: str | None) -> None:
    await audit.record(
        tx,
        audit.OAuthEvent.TOKEN_REFRESH_FAILED if error else audit.OAuthEvent.TOKEN_REFRESHED,
        workspace_id=account.workspace_id,
        user_id=None,
        platform=account.platform,
        platform_account_id=account.platform_account_id,
        error_message=error,
    )


async def reseal_tokens(tx: Tx, secrets: SecretBox) -> int:
    """Seal every stored token with the current key; how many were not yet."""
    rows = await tx.fetch(
        """
        SELECT id, access_token FROM public.connected_social_accounts
         WHERE access_token <> '' FOR UPDATE
        """
    )
    old = [row for row in rows if not secrets.is_current(row["access_token"])]
    for row in old:
        sealed = secrets.reseal(row["access_token"], about=identity(row["id"]))
        await tx.execute(
            "UPDATE public.connected_social_accounts SET access_token = $2 WHERE id = $1",
            row["id"],
            sealed,
        )
    return len(old)
