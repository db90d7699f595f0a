"""Instagram behind the social domain's ports: events translated, messages sent, verdicts mapped."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from selify.core.queue.inbox import Incoming
from selify.messaging.ports import (
    Accepted,
    Action,
    Credentials,
    NotNow,
    OutgoingMessage,
    ReadStep,
    Refused,
    SentMessage,
)
from selify.messaging.types import (
    Attachment,
    AttachmentKind,
    ButtonTapped,
    CommentWritten,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    MessageWritten,
    NothingToDo,
    ReactionChanged,
    SocialEvent,
)
from selify.vendors.instagram import errors, payloads, webhook
from selify.vendors.instagram import webhook_events as ig
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.errors import GraphError
from selify.vendors.instagram.text import clip, split_text
from selify.vendors.instagram.types import Sent

PLATFORM = "instagram"
# Of older messages the platform says that they were deleted.
SHOWN = 20


def incoming(event: ig.InstagramEvent) -> Incoming:
    """An event as the inbox stores it. A conversation's events share an ordering key and keep their order."""
    return Incoming(
        platform=PLATFORM,
        event_type=event.event_type.value,
        payload=event.to_payload(),
        ordering_key=f"{event.account_id}:{event.person_id or event.dedupe_key}",
        account_ref=event.account_id,
        message_id=event.message_id,
        identity=event.dedupe_key,
    )


def read_unmatched(raw: Any, received_at: datetime) -> list[Incoming] | None:
    """The events of an entry that was parked unread; None where it is still not understood."""
    again = webhook.parse_entry(raw, received_at=received_at)
    return None if again.unparsed else [incoming(event) for event in again.events]


def translate(event_type: str, payload: Mapping[str, Any], received_at: datetime) -> SocialEvent:
    """A stored event in the social domain's words. Raises UnreadablePayload."""
    event = ig.from_payload(dict(payload), received_at=received_at)
    match event:
        case ig.CommentReceived() | ig.LiveCommentReceived():
            return _comment(event)
        case ig.MessageReceived() | ig.MessageEchoed() if event.is_self:
            return NothingToDo(event.account_id, "the account wrote to itself")
        case ig.MessageReceived() | ig.MessageEchoed():
            return _message(event)
        case ig.StoryMentioned():
            return NothingToDo(event.account_id, "a story mention: its media is not ours to keep")
        case ig.PostbackReceived():
            return _tap(event)
        case ig.MessageEdited():
            return MessageEdited(
                event.account_id,
                _person(event),
                event.mid,
                event.text,
                event.occurred_at,
                event.num_edit,
                event.is_own,
            )
        case ig.MessageDeleted():
            return MessageUnsent(
                event.account_id, _person(event), event.mid, event.occurred_at, event.is_own
            )
        case ig.MessageSeen():
            return MessageSeen(event.account_id, _person(event), event.mid, event.occurred_at)
        case ig.ReactionChanged():
            return _reaction(event)
        case _:
            return NothingToDo(event.account_id, f"{event_type} needs no answer")


class InstagramMessenger:
    """The social domain's messenger, over the Graph API."""

    def __init__(self, client: InstagramClient) -> None:
        self._client = client

    async def send(self, sender: Credentials, message: OutgoingMessage) -> Accepted | Refused:
        """One request. Never raises for what Instagram may answer."""
        try:
            if message.typing:
                await self._client.mark_seen(sender.token, message.person_ref)
                await self._client.typing_on(sender.token, message.person_ref)
                return Accepted("", message.person_ref)
            sent = await self._send(sender.token, message)
        except GraphError as error:
            return _refused(error, private=bool(message.comment_ref))
        except payloads.UnsendableMessage as error:
            return Refused(Action.STOP, error.code, error.detail)
        return Accepted(sent.message_id, sent.recipient_id, sent.usage.percent / 100)

    async def read_back(
        self, sender: Credentials, person_ref: str, *, since: datetime, cursor: Mapping[str, Any]
    ) -> ReadStep | NotNow:
        """The conversation's id, then the ids of its messages, then one message after another."""
        try:
            if "messages" in cursor:
                return await self._read_message(sender, person_ref, since, list(cursor["messages"]))
            if "conversation" in cursor:
                ids = await self._client.conversation_messages(sender.token, cursor["conversation"])
                return ReadStep({"messages": ids.value[:SHOWN]} if ids.value else None)
            found = await self._client.conversations(sender.token, person_ref)
        except GraphError as error:
            after = error.retry_after
            return NotNow(after.total_seconds() if after else None)
        return ReadStep({"conversation": found.items[0]} if found.items else None)

    async def _read_message(
        self, sender: Credentials, person_ref: str, since: datetime, ids: list[str]
    ) -> ReadStep:
        message = await self._client.message_unless_gone(sender.token, ids[0])
        rest = {"messages": ids[1:]} if ids[1:] else None
        if message is None or message.sender_id == person_ref:
            return ReadStep(rest)
        at = message.created_at or datetime.now(UTC)
        if at < since:
            return ReadStep(None)
        found = SentMessage(message.id, message.text, at, message.has_attachments)
        return ReadStep(rest, found)

    async def addressee(self, sender: Credentials, message_ref: str) -> str | None:
        try:
            answered = await self._client.message(sender.token, message_ref)
        except GraphError:
            return None
        return answered.value.recipient_username or None

    async def username(self, sender: Credentials, person_ref: str) -> str | None:
        try:
            answered = await self._client.profile(sender.token, person_ref)
        except GraphError as error:
            return "" if _is_about_the_person(error) else None
        return answered.value.username

    def split(self, text: str) -> list[str]:
        return split_text(text)

    async def _send(self, token: str, message: OutgoingMessage) -> Sent:
        if message.image_url:
            body = payloads.image_message(message.image_url)
        elif message.quick_replies:
            # A brand writes its own titles; one that is too long must not cost the whole message.
            replies = [
                payloads.QuickReply(clip(q.title, payloads.MAX_BUTTON_TITLE), q.payload)
                for q in message.quick_replies
            ]
            body = payloads.quick_reply_message(message.text, replies)
        else:
            body = payloads.text_message(message.text)
        if message.comment_ref:
            return await self._client.send_private_reply(token, message.comment_ref, body)
        return await self._client.send(token, payloads.to_person(message.person_ref), body)


