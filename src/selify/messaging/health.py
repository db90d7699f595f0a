"""What every send does to an account's health: ``instagram_account_health`` and, while sends fail in a
row, ``internal.account_trouble``, which also knows since when no events arrive. What follows for people
is said by ``diagnosis``.

healthy ⇄ degraded ⇄ unhealthy. A dead token is ``unhealthy`` at once and stops all sends until the
owner connects again. Counters of "today" begin anew with the first call of a UTC day. The brand's
people hear of it with the very change that makes it bad, and when it is over.
"""

from datetime import datetime
from uuid import UUID

from selify.core.database import Tx
from selify.core.language import _
from selify.messaging import diagnosis, repository
from selify.messaging.diagnosis import FAILING_AFTER, State
from selify.notifications.outbox import notify_workspace

# Not updated_at: other changes of the row move that, and yesterday's count would become today's.
_LAST_CALL = "greatest(h.last_successful_api_call, h.last_failed_api_call)"


async def succeeded(
    tx: Tx,
    account_id: UUID,
    *,
    at: datetime,
    milliseconds: int | None,
    to_comment: bool = False,
) -> None:
    """A send went through: the run of failures is over. ``milliseconds``: where it was timed.
    ``to_comment``: it answered a comment.
    """
    in_trouble = await tx.fetch_value(
        f"""
        INSERT INTO public.instagram_account_health AS h
               (account_id, last_successful_api_call, avg_response_time_ms,
                messages_processed_today)
        VALUES ($1, $2, $3::int, 1)
        ON CONFLICT (account_id) DO UPDATE
           SET health_status = 'healthy', token_valid = true, consecutive_failures = 0,
               last_successful_api_call = $2,
               avg_response_time_ms = coalesce(
                   (coalesce(h.avg_response_time_ms, $3) * 9 + $3) / 10, h.avg_response_time_ms),
               messages_processed_today =
                   internal.in_window(h.messages_processed_today, {_LAST_CALL}, $2, 'day') + 1,
               messages_failed_today =
                   internal.in_window(h.messages_failed_today, {_LAST_CALL}, $2, 'day')
        RETURNING EXISTS (SELECT 1 FROM internal.account_trouble t
                           WHERE t.account_id = $1 AND t.scope <> 'events')
        """,
        account_id,
        at,
        milliseconds,
    )
    if in_trouble:
        await _over(tx, account_id, ["sends", "comments"] if to_comment else ["sends"], at)


async def failed(
    tx: Tx,
    account_id: UUID,
    *,
    at: datetime,
    code: str,
    reason: str = "",
    token_dead: bool = False,
    needs_owner: bool = False,
    only_comments: bool = False,
) -> None:
    """A send failed; ``code`` is counted by kind, ``reason`` says it to the owner. ``needs_owner``:
    nobody else can end it. ``only_comments``: it keeps nothing back but answers to comments.
    """
    failures = await tx.fetch_value(
        f"""
        INSERT INTO public.instagram_account_health AS h
               (account_id, last_failed_api_call, consecutive_failures, messages_failed_today,
                error_types, token_valid, health_status)
        VALUES ($1, $2, 1, 1, jsonb_build_object($3::text, 1), NOT $4,
                CASE WHEN $4 THEN 'unhealthy' ELSE 'degraded' END)
        ON CONFLICT (account_id) DO UPDATE
           SET last_failed_api_call = $2, consecutive_failures = h.consecutive_failures + 1,
               token_valid = h.token_valid AND NOT $4,
               error_types = coalesce(h.error_types, '{{}}') || jsonb_build_object(
                   $3::text, coalesce((h.error_types ->> $3)::int, 0) + 1),
               messages_failed_today =
                   internal.in_window(h.messages_failed_today, {_LAST_CALL}, $2, 'day') + 1,
               messages_processed_today =
                   internal.in_window(h.messages_processed_today, {_LAST_CALL}, $2, 'day'),
               health_status = CASE
                   WHEN $4 OR h.consecutive_failures + 1 >= $5 THEN 'unhealthy'
                   ELSE 'degraded' END
        RETURNING consecutive_failures
        """,
        account_id,
        at,
        code,
        token_dead,
        FAILING_AFTER,
    )
    told = await tx.fetch_value(
        """
        INSERT INTO internal.account_trouble AS t
               (account_id, scope, since, code, reason, needs_owner)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account_id, scope) DO UPDATE
           SET code = excluded.code, reason = excluded.reason, needs_owner = excluded.needs_owner,
               told_at = CASE WHEN t.reason = excluded.reason THEN t.told_at END
        RETURNING coalesce(date_trunc('day', told_at, 'UTC') = date_trunc('day', $3, 'UTC'), false)
        """,
        account_id,
        "comments" if only_comments else "sends",
        at,
        code,
        reason[:500],
        needs_owner,
    )
    # Asked only when there may be something to say: a storm of failures is no time to count what waits.
    if not told and (needs_owner or token_dead or failures >= FAILING_AFTER):
        await tell(tx, account_id, at)


