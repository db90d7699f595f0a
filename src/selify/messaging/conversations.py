"""Conversations and messages: ``social_conversations`` and ``social_messages``.

A conversation is one (account, person). Its row is locked for as long as a transaction moves it, so two
workers can never move it at once. ``unread_count`` and ``message_count`` are projections of the messages.

Of ``conversation_state`` three members are ours: ``handler``, ``opted_out`` and ``bot_since``. All others are
the memory of whoever answers (``ports.Responder``), who alone knows what they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from selify.core.database import Tx
from selify.core.queue import inbox_rows
from selify.core.queue.inbox_rows import StoredEvent
from selify.core.rows import columns
from selify.core.wrong_clocks import interval
from selify.messaging import keys
from selify.messaging.repository import ACCOUNT, ACCOUNTS
from selify.messaging.types import Account, Attachment, Handler

WINDOW = timedelta(hours=24)
UNSENT = "unsent"
AUTOMATIC = "automatic"
# Nobody types an answer faster.
FASTEST_TYPIST = timedelta(seconds=3)
# What is shorter ("Hi!") people write to many, and it says nothing about who did.
TELLING_TEXT = 20
TELLING_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Conversation:
    id: UUID
    workspace_id: UUID
    account_id: UUID
    platform: str
    person_ref: str
    username: str
    state: Mapping[str, Any] = field(default_factory=dict)
    is_new: bool = False

    @property
    def handler(self) -> Handler:
        return Handler.HUMAN if self.state.get("handler") == Handler.HUMAN else Handler.BOT

    @property
    def opted_out(self) -> bool:
        """Whether the person asked not to be written to."""
        return bool(self.state.get("opted_out"))

    @property
    def bot_since(self) -> datetime | None:
        """When a person last handed it back to the bot."""
        return moment(self.state.get("bot_since"))

    @property
    def ordering_key(self) -> str:
        """What keeps our answers to this person in order."""
        return keys.conversation(self.id)


async def lock(tx: Tx, account: Account, person_ref: str) -> Conversation:
    """The thread with this person, made if need be, locked until the transaction ends.

    A thread starts among the requests, as on the platform itself.
    """
    made = await tx.execute(
        """
        INSERT INTO public.social_conversations
               (workspace_id, connected_account_id, platform, platform_user_id, category,
                last_message_at)
        VALUES ($1, $2, $3, $4, 'requests', NULL)
        ON CONFLICT (connected_account_id, platform_user_id) DO NOTHING
        """,
        account.workspace_id,
        account.id,
        account.platform,
        person_ref,
    )
    conversation = await find(tx, account.id, person_ref)
    assert conversation is not None  # noqa: S101 - inserted above, in this very transaction
    return replace(conversation, is_new=bool(made))


async def find(tx: Tx, account_id: UUID, person_ref: str) -> Conversation | None:
    """The thread with this person if there is one, locked."""
    return await tx.fetch_one_as(
        Conversation,
        f"{_SELECT} WHERE connected_account_id = $1 AND platform_user_id = $2 FOR UPDATE",
        account_id,
        person_ref,
    )


async def lock_by_id(tx: Tx, conversation_id: UUID) -> Conversation | None:
    return await tx.fetch_one_as(
        Conversation, f"{_SELECT} WHERE id = $1 FOR UPDATE", conversation_id
    )


class WithAccount(NamedTuple):
    """A conversation and the account that it belongs to, as it is at that moment."""

    conversation: Conversation
    account: Account


async def lock_with_account(tx: Tx, conversation_id: UUID) -> WithAccount | None:
    return await tx.fetch_one_as(
        WithAccount,
        f"""
        SELECT {columns(_COLUMNS, within="conversation")}, {columns(ACCOUNT, within="account")}
          FROM public.social_conversations c JOIN {ACCOUNTS} ON a.id = c.connected_account_id
         WHERE c.id = $1 FOR UPDATE OF c
        """,
        conversation_id,
    )


async def save_state(
    tx: Tx,
    conversation: Conversation,
    state: Mapping[str, Any],
    *,
    read_to: datetime | None = None,
) -> Conversation:
    """Put ``state`` in place of what was remembered; the conversation as it is now. ``read_to``: everything
    up to then is dealt with, as by ``mark_read``.
    """
    if read_to is None:
        await tx.execute(
            "UPDATE public.social_conversations SET conversation_state = $2 WHERE id = $1",
            conversation.id,
            dict(state),
        )
    else:
        await tx.execute(
            f"""
            WITH {_SEEN}
            UPDATE public.social_conversations SET conversation_state = $4, {_LESS_UNREAD}
             WHERE id = $1
            """,
            conversation.id,
            conversation.person_ref,
            read_to,
            dict(state),
        )
    return replace(conversation, state=state, is_new=False)


async def set_handler(tx: Tx, conversation_id: UUID, handler: Handler, *, now: datetime) -> None:
    """Hand the conversation to a person, or back to the bot."""
    conversation = await lock_by_id(tx, conversation_id)
    if conversation is not None:
        await hand_to(tx, conversation, handler, now=now)


async def hand_to(
    tx: Tx, conversation: Conversation, handler: Handler, *, now: datetime
) -> Conversation:
    """The same for one that is locked already."""
    since = {"bot_since": now.isoformat()} if handler is Handler.BOT else {}
    return await save_state(
        tx, conversation, {**conversation.state, "handler": handler.value, **since}
    )


async def record_message(
    tx: Tx,
    conversation: Conversation,
    *,
    message_ref: str | None,
    sender_ref: str,
    text: str,
    kind: str,
    attachments: Sequence[dict[str, Any]] = (),
    at: datetime,
) -> bool:
    """Store one message; false when it was stored before. Direction follows from the sender."""
    stored = await tx.execute(
        """
        WITH stored AS (
            INSERT INTO public.social_messages
                   (conversation_id, platform_message_id, sender_platform_id, message_text,
                    message_type, attachments, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (platform_message_id) DO NOTHING
            RETURNING 1)
        UPDATE public.social_conversations
           SET message_count = coalesce(message_count, 0) + 1,
               unread_count = coalesce(unread_count, 0) + CASE WHEN $9 THEN 1 ELSE 0 END,
               last_message_text = CASE WHEN last_message_at IS NULL OR last_message_at <= $7
                                        THEN $8 ELSE last_message_text END,
               last_message_at = greatest(last_message_at, $7),
               status = CASE WHEN $9 AND status = 'closed' THEN 'active' ELSE status END
         WHERE id = $1 AND EXISTS (SELECT FROM stored)
        """,
        conversation.id,
        message_ref,
        sender_ref,
        text or None,
        kind,
        list(attachments),
        at,
        (text or f"[{kind}]")[:500],
        sender_ref == conversation.person_ref,
    )
    return bool(stored)


async def record_unsent(
    tx: Tx, conversation: Conversation, *, message_ref: str, sender_ref: str, at: datetime
) -> None:
    """A message taken back before it arrived: its place is taken, so that it stays away.

    It is nothing to read, and as news from the shopper it does not count.
    """
    stored = await tx.execute(
        """
        INSERT INTO public.social_messages
               (conversation_id, platform_message_id, sender_platform_id, message_type, read_at,
                created_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (platform_message_id) DO NOTHING
        """,
        conversation.id,
        message_ref,
        sender_ref,
        UNSENT,
        at,
    )
    await tx.execute(
        """
        UPDATE public.social_conversations SET message_count = coalesce(message_count, 0) + $2
         WHERE id = $1
        """,
        conversation.id,
        stored,
    )


async def set_username(tx: Tx, conversation: Conversation, username: str) -> None:
    if username and username != conversation.username:
        await tx.execute(
            "UPDATE public.social_conversations SET platform_username = $2 WHERE id = $1",
            conversation.id,
            username,
        )


async def mark_read(tx: Tx, conversation: Conversation, at: datetime) -> None:
    """We (bot or person) have dealt with everything up to ``at``."""
    await tx.execute(
        f"""
        WITH {_SEEN}
        UPDATE public.social_conversations SET {_LESS_UNREAD}
         WHERE id = $1 AND EXISTS (SELECT 1 FROM seen)
        """,
        conversation.id,
        conversation.person_ref,
        at,
    )


_SEEN = """seen AS (
    UPDATE public.social_messages SET read_at = $3
     WHERE conversation_id = $1 AND sender_platform_id = $2 AND read_at IS NULL AND created_at <= $3
    RETURNING 1)"""
_LESS_UNREAD = "unread_count = greatest(0, coalesce(unread_count, 0) - (SELECT count(*) FROM seen))"


async def mark_unread(tx: Tx, conversation: Conversation, message_ref: str = "") -> None:
    """What they wrote there, or else last, is open again: nobody has dealt with it after all."""
    await tx.execute(
        """
        WITH opened AS (
            UPDATE public.social_messages SET read_at = NULL
             WHERE id = (SELECT id FROM public.social_messages
                          WHERE conversation_id = $1 AND sender_platform_id = $2
                            AND message_type IS DISTINCT FROM $3
                            AND ($4 = '' OR platform_message_id = $4)
                          ORDER BY created_at DESC LIMIT 1)
               AND read_at IS NOT NULL
         RETURNING 1)
        UPDATE public.social_conversations SET unread_count = coalesce(unread_count, 0) + 1
         WHERE id = $1 AND EXISTS (SELECT 1 FROM opened)
        """,
        conversation.id,
        conversation.person_ref,
        UNSENT,
        message_ref,
    )


async def window_open_until(tx: Tx, conversation_id: UUID) -> datetime | None:
    """Until when we may answer: 24 hours from the person's latest message. What was taken back
    is no longer one, and may be dated by its end.
    """
    latest = await tx.fetch_value(
        f"SELECT {LATEST_OF_THEIRS} FROM public.social_conversations c WHERE c.id = $1",
        conversation_id,
    )
    return latest + WINDOW if latest else None


# When the person of conversation ``c`` wrote last, and whether a message was taken back.
LATEST_OF_THEIRS = f"""(
    SELECT max(m.created_at) FROM public.social_messages m
     WHERE m.conversation_id = c.id AND m.sender_platform_id = c.platform_user_id
       AND m.message_type IS DISTINCT FROM '{UNSENT}')"""
OPEN_UNTIL = f"{LATEST_OF_THEIRS} + {interval(WINDOW)}"
WAS_UNSENT = f"""EXISTS (
    SELECT FROM public.social_messages
     WHERE platform_message_id = {{}} AND message_type = '{UNSENT}')"""
_OF_THREAD = f"""
    SELECT {columns(ACCOUNT, within="account")}, {WAS_UNSENT.format("$3")} AS unsent,
           (SELECT {OPEN_UNTIL} FROM public.social_conversations c WHERE c.id = $2) AS open_until
      FROM {ACCOUNTS} WHERE a.id = $1
"""


class _Answering(NamedTuple):
    """``Thread`` without its conversation."""

    account: Account
    unsent: bool
    open_until: datetime | None


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation, locked, and what an answer to one message of it has to know. ``unsent``: that message
    was taken back. ``open_until``: until when we may answer, if ever.
    """

    conversation: Conversation
    account: Account
    unsent: bool
    open_until: datetime | None

    def is_closed(self, now: datetime) -> bool:
        return self.open_until is None or self.open_until < now


async def lock_thread(tx: Tx, conversation_id: UUID, message_ref: str) -> Thread | None:
    """To answer that message of theirs. All else is read once the conversation is locked, by a statement of
    its own: so it sees what whoever held it before did.
    """
    conversation = await lock_by_id(tx, conversation_id)
    if conversation is None:
        return None
    found = await tx.fetch_one_as(
        _Answering, _OF_THREAD, conversation.account_id, conversation.id, message_ref
    )
    return Thread(conversation, *found) if found else None


@dataclass(frozen=True, slots=True)
class Reworded:
    """What a message said before, and what stands in its place now."""

    old: str
    new: str


async def edit_message(tx: Tx, message_ref: str, text: str) -> Reworded | None:
    """None when there is no such message. What was taken back stays away."""
    edited = await tx.fetch_one(
        """
        UPDATE public.social_messages m
           SET message_text = CASE WHEN m.message_type = $3 THEN NULL ELSE $2 END
          FROM public.social_messages before
         WHERE m.platform_message_id = $1 AND before.id = m.id
        RETURNING m.conversation_id, before.message_text AS old, m.message_text AS new
        """,
        message_ref,
        text,
        UNSENT,
    )
    if edited is None:
        return None
    return await _reword(
        tx, edited["conversation_id"], edited["old"], edited["new"] or f"[{UNSENT}]"
    )


# What an event's payload tells of a message.
TELLING_MEMBERS = ("text", "attachments", "reply_to_story", "referral")


async def scrub_events(tx: Tx, platform: str, message_ref: str) -> None:
    """Whatever told us of a message (itself, its edits, its echo) tells no more than that.

    To be called with the conversation locked, as all who handle these events have it.
    """
    await inbox_rows.strip(tx, platform, {"mid": message_ref}, TELLING_MEMBERS)


async def events_about(tx: Tx, platform: str, message_ref: str) -> list[StoredEvent]:
    """Whatever told us of a message, the latest first."""
    return await inbox_rows.about(tx, platform, {"mid": message_ref})


async def has_later_edit(tx: Tx, platform: str, message_ref: str, number: int) -> bool:
    """Whether an edit after the ``number``-th has arrived, handled or not."""
    told = await events_about(tx, platform, message_ref)
    return any(int(event.payload.get("num_edit") or 0) > number for event in told)


async def unsend_message(tx: Tx, message_ref: str) -> Reworded | None:
    """What was taken back leaves no text and no attachment here; the row keeps the count true.

    Its text also stood in the list of conversations. None: it is not known.
    """
    unsent = await tx.fetch_one(
        """
        UPDATE public.social_messages m
           SET message_text = NULL, attachments = '[]'::jsonb, reactions = '[]'::jsonb,
               message_type = $2
          FROM public.social_messages before
         WHERE m.platform_message_id = $1 AND before.id = m.id
        RETURNING m.conversation_id, before.message_text AS old
        """,
        message_ref,
        UNSENT,
    )
    if unsent is None:
        return None
    return await _reword(tx, unsent["conversation_id"], unsent["old"], f"[{UNSENT}]")


async def _reword(tx: Tx, conversation_id: UUID, old: str | None, new: str) -> Reworded:
    """The list of conversations follows."""
    if not old:
        return Reworded("", new)
    await tx.execute(
        """
        UPDATE public.social_conversations SET last_message_text = left($3, 500)
         WHERE id = $1 AND last_message_text = left($2, 500)
        """,
        conversation_id,
        old,
        new,
    )
    return Reworded(old, new)


async def forget_picture(tx: Tx, conversation_id: UUID, storage_key: str) -> None:
    """A picture of ours is gone: its message no longer points to it."""
    await tx.execute(
        """
        UPDATE public.social_messages SET attachments = '[]'::jsonb
         WHERE conversation_id = $1
           AND attachments @> jsonb_build_array(jsonb_build_object('storage_key', $2::text))
        """,
        conversation_id,
        storage_key,
    )


async def was_unsent(tx: Tx, message_ref: str) -> bool:
    return bool(await tx.fetch_value(f"SELECT {WAS_UNSENT.format('$1')}", message_ref))


async def knows_message(tx: Tx, message_ref: str) -> bool:
    return bool(
        await tx.fetch_value(
            "SELECT true FROM public.social_messages WHERE platform_message_id = $1", message_ref
        )
    )


async def is_automatic(
    tx: Tx, account: Account, conversation: Conversation, *, text: str, at: datetime
) -> bool:
    """Whether the account wrote by itself (an instant reply, an away message): faster than anybody
    types, or what it wrote word for word to somebody else.
    """
    return bool(
        await tx.fetch_value(
            """
            SELECT true FROM public.social_messages
             WHERE conversation_id = $1 AND sender_platform_id = $2
               AND created_at BETWEEN $3::timestamptz - $4::interval AND $3
            UNION ALL
            SELECT true
              FROM public.social_conversations c
              JOIN public.social_messages m
                ON m.conversation_id = c.id AND m.sender_platform_id = $6
             WHERE length($7) >= $8 AND c.connected_account_id = $5 AND c.id <> $1
               AND m.message_text = $7 AND m.created_at > $3::timestamptz - $9::interval
             LIMIT 1
            """,
            conversation.id,
            conversation.person_ref,
            at,
            FASTEST_TYPIST,
            account.id,
            account.platform_account_id,
            text,
            TELLING_TEXT,
            TELLING_FOR,
        )
    )


async def set_reaction(
    tx: Tx, *, message_ref: str, actor_ref: str, emoji: str, at: datetime
) -> bool:
    """One reaction per actor; adding twice or taking back twice changes nothing."""
    return bool(
        await tx.execute(
            """
            UPDATE public.social_messages m
               SET reactions = (
                   SELECT coalesce(jsonb_agg(r ORDER BY r ->> 'created_at'), '[]'::jsonb)
                     FROM (SELECT r FROM jsonb_array_elements(m.reactions) r
                            WHERE r ->> 'actor_id' <> $2
                           UNION ALL
                           SELECT jsonb_build_object('emoji', $3::text, 'actor_id', $2::text,
                                                     'created_at', $4::timestamptz)
                            WHERE $3 <> '') kept (r))
             WHERE platform_message_id = $1
            """,
            message_ref,
            actor_ref,
            emoji,
            at,
        )
    )


def stored_attachments(attachments: Sequence[Attachment]) -> list[dict[str, Any]]:
    """Kind and post only: the platform's links to a person's pictures are not ours to keep."""
    return [
        {"type": a.kind.value, **({"post_ref": a.post_ref} if a.post_ref else {})}
        for a in attachments
    ]


_COLUMNS = {
    "id": "c.id",
    "workspace_id": "c.workspace_id",
    "account_id": "c.connected_account_id",
    "platform": "c.platform",
    "person_ref": "c.platform_user_id",
    "username": "coalesce(c.platform_username, '')",
    "state": "c.conversation_state",
}
_SELECT = f"SELECT {columns(_COLUMNS)} FROM public.social_conversations c"


def moment(stored: object) -> datetime | None:
    """A time of ``conversation_state``; None for what is none."""
    try:
        found = datetime.fromisoformat(str(stored)) if stored else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
