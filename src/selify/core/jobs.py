"""Work that takes longer than a transaction should: leased, resumable, tried a few times.

A job is a row of ``internal.jobs`` started in the transaction that wants it, under a key that makes
a second start harmless. The runner holds a lease and renews it while the job runs; a killed process
leaves the row to be taken over, from the job's own ``checkpoint``.

States: queued → running → done | failed | cancelled; running → queued on a failed try.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from selify.core import metrics
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.ids import new_id
from selify.core.inbox import back_off
from selify.core.leases import renewing
from selify.core.logging import current_trace, get_logger, traced
from selify.core.outage import UNCOUNTED_FOR, is_away, outlast, reason_of

log = get_logger(__name__)

LEASE = timedelta(seconds=15)
FIRST_RETRY = timedelta(seconds=3)
ACTOR = Actor.system("jobs")


@dataclass(frozen=True, slots=True)
class Job:
    """A job in the hands of a runner. ``attempts`` counts this one."""

    id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    checkpoint: dict[str, Any]
    attempts: int
    max_attempts: int
    workspace_id: UUID | None
    trace: str
    created_at: datetime
    worker_id: str = ""


class JobLost(Exception):
    """Another runner took the job over; what this one does for it must not be kept."""


class RunLater(Exception):
    """It is too early; does not count as a failure."""

    def __init__(self, reason: str, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


class JobKind(Protocol):
    """What one kind of job does. Opens its own transactions, each as small as can be."""

    async def run(self, job: Job) -> None:
        """Do it, from the checkpoint on. Must be harmless to repeat."""

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        """All tries failed: leave things honest (refund, apologise), with the mark ``failed``."""


async def start(
    tx: Tx,
    *,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    workspace_id: UUID | None = None,
    run_after: datetime | None = None,
    job_id: UUID | None = None,
) -> UUID | None:
    """Queue a job; ``None`` when this key was started before."""
    made = job_id or new_id()
    inserted = await tx.execute(
        """
        INSERT INTO internal.jobs (id, kind, key, payload, workspace_id, run_after, trace_id)
        VALUES ($1, $2, $3, $4, $5, coalesce($6, now()), $7)
        ON CONFLICT (kind, key) DO NOTHING
        """,
        made,
        kind,
        key,
        dict(payload),
        workspace_id,
        run_after,
        current_trace(),
    )
    return made if inserted else None


async def save_checkpoint(tx: Tx, job: Job, checkpoint: Mapping[str, Any]) -> None:
    """Remember how far the job came, in the transaction that got it there.

    Raises JobLost when another runner holds the job by now: let the transaction fail.
    """
    saved = await tx.execute(
        """
        UPDATE internal.jobs SET checkpoint = $3, updated_at = now()
         WHERE id = $1 AND worker_id = $2 AND state = 'running'
        """,
        job.id,
        job.worker_id,
        dict(checkpoint),
    )
    if not saved:
        raise JobLost(f"another runner holds the job {job.key}")


class JobRunner:
    """The embedded engine for long work: PostgreSQL rows and leases, nothing else."""

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, JobKind],
        *,
        clock: Clock,
        worker_id: str,
        parallel: int = 4,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._clock = clock
        self._worker_id = worker_id
        self._parallel = parallel
        self._running: set[asyncio.Task[None]] = set()

    async def run_once(self) -> int:
        """Start what is due while there is room; waits for one to end when there is none."""
        room = self._parallel - len(self._running)
        if room <= 0:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            return 1
        async with self._database.tx(ACTOR) as tx:
            claimed = await _claim(
                tx,
                worker_id=self._worker_id,
                now=self._clock.now(),
                limit=room,
                kinds=list(self._kinds),
            )
        for job in claimed:
            task = asyncio.create_task(self._run(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(claimed)

    async def finish_running(self) -> None:
        """Wait for what is under way."""
        while self._running:
            await asyncio.wait(self._running)

    async def recover(self) -> int:
        """Take over from dead runners. The lost try counts, so poison ends up failed."""
        async with self._database.tx(ACTOR) as tx:
            return await tx.execute(
                """
                UPDATE internal.jobs
                   SET state = 'queued', leased_until = NULL, updated_at = now(),
                       last_error = 'The worker running it stopped.'
                 WHERE state = 'running' AND leased_until < $1
                """,
                self._clock.now(),
            )

    async def _run(self, job: Job) -> None:
        with traced(job.trace):
            try:
                async with renewing(partial(self._renew, job), LEASE):
                    outcome = await self._try(job)
            except Exception:
                # The row keeps its lease until it runs out; then somebody tries again.
                log.exception("a job could not be finished", kind=job.kind, key=job.key)
                outcome = "lost"
            metrics.jobs_finished.labels(job.kind, outcome).inc()

    async def _try(self, job: Job) -> str:
        kind = self._kinds[job.kind]
        if job.attempts > job.max_attempts:
            return await self._give_up(kind, job, "It stopped the worker each time it was tried.")
        try:
            await kind.run(job)
        except RunLater as later:
            await outlast(partial(self._requeue, job, later.after, str(later), counted=False))
            return "later"
        except JobLost:
            return "lost"
        except Exception as error:
            if is_away(error) and self._clock.now() - job.created_at < UNCOUNTED_FOR:
                reason, rest = reason_of(error)
                log.warning("job waits", kind=job.kind, key=job.key, reason=reason)
                await outlast(partial(self._requeue, job, rest, reason, counted=False))
                return "later"
            log.warning("job failed", kind=job.kind, key=job.key, exc_info=error)
            reason = f"{type(error).__name__}: {error}"[:1000]
            if job.attempts >= job.max_attempts:
                return await self._give_up(kind, job, reason)
            after = back_off(job.attempts, FIRST_RETRY)
            await outlast(partial(self._requeue, job, after, reason, counted=True))
            return "failed"
        await outlast(partial(self._done, job))
        return "done"

    async def _done(self, job: Job) -> None:
        async with self._database.tx(ACTOR) as tx:
            await self._mark(tx, job, "done", None)

    async def _give_up(self, kind: JobKind, job: Job, reason: str) -> str:
        async with self._database.tx(ACTOR) as tx:
            if await self._mark(tx, job, "failed", reason):
                await kind.give_up(tx, job, reason)
        return "gave_up"

    async def _requeue(self, job: Job, after: timedelta, reason: str, *, counted: bool) -> None:
        async with self._database.tx(ACTOR) as tx:
            await tx.execute(
                """
                UPDATE internal.jobs
                   SET state = 'queued', leased_until = NULL, run_after = $3, last_error = $4,
                       attempts = attempts - $5, updated_at = now()
                 WHERE id = $1 AND worker_id = $2 AND state = 'running'
                """,
                job.id,
                self._worker_id,
                self._clock.now() + after,
                reason,
                0 if counted else 1,
            )

    async def _mark(self, tx: Tx, job: Job, state: str, error: str | None) -> bool:
        return bool(
            await tx.execute(
                """
                UPDATE internal.jobs
                   SET state = $3, last_error = $4, leased_until = NULL, updated_at = now()
                 WHERE id = $1 AND worker_id = $2 AND state = 'running'
                """,
                job.id,
                self._worker_id,
                state,
                error,
            )
        )

    async def _renew(self, job: Job) -> None:
        """Keep the lease while the job runs."""
        async with self._database.tx(ACTOR) as tx:
            await tx.execute(
                """
                UPDATE internal.jobs SET leased_until = $3
                 WHERE id = $1 AND worker_id = $2 AND state = 'running'
                """,
                job.id,
                self._worker_id,
                self._clock.now() + LEASE,
            )


async def _claim(
    tx: Tx, *, worker_id: str, now: datetime, limit: int, kinds: list[str]
) -> list[Job]:
    rows = await tx.fetch(
        """
        WITH due AS (
            SELECT id FROM internal.jobs
             WHERE state = 'queued' AND run_after <= $2 AND kind = ANY ($5)
             ORDER BY run_after LIMIT $3 FOR UPDATE SKIP LOCKED)
        UPDATE internal.jobs j
           SET state = 'running', worker_id = $1, leased_until = $4,
               attempts = least(attempts + 1, max_attempts + 1),
               updated_at = now()
          FROM due WHERE j.id = due.id
        RETURNING j.*
        """,
        worker_id,
        now,
        limit,
        now + LEASE,
        kinds,
    )
    return [
        Job(
            id=row["id"],
            kind=row["kind"],
            key=row["key"],
            payload=row["payload"],
            checkpoint=row["checkpoint"] or {},
            attempts=row["attempts"],
            max_attempts=row["max_attempts"],
            workspace_id=row["workspace_id"],
            trace=row["trace_id"] or "",
            created_at=row["created_at"],
            worker_id=row["worker_id"],
        )
        for row in rows
    ]
