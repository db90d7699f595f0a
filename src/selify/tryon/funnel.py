"""How many got how far: figures of the funnel, day by day.

Days that are over are counted once (``internal.funnel_days``) and marked by the database when one of
their rows changes; until they are counted again they are read from the rows themselves. So the
figures are right at any moment, and cost the same however long the period.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from selify.core.database import Tx

# A day is counted so long after its end. Writers mark what is older than an hour: never less.
SETTLED = timedelta(hours=2)
KEPT = timedelta(days=400)
AT_ONCE = 200
_STEPS = """
    count(*) AS triggers, count(*) FILTER (WHERE bot_responded) AS answered,
    count(*) FILTER (WHERE user_sent_photo) AS photos,
    count(*) FILTER (WHERE generation_successful) AS tried_on,
    count(*) FILTER (WHERE user_satisfied) AS liked
"""


async def funnel(
    tx: Tx, workspace_id: UUID, *, since: datetime, now: datetime
) -> Mapping[str, int]:
    """Comment or message → answer → photo → try-on → liked, of what began since then. As the system,
    after the membership was checked: users do not see the table of counted days.
    """
    row = await tx.fetch_one(
        f"""
        WITH days AS (
            SELECT a.id AS account_id, begins, counted.*
              FROM public.connected_social_accounts a
             CROSS JOIN generate_series(date_trunc('day', $2::timestamptz, 'UTC'),
                                        $3::timestamptz + interval '1 day', '1 day') AS begins
              LEFT JOIN LATERAL (
                   SELECT triggers, answered, photos, tried_on, liked FROM internal.funnel_days d
                    WHERE d.account_id = a.id AND d.day = (begins AT TIME ZONE 'UTC')::date
                      AND begins >= $2 AND d.counted_at IS NOT NULL) counted ON true
             WHERE a.workspace_id = $1),
        figures AS (
            SELECT triggers, answered, photos, tried_on, liked FROM days
             WHERE triggers IS NOT NULL
            UNION ALL
            SELECT rows.* FROM days CROSS JOIN LATERAL (
                SELECT {_STEPS} FROM public.bot_interactions i
                 WHERE i.account_id = days.account_id
                   AND i.created_at >= greatest(days.begins, $2)
                   AND i.created_at < days.begins + interval '1 day') rows
             WHERE days.triggers IS NULL)
        SELECT coalesce(sum(triggers), 0)::bigint AS triggers,
               coalesce(sum(answered), 0)::bigint AS answered,
               coalesce(sum(photos), 0)::bigint AS photos,
               coalesce(sum(tried_on), 0)::bigint AS tried_on,
               coalesce(sum(liked), 0)::bigint AS liked
          FROM figures
        """,
        workspace_id,
        since,
        now,
    )
    return dict(row) if row else {}


async def count_days(tx: Tx, *, now: datetime) -> int:
    """A routine: count some of the days that are over and not counted; how many. What somebody is
    just changing waits for the next time. Harmless to repeat.
    """
    await _open_days(tx, now)
    await tx.execute(
        # Counted by a clock that was wrong: such days may not be over at all.
        "UPDATE internal.funnel_days SET counted_at = NULL WHERE counted_at > $1",
        now,
    )
    due = await tx.fetch(
        """
        SELECT account_id, day
          FROM (SELECT account_id, day FROM internal.funnel_days
                 WHERE counted_at IS NULL AND day < $1
                 ORDER BY day DESC LIMIT $2 OFFSET 0) uncounted
         WHERE pg_try_advisory_xact_lock(internal.day_lock(account_id, day))
        """,
        (now - SETTLED).date(),
        AT_ONCE,
    )
    return await tx.execute(
        # A statement of its own: it sees what was committed before the locks were given.
        f"""
        UPDATE internal.funnel_days d
           SET triggers = rows.triggers, answered = rows.answered, photos = rows.photos,
               tried_on = rows.tried_on, liked = rows.liked, counted_at = $3
          FROM unnest($1::uuid[], $2::date[]) AS due (account_id, day)
         CROSS JOIN LATERAL (
               SELECT {_STEPS} FROM public.bot_interactions i
                WHERE i.account_id = due.account_id
                  AND i.created_at >= due.day::timestamp AT TIME ZONE 'UTC'
                  AND i.created_at < (due.day + 1)::timestamp AT TIME ZONE 'UTC') rows
         WHERE d.account_id = due.account_id AND d.day = due.day
        """,
        [row["account_id"] for row in due],
        [row["day"] for row in due],
        now,
    )


async def _open_days(tx: Tx, now: datetime) -> None:
    """Every account has a row for each day that is over, from its first interaction on."""
    await tx.execute(
        """
        INSERT INTO internal.funnel_days (account_id, day)
        SELECT a.id, day::date
          FROM public.connected_social_accounts a
         CROSS JOIN LATERAL (SELECT created_at FROM public.bot_interactions
                              WHERE account_id = a.id ORDER BY created_at LIMIT 1) first
         CROSS JOIN generate_series(
               date_trunc('day', greatest(first.created_at, $2), 'UTC') AT TIME ZONE 'UTC',
               $1::date::timestamp, '1 day') AS day
         WHERE NOT EXISTS (SELECT FROM internal.funnel_days
                            WHERE account_id = a.id AND day = $1)
        ON CONFLICT DO NOTHING
        """,
        (now - SETTLED).date() - timedelta(days=1),
        now - KEPT,
    )
