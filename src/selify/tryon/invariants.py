"""What must be true between the conversations and the money; see ``selify.core.invariants``."""

from dataclasses import dataclass
from datetime import timedelta

from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.ids import first_id
from selify.core.invariants import Violation
from selify.core.queue import outbox_rows
from selify.messaging import outgoing
from selify.tryon import keys, lifecycle


@dataclass(frozen=True, slots=True)
class PicturesArePaidFor:
    """Each picture that was sent was paid for, and each paid try-on has its picture on the way.

    A charge that was settled and given back later (a gift, or a picture that arrived after all) was
    paid all the same. A picture that failed or was taken back has ``grace`` for its refund.
    """

    clock: Clock
    within: timedelta = timedelta(days=3)
    grace: timedelta = timedelta(hours=1)
    name: str = "pictures_are_paid_for"
    sentence: str = "A try-on picture that was sent has one settled charge, and the reverse."
    seldom: bool = True

    async def violations(self, tx: Tx) -> list[Violation]:
        now = self.clock.now()
        since = now - self.within
        rows = await tx.fetch(
            _SQL,
            outgoing.CHANNEL,
            first_id(since),
            lifecycle.METER,
            since,
            now - self.grace,
            list(outgoing.ARRIVED_PERHAPS),
        )
        return [Violation(row["subject"], {"why": row["why"]}) for row in rows]


# Both begin a day apart, so that none of a pair that belongs together is left out at the edge.
_PICTURE = f"""
    {keys.charge_of_picture("o.key")} AS source_id, o.state,
    o.state IN ('queued', 'sending', 'unknown', 'sent') OR o.updated_at > $5
    OR coalesce(o.result ->> 'code' = ANY ($6), false) AS under_way
"""
_SQL = f"""
    WITH pictures AS (
        {outbox_rows.messages(_PICTURE, channel="$1", since="$2")}
           AND o.payload ->> 'purpose' = 'result_picture'),
    charges AS (
        SELECT e.source_id, e.status, e.completed_at
          FROM public.workspace_usage_events e
         WHERE e.created_at > $4::timestamptz - interval '1 day' AND e.service_subtype = $3
           AND {keys.is_charge("e.source_id")} AND e.completed_at IS NOT NULL
           AND coalesce((e.metadata -> 'charge' ->> 'part')::int, 1) = 1)
    SELECT p.source_id AS subject, 'a picture was sent without a settled charge' AS why
      FROM pictures p
     WHERE p.state = 'sent'
       AND NOT EXISTS (SELECT FROM charges c WHERE c.source_id = p.source_id)
    UNION ALL
    SELECT c.source_id, 'a try-on was charged and no picture was sent'
      FROM charges c
     WHERE c.status = 'completed' AND c.completed_at > $4::timestamptz + interval '1 day'
       -- The messages of a purged account are forgotten; what was charged stays on the books.
       AND EXISTS (SELECT FROM public.connected_social_accounts a
                    WHERE a.id::text = {keys.account_of_charge("c.source_id")}
                      AND a.status <> 'purged')
       AND NOT EXISTS (SELECT FROM pictures p WHERE p.source_id = c.source_id AND p.under_way)
"""
