"""A thin client of the Graph API on graph.instagram.com (Instagram Login).

Every method takes the account's token first, makes one request, and raises GraphError with what to
do. Nothing is retried here: whether a message may be sent again is the caller's to decide.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.errors import MESSAGE_GONE, GraphError
from selify.vendors.instagram.json_input import JsonObject, as_id
from selify.vendors.instagram.payloads import (
    Card,
    OutgoingMessage,
    QuickReply,
    Recipient,
    cards_message,
    image_message,
    quick_reply_message,
    text_message,
    to_comment,
    to_person,
)
from selify.vendors.instagram.transport import Call, Transport
from selify.vendors.instagram.types import (
    Account,
    Answered,
    CommentItem,
    ConversationMessage,
    Media,
    Page,
    PersonProfile,
    Sent,
    items_of,
    read_page,
    required_id,
)

T = TypeVar("T")

ACCOUNT_FIELDS = (
    "id,user_id,username,name,account_type,profile_picture_url,"
    "followers_count,follows_count,media_count"
)
MEDIA_FIELDS = (
    "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,shortcode,timestamp,"
    "username,like_count,comments_count,alt_text,children{id,media_type,media_url,thumbnail_url}"
)
COMMENT_FIELDS = "id,text,timestamp,username,from,media,parent_id"
PROFILE_FIELDS = (
    "name,username,profile_pic,follower_count,is_user_follow_business,"
    "is_business_follow_user,is_verified_user"
)
MESSAGE_FIELDS = "id,created_time,from,to,message,attachments"


class InstagramClient:
    """Speaks for any number of accounts over one shared HTTP client, opened by the caller."""

    def __init__(self, http: httpx.AsyncClient, config: InstagramConfig) -> None:
        self._transport = Transport(http, config)
        self._base = f"{config.graph_url}/{config.version}"

    # The account and its posts

    async def me(self, token: str) -> Answered[Account]:
        return await self._get(token, "me", ("me",), Account.read, {"fields": ACCOUNT_FIELDS})

    async def media(self, token: str, after: str | None = None, *, limit: int = 50) -> Page[Media]:
        """The account's posts, newest first."""
        params = {"fields": MEDIA_FIELDS, "limit": str(limit)}
        return await self._page(token, "media", ("me", "media"), Media.read, params, after)

    async def media_item(self, token: str, media_id: str) -> Answered[Media]:
        path = (media_id,)
        return await self._get(token, "media_item", path, Media.read, {"fields": MEDIA_FIELDS})

    async def insights(
        self, token: str, media_id: str, metrics: Sequence[str]
    ) -> Answered[dict[str, int]]:
        """Figures of one post. What Instagram has no figure for is absent, not 0."""
        params = {"metric": ",".join(metrics)}
        return await self._get(token, "insights", (media_id, "insights"), _read_insights, params)

    # Comments

    async def comments(
        self, token: str, media_id: str, after: str | None = None
    ) -> Page[CommentItem]:
        """Comments under a post: what a lost webhook would have told."""
        params = {"fields": COMMENT_FIELDS}
        path = (media_id, "comments")
        return await self._page(token, "comments", path, CommentItem.read, params, after)

    async def comment(self, token: str, comment_id: str) -> Answered[CommentItem]:
        params = {"fields": COMMENT_FIELDS}
        return await self._get(token, "comment", (comment_id,), CommentItem.read, params)

    async def reply_to_comment(self, token: str, comment_id: str, text: str) -> Answered[str]:
        """Answers in public; the value is the new comment's id.

        No ``fields=`` here: with it Meta creates the comment and then answers with an error.
        """
        return await self._post(
            token,
            "reply_to_comment",
            (comment_id, "replies"),
            lambda answer: required_id(answer, "id"),
            json={"message": text},
        )

    # Messages

    async def send(
        self,
        token: str,
        recipient: Recipient,
        message: OutgoingMessage,
        *,
        reply_to: str | None = None,
    ) -> Sent:
        """Any message of ``payloads``. ``reply_to``: the mid it answers, shown above it."""
        body: JsonObject = {"recipient": recipient, "message": message}
        if reply_to:
            body["reply_to"] = {"mid": reply_to}
        answered = await self._post(token, "send", ("me", "messages"), _read_sent, json=body)
        recipient_id, message_id = answered.value
        return Sent(recipient_id=recipient_id, message_id=message_id, usage=answered.usage)

    async def send_text(self, token: str, igsid: str, text: str) -> Sent:
        """At most 1,000 bytes: longer texts are split by the caller, one send (and charge) each."""
        return await self.send(token, to_person(igsid), text_message(text))

    async def send_image(self, token: str, igsid: str, url: str) -> Sent:
        return await self.send(token, to_person(igsid), image_message(url))

    async def send_cards(self, token: str, igsid: str, cards: Sequence[Card]) -> Sent:
        """The generic template."""
        return await self.send(token, to_person(igsid), cards_message(cards))

    async def send_quick_replies(
        self, token: str, igsid: str, text: str, replies: Sequence[QuickReply]
    ) -> Sent:
        return await self.send(token, to_person(igsid), quick_reply_message(text, replies))

    async def send_private_reply(
        self, token: str, comment_id: str, message: OutgoingMessage
    ) -> Sent:
        """One per comment, within seven days. ``recipient_id`` is the commenter's id to us: keep it."""
        return await self.send(token, to_comment(comment_id), message)

    async def typing_on(self, token: str, igsid: str) -> None:
        await self._sender_action(token, igsid, "typing_on")

    async def typing_off(self, token: str, igsid: str) -> None:
        await self._sender_action(token, igsid, "typing_off")

    async def mark_seen(self, token: str, igsid: str) -> None:
        await self._sender_action(token, igsid, "mark_seen")

    async def react(self, token: str, igsid: str, message_id: str, reaction: str = "love") -> None:
        """``reaction``: any emoji, or ``love``."""
        payload = {"message_id": message_id, "reaction": reaction}
        await self._sender_action(token, igsid, "react", payload)

    async def profile(self, token: str, igsid: str) -> Answered[PersonProfile]:
        """Only once the person has written or tapped: a comment alone is no consent."""

        def read(answer: JsonObject) -> PersonProfile:
            return PersonProfile.read({"id": igsid, **answer})

        return await self._get(token, "profile", (igsid,), read, {"fields": PROFILE_FIELDS})

    # Reading conversations back, to learn what became of an unknown send: two requests a second for
    # all of them together

    async def conversations(self, token: str, igsid: str) -> Page[str]:
        """Ids of the conversations with a person: one, or none."""
        params = {"platform": "instagram", "user_id": igsid}
        path = ("me", "conversations")
        return await self._page(token, "conversations", path, _read_id, params)

    async def conversation_messages(self, token: str, conversation_id: str) -> Answered[list[str]]:
        """Ids of a conversation's messages, newest first."""

        def read(answer: JsonObject) -> list[str]:
            return [required_id(item, "id") for item in items_of(answer["messages"])]

        params = {"fields": "messages"}
        return await self._get(token, "conversation", (conversation_id,), read, params)

    async def message(self, token: str, message_id: str) -> Answered[ConversationMessage]:
        """One of the 20 newest messages; for older ones Instagram says that they are deleted."""
        params = {"fields": MESSAGE_FIELDS}
        return await self._get(token, "message", (message_id,), ConversationMessage.read, params)

    async def message_unless_gone(self, token: str, message_id: str) -> ConversationMessage | None:
        """``None``: it was taken back, or is too old to be shown."""
        try:
            return (await self.message(token, message_id)).value
        except GraphError as error:
            if error.verdict == MESSAGE_GONE:
                return None
            raise

    # Webhook subscription of one account

    async def subscribe(self, token: str, fields: Sequence[str]) -> None:
        """Switches these webhooks of the account on, in place of those before. One that Instagram takes
        is enough to receive every field the dashboard selected and a permission covers.
        """
        params = {"subscribed_fields": ",".join(fields)}
        await self._subscription(token, "subscribe", "POST", _read_success, params)

    async def unsubscribe(self, token: str) -> None:
        await self._subscription(token, "unsubscribe", "DELETE", _read_success)

    async def subscriptions(self, token: str) -> tuple[str, ...]:
        """The fields this account is subscribed to; empty where it is not."""
        return await self._subscription(token, "subscriptions", "GET", _read_subscriptions)

    # The ways to ask

    async def _get(
        self,
        token: str,
        operation: str,
        path: Sequence[str],
        read: Callable[[JsonObject], T],
        params: Mapping[str, str],
    ) -> Answered[T]:
        call = Call(
            operation=operation,
            method="GET",
            url=self._url(path),
            read=read,
            repeatable=True,
            token=token,
            params=params,
        )
        return await self._transport.send(call)

    async def _page(
        self,
        token: str,
        operation: str,
        path: Sequence[str],
        read: Callable[[JsonObject], T],
        params: Mapping[str, str],
        after: str | None = None,
    ) -> Page[T]:
        query = {**params, "after": after} if after else params
        answered = await self._get(
            token, operation, path, lambda answer: read_page(answer, read), query
        )
        page = answered.value
        return Page(items=page.items, after=page.after, usage=answered.usage)

    async def _post(
        self,
        token: str,
        operation: str,
        path: Sequence[str],
        read: Callable[[JsonObject], T],
        *,
        json: JsonObject,
        repeatable: bool = False,
    ) -> Answered[T]:
        call = Call(
            operation=operation,
            method="POST",
            url=self._url(path),
            read=read,
            repeatable=repeatable,
            token=token,
            json=json,
        )
        return await self._transport.send(call)

    async def _sender_action(
        self, token: str, igsid: str, action: str, payload: dict[str, str] | None = None
    ) -> None:
        """Alone in its request. Twice does no harm."""
        body: JsonObject = {"recipient": {"id": igsid}, "sender_action": action}
        if payload:
            body["payload"] = payload
        path = ("me", "messages")
        await self._post(token, action, path, lambda _: True, json=body, repeatable=True)

    async def _subscription(
        self,
        token: str,
        operation: str,
        method: str,
        read: Callable[[JsonObject], T],
        params: Mapping[str, str] | None = None,
    ) -> T:
        call = Call(
            operation=operation,
            method=method,
            url=self._url(("me", "subscribed_apps")),
            read=read,
            repeatable=True,
            token=token,
            params=params,
        )
        return (await self._transport.send(call)).value

    def _url(self, path: Sequence[str]) -> str:
        return "/".join((self._base, *map(_segment, path)))


