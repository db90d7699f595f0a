"""From one update of a delivery to one event: a reader per member that an update may carry.

Instagram's payloads vary by login type, by field and by year, so readers take what is there and
fail (``NotUnderstoodError``) only where the event would have no identity: no ``mid``, nobody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selify.vendors.instagram.json_input import (
    JsonObject,
    as_count,
    as_id,
    as_moment,
    as_object,
    as_text,
)
from selify.vendors.instagram.webhook_events import (
    Attachment,
    CommentReceived,
    HandoverChanged,
    InstagramEvent,
    LiveCommentReceived,
    Mentioned,
    MessageDeleted,
    MessageEchoed,
    MessageEdited,
    MessageReceived,
    MessageSeen,
    OptedIn,
    PostbackReceived,
    ReactionChanged,
    Referral,
    ReferralReceived,
    StandbyReceived,
    StoryInsightsReceived,
    StoryMentioned,
    StoryReference,
    Unknown,
)


class NotUnderstoodError(Exception):
    """The update has no identity that we can see. Its text says what is missing."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whose update it is, and when it was delivered (for updates without a time of their own)."""

    account_id: str
    delivered_at: datetime


def read_messaging(envelope: Envelope, item: JsonObject) -> Iterator[InstagramEvent]:
    """Every event of one item of ``entry.messaging``."""
    known = [name for name in _MESSAGING_READERS if isinstance(item.get(name), dict)]
    if not known:
        kind = ",".join(sorted(item.keys() - {"sender", "recipient", "timestamp"}))
        yield _unknown(envelope, kind, item)
    for name in known:
        yield _MESSAGING_READERS[name](envelope, item, item[name])


def read_standby(envelope: Envelope, item: JsonObject) -> Iterator[InstagramEvent]:
    """One item of ``entry.standby``: what happens in a conversation that another app holds."""
    kind = next((name for name in _MESSAGING_READERS if isinstance(item.get(name), dict)), "")
    member = as_object(item.get(kind))
    common = _parties(envelope, item, is_echo=member.get("is_echo") is True)
    yield StandbyReceived(
        **common, kind=kind, mid=as_id(member.get("mid")), text=as_text(member.get("text"))
    )


def read_change(envelope: Envelope, field: str, value: JsonObject) -> Iterator[InstagramEvent]:
    """One ``{field, value}``. Messaging fields come in this form too (the dashboard's test button)."""
    if field in _CHANGE_READERS:
        yield _CHANGE_READERS[field](envelope, value)
    elif field == "standby":
        yield from read_standby(envelope, value)
    elif "sender" in value or "recipient" in value:
        yield from read_messaging(envelope, value)
    else:
        yield _unknown(envelope, field, value)


# What both sides of a messaging item are ------------------------------------------------------


def _parties(envelope: Envelope, item: JsonObject, *, is_echo: bool = False) -> dict[str, Any]:
    """The members every event shares. On an echo sender and recipient are swapped."""
    sender = as_id(as_object(item.get("sender")).get("id"))
    recipient = as_id(as_object(item.get("recipient")).get("id"))
    is_own = is_echo or sender == envelope.account_id
    person = recipient if is_own else sender
    if not person:
        raise NotUnderstoodError("nobody is named on the other side")
    return {"person_id": person, "is_own": is_own, **_stamp(envelope, item.get("timestamp"))}


def _talks_to_itself(item: JsonObject) -> bool:
    sender, recipient = as_object(item.get("sender")), as_object(item.get("recipient"))
    return bool(as_id(sender.get("id"))) and as_id(sender.get("id")) == as_id(recipient.get("id"))


def _stamp(envelope: Envelope, timestamp: Any) -> dict[str, Any]:
    moment = as_moment(timestamp)
    return {
        "account_id": envelope.account_id,
        "occurred_at": moment or envelope.delivered_at,
        "timed": moment is not None,
    }


def _mid(member: JsonObject) -> str:
    mid = as_id(member.get("mid"))
    if not mid:
        raise NotUnderstoodError("the message has no mid")
    return mid


# Messaging ------------------------------------------------------------------------------------


