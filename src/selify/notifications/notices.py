"""Notifications: one row per person told and business event (``public.notifications``).

States: unread (neither read nor archived) → read → archived. Archiving what was not read reads it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.personal_data import PersonalPart
from selify.core.queue.outbox import Failed, OutboxMessage, Outcome, Sent
from selify.notifications.types import Notice, Notification

_NAMES = UUID("6f1d5c0e-6f0b-5d0a-9a6b-0f2f1c8a7e11")
# More unread ones than that nobody counts.
MANY_UNREAD = 1000
PERSONAL = PersonalPart(
    told={
        "notifications": """
            SELECT n.type, n.title, n.description, n.workspace_id, n.created_at, n.read_at, n.archived_at
              FROM public.notifications n WHERE n.user_id = $1 ORDER BY n.created_at
        """
    }
)
# The roles (``workspace_members.role``) that can do something about what is told.
_CAN_ACT = ("owner", "admin")


async def notify(
    tx: Tx,
    *,
    workspace_id: UUID,
    kind: str,
    title: str,
    body: str,
    dedupe_key: str,
    now: datetime,
    action_url: str | None = None,
    everyone: bool = False,
    only: UUID | None = None,
    translations: Mapping[str, Mapping[str, str]] | None = None,
) -> int:
    """Tell the workspace's owners and admins (or ``everyone`` in it, or ``only`` that member), in a system
    transaction; how many were told now.

    The schema has no column for the dedupe key, so it makes the row's id: the second telling of
    the same event meets the first one's primary key. What a deleted workspace has to say belongs to
    the person alone: in there nobody could read it.

    ``translations``: title and body in other languages. Everybody is told in their profile's; what is
    told once stays as it was written.
    """
    told = await _recipients(tx, workspace_id, everyone=everyone, only=only, now=now)
    said = translations or {}
    return await tx.execute(
        """
        INSERT INTO public.notifications
               (id, user_id, workspace_id, type, title, description, action_url, metadata, created_at)
        SELECT n.id, n.user_id, w.id, $4, n.title, n.body, $7, $8, $9
          FROM unnest($1::uuid[], $2::uuid[], $5::text[], $6::text[]) AS n (id, user_id, title, body)
          LEFT JOIN public.workspaces w ON w.id = $3 AND w.deleted_at IS NULL
        ON CONFLICT (id) DO NOTHING
        """,
        [uuid5(_NAMES, f"{workspace_id}/{dedupe_key}/{user_id}") for user_id in told],
        list(told),
        workspace_id,
        kind,
        [said.get(language, {}).get("title", title) for language in told.values()],
        [said.get(language, {}).get("body", body) for language in told.values()],
        action_url,
        {"dedupe_key": dedupe_key},
        now,
    )


async def _recipients(
    tx: Tx, workspace_id: UUID, *, everyone: bool, only: UUID | None, now: datetime
) -> dict[UUID, str]:
    """Who is told, and in which language."""
    rows = await tx.fetch(
        """
        SELECT m.user_id, p.language
          FROM public.workspace_members m LEFT JOIN public.profiles p ON p.id = m.user_id
         WHERE m.workspace_id = $1 AND m.joined_at IS NOT NULL
           AND CASE WHEN $5::uuid IS NULL THEN $2 OR m.role = ANY ($3) ELSE m.user_id = $5 END
           AND (m.expires_at IS NULL OR m.expires_at > $4)
        """,
        workspace_id,
        everyone,
        _CAN_ACT,
        now,
        only,
    )
    return {row["user_id"]: row["language"] or "" for row in rows}


class NoticeChannel:
    """The outbox channel of notices. There is nothing to send: the rows are written in the very
    transaction that marks the notice as sent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def send(self, delivery: OutboxMessage) -> Outcome:
        if delivery.workspace_id is None:
            return Failed("no_workspace", "A notice names the workspace it is for.")
        return Sent({})

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        return await self.send(delivery)  # writing twice is harmless

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        if isinstance(outcome, Sent) and delivery.workspace_id is not None:
            notice = Notice.read(delivery.payload)
            await notify(
                tx,
                workspace_id=delivery.workspace_id,
                kind=notice.kind,
                title=notice.title,
                body=notice.body,
                dedupe_key=notice.dedupe_key,
                now=self._clock.now(),
                action_url=notice.action_url,
                everyone=notice.everyone,
                only=notice.only,
                translations=notice.translations,
            )


async def list_notifications(
    tx: Tx, *, workspace_id: UUID | None = None, unread_only: bool = False, limit: int = 50
) -> list[Notification]:
    """What the user was told and has not archived, newest first, in the user's transaction. Where a
    workspace is named, what it told them, and what nobody but they themselves is told.
    """
    return await tx.fetch_as(
        Notification,
        """
        SELECT id, workspace_id, type AS kind, title, description AS body, action_url, created_at,
               read_at
          FROM public.notifications
         WHERE user_id = $1 AND ($2::uuid IS NULL OR workspace_id = $2 OR workspace_id IS NULL)
           AND archived_at IS NULL AND (NOT $3 OR read_at IS NULL)
         ORDER BY created_at DESC, id LIMIT $4
        """,
        tx.actor.user_id,
        workspace_id,
        unread_only,
        limit,
    )


async def count_unread(tx: Tx, *, workspace_id: UUID | None = None) -> int:
    """For the bell, in the user's transaction; no further than ``MANY_UNREAD``."""
    count: int = await tx.fetch_value(
        """
        SELECT count(*) FROM (
            SELECT FROM public.notifications
             WHERE user_id = $1 AND ($2::uuid IS NULL OR workspace_id = $2 OR workspace_id IS NULL)
               AND read_at IS NULL AND archived_at IS NULL
             LIMIT $3) unread
        """,
        tx.actor.user_id,
        workspace_id,
        MANY_UNREAD,
    )
    return count


async def mark_read(tx: Tx, ids: Sequence[UUID], *, now: datetime) -> int:
    """In the user's transaction; how many were unread. Other people's are left alone."""
    return await tx.execute(
        """
        UPDATE public.notifications SET read_at = $3
         WHERE id = ANY ($1::uuid[]) AND user_id = $2 AND read_at IS NULL
        """,
        list(ids),
        tx.actor.user_id,
        now,
    )


async def archive(tx: Tx, ids: Sequence[UUID], *, now: datetime) -> int:
    """In the user's transaction; how many were not archived yet."""
    return await tx.execute(
        """
        UPDATE public.notifications SET archived_at = $3, read_at = coalesce(read_at, $3)
         WHERE id = ANY ($1::uuid[]) AND user_id = $2 AND archived_at IS NULL
        """,
        list(ids),
        tx.actor.user_id,
        now,
    )
