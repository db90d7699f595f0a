"""Forgetting whom charges were for; what was paid stays on the books."""

from collections.abc import Sequence
from uuid import UUID

from selify.core.database import Tx


async def forget_shoppers(tx: Tx, workspace_id: UUID, conversation_ids: Sequence[UUID]) -> None:
    """Of all charges of these conversations."""
    await tx.execute(
        """
        UPDATE public.workspace_usage_events SET metadata = metadata - 'shopper'
         WHERE workspace_id = $1 AND metadata ->> 'conversation_id' = ANY ($2)
           AND metadata ? 'shopper'
        """,
        workspace_id,
        [str(conversation_id) for conversation_id in conversation_ids],
    )
