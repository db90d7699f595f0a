"""What Instagram tells us, one frozen class per shape.

Every event knows three things the inbox needs:

* ``to_payload()``: its normalised JSON, the form in ``webhook_events.payload``. The time at which a
  delivery was sent is no part of it, so a redelivery is equal to the first.
* ``dedupe_key``: what makes it the same event, however often and in whatever batch it arrives.
  ``fingerprint`` is its SHA-256, for ``webhook_events.event_fingerprint``.
* ``message_id``: for ``webhook_events.platform_message_id``, which is unique per platform; so only
  an inbound message has one. An edit, an unsend or a reaction names somebody else's ``mid``, an echo
  may carry the same ``mid`` as the message that another connected account received, and the
  documents leave open whether a postback's ``mid`` is the tap's or that of the tapped message.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from selify.core.errors import Invalid
from selify.vendors.instagram.json_input import canonical_json

MAX_MESSAGE_ID = 255


class EventType(StrEnum):
    """Stable words of ``webhook_events.event_type``."""

    COMMENT_RECEIVED = "comment_received"
    LIVE_COMMENT_RECEIVED = "live_comment_received"
    MENTIONED = "mentioned"
    STORY_INSIGHTS_RECEIVED = "story_insights_received"
    MESSAGE_RECEIVED = "message_received"
    MESSAGE_ECHOED = "message_echoed"
    STORY_MENTIONED = "story_mentioned"
    MESSAGE_EDITED = "message_edited"
    MESSAGE_DELETED = "message_deleted"
    MESSAGE_SEEN = "message_seen"
    REACTION_CHANGED = "reaction_changed"
    POSTBACK_RECEIVED = "postback_received"
    REFERRAL_RECEIVED = "referral_received"
    OPTED_IN = "opted_in"
    HANDOVER_CHANGED = "handover_changed"
    STANDBY_RECEIVED = "standby_received"
    UNKNOWN = "unknown"


class AttachmentKind(StrEnum):
    """What an attachment is to us. Instagram's own, changing words stay in ``Attachment.type``."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    POST = "post"
    REEL = "reel"
    STORY = "story"
    TEMPLATE = "template"
    EPHEMERAL = "ephemeral"
    OTHER = "other"


