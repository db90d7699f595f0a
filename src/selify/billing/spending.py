"""What a workspace spent, day by day.

Days that are over are summed once (``internal.spend_days``) and marked by the database when one of
their charges changes; until they are summed again they are read from the charges themselves. So the
sums are right at any moment, however many charges a day had.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from selify.core.database import Tx
from selify.core.money import Credits

# A day is summed so long after its end. Writers mark what is older than an hour: never less.
SETTLED = timedelta(hours=2)
KEPT = timedelta(days=400)
AT_ONCE = 200
_SUMS = """
    coalesce(sum(e.cost_credits) FILTER (WHERE e.cost_source = 'subscription'
                                           AND e.status <> 'refunded'), 0)::bigint AS from_week,
    coalesce(sum(e.cost_credits) FILTER (WHERE e.cost_source = 'payg_balance'
                                           AND e.status <> 'refunded'), 0)::bigint AS from_payg
"""


@dataclass(frozen=True, slots=True)
class DaySpend:
    """Both in credits, without what was given back."""

    from_week: Credits
    from_payg: Credits


async def spend_by_day(
    tx: Tx, workspace_id: UUID, *, first: date, last: date
) -> Mapping[date, DaySpend]:
    """Each of these days (UTC), the quiet ones too. As the system, after the membership was checked:
    users do not see the table of summed days.
    """
    rows = await tx.fetch(
        f"""
        WITH days AS (
            SELECT begins::date AS day, begins AT TIME ZONE 'UTC' AS begins, d.from_week, d.from_payg
              FROM generate_series($2::date::timestamp, $3::date::timestamp, '1 day') AS begins
              LEFT JOIN internal.spend_days d
                ON d.workspace_id = $1 AND d.day = begins::date AND d.counted_at IS NOT NULL)
        SELECT day, from_week, from_payg FROM days WHERE from_week IS NOT NULL
        UNION ALL
        SELECT day, rows.* FROM days CROSS JOIN LATERAL (
            SELECT {_SUMS} FROM public.workspace_usage_events e
             WHERE e.workspace_id = $1 AND e.created_at >= days.begins
               AND e.created_at < days.begins + interval '1 day') rows
         WHERE days.from_week IS NULL
         ORDER BY day
        """,
        workspace_id,
        first,
        last,
    )
    return {
        row["day"]: DaySpend(Credits(row["from_week"]), Credits(row["from_payg"])) for row in rows
    }


async def count_days(tx: Tx, *, now: datetime) -> int:
    """A routine: sum some of the days that are over and not summed; how many. What somebody is
    just changing waits for the next time. Harmless to repeat.
    """
    await _open_days(tx, now)
    await tx.execute(
        # Counted by a clock that was wrong: such days may not be over at all.
        "UPDATE internal.spend_days SET counted_at = NULL WHERE counted_at > $1",
        now,
    )
    due = await tx.fetch(
        """
        SELECT workspace_id, day
          FROM (SELECT workspace_id, day FROM internal.spend_days
                 WHERE counted_at IS NULL AND day < $1
                 ORDER BY day DESC LIMIT $2 OFFSET 0) uncounted
         WHERE pg_try_advisory_xact_lock(internal.day_lock(workspace_id, day))
        """,
        (now - SETTLED).date(),
        AT_ONCE,
    )
    return await tx.execute(
        # A statement of its own: it sees what was committed before the locks were given.
        f"""
        UPDATE internal.spend_days d
           SET from_week = rows.from_week, from_payg = rows.from_payg, counted_at = $3
          FROM unnest($1::uuid[], $2::date[]) AS due (workspace_id, day)
         CROSS JOIN LATERAL (
               SELECT {_SUMS} FROM public.workspace_usage_events e
                WHERE e.workspace_id = due.workspace_id
                  AND e.created_at >= due.day::timestamp AT TIME ZONE 'UTC'
                  AND e.created_at < (due.day + 1)::timestamp AT TIME ZONE 'UTC') rows
         WHERE d.workspace_id = due.workspace_id AND d.day = due.day
        """,
        [row["workspace_id"] for row in due],
        [row["day"] for row in due],
        now,
    )


async def _open_days(tx: Tx, now: datetime) -> None:
    """Every workspace has a row for each day that is over, from its first charge on. Not a deleted one:
    nobody looks at it any more, and its rows were forgotten.
    """
    await tx.execute(
        """
        INSERT INTO internal.spend_days (workspace_id, day)
        SELECT w.id, day::date
          FROM public.workspaces w
         CROSS JOIN LATERAL (SELECT created_at FROM public.workspace_usage_events
                              WHERE workspace_id = w.id ORDER BY created_at LIMIT 1) first
         CROSS JOIN generate_series(
               date_trunc('day', greatest(first.created_at, $2), 'UTC') AT TIME ZONE 'UTC',
               $1::date::timestamp, '1 day') AS day
         WHERE w.deleted_at IS NULL
           AND NOT EXISTS (SELECT FROM internal.spend_days
                            WHERE workspace_id = w.id AND day = $1)
        ON CONFLICT DO NOTHING
        """,
        (now - SETTLED).date() - timedelta(days=1),
        now - KEPT,
    )
