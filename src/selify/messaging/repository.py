"""Look-ups shared by the rooms of this wing: accounts."""

from uuid import UUID

import asyncpg

from selify.core.database import Tx
from selify.messaging.types import Account

LIVE = ("active", "pending")
GONE = ("disconnected", "purged")


async def account(tx: Tx, account_id: UUID) -> Account | None:
    row = await tx.fetch_one(
        f"SELECT {_ACCOUNT} FROM public.connected_social_accounts a WHERE a.id = $1", account_id
    )
    return _account(row) if row else None


async def live_account(tx: Tx, platform: str, platform_account_id: str) -> Account | None:
    """The one workspace's account in which this platform account is live, if any."""
    row = await tx.fetch_one(
        f"""
        SELECT {_ACCOUNT} FROM public.connected_social_accounts a
         WHERE a.platform = $1 AND a.platform_account_id = $2 AND a.status = ANY ($3)
        """,
        platform,
        platform_account_id,
        LIVE,
    )
    return _account(row) if row else None


async def former_account(tx: Tx, platform: str, platform_account_id: str) -> Account | None:
    """Where this platform account was live last, if its history has not been purged."""
    row = await tx.fetch_one(
        f"""
        SELECT {_ACCOUNT} FROM public.connected_social_accounts a
         WHERE a.platform = $1 AND a.platform_account_id = $2 AND a.status <> 'purged'
         ORDER BY a.updated_at DESC LIMIT 1
        """,
        platform,
        platform_account_id,
    )
    return _account(row) if row else None


# What the workspace says for all accounts of the account's platform.
WORKSPACE_SETTINGS = """(SELECT w.social_platforms_config #> ARRAY['platforms', a.platform]
                          FROM public.workspaces w WHERE w.id = a.workspace_id)"""

_ACCOUNT = f"""a.id, a.workspace_id, a.platform, a.platform_account_id, a.platform_username,
               a.status, a.settings, a.platform_data ->> 'app_scoped_id' AS app_scoped_id,
               {WORKSPACE_SETTINGS} AS workspace_settings"""


def _account(row: asyncpg.Record) -> Account:
    return Account(
        id=row["id"],
        workspace_id=row["workspace_id"],
        platform=row["platform"],
        platform_account_id=row["platform_account_id"],
        username=row["platform_username"] or "",
        status=row["status"],
        settings=row["settings"] or {},
        app_scoped_id=row["app_scoped_id"] or "",
        workspace_settings=row["workspace_settings"] or {},
    )