def _read_message(envelope: Envelope, item: JsonObject, message: JsonObject) -> InstagramEvent:
    is_self = message.get("is_self") is True or _talks_to_itself(item)
    is_echo = message.get("is_echo") is True or is_self
    common = {**_parties(envelope, item, is_echo=is_echo), "mid": _mid(message)}
    if message.get("is_deleted") is True:
        return MessageDeleted(**common)
    attachments = _read_attachments(message.get("attachments"))
    return _message_class(attachments, is_own=common["is_own"])(
        **common,
        text=as_text(message.get("text")),
        attachments=attachments,
        quick_reply_payload=as_text(as_object(message.get("quick_reply")).get("payload")),
        **_read_reply_to(as_object(message.get("reply_to"))),
        referral=_read_referral(message.get("referral")),
        app_id=as_id(message.get("app_id")),
        is_self=is_self,
        is_unsupported=message.get("is_unsupported") is True,
    )


def _message_class(
    attachments: tuple[Attachment, ...], *, is_own: bool
) -> type[MessageEchoed | StoryMentioned | MessageReceived]:
    if is_own:
        return MessageEchoed
    if any(item.type == "story_mention" for item in attachments):
        return StoryMentioned
    return MessageReceived


def _read_attachments(value: Any) -> tuple[Attachment, ...]:
    """A post shared while both old and new form were sent comes as ``share`` and ``ig_post``: once."""
    items = value if isinstance(value, list) else [value]
    found = tuple(_read_attachment(item) for item in items if isinstance(item, dict))
    if any(item.type == "ig_post" for item in found):
        return tuple(item for item in found if item.type != "share")
    return found


def _read_attachment(item: JsonObject) -> Attachment:
    payload = as_object(item.get("payload"))
    return Attachment(
        type=as_text(item.get("type")) or "unnamed",
        url=as_text(payload.get("url")),
        title=as_text(payload.get("title")),
        media_id=as_id(payload.get("ig_post_media_id")) or as_id(payload.get("reel_video_id")),
    )


def _read_reply_to(reply_to: JsonObject) -> dict[str, Any]:
    story = reply_to.get("story")
    return {
        "reply_to_mid": as_id(reply_to.get("mid")),
        "reply_to_story": StoryReference(
            id=as_id(story.get("id")),
            url=as_text(story.get("url")),
            link_sticker_url=as_text(story.get("link_sticker_url")),
        )
        if isinstance(story, dict)
        else None,
    }


def _read_referral(value: Any) -> Referral | None:
    if not isinstance(value, dict):
        return None
    context = as_object(value.get("ads_context_data"))
    return Referral(
        ref=as_text(value.get("ref")),
        source=as_text(value.get("source")),
        type=as_text(value.get("type")),
        ad_id=as_id(value.get("ad_id")),
        ad_title=as_text(context.get("ad_title")),
        photo_url=as_text(context.get("photo_url")),
        video_url=as_text(context.get("video_url")),
    )


def _read_edit(envelope: Envelope, item: JsonObject, edit: JsonObject) -> InstagramEvent:
    return MessageEdited(
        **_parties(envelope, item),
        mid=_mid(edit),
        text=as_text(edit.get("text")),
        num_edit=as_count(edit.get("num_edit")),
    )


def _read_reaction(envelope: Envelope, item: JsonObject, reaction: JsonObject) -> InstagramEvent:
    return ReactionChanged(
        **_parties(envelope, item),
        mid=_mid(reaction),
        action=as_text(reaction.get("action")) or "react",
        reaction=as_text(reaction.get("reaction")),
        emoji=as_text(reaction.get("emoji")),
    )


def _read_seen(envelope: Envelope, item: JsonObject, read: JsonObject) -> InstagramEvent:
    return MessageSeen(**_parties(envelope, item), mid=_mid(read))


def _read_postback(envelope: Envelope, item: JsonObject, postback: JsonObject) -> InstagramEvent:
    return PostbackReceived(
        **_parties(envelope, item, is_echo=postback.get("is_self") is True),
        mid=as_id(postback.get("mid")),
        title=as_text(postback.get("title")),
        payload=as_text(postback.get("payload")),
        referral=_read_referral(postback.get("referral")),
    )


