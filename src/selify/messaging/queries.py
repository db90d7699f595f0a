"""What pages and the API show of conversations. Read as the user: row level security decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from selify.core.cursor import Cursor, found_cursor, place
from selify.core.database import Tx
from selify.core.errors import NotFound
from selify.core.ids import LAST_ID
from selify.core.language import _
from selify.messaging.types import Handler


class ConversationMissing(NotFound):
    code = "conversation_missing"
    title = _("This conversation is not here")


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
    def of(cls, state: Mapping[str, Any]) -> Self:
        """From ``conversation_state``."""
        if state.get("opted_out"):
            return cls.NOBODY
        return cls.PERSON if state.get("handler") == Handler.HUMAN else cls.BOT


@dataclass(frozen=True, slots=True)
class ListedAccount:
    id: UUID
    platform: str
    username: str | None
    status: str | None


async def list_accounts(tx: Tx, workspace_id: UUID) -> list[ListedAccount]:
    """Which accounts there are. How they are doing, ``diagnosis`` says."""
    return await tx.fetch_as(
        ListedAccount,
        """
        SELECT id, platform, platform_username AS username, status
          FROM public.connected_social_accounts
         WHERE workspace_id = $1 AND status <> 'purged' ORDER BY created_at
        """,
        workspace_id,
    )


@dataclass(frozen=True, slots=True)
class ListedConversation:
    """A conversation as pages show it. ``state``: ``conversation_state`` as it is stored."""

    id: UUID
    account_id: UUID | None
    person: str
    username: str | None
    unread: int | None
    messages: int | None
    last_message: str | None
    last_message_at: datetime | None
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """In the words of whoever answers."""
        return str(self.state.get("stage") or "initial")

    @property
    def handler(self) -> Handler:
        return Handler.HUMAN if self.state.get("handler") == Handler.HUMAN else Handler.BOT

    @property
    def answers(self) -> Answers:
        return Answers.of(self.state)


_CONVERSATION = """
    SELECT id, connected_account_id AS account_id, platform_user_id AS person,
           platform_username AS username, conversation_state AS state,
           unread_count AS unread, message_count AS messages, last_message_text AS last_message,
           last_message_at
      FROM public.social_conversations WHERE workspace_id = $1
"""


async def list_conversations(
    tx: Tx, workspace_id: UUID, *, after: Cursor | None = None, limit: int = 50
) -> list[ListedConversation]:
    """Latest first; at the end those in which nothing was said yet."""
    found: list[ListedConversation] = []
    if after is None or after.at:
        found = await tx.fetch_as(
            ListedConversation,
            f"""
            {_CONVERSATION} AND last_message_at IS NOT NULL
               AND (last_message_at, id) < ($2::timestamptz, $3::uuid)
             ORDER BY last_message_at DESC, id DESC LIMIT $4
            """,
            workspace_id,
            *place(after),
            limit,
        )
    if len(found) < limit:  # they are few, and only whoever turns to the end needs them
        found += await tx.fetch_as(
            ListedConversation,
            f"""
            {_CONVERSATION} AND last_message_at IS NULL AND id < $2
             ORDER BY id DESC LIMIT $3
            """,
            workspace_id,
            after.id if after and not after.at else LAST_ID,
            limit - len(found),
        )
    return found


_WAITING: Mapping[ConversationFilter, str] = {
    ConversationFilter.HUMAN: "human",
    ConversationFilter.UNREAD: "unread",
}


async def list_waiting(
    tx: Tx,
    workspace_id: UUID,
    wanted: ConversationFilter,
    *,
    after: Cursor | None = None,
    limit: int = 50,
) -> list[ListedConversation]:
    """Those that are waited in for a person or a reader, in the same order. As the system, after
    the membership was checked: users do not see the table that finds them.
    """
    # Two statements: the plan that a connection keeps for both would begin at the beginning.
    goes_on = (
        "(last_message_at, conversation_id) < (coalesce($2::timestamptz, '-infinity'), $3::uuid)"
    )
    return await tx.fetch_as(
        ListedConversation,
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


async def count_waiting(
    tx: Tx, workspace_id: UUID, wanted: ConversationFilter, most: int = 100
) -> int:
    """How many ``list_waiting`` would find, but no more than ``most``: nobody counts further."""
    count: int = await tx.fetch_value(
        f"""
        SELECT count(*) FROM (
            SELECT FROM internal.waiting_conversations
             WHERE workspace_id = $1 AND {_WAITING[wanted]} LIMIT $2) AS found
        """,
        workspace_id,
        most,
    )
    return count


async def access_conversation(
    tx: Tx, workspace_id: UUID, conversation_id: UUID
) -> ListedConversation:
    """Raises ConversationMissing."""
    found = await tx.fetch_one_as(
        ListedConversation, f"{_CONVERSATION} AND id = $2", workspace_id, conversation_id
    )
    if found is None:
        raise ConversationMissing(_("There is no such conversation in this workspace."))
    return found


async def cursor_of_message(tx: Tx, conversation_id: UUID, message_id: UUID) -> Cursor:
    """Raises CursorMissing."""
    return found_cursor(
        await tx.fetch_one_as(
            Cursor,
            """
            SELECT id, created_at AS at FROM public.social_messages
             WHERE conversation_id = $1 AND id = $2
            """,
            conversation_id,
            message_id,
        )
    )


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A message as pages show it. ``attachments`` and ``reactions`` as they are stored."""

    id: UUID
    from_shopper: bool
    text: str | None
    kind: str | None
    at: datetime
    attachments: Sequence[Mapping[str, Any]] = ()
    reactions: Sequence[Mapping[str, Any]] = ()

    @property
    def picture_key(self) -> str | None:
        """The storage key of a picture of ours, if it carries one."""
        return next((a["storage_key"] for a in self.attachments if a.get("storage_key")), None)


async def list_messages(
    tx: Tx, conversation_id: UUID, *, before: Cursor | None = None, limit: int = 200
) -> list[ListedMessage]:
    """The latest, or the latest before that mark, in the order they were written."""
    found = await tx.fetch_as(
        ListedMessage,
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
        *place(before),
        limit,
    )
    return found[::-1]