def _is_about_the_person(error: GraphError) -> bool:
    """Asked again, Instagram would say the same. What our app lacks, or the account, may come."""
    lacking = error.verdict.reason in (errors.MISCONFIGURED.reason, errors.REVIEW_PENDING.reason)
    return error.action in (Action.STOP, Action.PERSON_UNREACHABLE) and not lacking


def _refused(error: GraphError, *, private: bool) -> Refused:
    """``private``: it was the one private reply that a comment may get."""
    verdict = error.verdict
    after = verdict.retry_after.total_seconds() if verdict.retry_after else None
    if after is None and error.usage.regain_after is not None:
        after = error.usage.regain_after.total_seconds()
    # Within its seven days, so it is the second one: Instagram may name either reason.
    answered = private and verdict.action is Action.WINDOW_CLOSED
    return Refused(
        Action.ALREADY_DONE if answered else verdict.action,
        verdict.reason,
        verdict.explanation,
        after,
        grows=verdict.grows,
        alert=verdict.alert,
        may_be_over=verdict.may_be_over,
    )


def _comment(event: ig.Comment) -> SocialEvent:
    return CommentWritten(
        account_ref=event.account_id,
        person_ref=_person(event),
        username=event.username,
        comment_ref=event.comment_id,
        # A comment under an advertisement belongs to the post it advertises.
        post_ref=event.original_media_id or event.media_id,
        text=event.text,
        at=event.occurred_at,
        is_own=event.is_own,
    )


def _message(event: ig.MessageReceived | ig.MessageEchoed) -> SocialEvent:
    return MessageWritten(
        account_ref=event.account_id,
        person_ref=_person(event),
        message_ref=event.mid,
        text=event.text,
        at=event.occurred_at,
        attachments=_attachments(event),
        button=event.quick_reply_payload,
        is_echo=isinstance(event, ig.MessageEchoed),
    )


_KINDS = {
    ig.AttachmentKind.IMAGE: AttachmentKind.IMAGE,
    ig.AttachmentKind.POST: AttachmentKind.POST,
    ig.AttachmentKind.REEL: AttachmentKind.POST,
    ig.AttachmentKind.STORY: AttachmentKind.STORY,
    ig.AttachmentKind.VIDEO: AttachmentKind.VIDEO,
    ig.AttachmentKind.AUDIO: AttachmentKind.AUDIO,
    ig.AttachmentKind.EPHEMERAL: AttachmentKind.VIEW_ONCE,
    ig.AttachmentKind.FILE: AttachmentKind.FILE,
}


def _attachments(event: ig.DirectMessage) -> tuple[Attachment, ...]:
    """What Instagram does not show us was sent all the same: its writer waits for an answer."""
    shown = tuple(_attachment(item) for item in event.attachments)
    return shown or (Attachment(AttachmentKind.UNSUPPORTED),) * event.is_unsupported


def _attachment(item: ig.Attachment) -> Attachment:
    kind = _KINDS.get(item.kind, AttachmentKind.OTHER)
    if kind is AttachmentKind.POST and not item.media_id:
        kind = AttachmentKind.OTHER
    return Attachment(kind, item.url if item.may_be_stored else "", item.media_id)


def _tap(event: ig.PostbackReceived) -> SocialEvent:
    return ButtonTapped(
        account_ref=event.account_id,
        person_ref=_person(event),
        button=event.payload,
        title=event.title,
        at=event.occurred_at,
        message_ref=event.mid,
    )


def _reaction(event: ig.ReactionChanged) -> SocialEvent:
    emoji = (event.emoji or event.reaction) if event.action == "react" else ""
    actor = event.account_id if event.is_own else _person(event)
    return ReactionChanged(event.account_id, actor, event.mid, emoji, event.occurred_at)


def _person(event: ig.InstagramEvent) -> str:
    return event.person_id or ""
