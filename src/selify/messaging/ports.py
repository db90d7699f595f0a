"""What messaging needs from a platform; implemented under ``vendors/``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from selify.core.queue.inbox import Incoming
from selify.messaging.types import SocialEvent


class Translator(Protocol):
    """Stored inbox events back into what they mean. ``received_at`` stands in for a missing time."""

    def __call__(
        self, event_type: str, payload: Mapping[str, Any], received_at: datetime
    ) -> SocialEvent: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom to send as. ``token`` is open: never log or store it. ``sealed``: as it is stored, which a refusal
    of it is compared with.
    """

    platform_account_id: str
    token: str
    sealed: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.platform_account_id})"


@dataclass(frozen=True, slots=True)
class QuickReply:
    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One send. Exactly one of ``person_ref`` and ``comment_ref`` (a private reply) is set;
    one of ``text`` and ``image_url``, or only ``typing``.
    """

    person_ref: str = ""
    comment_ref: str = ""
    text: str = ""
    image_url: str = ""
    quick_replies: tuple[QuickReply, ...] = ()
    typing: bool = False


class Action(StrEnum):
    """What to do about a refused send. All but ``UNKNOWN`` and ``ALREADY_DONE``: surely not sent."""

    RETRY = "retry"  # something about this one message: a few more tries
    LATER = "later"  # this one message must wait for its turn, however long that is
    UNKNOWN = "unknown"
    REAUTHORISE = "reauthorise"
    WINDOW_CLOSED = "window_closed"
    PERSON_UNREACHABLE = "person_unreachable"
    PAUSE_ACCOUNT = "pause_account"  # no other message of the account would arrive now either
    PAUSE_PLATFORM = "pause_platform"  # nor would those of any account
    ASK_OWNER = "ask_owner"  # a permission or a switch is missing: it waits until they act
    ALREADY_DONE = "already_done"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Accepted:
    """``person_ref`` is the platform's word on who received it: the only sure link from a comment
    to its thread. ``usage`` is the highest share (0 to 1) of any limit the answer reported.
    """

    message_ref: str
    person_ref: str
    usage: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """``retry_after`` in seconds, where it is known. ``grows``: longer each time it comes again.
    ``alert``: a person must act; ``reason`` tells them. ``may_be_over``: nobody was there, and may be
    back at any moment.
    """

    action: Action
    code: str
    reason: str
    retry_after: float | None = None
    grows: bool = False
    alert: bool = False
    may_be_over: bool = False

    @property
    def guessed(self) -> bool:
        """Whether trying again before ``retry_after`` makes sense: the platform named no time, and a
        person may have mended it or the platform be back.
        """
        no_time = self.grows or self.retry_after is None
        return no_time and (self.alert or self.may_be_over)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message found in a thread, while finding out whether a send arrived."""

    message_ref: str
    text: str
    at: datetime
    has_attachment: bool


@dataclass(frozen=True, slots=True)
class ReadStep:
    """What one request read of a thread. ``cursor``: where the next one goes on (the platform's own
    words, kept as JSON); ``None``: the thread is read.
    """

    cursor: Mapping[str, Any] | None
    message: SentMessage | None = None


@dataclass(frozen=True, slots=True)
class NotNow:
    """A thread cannot be read at this moment. ``retry_after`` in seconds, where it is known."""

    retry_after: float | None = None


class Messenger(Protocol):
    """Sends, and looks back at what was sent. Never raises for what a platform may answer."""

    async def send(self, sender: Credentials, message: OutgoingMessage) -> Accepted | Refused: ...

    async def read_back(
        self, sender: Credentials, person_ref: str, *, since: datetime, cursor: Mapping[str, Any]
    ) -> ReadStep | NotNow:
        """One request on the way through our own messages in that thread, newest first, back to
        ``since``. An empty ``cursor`` begins; after NotNow the same one goes on.
        """

    async def addressee(self, sender: Credentials, message_ref: str) -> str | None:
        """The name of the person to whom a message of ours went; ``None``: cannot tell now."""

    async def username(self, sender: Credentials, person_ref: str) -> str | None:
        """What somebody who wrote is called; empty: the platform does not tell; ``None``: not now."""

    def split(self, text: str) -> list[str]:
        """A text in pieces each short enough to send."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an owner's consent gave us. ``app_scoped_id`` is how deauthorisation names the account."""

    platform_account_id: str
    app_scoped_id: str
    username: str
    picture_url: str
    token: str
    expires_at: datetime
    permissions: tuple[str, ...]
    profile: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Grant({self.username})"


@dataclass(frozen=True, slots=True)
class RenewedToken:
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"RenewedToken(until {self.expires_at})"


@dataclass(frozen=True, slots=True)
class PostItem:
    """A post as the platform lists it."""

    post_ref: str
    url: str
    caption: str
    media_type: str
    media_urls: tuple[str, ...]
    thumbnail_url: str
    likes: int
    comments: int
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class PostPage:
    """``after`` is the cursor of the next page; ``None`` on the last one."""

    posts: tuple[PostItem, ...]
    after: str | None


class PlatformRefused(Exception):
    """The platform refused or did not answer. ``token_dead``: only a new consent helps.
    ``reconnecting_helps``: so it does here, and ``reason`` does not say it.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        *,
        token_dead: bool = False,
        reconnecting_helps: bool = False,
    ) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.token_dead = token_dead
        self.reconnecting_helps = reconnecting_helps


@dataclass(frozen=True, slots=True)
class Subscription:
    """The kinds of events a platform sends us of an account. ``complaint``: why others do not come,
    in words for its owner. ``reconnecting_helps``: some come once the owner consents to more.
    """

    fields: tuple[str, ...]
    complaint: str = ""
    reconnecting_helps: bool = False


class AccountGateway(Protocol):
    """Connecting, keeping and leaving an account. Every method may raise PlatformRefused."""

    platform: str

    def consent_url(self, *, state: str, redirect_uri: str) -> str: ...

    def read_callback(self, params: Mapping[str, str]) -> str:
        """The code of a redirect back. Raises SelifyError when the owner said no."""

    async def exchange(self, code: str, *, redirect_uri: str) -> Grant: ...

    async def renew(self, token: str, *, expires_at: datetime, since: datetime) -> RenewedToken: ...

    async def subscribe(self, token: str, permissions: Sequence[str]) -> Subscription:
        """Switch on every kind of event that may be had. ``permissions``: what the owner granted, as
        far as it is known. Raises PlatformRefused only where no kind at all may be had.
        """

    async def unsubscribe(self, token: str) -> None: ...

    async def posts(self, token: str, after: str | None) -> PostPage: ...


ReadAgain = Callable[[Any, datetime], Sequence[Incoming] | None]
"""A raw entry and when it came → its events; ``None`` where it is still not understood."""


@dataclass(frozen=True, slots=True)
class Platform:
    """All that a vendor offers of one platform, by the name it has in ``platform`` columns.
    ``media_hosts``: where what people send is served from.
    """

    name: str
    messenger: Messenger
    translate: Translator
    gateway: AccountGateway
    read_unmatched: ReadAgain
    media_hosts: tuple[str, ...] = ()
