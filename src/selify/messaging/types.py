"""What happens on a social platform, in words that fit any of them.

Every event knows its account and person by the platform's own ids (``…_ref``); ours are UUIDs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class AttachmentKind(StrEnum):
    """``VIEW_ONCE``: a photo that vanishes, which nobody but the account's people can open.
    ``UNSUPPORTED``: something was sent that the platform does not show us.
    """

    IMAGE = "image"
    POST = "post"
    STORY = "story"
    VIDEO = "video"
    AUDIO = "audio"
    VIEW_ONCE = "view_once"
    FILE = "file"
    UNSUPPORTED = "unsupported"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Attachment:
    """``post_ref`` is set when the attachment shares one of the account's posts."""

    kind: AttachmentKind
    url: str = ""
    post_ref: str = ""


@dataclass(frozen=True, slots=True)
class CommentWritten:
    account_ref: str
    person_ref: str
    username: str
    comment_ref: str
    post_ref: str
    text: str
    at: datetime
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class MessageWritten:
    """A direct message. ``is_echo``: written by the account itself, by us or by a person.

    Where it answers a story of the account, what is attached is the writer's own all the same: the
    story itself is never among the attachments.
    """

    account_ref: str
    person_ref: str
    message_ref: str
    text: str
    at: datetime
    attachments: tuple[Attachment, ...] = ()
    button: str = ""
    is_echo: bool = False

    @property
    def kind(self) -> str:
        """In the words of ``social_messages.message_type``."""
        if self.attachments:
            return self.attachments[0].kind.value
        return "button" if self.button else "text"


@dataclass(frozen=True, slots=True)
class ButtonTapped:
    """A tap on a menu entry, ice breaker or card button."""

    account_ref: str
    person_ref: str
    button: str
    title: str
    at: datetime
    message_ref: str = ""


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """``number``: the first edit of a message is 1; 0 where the platform does not count. ``is_own``: the
    account itself did.
    """

    account_ref: str
    person_ref: str
    message_ref: str
    text: str
    at: datetime
    number: int = 0
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class MessageUnsent:
    """Somebody took a message back: our copies must go. ``is_own``: the account itself did."""

    account_ref: str
    person_ref: str
    message_ref: str
    at: datetime
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class MessageSeen:
    account_ref: str
    person_ref: str
    message_ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReactionChanged:
    """``emoji`` is empty when a reaction was taken back."""

    account_ref: str
    person_ref: str
    message_ref: str
    emoji: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """Understood, and of no consequence for us; ``reason`` goes into the event's row."""

    account_ref: str
    reason: str


SocialEvent = (
    CommentWritten
    | MessageWritten
    | ButtonTapped
    | MessageEdited
    | MessageUnsent
    | MessageSeen
    | ReactionChanged
    | NothingToDo
)


class Handler(StrEnum):
    """Who answers in a conversation."""

    BOT = "bot"
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class Account:
    """A connected account. Its token stays sealed until something is sent. ``brand``: what its workspace
    is called; ``platforms``: what that says for its accounts, on whatever platform.
    """

    id: UUID
    workspace_id: UUID
    platform: str
    platform_account_id: str
    username: str
    status: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    workspace_settings: Mapping[str, Any] = field(default_factory=dict)
    app_scoped_id: str = ""
    brand: str = ""
    platforms: Mapping[str, Any] = field(default_factory=dict)

    def is_itself(self, person_ref: str, username: str = "") -> bool:
        """Whether a person of an event is the account: platforms name it in several ways."""
        named = bool(username) and username.casefold() == self.username.casefold()
        return named or (
            bool(person_ref) and person_ref in (self.platform_account_id, self.app_scoped_id)
        )
