"""What pages and the API show of conversations. Read as the user: row level security decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import asyncpg

from selify.core.clock import LAST_MOMENT
from selify.core.database import Tx
from selify.core.errors import NotFound
from selify.core.ids import LAST_ID
from selify.core.language import _
from selify.tryon.dialogue import Handler, State

Row = asyncpg.Record | dict[str, Any]


class ConversationMissing(NotFound):
    code = "conversation_missing"
    title = _("This conversation is not here")


class MarkMissing(NotFound):
    code = "page_missing"
    title = _("There is no such page of this list")


class ConversationFilter(StrEnum):
    """Which conversations are wanted. ``HUMAN``: a person answers there, or should."""

    ALL = "all"
    HUMAN = "human"
    UNREAD = "unread"


class Answers(StrEnum):
    """Who answers in a conversation. ``NOBODY``: the shopper said STOP."""

    NOBODY = "nobody"
    PERSON = "person"
    BOT = "bot"

    @classmethod
    def of(cls, state: State) -> Self:
        if state.opted_out:
            return cls.NOBODY
        return cls.PERSON if state.handler is Handler.HUMAN else cls.BOT


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page of a list ends: the next one begins after it. ``at`` is None where the list is
    ordered by a time that not every row has. As text it fits into an address.
    """

    at: datetime | None
    id: UUID

    @classmethod
    def after(cls, rows: Sequence[Row], limit: int, *, by: str) -> Self | None:
        """Of ``limit`` + 1 rows asked for: the mark of the last one shown, None on the last page."""
        if len(rows) <= limit:
            return None
        last = rows[limit - 1]
        return cls(last[by], last["id"])

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no mark: then a list begins at its beginning."""
        at, _, number = text.partition("_")
        try:
            when = datetime.fromisoformat(at) if at else None
            if when and not when.tzinfo:
                return None
            return cls(when.astimezone(UTC) if when else None, UUID(number))
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"{self.at.isoformat() if self.at else ''}_{self.id}"


def _place(after: Mark | None) -> tuple[datetime, UUID]:
    """Where a list goes on, or its beginning: one index serves both. As values: under row level security
    a ``coalesce($2, …)`` keeps the index from the plan that a connection keeps for any values.
    """
    return (after.at or LAST_MOMENT, after.id) if after else (LAST_MOMENT, LAST_ID)


async def list_accounts(tx: Tx, workspace_id: UUID) -> list[asyncpg.Record]:
    """Which accounts there are. How they are doing, ``diagnosis`` says."""
    return await tx.fetch(
        """
        SELECT id, platform, platform_username AS username, status
          FROM public.connected_social_accounts
         WHERE workspace_id = $1 AND status <> 'purged' ORDER BY created_at
        """,
        workspace_id,
    )


_POST = """
    SELECT p.id, p.connected_account_id AS account_id, p.platform_post_id AS post_ref,
           p.caption, p.platform_url AS url, p.thumbnail_url, p.posted_at,
           b.id AS binding_id, b.wardrobe_garment_id AS garment_id, b.garment_name,
           b.total_triggers, b.successful_generations, b.trigger_keywords, b.use_global_keywords
      FROM public.social_posts p
      LEFT JOIN public.social_posts_garment_bindings b ON b.post_id = p.id AND b.is_active
     WHERE p.workspace_id = $1
"""


async def list_posts(
    tx: Tx, workspace_id: UUID, *, after: Mark | None = None, limit: int = 60
) -> list[asyncpg.Record]:
    """Newest first, with the garment each shows."""
    return await tx.fetch(
        f"""
        {_POST} AND (p.posted_at, p.id) < ($2::timestamptz, $3::uuid)
         ORDER BY p.posted_at DESC, p.id DESC LIMIT $4
        """,
        workspace_id,
        *_place(after),
        limit,
    )


async def find_post(tx: Tx, workspace_id: UUID, post_id: UUID) -> asyncpg.Record | None:
    """One post as ``list_posts`` shows it."""
    return await tx.fetch_one(f"{_POST} AND p.id = $2", workspace_id, post_id)


async def mark_of_post(tx: Tx, workspace_id: UUID, post_id: UUID) -> Mark:
    """Raises MarkMissing."""
    return _mark(await find_post(tx, workspace_id, post_id), "posted_at")


async def shows_any_garment(tx: Tx, workspace_id: UUID) -> bool:
    """Whether shoppers can try something on under any post at all."""
    return bool(
        await tx.fetch_value(
            # A range of one, in order: else PostgreSQL hopes to meet such a row soon, and reads the
            # table from its beginning, which may be another brand's.
            """
            SELECT true FROM public.social_posts_garment_bindings
             WHERE workspace_id BETWEEN $1 AND $1 AND is_active
             ORDER BY workspace_id LIMIT 1
            """,
            workspace_id,
        )
    )


_CONVERSATION = """
    SELECT id, connected_account_id AS account_id, platform_user_id AS person,
           platform_username AS username, conversation_state, unread_count AS unread,
           message_count AS messages, last_message_text AS last_message, last_message_at
      FROM public.social_conversations WHERE workspace_id = $1
"""


async def list_conversations(
    tx: Tx, workspace_id: UUID, *, after: Mark | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Latest first; at the end those in which nothing was said yet."""
    rows: list[asyncpg.Record] = []
    if after is None or after.at:
        rows = await tx.fetch(
            f"""
            {_CONVERSATION} AND last_message_at IS NOT NULL
               AND (last_message_at, id) < ($2::timestamptz, $3::uuid)
             ORDER BY last_message_at DESC, id DESC LIMIT $4
            """,
            workspace_id,
            *_place(after),
            limit,
        )
    if len(rows) < limit:  # they are few, and only whoever turns to the end needs them
        rows += await tx.fetch(
            f"""
            {_CONVERSATION} AND last_message_at IS NULL AND id < $2
             ORDER BY id DESC LIMIT $3
            """,
            workspace_id,
            after.id if after and not after.at else LAST_ID,
            limit - len(rows),
        )
    return [_with_state(row) for row in rows]


