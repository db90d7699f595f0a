"""Look-ups shared by the rooms of this wing: accounts."""

from uuid import UUID

from selify.core.database import Tx
from selify.core.rows import columns
from selify.messaging.types import Account

LIVE = ("active", "pending")
GONE = ("disconnected", "purged")


async def account(tx: Tx, account_id: UUID) -> Account | None:
    return await tx.fetch_one_as(
        Account, f"SELECT {columns(ACCOUNT)} FROM {ACCOUNTS} WHERE a.id = $1", account_id
    )


async def accounts_with_token(tx: Tx, workspace_id: UUID) -> list[Account]:
    """Those whose platforms still take our calls."""
    return await tx.fetch_as(
        Account,
        f"""
        SELECT {columns(ACCOUNT)} FROM {ACCOUNTS}
         WHERE a.workspace_id = $1 AND a.access_token <> '' AND a.status <> 'purged'
        """,
        workspace_id,
    )


async def live_account(tx: Tx, platform: str, platform_account_id: str) -> Account | None:
    """The one workspace's account in which this platform account is live, if any."""
    return await tx.fetch_one_as(
        Account,
        f"""
        SELECT {columns(ACCOUNT)} FROM {ACCOUNTS}
         WHERE a.platform = $1 AND a.platform_account_id = $2 AND a.status = ANY ($3)
        """,
        platform,
        platform_account_id,
        LIVE,
    )


async def former_account(tx: Tx, platform: str, platform_account_id: str) -> Account | None:
    """Where this platform account was live last, if its history has not been purged."""
    return await tx.fetch_one_as(
        Account,
        f"""
        SELECT {columns(ACCOUNT)} FROM {ACCOUNTS}
         WHERE a.platform = $1 AND a.platform_account_id = $2 AND a.status <> 'purged'
         ORDER BY a.updated_at DESC LIMIT 1
        """,
        platform,
        platform_account_id,
    )


# What the workspace says for all accounts of the account's platform.
WORKSPACE_SETTINGS = """(SELECT w.social_platforms_config #> ARRAY['platforms', a.platform]
                          FROM public.workspaces w WHERE w.id = a.workspace_id)"""

# An account's columns, and from where.
ACCOUNTS = """public.connected_social_accounts a
         LEFT JOIN public.workspaces workspace ON workspace.id = a.workspace_id"""
ACCOUNT = {
    "id": "a.id",
    "workspace_id": "a.workspace_id",
    "platform": "a.platform",
    "platform_account_id": "a.platform_account_id",
    "username": "coalesce(a.platform_username, '')",
    "status": "a.status",
    "settings": "a.settings",
    "app_scoped_id": "a.platform_data ->> 'app_scoped_id'",
    "brand": "workspace.name",
    "platforms": "workspace.social_platforms_config",
    "workspace_settings": "workspace.social_platforms_config #> ARRAY['platforms', a.platform]",
}
