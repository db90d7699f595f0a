"""What Instagram's answers become: frozen, tolerant of members we do not know.

Every ``read`` takes the JSON object of an answer and raises KeyError, TypeError or ValueError where
it lacks what we cannot do without; the transport turns that into a GraphError. Ids are strings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Self, TypeVar

from selify.vendors.instagram.json_input import (
    JsonObject,
    as_count,
    as_id,
    as_object,
    as_text,
    decode_json,
)

T = TypeVar("T")

APP_USAGE_HEADER = "x-app-usage"
ACCOUNT_USAGE_HEADER = "x-business-use-case-usage"
_FIGURES = ("call_count", "total_time", "total_cputime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of Meta's limits is used, in percent: at 100 calls are refused.

    ``app_percent`` is over all accounts, ``account_percent`` over this account. ``regain_after``:
    how long until a throttled account may call again; None where not throttled.
    """

    app_percent: int = 0
    account_percent: int = 0
    regain_after: timedelta | None = None

    @property
    def percent(self) -> int:
        return max(self.app_percent, self.account_percent)

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Self:
        """From an answer's headers; what is missing or malformed counts as unused."""
        app = _header_object(headers.get(APP_USAGE_HEADER))
        accounts = [
            item
            for items in _header_object(headers.get(ACCOUNT_USAGE_HEADER)).values()
            if isinstance(items, list)
            for item in items
            if isinstance(item, dict)
        ]
        minutes = max(
            (as_count(item.get("estimated_time_to_regain_access")) for item in accounts), default=0
        )
        return cls(
            app_percent=_highest(app),
            account_percent=max(map(_highest, accounts), default=0),
            regain_after=timedelta(minutes=minutes) if minutes > 0 else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Generic[T]):
    """A value, and what the answer's headers said about our limits."""

    value: T
    usage: Usage = field(default=Usage(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message is on its way. ``message_id`` comes back as the ``mid`` of its echo.

    For a private reply ``recipient_id`` is the only link from the comment to the conversation.
    """

    recipient_id: str
    message_id: str
    usage: Usage = field(default=Usage(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The connected account. ``id`` is app-scoped; ``user_id`` is what webhooks call ``entry.id``."""

    id: str
    user_id: str
    username: str = ""
    name: str = ""
    account_type: str = ""
    profile_picture_url: str = ""
    followers_count: int = 0
    follows_count: int = 0
    media_count: int = 0

    @classmethod
    def read(cls, answer: JsonObject) -> Self:
        data = unwrap(answer)
        return cls(
            id=required_id(data, "id"),
            user_id=required_id(data, "user_id"),
            username=as_text(data.get("username")),
            name=as_text(data.get("name")),
            account_type=as_text(data.get("account_type")),
            profile_picture_url=as_text(data.get("profile_picture_url")),
            followers_count=as_count(data.get("followers_count")),
            follows_count=as_count(data.get("follows_count")),
            media_count=as_count(data.get("media_count")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A post, reel or story of the account. ``media_url`` is empty for copyright-flagged media."""

    id: str
    caption: str = ""
    media_type: str = ""
    media_product_type: str = ""
    media_url: str = ""
    thumbnail_url: str = ""
    permalink: str = ""
    shortcode: str = ""
    alt_text: str = ""
    username: str = ""
    posted_at: datetime | None = None
    like_count: int = 0
    comments_count: int = 0
    children: tuple["Media", ...] = ()

    @classmethod
    def read(cls, data: JsonObject) -> Self:
        children = data.get("children")
        return cls(
            id=required_id(data, "id"),
            caption=as_text(data.get("caption")),
            media_type=as_text(data.get("media_type")),
            media_product_type=as_text(data.get("media_product_type")),
            media_url=as_text(data.get("media_url")),
            thumbnail_url=as_text(data.get("thumbnail_url")),
            permalink=as_text(data.get("permalink")),
            shortcode=as_text(data.get("shortcode")),
            alt_text=as_text(data.get("alt_text")),
            username=as_text(data.get("username")),
            posted_at=_moment(data.get("timestamp")),
            like_count=as_count(data.get("like_count")),
            comments_count=as_count(data.get("comments_count")),
            children=tuple(map(cls.read, items_of(children))) if children else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some items, and the cursor after which the next ones may come; None at the end."""

    items: tuple[T, ...] = ()
    after: str | None = None
    usage: Usage = field(default=Usage(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonProfile:
    """Who writes. To be had only once the person has written or tapped; the picture's address dies."""

    id: str
    username: str = ""
    name: str = ""
    profile_pic: str = ""
    follower_count: int = 0
    follows_account: bool = False
    followed_by_account: bool = False
    is_verified: bool = False

    @classmethod
    def read(cls, data: JsonObject) -> Self:
        return cls(
            id=required_id(data, "id"),
            username=as_text(data.get("username")),
            name=as_text(data.get("name")),
            profile_pic=as_text(data.get("profile_pic")),
            follower_count=as_count(data.get("follower_count")),
            follows_account=data.get("is_user_follow_business") is True,
            followed_by_account=data.get("is_business_follow_user") is True,
            is_verified=data.get("is_verified_user") is True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentItem:
    """A comment as it stands now. ``commented_at`` starts the seven days for a private reply."""

    id: str
    text: str = ""
    username: str = ""
    person_id: str = ""
    parent_id: str = ""
    media_id: str = ""
    commented_at: datetime | None = None

    @classmethod
    def read(cls, data: JsonObject) -> Self:
        author, media = as_object(data.get("from")), as_object(data.get("media"))
        return cls(
            id=required_id(data, "id"),
            text=as_text(data.get("text")),
            username=as_text(data.get("username")) or as_text(author.get("username")),
            person_id=as_id(author.get("id")),
            parent_id=as_id(data.get("parent_id")),
            media_id=as_id(media.get("id")),
            commented_at=_moment(data.get("timestamp")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationMessage:
    """A message read back from a conversation, to find out whether a send arrived."""

    id: str
    sender_id: str = ""
    text: str = ""
    has_attachments: bool = False
    created_at: datetime | None = None
    recipient_username: str = ""

    @classmethod
    def read(cls, data: JsonObject) -> Self:
        return cls(
            id=required_id(data, "id"),
            sender_id=as_id(as_object(data.get("from")).get("id")),
            text=as_text(data.get("message")),
            has_attachments=bool(data.get("attachments")),
            created_at=_moment(data.get("created_time")),
            recipient_username=_first_username(as_object(data.get("to")).get("data")),
        )


def _first_username(people: Any) -> str:
    first = people[0] if isinstance(people, list) and people else None
    return as_text(as_object(first).get("username"))


# Reading ---------------------------------------------------------------------------------------


def read_page(answer: JsonObject, read: Callable[[JsonObject], T]) -> Page[T]:
    """``{"data": […], "paging": {"cursors": {"after"}}}``.

    Some edges give a ``next`` address beside the cursor on every page but the last, some never do;
    so the cursor alone is followed, and an empty page is the end.
    """
    items = tuple(map(read, items_of(answer)))
    cursors = as_object(as_object(answer.get("paging")).get("cursors"))
    return Page(items=items, after=(as_text(cursors.get("after")) or None) if items else None)


def items_of(answer: JsonObject) -> list[JsonObject]:
    """The list under ``data``."""
    items = answer["data"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise TypeError("data is no list of objects")
    return items


def unwrap(answer: JsonObject) -> JsonObject:
    """Some answers wrap their one object as ``{"data": [{…}]}``; others do not."""
    data = answer.get("data")
    if isinstance(data, list):
        return items_of(answer)[0] if data else {}
    return data if isinstance(data, dict) else answer


def required_id(data: JsonObject, name: str) -> str:
    value = as_id(data.get(name))
    if not value:
        raise KeyError(name)
    return value


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _highest(figures: JsonObject) -> int:
    return max(as_count(figures.get(name)) for name in _FIGURES)


def _header_object(value: str | None) -> JsonObject:
    try:
        decoded = decode_json((value or "{}").encode("utf-8", "replace"))
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