_WAITING: Mapping[ConversationFilter, str] = {
    ConversationFilter.HUMAN: "human",
    ConversationFilter.UNREAD: "unread",
}


async def list_waiting(
    tx: Tx,
    workspace_id: UUID,
    wanted: ConversationFilter,
    *,
    after: Mark | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Those that are waited in for a person or a reader, in the same order. As the system, after
    the membership was checked: users do not see the table that finds them.
    """
    # Two statements: the plan that a connection keeps for both would begin at the beginning.
    goes_on = (
        "(last_message_at, conversation_id) < (coalesce($2::timestamptz, '-infinity'), $3::uuid)"
    )
    rows = await tx.fetch(
        f"""
        {_CONVERSATION} AND id IN (
            SELECT conversation_id FROM internal.waiting_conversations
             WHERE workspace_id = $1 AND {_WAITING[wanted]}
               AND {goes_on if after else "$2::timestamptz IS NULL AND $3::uuid IS NULL"}
             ORDER BY last_message_at DESC, conversation_id DESC LIMIT $4)
         ORDER BY last_message_at DESC NULLS LAST, id DESC
        """,
        workspace_id,
        after.at if after else None,
        after.id if after else None,
        limit,
    )
    return [_with_state(row) for row in rows]


async def access_conversation(tx: Tx, workspace_id: UUID, conversation_id: UUID) -> dict[str, Any]:
    """Raises ConversationMissing."""
    row = await tx.fetch_one(f"{_CONVERSATION} AND id = $2", workspace_id, conversation_id)
    if row is None:
        raise ConversationMissing(_("There is no such conversation in this workspace."))
    return _with_state(row)


async def mark_of_message(tx: Tx, conversation_id: UUID, message_id: UUID) -> Mark:
    """Raises MarkMissing."""
    row = await tx.fetch_one(
        """
        SELECT id, created_at AS at FROM public.social_messages
         WHERE conversation_id = $1 AND id = $2
        """,
        conversation_id,
        message_id,
    )
    return _mark(row, "at")


async def list_messages(
    tx: Tx, conversation_id: UUID, *, before: Mark | None = None, limit: int = 200
) -> list[asyncpg.Record]:
    """The latest, or the latest before that mark, in the order they were written."""
    rows = await tx.fetch(
        """
        SELECT m.id, m.sender_platform_id = c.platform_user_id AS from_shopper,
               m.message_text AS text, m.message_type AS kind, m.attachments, m.reactions,
               m.created_at AS at
          FROM public.social_messages m
          JOIN public.social_conversations c ON c.id = m.conversation_id
         WHERE m.conversation_id = $1
           AND (m.created_at, m.id) < ($2::timestamptz, $3::uuid)
         ORDER BY m.created_at DESC, m.id DESC LIMIT $4
        """,
        conversation_id,
        *_place(before),
        limit,
    )
    return rows[::-1]


async def list_interactions(
    tx: Tx, workspace_id: UUID, *, after: Mark | None = None, limit: int = 50
) -> list[asyncpg.Record]:
    """Rows of the funnel, newest first. The newest of each account, of which a workspace has few."""
    return await tx.fetch(
        """
        SELECT i.id, i.post_id AS post_ref, i.interaction_type AS kind, i.trigger_word AS keyword,
               i.instagram_username AS username, coalesce(i.bot_responded, false) AS answered,
               coalesce(i.user_sent_photo, false) AS photo,
               coalesce(i.generation_successful, false) AS generated, i.user_satisfied AS liked,
               i.created_at AS started_at, i.generation_completed_at AS finished_at
          FROM public.connected_social_accounts a
         CROSS JOIN LATERAL (
               SELECT * FROM public.bot_interactions
                WHERE account_id = a.id
                  AND (created_at, id) < ($2::timestamptz, $3::uuid)
                ORDER BY created_at DESC, id DESC LIMIT $4) i
         WHERE a.workspace_id = $1
         ORDER BY i.created_at DESC, i.id DESC LIMIT $4
        """,
        workspace_id,
        *_place(after),
        limit,
    )


async def mark_of_interaction(tx: Tx, workspace_id: UUID, interaction_id: UUID) -> Mark:
    """Raises MarkMissing."""
    row = await tx.fetch_one(
        """
        SELECT i.id, i.created_at AS at
          FROM public.bot_interactions i
          JOIN public.connected_social_accounts a ON a.id = i.account_id
         WHERE i.id = $2 AND a.workspace_id = $1
        """,
        workspace_id,
        interaction_id,
    )
    return _mark(row, "at")


def picture_key(attachments: list[dict[str, Any]]) -> str | None:
    """The storage key of a picture of ours in a message, if it carries one."""
    return next((a["storage_key"] for a in attachments or () if a.get("storage_key")), None)


def _mark(row: Row | None, by: str) -> Mark:
    if row is None:
        raise MarkMissing(_("What the page should go on after is not in this list."))
    return Mark(row[by], row["id"])


def _with_state(row: asyncpg.Record) -> dict[str, Any]:
    state = State.from_json(row["conversation_state"])
    return {
        **dict(row),
        "stage": state.stage.value,
        "handler": state.handler.value,
        "answers": Answers.of(state).value,
    }
