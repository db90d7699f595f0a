"""What becomes of a deleted workspace: goodbye to its platforms at once, to its people after a while.

The moment it is deleted the database silences it (``functions/workspaces.sql``). This job says goodbye to
the platforms, waits until nobody can want it back any more, and then forgets: files first, then rows, a
few thousand at a time, each in a transaction of its own. Killed anywhere, it goes on with what is left;
there is nothing to remember but what is still there.

What each wing has to do with that, and which of its rows stay, it says itself (``core/departure.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from selify.auth import keys
from selify.auth.workspaces import KEPT_FOR, Deletion, begin_forgetting
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.departure import Departure
from selify.core.files.storage import Storage
from selify.core.logging import get_logger
from selify.core.queue import job_rows, jobs, outbox_rows
from selify.core.queue.defer import Defer
from selify.core.queue.jobs import Job

log = get_logger(__name__)

ACTOR = Actor.system("workspace deletion")
AT_ONCE = 2000
LONGEST_STATEMENT = timedelta(minutes=10)
TRIED_AGAIN_AFTER = timedelta(hours=1)

# The row that the books refer to stays, without a name.
_ITSELF: Final = "workspaces"
_NAMELESS: Final = """
UPDATE public.workspaces
   SET name = 'Deleted workspace', slug = 'deleted-' || id, description = NULL, avatar_url = NULL,
       social_platforms_config = NULL, brand_voice = NULL, brand_metadata = NULL,
       settings = jsonb_build_object('purged_at', $2::text)
 WHERE id = $1 AND deleted_at IS NOT NULL AND NOT coalesce(settings, '{}') ? 'purged_at'
"""


def kept(departures: Sequence[Departure]) -> set[str]:
    """The tables whose rows stay; everything else that belongs to a workspace is found in the catalogs."""
    return {_ITSELF, *(table for part in departures for table in part.kept)}


@dataclass(frozen=True, slots=True)
class WorkspaceDeletion:
    database: Database
    clock: Clock
    storage: Storage
    departures: Sequence[Departure]

    async def run(self, job: Job) -> None:
        workspace_id = _workspace_of(job)
        deleted_at = Deletion.read(job.payload).deleted_at
        if not await self._is_still_deleted(workspace_id, deleted_at):
            return  # it was brought back, perhaps to be deleted again by another job
        still_deleted = partial(self._is_still_deleted, workspace_id, deleted_at)
        for part in self.departures:
            await part.leave(workspace_id, still_deleted)
        left = deleted_at + KEPT_FOR - self.clock.now()
        if left > timedelta():
            raise Defer("It is kept for a while, in case somebody wants it back.", left)
        async with self.database.tx(ACTOR) as tx:
            if not await begin_forgetting(
                tx, workspace_id, deleted_at=deleted_at, now=self.clock.now()
            ):
                return
        for part in self.departures:
            await part.forget(workspace_id)
        await self._delete_files(workspace_id)
        for statement in [one for part in self.departures for one in part.nameless]:
            await self._repeat(statement, workspace_id)
        await self._delete_rows(workspace_id, keep_job=job.id)
        async with self.database.tx(ACTOR) as tx:
            await tx.execute(_NAMELESS, workspace_id, self.clock.now().isoformat())

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        """Not for good: what was promised to be forgotten is. It goes on in an hour."""
        log.error(
            "a workspace could not be deleted", workspace=str(job.workspace_id), reason=reason
        )
        now, deletion = self.clock.now(), Deletion.read(job.payload)
        await jobs.start(
            tx,
            kind=job.kind,
            key=keys.deletion_again(_workspace_of(job), deletion.deleted_at.isoformat(), job.id),
            payload=deletion,
            workspace_id=job.workspace_id,
            run_after=now + TRIED_AGAIN_AFTER,
            now=now,
        )

    async def _is_still_deleted(self, workspace_id: UUID, deleted_at: datetime) -> bool:
        async with self.database.tx(ACTOR) as tx:
            return bool(
                await tx.fetch_value(
                    "SELECT true FROM public.workspaces WHERE id = $1 AND deleted_at = $2",
                    workspace_id,
                    deleted_at,
                )
            )

    async def _delete_files(self, workspace_id: UUID) -> None:
        for folder in (f"workspaces/{workspace_id}", str(workspace_id)):
            while files := await self.storage.list_under(folder):
                for file in files:
                    await self.storage.delete(file)

    async def _delete_rows(self, workspace_id: UUID, *, keep_job: UUID) -> None:
        """Of every table that names its workspace. What others refer to goes in a later round."""
        async with self.database.tx(ACTOR) as tx:
            rows = await tx.fetch(_PLACES, list(kept(self.departures)))
            places = [(row["name"], row["column"]) for row in rows]
        for table, column in places:
            await self._repeat(
                f"DELETE FROM {table} WHERE ctid = ANY (ARRAY("
                f"SELECT ctid FROM {table} WHERE {column} = $1 ORDER BY ctid LIMIT $2))",
                workspace_id,
            )
        for statement in (outbox_rows.FORGET_WORKSPACE, job_rows.forget_workspace(keep_job)):
            await self._repeat(statement, workspace_id)

    async def _repeat(self, statement: str, workspace_id: UUID) -> None:
        """Until nothing is left to do, a few thousand rows at a time."""
        done = AT_ONCE
        while done:
            async with self.database.tx(ACTOR) as tx:
                # Histories are append-only for everybody else, and nobody looks on any more.
                await tx.execute("SET LOCAL selify.purge = 'on'; SET LOCAL selify.quiet = 'on'")
                await tx.allow(LONGEST_STATEMENT)  # an account takes its whole history along
                done = await tx.execute(statement, workspace_id, AT_ONCE)


# Columns of foreign keys to the workspace, in tables that are not kept. A reference that may be empty
# is somebody else's row about this workspace, unless it is the row's own workspace.
_PLACES: Final = """
SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(a.attname) AS column
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
 WHERE k.contype = 'f' AND k.confrelid = 'public.workspaces'::regclass
   AND (k.confdeltype = 'c' OR a.attname = 'workspace_id') AND c.relname <> ALL ($1)
 ORDER BY 1, 2
"""


def _workspace_of(job: Job) -> UUID:
    if job.workspace_id is None:
        raise ValueError(f"the job {job.key} names no workspace")
    return job.workspace_id