async def events_refused(tx: Tx, account_id: UUID, reason: str, *, at: datetime) -> None:
    """The platform sends us nothing of it: since the first refusal in a row."""
    await tx.execute(
        """
        INSERT INTO internal.account_trouble AS t (account_id, scope, since, code, reason)
        VALUES ($1, 'events', $2, 'events_not_arriving', $3)
        ON CONFLICT (account_id, scope) DO UPDATE SET reason = excluded.reason
        """,
        account_id,
        at,
        reason[:500],
    )


async def events_arrive(tx: Tx, account_id: UUID) -> None:
    await tx.execute(
        "DELETE FROM internal.account_trouble WHERE account_id = $1 AND scope = 'events'",
        account_id,
    )


async def tell(tx: Tx, account_id: UUID, now: datetime) -> None:
    """The bell says what the page says: of each cause once a day, while it lasts."""
    found = await diagnosis.of_account(tx, account_id, now)
    if found is None:
        return
    for finding in found.findings:
        if finding.state is not State.BAD:
            continue
        since = finding.since.isoformat() if finding.since else ""
        await notify_workspace(
            tx,
            workspace_id=found.account.workspace_id,
            kind=finding.code,
            title=finding.title,
            body=finding.text,
            action_url="/accounts",
            dedupe_key=f"{finding.code}/{account_id}/{finding.cause}/{since}/{now:%Y-%m-%d}",
            now=now,
        )
        await tx.execute(
            """
            UPDATE internal.account_trouble SET told_at = $3
             WHERE account_id = $1 AND since = $2
            """,
            account_id,
            finding.since,
            now,
        )


async def _over(tx: Tx, account_id: UUID, scopes: list[str], now: datetime) -> None:
    """Whoever was told of the trouble is told of its end."""
    ended = await tx.fetch(
        """
        DELETE FROM internal.account_trouble WHERE account_id = $1 AND scope = ANY ($2)
        RETURNING since, told_at
        """,
        account_id,
        scopes,
    )
    told = [row["since"] for row in ended if row["told_at"]]
    account = await repository.account(tx, account_id) if told else None
    if account is None:
        return
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="account_recovered",
        title=_("Answers of @%(name)s leave again", name=account.username),
        body=_("What waited is sent by itself."),
        action_url="/accounts",
        dedupe_key=f"account_recovered/{account_id}/{min(told).isoformat()}",
        now=now,
    )


async def begin_anew(tx: Tx, account_id: UUID) -> None:
    """The account was connected (again): nothing of before counts."""
    await tx.execute(
        """
        INSERT INTO public.instagram_account_health (account_id) VALUES ($1)
        ON CONFLICT (account_id) DO UPDATE
           SET token_valid = true, health_status = 'healthy', consecutive_failures = 0
        """,
        account_id,
    )
    await tx.execute("DELETE FROM internal.account_trouble WHERE account_id = $1", account_id)
