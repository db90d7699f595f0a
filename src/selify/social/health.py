"""How an account is doing: ``instagram_account_health``, fed by every call we make for it.

healthy ⇄ degraded ⇄ unhealthy. A dead token is ``unhealthy`` at once and stops all sends until the
owner connects again. Counters of "today" begin anew with the first call of a UTC day.
"""

from datetime import datetime
from uuid import UUID

from selify.core.database import Tx

UNHEALTHY_AFTER = 5

# Not updated_at: other changes of the row move that, and yesterday's count would become today's.
_LAST_CALL = "greatest(h.last_successful_api_call, h.last_failed_api_call)"


async def succeeded(tx: Tx, account_id: UUID, *, at: datetime, milliseconds: int | None) -> None:
    """A call went through: the run of failures is over. ``milliseconds``: where it was timed."""
    await tx.execute(
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
        """,
        account_id,
        at,
        milliseconds,
    )


async def failed(
    tx: Tx, account_id: UUID, *, at: datetime, code: str, token_dead: bool = False
) -> None:
    """A call failed; ``code`` is counted by kind."""
    await tx.execute(
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
        """,
        account_id,
        at,
        code,
        token_dead,
        UNHEALTHY_AFTER,
    )
