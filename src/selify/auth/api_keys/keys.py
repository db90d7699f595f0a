"""Making, finding, confirming and revoking API keys. All in system transactions, after ``access_workspace``."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from selify.auth.api_keys import repository
from selify.auth.api_keys.scopes import Vocabulary, check, least_role, opened_by
from selify.auth.api_keys.types import ApiKey, KeyState, NewKey
from selify.auth.types import Workspace
from selify.core.database import Tx
from selify.core.errors import Conflict, Invalid, NotFound
from selify.core.ids import new_id
from selify.core.language import _
from selify.core.permissions import Permission

MARK: Final = "slf_"
_SHOWN: Final = len(MARK) + 8
_LONGEST_SECRET: Final = 100
MOST_KEYS: Final = 50
MOST_LISTED: Final = 200
WRITTEN_EVERY: Final = timedelta(minutes=1)


class KeyNotFound(NotFound):
    code = "api_key_not_found"


class TooManyKeys(Conflict):
    code = "too_many_api_keys"
    title = _("There are too many API keys")


class KeyRevoked(Conflict):
    code = "api_key_revoked"
    title = _("This API key was revoked")


def hash_of(secret: str) -> bytes:
    # The secret has 256 random bits: one round is enough, and finding the hash tells nothing by its time.
    return hashlib.sha256(secret.encode()).digest()


async def make(
    tx: Tx,
    workspace: Workspace,
    vocabulary: Vocabulary,
    *,
    name: str,
    scopes: Sequence[str],
    made_by: UUID,
    expires_at: datetime | None,
    now: datetime,
) -> NewKey:
    """``workspace``: as its maker sees it, who gives no more than they may themselves.

    Raises Invalid, RoleTooLow, TooManyKeys.
    """
    if expires_at is not None and expires_at <= now:
        raise Invalid(_("This time is over already."), field="body.expires_at")
    permissions = opened_by(scopes, vocabulary)
    for permission in permissions:
        workspace.check(permission)
    await repository.lock_workspace(tx, workspace.id)
    if await repository.count_unrevoked(tx, workspace.id) >= MOST_KEYS:
        raise TooManyKeys(
            _("A workspace has at most %(most)s API keys.", most=MOST_KEYS),
            hint=_("Revoke those that nobody uses."),
        )
    secret = MARK + secrets.token_urlsafe(32)
    key = ApiKey(
        id=new_id(),
        workspace_id=workspace.id,
        name=name,
        made_by=made_by,
        prefix=secret[:_SHOWN],
        scopes=tuple(sorted(set(scopes))),
        role=least_role(permissions).value,
        made_at=now,
        expires_at=expires_at,
        last_used_at=None,
        revoked_at=None,
        review=None,
    )
    await repository.insert(tx, key, hash_of(secret))
    return NewKey(key, secret)


async def present(tx: Tx, secret: str, *, now: datetime) -> ApiKey | None:
    """The active key of this secret, and remembered that it was used."""
    if len(secret) > _LONGEST_SECRET:
        return None
    key = await repository.find_by_hash(tx, hash_of(secret))
    if key is None or key.state(now) is not KeyState.ACTIVE:
        return None
    if not _was_just_used(key, now):
        await repository.touch(tx, key, now=now, at_most_every=WRITTEN_EVERY)
    return key


def _was_just_used(key: ApiKey, now: datetime) -> bool:
    return key.last_used_at is not None and now - WRITTEN_EVERY < key.last_used_at <= now


async def access_key(tx: Tx, workspace_id: UUID, key_id: UUID) -> ApiKey:
    """Raises KeyNotFound. Locked until the transaction ends."""
    key = await repository.find(tx, workspace_id, key_id, lock=True)
    if key is None:
        raise KeyNotFound(_("There is no such API key in this workspace."))
    return key


async def revoke(tx: Tx, workspace_id: UUID, key_id: UUID, *, now: datetime) -> None:
    """Harmless where it was revoked before. Raises KeyNotFound."""
    key = await access_key(tx, workspace_id, key_id)
    await repository.revoke(tx, key.id, now=now)


async def rename(tx: Tx, workspace_id: UUID, key_id: UUID, name: str) -> None:
    """Raises KeyNotFound."""
    key = await access_key(tx, workspace_id, key_id)
    await repository.rename(tx, key.id, name)


async def confirm(tx: Tx, workspace_id: UUID, key_id: UUID) -> None:
    """An owner has looked at it: it may go on. Raises KeyNotFound, KeyRevoked."""
    key = await access_key(tx, workspace_id, key_id)
    if key.revoked_at is not None:
        raise KeyRevoked(_("It cannot be used again."), hint=_("Make a new key."))
    await repository.confirm(tx, key.id)


_WORKSPACE: Final = "w.id, w.name, w.slug, w.description, w.created_at"


async def workspace_of(
    tx: Tx, workspace_id: UUID, permission: Permission, *, key_id: UUID
) -> Workspace | None:
    """The workspace, as a key sees it that is not revoked; None where it is no key's, or not this one's. In a
    key's own transaction row level security answers. Raises ScopeMissing.
    """
    if tx.actor.is_system:
        key = await repository.find(tx, workspace_id, key_id)
        if key is None or key.revoked_at is not None:
            return None
        role, scopes = key.role, key.scopes
    elif tx.actor.key is not None:
        role, scopes = tx.actor.key.role, tx.actor.key.scopes
    else:
        return None
    workspace = await tx.fetch_one_as(
        Workspace,
        f"SELECT {_WORKSPACE}, $2::text AS role FROM public.workspaces w WHERE w.id = $1",
        workspace_id,
        role,
    )
    if workspace is not None:
        check(scopes, permission)
    return workspace