_KINDS = {
    "image": AttachmentKind.IMAGE,
    "video": AttachmentKind.VIDEO,
    "audio": AttachmentKind.AUDIO,
    "file": AttachmentKind.FILE,
    "ig_post": AttachmentKind.POST,
    "share": AttachmentKind.POST,
    "ig_reel": AttachmentKind.REEL,
    "reel": AttachmentKind.REEL,
    "story": AttachmentKind.STORY,
    "ig_story": AttachmentKind.STORY,
    "story_mention": AttachmentKind.STORY,
    "template": AttachmentKind.TEMPLATE,
    "ephemeral": AttachmentKind.EPHEMERAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something beside the text. ``url`` is a signed address that soon stops working.

    ``media_id`` is the shared post's or reel's id, which leads to the garment bound to that post.
    An ``image`` may also be a GIF or a sticker.
    """

    type: str
    url: str = ""
    title: str = ""
    media_id: str = ""

    @property
    def kind(self) -> AttachmentKind:
        return _KINDS.get(self.type, AttachmentKind.OTHER)

    @property
    def may_be_stored(self) -> bool:
        """Story media must never be stored or cached; a view-once picture was not meant to stay."""
        return self.kind not in {AttachmentKind.STORY, AttachmentKind.EPHEMERAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryReference:
    """The story a message answers. Its media must never be stored."""

    id: str = ""
    url: str = ""
    link_sticker_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """How a person came into the conversation: an ig.me link, an advertisement."""

    ref: str = ""
    source: str = ""
    type: str = ""
    ad_id: str = ""
    ad_title: str = ""
    photo_url: str = ""
    video_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstagramEvent:
    """What all events share.

    ``account_id``: the professional account's id (``entry.id``). ``person_id``: the other side, as
    the account knows them; None where nobody acted. ``occurred_at``: aware, UTC. ``timed``: whether
    the event brought its own time; where not, ``occurred_at`` is the delivery's, which changes on
    redelivery and is no part of the event's identity. ``is_own``: our account did it itself.
    """

    event_type: ClassVar[EventType]
    account_id: str
    person_id: str | None = None
    occurred_at: datetime
    timed: bool = True
    is_own: bool = False

    @property
    def message_id(self) -> str | None:
        """Unique over all events of the platform, or None."""
        return None

    @property
    def dedupe_key(self) -> str:
        """The same for every delivery of this event, and different for any other event."""
        parts = (self.event_type, self.account_id, *self._identity())
        return ":".join(quote(part, safe="") for part in parts)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of ``dedupe_key``, in lower-case hex."""
        return hashlib.sha256(self.dedupe_key.encode()).hexdigest()

    def to_payload(self) -> dict[str, Any]:
        """Normalised JSON: the type, and every member that differs from its default."""
        members: dict[str, Any] = _ADAPTERS[type(self)].dump_python(
            self, mode="json", exclude_defaults=True
        )
        if not self.timed:
            del members["occurred_at"]
        return {"event_type": self.event_type.value, **members}

    def _identity(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _own_time(self) -> str:
        return self.occurred_at.isoformat() if self.timed else ""

    def _sender(self) -> str:
        return self.account_id if self.is_own else self.person_id or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(InstagramEvent):
    """Under a post or a reel. ``is_own`` where the account commented itself: never to be answered."""

    comment_id: str
    text: str = ""
    username: str = ""
    parent_id: str = ""
    media_id: str = ""
    media_product_type: str = ""
    ad_id: str = ""
    ad_title: str = ""
    original_media_id: str = ""

    @property
    def is_reply(self) -> bool:
        return bool(self.parent_id)

    def _identity(self) -> tuple[str, ...]:
        return (self.comment_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentReceived(Comment):
    """A comment, or (Instagram Login) a mention of the account in one."""

    event_type = EventType.COMMENT_RECEIVED


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCommentReceived(Comment):
    """A comment during a broadcast; it can be answered only while the broadcast runs."""

    event_type = EventType.LIVE_COMMENT_RECEIVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned(InstagramEvent):
    """The account is named in a caption or, with ``comment_id``, in a comment (Facebook Login)."""

    event_type = EventType.MENTIONED
    media_id: str
    comment_id: str = ""

    def _identity(self) -> tuple[str, ...]:
        return (self.media_id, self.comment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryInsightsReceived(InstagramEvent):
    """Final figures of an expired story (Facebook Login). Instagram shows figures below 5 as -1."""

    event_type = EventType.STORY_INSIGHTS_RECEIVED
    media_id: str
    figures: dict[str, int] = field(default_factory=dict)

    def _identity(self) -> tuple[str, ...]:
        return (self.media_id, canonical_json(self.figures))


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMessage(InstagramEvent):
    """One message of a conversation. ``mid`` is its id for replies, reactions and unsends.

    ``app_id`` (echoes): the app that sent it, where Instagram says so. It often does not, so nobody
    decides by it whose words these are.
    ``is_self``: the account wrote to itself. ``is_unsupported``: a kind Instagram does not show us.
    """

    mid: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    quick_reply_payload: str = ""
    reply_to_mid: str = ""
    reply_to_story: StoryReference | None = None
    referral: Referral | None = None
    app_id: str = ""
    is_self: bool = False
    is_unsupported: bool = False

    def _identity(self) -> tuple[str, ...]:
        return (self.mid,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(DirectMessage):
    """A person wrote to the account: opens the 24-hour window."""

    event_type = EventType.MESSAGE_RECEIVED

    @property
    def message_id(self) -> str | None:
        return self.mid if len(self.mid) <= MAX_MESSAGE_ID else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEchoed(DirectMessage):
    """The account itself wrote, through us or in the app. Never to be answered; settles a send."""

    event_type = EventType.MESSAGE_ECHOED


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMentioned(DirectMessage):
    """A person mentioned the account in their story: opens the window; the media is not ours to keep."""

    event_type = EventType.STORY_MENTIONED

    @property
    def message_id(self) -> str | None:
        return self.mid if len(self.mid) <= MAX_MESSAGE_ID else None

    @property
    def url(self) -> str:
        return next((item.url for item in self.attachments if item.type == "story_mention"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited(InstagramEvent):
    """The text of an earlier message changed, for the ``num_edit``-th time."""

    event_type = EventType.MESSAGE_EDITED
    mid: str
    text: str = ""
    num_edit: int = 0

    def _identity(self) -> tuple[str, ...]:
        return (self.mid, str(self.num_edit) if self.num_edit else self._own_time() + self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(InstagramEvent):
    """A message was unsent: our copy of it, and of what hung on it, must go."""

    event_type = EventType.MESSAGE_DELETED
    mid: str

    def _identity(self) -> tuple[str, ...]:
        return (self.mid,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSeen(InstagramEvent):
    """The person has read up to the message ``mid`` of ours."""

    event_type = EventType.MESSAGE_SEEN
    mid: str

    def _identity(self) -> tuple[str, ...]:
        return (self.mid, self._sender())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionChanged(InstagramEvent):
    """A reaction was put on (``action`` react) or taken off (unreact) the message ``mid``."""

    event_type = EventType.REACTION_CHANGED
    mid: str
    action: str
    reaction: str = ""
    emoji: str = ""

    def _identity(self) -> tuple[str, ...]:
        time = self._own_time() or self.reaction + self.emoji
        return (self.mid, self._sender(), self.action, time)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostbackReceived(InstagramEvent):
    """A tap on an ice breaker, the persistent menu or a template's button: opens the window."""

    event_type = EventType.POSTBACK_RECEIVED
    payload: str = ""
    title: str = ""
    mid: str = ""
    referral: Referral | None = None

    def _identity(self) -> tuple[str, ...]:
        return (self.mid, self._sender(), self._own_time(), self.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralReceived(InstagramEvent):
    """A person with an open conversation came again through a link."""

    event_type = EventType.REFERRAL_RECEIVED
    referral: Referral

    def _identity(self) -> tuple[str, ...]:
        return (self._sender(), self._own_time(), self.referral.ref, self.referral.ad_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedIn(InstagramEvent):
    """A person agreed to hear from the account again. The grant's token is left out on purpose."""

    event_type = EventType.OPTED_IN
    type: str = ""
    ref: str = ""
    payload: str = ""
    title: str = ""

    def _identity(self) -> tuple[str, ...]:
        return (self._sender(), self._own_time(), self.type, self.ref, self.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverChanged(InstagramEvent):
    """Control over a conversation moves between apps.

    ``action``: pass_thread_control, take_thread_control, request_thread_control or app_roles.
    """

    event_type = EventType.HANDOVER_CHANGED
    action: str
    new_owner_app_id: str = ""
    previous_owner_app_id: str = ""
    requested_owner_app_id: str = ""
    metadata: str = ""

    def _identity(self) -> tuple[str, ...]:
        return (
            self.action,
            self._sender(),
            self._own_time(),
            self.new_owner_app_id or self.requested_owner_app_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyReceived(InstagramEvent):
    """Something happened in a conversation another app holds: for reading, never to be answered."""

    event_type = EventType.STANDBY_RECEIVED
    kind: str = ""
    mid: str = ""
    text: str = ""

    def _identity(self) -> tuple[str, ...]:
        return (self.kind, self.mid, self._sender(), self._own_time())


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(InstagramEvent):
    """Well-formed, and of a kind that we do not know (yet): kept whole, acted on by nobody."""

    event_type = EventType.UNKNOWN
    kind: str
    content: dict[str, Any] = field(default_factory=dict)

    def _identity(self) -> tuple[str, ...]:
        return (self.kind, hashlib.sha256(canonical_json(self.content).encode()).hexdigest())


EVENT_CLASSES: dict[EventType, type[InstagramEvent]] = {
    cls.event_type: cls
    for cls in (
        CommentReceived,
        LiveCommentReceived,
        Mentioned,
        StoryInsightsReceived,
        MessageReceived,
        MessageEchoed,
        StoryMentioned,
        MessageEdited,
        MessageDeleted,
        MessageSeen,
        ReactionChanged,
        PostbackReceived,
        ReferralReceived,
        OptedIn,
        HandoverChanged,
        StandbyReceived,
        Unknown,
    )
}


class UnreadablePayload(Invalid):
    """A stored payload is of no event type that this version knows."""

    code = "instagram_event_unreadable"


def from_payload(payload: dict[str, Any], *, received_at: datetime) -> InstagramEvent:
    """The event back from its stored form. UnreadablePayload where it is none.

    ``received_at`` (the row's ``created_at``) stands in for events that brought no time of their own.
    """
    try:
        event_class = EVENT_CLASSES[EventType(payload.get("event_type", ""))]
        return _ADAPTERS[event_class].validate_python({"occurred_at": received_at, **payload})
    except (ValueError, ValidationError) as error:
        raise UnreadablePayload(
            "A stored Instagram event cannot be read.",
            hint="It may come from a newer version of Selify.",
        ) from error


_ADAPTERS = {event_class: TypeAdapter(event_class) for event_class in EVENT_CLASSES.values()}
