"""Owners are told of keys whose maker left, may do less, or was banned, whoever ended that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from selify.auth import keys as row_keys
from selify.auth.api_keys.types import Review
from selify.core.database import Tx
from selify.core.language import N_, _
from selify.notifications import outbox

AT_ONCE: Final = 100
_WHY: Final = {
    Review.MAKER_DEMOTED: N_(
        "Whoever made it may do less in this brand now. It still works: confirm it, or revoke it."
    ),
    Review.MAKER_LEFT: N_(
        "Whoever made it does not belong to this brand any more. It still works: confirm it, or revoke it."
    ),
    Review.MAKER_BANNED: N_(
        "Whoever made it was banned. It does not work any more until an owner confirms it."
    ),
}


@dataclass(frozen=True, slots=True)
class Untold:
    id: UUID
    workspace_id: UUID
    name: str
    review: Review
    reviews: int


async def tell_owners(tx: Tx, *, now: datetime) -> int:
    """A routine, in a system transaction; of how many keys they were told."""
    untold = await tx.fetch_as(
        Untold,
        """
        WITH looked_at AS (
            SELECT id FROM internal.api_keys WHERE told < reviews
             ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED),
        told AS (
            UPDATE internal.api_keys k SET told = k.reviews FROM looked_at
             WHERE k.id = looked_at.id RETURNING k.*)
        SELECT id, workspace_id, name, review, reviews FROM told
         WHERE review IS NOT NULL AND revoked_at IS NULL ORDER BY id
        """,
        AT_ONCE,
    )
    for key in untold:
        await outbox.notify_workspace(
            tx,
            workspace_id=key.workspace_id,
            kind="api_key_review",
            title=_("Please look at the API key “%(name)s”", name=key.name),
            body=_(_WHY[key.review]),
            action_url="/settings",
            dedupe_key=row_keys.key_review(key.id, key.reviews),
            now=now,
        )
    return len(untold)
