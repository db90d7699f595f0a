"""SQL of ``internal.api_keys``. Only system transactions: no user role can read it."""

from datetime import datetime, timedelta
from uuid import UUID

from selify.auth.api_keys.types import ApiKey
from selify.core.database import Tx

_KEY = """k.id, k.workspace_id, k.name, k.made_by, k.prefix, k.scopes, k.role, k.made_at, k.expires_at,
          k.last_used_at, k.revoked_at, k.review"""
_OF_LIVING_WORKSPACE = """internal.api_keys k
          JOIN public.workspaces w ON w.id = k.workspace_id AND w.deleted_at IS NULL"""


async def insert(tx: Tx, key: ApiKey, secret_hash: bytes) -> None:
    await tx.execute(
        """
        INSERT INTO internal.api_keys (id, workspace_id, name, made_by, prefix, secret_hash, scopes,
                                       role, made_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        key.id,
        key.workspace_id,
        key.name,
        key.made_by,
        key.prefix,
        secret_hash,
        list(key.scopes),
        key.role,
        key.made_at,
        key.expires_at,
    )


async def lock_workspace(tx: Tx, workspace_id: UUID) -> None:
    """So that keys that are made at once are counted one after the other."""
    await tx.execute("SELECT FROM public.workspaces WHERE id = $1 FOR NO KEY UPDATE", workspace_id)


async def count_unrevoked(tx: Tx, workspace_id: UUID) -> int:
    found: int = await tx.fetch_value(
        "SELECT count(*) FROM internal.api_keys WHERE workspace_id = $1 AND revoked_at IS NULL",
        workspace_id,
    )
    return found


async def find_by_hash(tx: Tx, secret_hash: bytes) -> ApiKey | None:
    """Of a workspace that is not deleted."""
    return await tx.fetch_one_as(
        ApiKey,
        f"SELECT {_KEY} FROM {_OF_LIVING_WORKSPACE} WHERE k.secret_hash = $1",
        secret_hash,
    )


async def find(tx: Tx, workspace_id: UUID, key_id: UUID, *, lock: bool = False) -> ApiKey | None:
    """Of a workspace that is not deleted."""
    return await tx.fetch_one_as(
        ApiKey,
        f"""
        SELECT {_KEY} FROM {_OF_LIVING_WORKSPACE} WHERE k.workspace_id = $1 AND k.id = $2
        {"FOR UPDATE OF k" if lock else ""}
        """,
        workspace_id,
        key_id,
    )


async def list_all(tx: Tx, workspace_id: UUID, *, limit: int) -> list[ApiKey]:
    """The latest first."""
    return await tx.fetch_as(
        ApiKey,
        f"SELECT {_KEY} FROM internal.api_keys k WHERE k.workspace_id = $1 ORDER BY k.id DESC LIMIT $2",
        workspace_id,
        limit,
    )


async def touch(tx: Tx, key: ApiKey, *, now: datetime, at_most_every: timedelta) -> None:
    """When it was used last. Of many at once, one writes it."""
    await tx.execute(
        """
        UPDATE internal.api_keys SET last_used_at = $2
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3 OR last_used_at > $2)
        """,
        key.id,
        now,
        now - at_most_every,
    )


async def rename(tx: Tx, key_id: UUID, name: str) -> None:
    await tx.execute("UPDATE internal.api_keys SET name = $2 WHERE id = $1", key_id, name)


async def revoke(tx: Tx, key_id: UUID, *, now: datetime) -> None:
    await tx.execute(
        "UPDATE internal.api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
        key_id,
        now,
    )


async def revoke_those_of(tx: Tx, user_id: UUID, *, now: datetime) -> None:
    """Whoever made them had no right to the account."""
    await tx.execute(
        "UPDATE internal.api_keys SET revoked_at = $2 WHERE made_by = $1 AND revoked_at IS NULL",
        user_id,
        now,
    )


async def confirm(tx: Tx, key_id: UUID) -> None:
    await tx.execute("UPDATE internal.api_keys SET review = NULL WHERE id = $1", key_id)
