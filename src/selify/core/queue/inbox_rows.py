"""What arrived, looked at and changed by whoever knows what it means. All SQL on ``webhook_events`` that is
neither the intake's nor the worker's is here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selify.core.database import Tx


@dataclass(frozen=True, slots=True)
class StoredEvent:
    id: UUID
    event_type: str
    payload: Mapping[str, Any]
    created_at: datetime


async def about(tx: Tx, platform: str, said: Mapping[str, str]) -> list[StoredEvent]:
    """Events whose payload says that, handled or not, the latest first."""
    rows = await tx.fetch(
        """
        SELECT id, event_type, payload, created_at FROM public.webhook_events
         WHERE platform = $1 AND payload @> $2 ORDER BY created_at DESC
        """,
        platform,
        dict(said),
    )
    return [StoredEvent(**row) for row in rows]


async def strip(tx: Tx, platform: str, said: Mapping[str, str], members: Sequence[str]) -> None:
    """These members of their payloads go, and so does what was said of an error."""
    await tx.execute(
        """
        WITH telling AS (
            SELECT id FROM public.webhook_events
             WHERE platform = $1 AND payload @> $2
               AND (payload ?| $3 OR error_stack IS NOT NULL)
             ORDER BY id FOR UPDATE)
        UPDATE public.webhook_events e
           SET payload = e.payload - $3::text[], error_message = NULL, error_stack = NULL
          FROM telling WHERE e.id = telling.id
        """,
        platform,
        dict(said),
        list(members),
    )


async def belongs_to(tx: Tx, event_id: UUID, account_id: UUID) -> None:
    """It is known by now whose event it is: who forgets the account finds it."""
    await tx.execute(
        "UPDATE public.webhook_events SET connected_account_id = $2 WHERE id = $1",
        event_id,
        account_id,
    )


async def forget_account(tx: Tx, account_id: UUID, platform: str, account_ref: str) -> None:
    """What arrived for an account, also before it was connected."""
    await tx.execute(
        """
        DELETE FROM public.webhook_events
         WHERE connected_account_id = $1 OR (connected_account_id IS NULL AND platform = $2
               AND parsed_data ->> 'account_ref' = $3)
        """,
        account_id,
        platform,
        account_ref,
    )