def _segment(part: str) -> str:
    """Ids come from webhooks: none may lead to another address."""
    if not part.strip("."):
        raise ValueError("an id cannot be empty or dots")
    return quote(part, safe="")


def _read_sent(answer: JsonObject) -> tuple[str, str]:
    return as_id(answer.get("recipient_id")), required_id(answer, "message_id")


def _read_id(item: JsonObject) -> str:
    return required_id(item, "id")


def _read_success(answer: JsonObject) -> bool:
    if answer.get("success") is not True:
        raise ValueError("not a success")
    return True


def _read_subscriptions(answer: JsonObject) -> tuple[str, ...]:
    fields: dict[str, None] = {}
    for item in items_of(answer):
        fields |= dict.fromkeys(name for name in item["subscribed_fields"] if isinstance(name, str))
    return tuple(fields)


def _read_insights(answer: JsonObject) -> dict[str, int]:
    figures = {item["name"]: _figure(item) for item in items_of(answer)}
    return {name: figure for name, figure in figures.items() if figure is not None}


def _figure(item: JsonObject) -> int | None:
    """Either ``values: [{value}]`` or ``total_value: {value}``."""
    values = item.get("values")
    holder: Any = values[-1] if isinstance(values, list) and values else item.get("total_value")
    value = holder.get("value") if isinstance(holder, dict) else None
    return int(value) if isinstance(value, int | float) else None