def _read_referral_event(
    envelope: Envelope, item: JsonObject, referral: JsonObject
) -> InstagramEvent:
    return ReferralReceived(
        **_parties(envelope, item), referral=_read_referral(referral) or Referral()
    )


def _read_opt_in(envelope: Envelope, item: JsonObject, opt_in: JsonObject) -> InstagramEvent:
    return OptedIn(
        **_parties(envelope, item),
        type=as_text(opt_in.get("type")),
        ref=as_text(opt_in.get("ref")),
        payload=as_text(opt_in.get("payload")),
        title=as_text(opt_in.get("title")),
    )


def _handover_reader(action: str) -> "MessagingReader":
    def read(envelope: Envelope, item: JsonObject, control: JsonObject) -> InstagramEvent:
        return HandoverChanged(
            **_parties(envelope, item),
            action=action,
            new_owner_app_id=as_id(control.get("new_owner_app_id")),
            previous_owner_app_id=as_id(control.get("previous_owner_app_id")),
            requested_owner_app_id=as_id(control.get("requested_owner_app_id")),
            metadata=as_text(control.get("metadata")),
        )

    return read


# Changes --------------------------------------------------------------------------------------


def _comment_reader(event_class: type[CommentReceived | LiveCommentReceived]) -> "ChangeReader":
    def read(envelope: Envelope, value: JsonObject) -> InstagramEvent:
        comment_id = as_id(value.get("id")) or as_id(value.get("comment_id"))
        if not comment_id:
            raise NotUnderstoodError("the comment has no id")
        author, media = as_object(value.get("from")), as_object(value.get("media"))
        person_id = as_id(author.get("id"))
        return event_class(
            **_stamp(envelope, value.get("timestamp")),
            person_id=person_id or None,
            is_own=bool(author.get("self_ig_scoped_id")) or person_id == envelope.account_id,
            comment_id=comment_id,
            text=as_text(value.get("text")),
            username=as_text(author.get("username")),
            parent_id=as_id(value.get("parent_id")),
            media_id=as_id(media.get("id")),
            media_product_type=as_text(media.get("media_product_type")),
            ad_id=as_id(media.get("ad_id")),
            ad_title=as_text(media.get("ad_title")),
            original_media_id=as_id(media.get("original_media_id")),
        )

    return read


def _read_mention(envelope: Envelope, value: JsonObject) -> InstagramEvent:
    media_id = as_id(value.get("media_id"))
    if not media_id:
        raise NotUnderstoodError("the mention names no media")
    return Mentioned(
        **_stamp(envelope, value.get("timestamp")),
        media_id=media_id,
        comment_id=as_id(value.get("comment_id")),
    )


def _read_story_insights(envelope: Envelope, value: JsonObject) -> InstagramEvent:
    media_id = as_id(value.get("media_id"))
    if not media_id:
        raise NotUnderstoodError("the insights name no media")
    figures = {
        name: number
        for name, number in value.items()
        if name != "media_id" and isinstance(number, int) and not isinstance(number, bool)
    }
    return StoryInsightsReceived(**_stamp(envelope, None), media_id=media_id, figures=figures)


def _unknown(envelope: Envelope, kind: str, content: JsonObject) -> Unknown:
    return Unknown(**_stamp(envelope, content.get("timestamp")), kind=kind, content=content)


MessagingReader = Callable[[Envelope, JsonObject, JsonObject], InstagramEvent]
ChangeReader = Callable[[Envelope, JsonObject], InstagramEvent]

_HANDOVERS = ("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles")

_MESSAGING_READERS: dict[str, MessagingReader] = {
    "message": _read_message,
    "message_edit": _read_edit,
    "reaction": _read_reaction,
    "postback": _read_postback,
    "read": _read_seen,
    "referral": _read_referral_event,
    "optin": _read_opt_in,
    **{action: _handover_reader(action) for action in _HANDOVERS},
}

_CHANGE_READERS: dict[str, ChangeReader] = {
    "comments": _comment_reader(CommentReceived),
    "live_comments": _comment_reader(LiveCommentReceived),
    "mentions": _read_mention,
    "story_insights": _read_story_insights,
}
