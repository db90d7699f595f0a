"""Work that takes longer than a transaction should: leased, resumable, tried a few times.

A job is a row of ``internal.jobs`` started in the transaction that wants it, under a key that makes
a second start harmless. The runner holds a lease and renews it while the job runs; a killed process
leaves the row to be taken over, from the job's own ``checkpoint``.

States: queued → running → done | failed | cancelled; running → queued on a failed try.

A worker that is killed is mostly nobody's fault: a deployment, or a neighbour that needed all the
memory. So it does not spend a try, and is counted apart (``lost``). Who was running twice when that
happened runs alone from then on, for the one whose fault it is not to be given up with the other. The
one whose fault it is ends after ``MAX_LOST``.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from selify.core import metrics
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.ids import new_id
from selify.core.logging import current_trace, get_logger, traced
from selify.core.outage import UNCOUNTED_FOR, is_away, reason_of, retry_while_db_down
from selify.core.queue import job_rows
from selify.core.queue.claims import NOBODY, Round, by_index, go_round, held, turns
from selify.core.queue.defer import Defer
from selify.core.queue.inbox import LONGEST_WAIT, backoff
from selify.core.queue.lease import heartbeat
from selify.core.queue.payload import Payload

log = get_logger(__name__)

LEASE = timedelta(seconds=15)
FIRST_RETRY = timedelta(seconds=3)
MAX_LOST = 5
ALONE_AFTER = 2
# A few more than there is room for: another worker may be taking the same ones.
_MORE = 16
ACTOR = Actor.system("jobs")


@dataclass(frozen=True, slots=True)
class Job:
    """A job in the hands of a runner. ``attempts`` counts this one; ``lost``: see above."""

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
    lost: int = 0

    @property
    def runs_alone(self) -> bool:
        return self.lost >= ALONE_AFTER


class JobLost(Exception):
    """Another runner took the job over; what this one does for it must not be kept."""


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
    payload: Payload,
    workspace_id: UUID | None = None,
    now: datetime,
    run_after: datetime | None = None,
    job_id: UUID | None = None,
) -> UUID | None:
    """Queue a job; ``None`` when this key was started before. ``run_after``: reckoned from ``now``, when
    it is due unless something else is said.
    """
    made = job_id or new_id()
    inserted = await tx.execute(
        """
        INSERT INTO internal.jobs
               (id, kind, key, payload, workspace_id, run_after, trace_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        ON CONFLICT (kind, key) DO NOTHING
        """,
        made,
        kind,
        key,
        payload.stored(),
        workspace_id,
        run_after or now,
        current_trace(),
        now,
    )
    return made if inserted else None


_SAVE_CHECKPOINT = f"""
    UPDATE internal.jobs
       SET checkpoint = $3, payload = {job_rows.blanked("$4")}, updated_at = $5
     WHERE id = $1 AND worker_id = $2 AND state = 'running'
"""


async def save_checkpoint(
    tx: Tx,
    job: Job,
    checkpoint: Mapping[str, Any],
    *,
    now: datetime,
    forget: frozenset[str] = frozenset(),
) -> None:
    """Remember how far the job came, in the transaction that got it there. ``forget``: members of the payload
    that nobody needs any more (``job_rows.forget``).

    Raises JobLost when another runner holds the job by now: let the transaction fail.
    """
    saved = await tx.execute(
        _SAVE_CHECKPOINT,
        job.id,
        job.worker_id,
        dict(checkpoint),
        sorted(forget),
        now,
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
        self._alone: set[asyncio.Task[None]] = set()
        self._one_alone = asyncio.Lock()
        self._round = Round()

    async def run_once(self) -> int:
        """Start what is due while there is room; waits for one to end when there is none."""
        room = self._parallel - len(self._running)
        if room <= 0 or self._alone:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            return 1
        claimed = await go_round(
            self._database,
            ACTOR,
            lambda tx: claim(
                tx,
                worker_id=self._worker_id,
                now=self._clock.now(),
                limit=room,
                kinds=list(self._kinds),
                turn=self._round,
            ),
            self._round,
        )
        for job in claimed:
            task = asyncio.create_task(self._run(job))
            for group in (self._running, self._alone) if job.runs_alone else (self._running,):
                group.add(task)
                task.add_done_callback(group.discard)
        return len(claimed)

    async def finish_running(self) -> None:
        """Wait for what is under way."""
        while self._running:
            await asyncio.wait(self._running)

    async def recover(self) -> int:
        """Take over from dead runners: at once the first time, then ever later and apart."""
        async with by_index(self._database, ACTOR) as tx:
            return await tx.execute(
                """
                UPDATE internal.jobs
                   SET state = 'queued', leased_until = NULL, updated_at = $1,
                       last_error = 'The worker running it stopped.',
                       attempts = greatest(0, attempts - 1),
                       lost = lost + (started_at IS NOT NULL)::int,
                       run_after = $1::timestamptz
                                   + (power(2, least(lost, 8)) - 1) * (0.5 + random()) * $2::interval
                 WHERE state = 'running' AND leased_until < $1
                """,
                self._clock.now(),
                FIRST_RETRY,
            )

    async def _run(self, job: Job) -> None:
        with traced(job.trace):
            try:
                async with heartbeat(partial(self._renew, job), LEASE), self._company_of(job):
                    outcome = await self._try(job)
            except Exception:
                # The row keeps its lease until it runs out; then somebody tries again.
                log.exception("a job could not be finished", kind=job.kind, key=job.key)
                outcome = "lost"
            metrics.jobs_finished.labels(job.kind, outcome).inc()

    @contextlib.asynccontextmanager
    async def _company_of(self, job: Job) -> AsyncIterator[None]:
        """Whoever runs alone waits for the others to end; until then its worker's death is not its."""
        if not job.runs_alone:
            yield
            return
        async with self._one_alone:
            while others := self._running - self._alone:
                await asyncio.wait(others)
            async with by_index(self._database, ACTOR) as tx:
                await tx.execute(
                    """
                    UPDATE internal.jobs SET started_at = $3
                     WHERE id = $1 AND worker_id = $2 AND state = 'running'
                    """,
                    job.id,
                    self._worker_id,
                    self._clock.now(),
                )
            yield

    async def _try(self, job: Job) -> str:
        kind = self._kinds[job.kind]
        if job.lost >= MAX_LOST:
            return await self._give_up(kind, job, "It stopped the worker each time it was tried.")
        try:
            await kind.run(job)
        except Defer as later:
            await retry_while_db_down(
                partial(self._requeue, job, later.after, str(later), counted=False)
            )
            return "later"
        except JobLost:
            return "lost"
        except Exception as error:
            if is_away(error) and self._clock.now() - job.created_at < UNCOUNTED_FOR:
                reason, rest = reason_of(error)
                log.warning("job waits", kind=job.kind, key=job.key, reason=reason)
                await retry_while_db_down(partial(self._requeue, job, rest, reason, counted=False))
                return "later"
            log.warning("job failed", kind=job.kind, key=job.key, exc_info=error)
            reason = f"{type(error).__name__}: {error}"[:1000]
            if job.attempts >= job.max_attempts:
                return await self._give_up(kind, job, reason)
            after = backoff(job.attempts, FIRST_RETRY)
            await retry_while_db_down(partial(self._requeue, job, after, reason, counted=True))
            return "failed"
        await retry_while_db_down(partial(self._done, job))
        return "done"

    async def _done(self, job: Job) -> None:
        async with by_index(self._database, ACTOR) as tx:
            await self._mark(tx, job, "done", None)

    async def _give_up(self, kind: JobKind, job: Job, reason: str) -> str:
        async with by_index(self._database, ACTOR) as tx:
            if await self._mark(tx, job, "failed", reason):
                await kind.give_up(tx, job, reason)
        return "gave_up"

    async def _requeue(self, job: Job, after: timedelta, reason: str, *, counted: bool) -> None:
        now = self._clock.now()
        async with by_index(self._database, ACTOR) as tx:
            await tx.execute(
                """
                UPDATE internal.jobs
                   SET state = 'queued', leased_until = NULL, run_after = $3, last_error = $4,
                       attempts = attempts - $5, updated_at = $6
                 WHERE id = $1 AND worker_id = $2 AND state = 'running'
                """,
                job.id,
                self._worker_id,
                now + min(after, LONGEST_WAIT),
                reason,
                0 if counted else 1,
                now,
            )

    async def _mark(self, tx: Tx, job: Job, state: str, error: str | None) -> bool:
        return bool(
            await tx.execute(
                """
                UPDATE internal.jobs
                   SET state = $3, last_error = $4, leased_until = NULL, updated_at = $5
                 WHERE id = $1 AND worker_id = $2 AND state = 'running'
                """,
                job.id,
                self._worker_id,
                state,
                error,
                self._clock.now(),
            )
        )

    async def _renew(self, job: Job) -> None:
        """Keep the lease while the job runs."""
        async with by_index(self._database, ACTOR) as tx:
            await tx.execute(
                """
                UPDATE internal.jobs SET leased_until = $3
                 WHERE id = $1 AND worker_id = $2 AND state = 'running'
                """,
                job.id,
                self._worker_id,
                self._clock.now() + LEASE,
            )


_OWNER = f"coalesce(workspace_id, '{NOBODY}')"

# The longest due of each workspace on the round, before anybody's second.
_CLAIM = f"""
    WITH RECURSIVE {
    turns("internal.jobs", owner=_OWNER, due="run_after", waiting="state = 'queued'")
},
    ranked AS MATERIALIZED (
        SELECT q.id, owners.step, q.nth
          FROM owners CROSS JOIN LATERAL (
               SELECT id, row_number() OVER () AS nth FROM (
                   SELECT id FROM internal.jobs
                    WHERE {_OWNER} = owners.owner AND state = 'queued' AND run_after <= $3
                      AND kind = ANY ($7)
                    ORDER BY run_after, id LIMIT $4 + {_MORE}) AS longest) AS q),
    due AS ({
    held("internal.jobs", "SELECT id FROM ranked ORDER BY nth, step", still="state = 'queued'")
} LIMIT $4),
    taken AS (
        UPDATE internal.jobs j
           SET state = 'running', worker_id = $5, leased_until = $6, updated_at = $3,
               attempts = least(attempts + 1, max_attempts + 1),
               started_at = CASE WHEN lost < {ALONE_AFTER} THEN $3 END
         WHERE id = ANY (ARRAY(SELECT id FROM due))
        RETURNING j.*)
    SELECT taken.*, round.* FROM round LEFT JOIN taken ON true
"""


async def claim(
    tx: Tx,
    *,
    worker_id: str,
    now: datetime,
    limit: int,
    kinds: list[str],
    turn: Round | None = None,
) -> list[Job]:
    """The longest due of each workspace, then each one's second, as long as there is room."""
    turn = turn or Round()
    rows = await tx.fetch(_CLAIM, turn.after, turn.until, now, limit, worker_id, now + LEASE, kinds)
    turn.came(rows[0])
    return [_job(row) for row in rows if row["id"]]


def _job(row: asyncpg.Record) -> Job:
    return Job(
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
        lost=row["lost"],
    )
