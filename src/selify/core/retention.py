"""Files that must not outlive their purpose: ``internal.retention``.

Whoever stores such a file lists it here in the same breath; a routine deletes what is due. Listing
comes first, so that a crash between listing and storing leaves nothing behind unlisted.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.files.storage import Storage, StorageUnavailable
from selify.core.invariants import Violation
from selify.core.logging import get_logger
from selify.core.queue.claims import by_index
from selify.core.queue.inbox import LONGEST_WAIT
from selify.core.wrong_clocks import Bound, interval

log = get_logger(__name__)

ACTOR = Actor.system("retention")
AT_ONCE = datetime.fromtimestamp(0, UTC)
RETRY_AFTER = timedelta(hours=1)
BOUNDS = (Bound("internal.retention", "retry_after", interval(LONGEST_WAIT)),)


async def keep_until(
    tx: Tx, key: str, *, until: datetime, reason: str, workspace_id: UUID | None = None
) -> None:
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


async def delete_soon(tx: Tx, key: str, *, reason: str, workspace_id: UUID | None = None) -> None:
    """The next sweep deletes it, whether or not it was listed, and if it is there at all."""
    await keep_until(tx, key, until=AT_ONCE, reason=reason, workspace_id=workspace_id)


async def sweep(database: Database, storage: Storage, *, now: datetime) -> int:
    """Delete what is due, the longest due first; how many files. A file is unlisted only once it is
    gone. One that cannot be deleted is tried again in an hour, and the others go on.
    """
    async with by_index(database, ACTOR) as tx:
        due = await tx.fetch(
            """
            SELECT object_key FROM internal.retention
             WHERE delete_after <= $1 AND (retry_after IS NULL OR retry_after <= $1)
             ORDER BY delete_after LIMIT 500
            """,
            now,
        )
    deleted = 0
    for row in due:
        key = row["object_key"]
        try:
            await storage.delete(key)
        except (StorageUnavailable, ValueError) as error:  # the store, or no key of ours
            log.warning("a file could not be deleted", key=key, reason=str(error))
            await _put_off(database, key, until=now + RETRY_AFTER)
            continue
        await _unlist(database, key, now=now)
        deleted += 1
    return deleted


async def _unlist(database: Database, key: str, *, now: datetime) -> None:
    async with by_index(database, ACTOR) as tx:
        await tx.execute(
            "DELETE FROM internal.retention WHERE object_key = $1 AND delete_after <= $2", key, now
        )


async def _put_off(database: Database, key: str, *, until: datetime) -> None:
    async with by_index(database, ACTOR) as tx:
        await tx.execute(
            """
            UPDATE internal.retention SET failures = failures + 1, retry_after = $2
             WHERE object_key = $1
            """,
            key,
            until,
        )


@dataclass(frozen=True, slots=True)
class FilesAreGone:
    """The promise to people: what was to be deleted is deleted."""

    clock: Clock
    within: timedelta = timedelta(hours=6)
    failures: int = 3
    name: str = "files_are_gone"
    sentence: str = "No file stays much longer than it may."
    seldom: bool = False

    async def violations(self, tx: Tx) -> list[Violation]:
        rows = await tx.fetch(
            """
            SELECT object_key, workspace_id, delete_after, failures FROM internal.retention
             WHERE failures >= $2 OR (delete_after > $3 AND delete_after < $1)
            """,
            self.clock.now() - self.within,
            self.failures,
            AT_ONCE,
        )
        return [Violation(row["object_key"], dict(row)) for row in rows]


def safe_name(key: str) -> str:
    """A file name for an outsider's identifier: fixed length, no surprises."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]
