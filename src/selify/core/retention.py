"""Files that must not outlive their purpose: ``internal.retention``.

Whoever stores such a file lists it here in the same breath; a routine deletes what is due. Listing
comes first, so that a crash between listing and storing leaves nothing behind unlisted.
"""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from selify.core.database import Actor, Database, Tx
from selify.core.storage import Storage

ACTOR = Actor.system("retention")


async def keep_until(tx: Tx, key: str, *, until: datetime, reason: str, workspace_id: UUID) -> None:
    await tx.execute(
        """
        INSERT INTO internal.retention (object_key, workspace_id, delete_after, reason)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (object_key) DO UPDATE
           SET delete_after = least(internal.retention.delete_after, excluded.delete_after)
        """,
        key,
        workspace_id,
        until,
        reason,
    )


async def delete_soon(tx: Tx, key: str, *, reason: str, workspace_id: UUID) -> None:
    """The next sweep deletes it, whether or not it was listed, and if it is there at all."""
    await keep_until(
        tx, key, until=datetime.fromtimestamp(0, UTC), reason=reason, workspace_id=workspace_id
    )


async def sweep(database: Database, storage: Storage, *, now: datetime) -> int:
    """Delete what is due; how many files. A file is unlisted only once it is gone."""
    async with database.tx(ACTOR) as tx:
        due = await tx.fetch(
            "SELECT object_key FROM internal.retention WHERE delete_after <= $1 LIMIT 500", now
        )
    for row in due:
        await storage.delete(row["object_key"])
        async with database.tx(ACTOR) as tx:
            await tx.execute(
                "DELETE FROM internal.retention WHERE object_key = $1 AND delete_after <= $2",
                row["object_key"],
                now,
            )
    return len(due)


def safe_name(key: str) -> str:
    """A file name for an outsider's identifier: fixed length, no surprises."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]
