"""How full the queues are, and what keeps their tables small and their times honest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from selify.core.database import Tx
from selify.core.pruning import TROUBLE_KEPT, Rule
from selify.core.queue import inbox, jobs, outbox
from selify.core.wrong_clocks import Bound, interval

EVENTS_KEPT = timedelta(days=14)

# How long a row stays is how long something may still refer to it. Platforms deliver again for a day and a
# half, so an arrived event is remembered for two weeks. A dead letter can be replayed for ``REPLAYABLE``;
# until then the keys of what it caused must be known, or it would cause it twice.
PRUNED = (
    # A rule for each status: the index is sorted by the time within one.
    Rule("public.webhook_events", "created_at", EVENTS_KEPT, "status = 'completed'"),
    Rule("public.webhook_events", "created_at", EVENTS_KEPT, "status = 'skipped'"),
    Rule("public.webhook_events", "created_at", TROUBLE_KEPT, "status = 'failed'"),
    Rule("internal.outbox", "id", inbox.REPLAYABLE, "state IN ('sent', 'failed', 'cancelled')"),
    Rule("internal.jobs", "id", inbox.REPLAYABLE, "state IN ('done', 'failed', 'cancelled')"),
)

_WAIT = interval(inbox.LONGEST_WAIT)
BOUNDS = (
    Bound("public.webhook_events", "processing_started_at", condition="status = 'processing'"),
    Bound(
        "public.webhook_events",
        "next_retry_at",
        _WAIT,
        "status = 'failed' AND retry_count < max_retries",
        written="processing_started_at",
    ),
    Bound("internal.outbox", "leased_until", interval(outbox.LEASE), "state = 'sending'"),
    Bound("internal.outbox", "leased_until", interval(outbox.LEASE), "state = 'unknown'"),
    Bound(
        "internal.outbox",
        "not_before",
        _WAIT,
        "state = 'queued' AND NOT behind",
        written="updated_at",
    ),
    Bound("internal.outbox", "not_before", _WAIT, "state = 'unknown'", written="updated_at"),
    Bound("internal.jobs", "leased_until", interval(jobs.LEASE), "state = 'running'"),
    Bound("internal.jobs", "run_after", _WAIT, "state = 'queued'", written="updated_at"),
)


async def oldest_event(tx: Tx) -> datetime | None:
    """When the event arrived that waits for longest."""
    oldest: datetime | None = await tx.fetch_value(
        "SELECT min(created_at) FROM public.webhook_events WHERE status = 'pending'"
    )
    return oldest


@dataclass(frozen=True, slots=True)
class Fill:
    """How much waits, by queue; and how many events are dead letters."""

    waiting: Mapping[str, int]
    dead_letters: int


async def fill(tx: Tx) -> Fill:
    rows = await tx.fetch(
        """
        SELECT 'inbox' AS queue, count(*) FROM public.webhook_events
         WHERE status = 'pending' OR status = 'failed' AND retry_count < max_retries
        UNION ALL
        SELECT 'outbox', count(*) FROM internal.outbox WHERE state = 'queued'
        UNION ALL
        SELECT 'jobs', count(*) FROM internal.jobs WHERE state = 'queued'
        """
    )
    dead: int = await tx.fetch_value(
        """
        SELECT count(*) FROM public.webhook_events
         WHERE status = 'failed' AND retry_count >= max_retries
        """
    )
    return Fill({row["queue"]: row["count"] for row in rows}, dead)
