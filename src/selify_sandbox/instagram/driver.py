"""Act in the stand-in by HTTP: what tests, the automated journey and the chaos run use."""

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from selify_sandbox.instagram.state.live import until

Json = dict[str, Any]
LONG_POLL = 10.0
LONGEST_PAUSE = 5.0
RECONNECT_PAUSE = 0.2
MAX_CONNECTIONS = 64  # more only make the pool slow; requests above wait in line
KEPT_ALIVE = 2.0  # shorter than any server keeps a connection, so that none dies under a request


class SandboxError(Exception):
    """The stand-in refused; ``status`` and its own words."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail = status, detail


class NothingCame(Exception):
    """The awaited message did not come in time; says what the thread holds instead."""


@dataclass(frozen=True, slots=True)
class Account:
    """A brand's account: ``id`` is the webhook's entry id, ``app_scoped_id`` that of ``/me``."""

    id: str
    app_scoped_id: str
    username: str
    connected: bool
    subscribed_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """A post."""

    id: str
    account: str
    key: str


@dataclass(frozen=True, slots=True)
class Shopper:
    """A person with a phone."""

    id: str
    username: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A shopper's conversation with an account, and the person's two ids."""

    id: str
    account: str
    shopper: str
    igsid: str
    commenter_id: str
    request: bool
    window_open: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the shopper sees it. ``pictures`` are links for ``SandboxDriver.picture``."""

    mid: str
    seq: int
    thread: str
    from_brand: bool
    origin: str
    text: str
    pictures: tuple[str, ...]
    quick_replies: tuple[tuple[str, str], ...]  # title, payload
    elements: tuple[Json, ...]
    private_reply_to: str
    created_ms: int
    seen: bool
    reactions: tuple[str, ...]


def _message(data: Json) -> Message:
    return Message(
        mid=data["mid"],
        seq=data["seq"],
        thread=data["thread"],
        from_brand=data["from"] == "brand",
        origin=data["origin"],
        text=data["text"],
        pictures=tuple(part["url"] for part in data["attachments"] if part["type"] == "image"),
        quick_replies=tuple((chip["title"], chip["payload"]) for chip in data["quick_replies"]),
        elements=tuple(data["elements"]),
        private_reply_to=data["private_reply_to"],
        created_ms=data["created_ms"],
        seen=data["seen"],
        reactions=tuple(reaction["emoji"] for reaction in data["reactions"]),
    )


def _account(data: Json) -> Account:
    return Account(
        data["id"],
        data["app_scoped_id"],
        data["username"],
        data["connected"],
        tuple(data["subscribed_fields"]),
    )


class SandboxDriver:
    """One HTTP client to one stand-in; use as ``async with SandboxDriver(url) as sandbox``.

    Shoppers, accounts and posts are named by username, key or id. Every refusal raises
    ``SandboxError``; a stand-in that cannot be reached raises ``httpx.HTTPError``.
    """

    def __init__(self, base_url: str, *, timeout: float = 30.0) -> None:
        limits = httpx.Limits(
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEPT_ALIVE,
        )
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout,
            limits=limits,
            trust_env=False,
            verify=base_url.startswith("https:"),  # loading certificates for nothing is slow
        )
        self._gate = asyncio.Semaphore(MAX_CONNECTIONS - 1)  # one is for the live stream
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._listener:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._http.aclose()

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        async with self._gate:
            answer = await self._http.request(method, f"/sandbox/api{path}", **options)
        if answer.is_error:
            try:
                detail = str(answer.json().get("detail", answer.text))
            except ValueError:
                detail = answer.text
            raise SandboxError(answer.status_code, detail)
        return answer.json() if answer.content else None

    # Building the world -----------------------------------------------------------------------

    async def create_account(
        self, username: str, *, name: str = "", biography: str = "", followers: int = 0
    ) -> Account:
        """A brand's account, or the one that already has the name."""
        body = {
            "username": username,
            "name": name,
            "biography": biography,
            "followers": followers,
        }
        return _account(await self._call("POST", "/accounts", json=body))

    async def accounts(self) -> list[Account]:
        """Every account."""
        return [_account(data) for data in (await self._call("GET", "/world"))["accounts"]]

    async def create_post(
        self,
        account: str,
        picture: bytes | Path,
        *,
        caption: str = "",
        alt_text: str = "",
        key: str = "",
        product_type: str = "FEED",
        likes: int = 0,
    ) -> Post:
        """A post (FEED, REELS or STORY), or the one of this account that has the key."""
        fields = {
            "caption": caption,
            "alt_text": alt_text,
            "key": key,
            "product_type": product_type,
            "likes": str(likes),
        }
        data = await self._call(
            "POST",
            f"/accounts/{account}/posts",
            data=fields,
            files={"picture": ("picture", _bytes(picture))},
        )
        return Post(data["id"], data["account"], data["key"])

    async def posts(self, account: Account) -> list[Post]:
        """What the account has published, oldest first."""
        world = await self._call("GET", "/world")
        posts = [Post(post["id"], post["account"], post["key"]) for post in world["posts"]]
        return [post for post in posts if post.account == account.id]

    async def create_shopper(
        self, username: str, *, name: str = "", follows: tuple[str, ...] = ()
    ) -> Shopper:
        """A person, or the one who already has the name."""
        body = {"username": username, "name": name, "follows": list(follows)}
        data = await self._call("POST", "/shoppers", json=body)
        return Shopper(data["id"], data["username"])

    # Acting as a shopper ----------------------------------------------------------------------

    async def comment(self, shopper: str, post: str, text: str, *, parent: str = "") -> str:
        """Comment under a post; the comment's id."""
        body = {"post": post, "text": text, "parent": parent or None}
        data = await self._call("POST", f"/shoppers/{shopper}/comments", json=body)
        return str(data["id"])

    async def write(
        self, shopper: str, account: str, text: str, *, reply_to: str = "", ref: str = ""
    ) -> Message:
        """Send a text."""
        body = {"account": account, "text": text, "reply_to": reply_to, "ref": ref}
        return _message(await self._call("POST", f"/shoppers/{shopper}/messages", json=body))

    async def send_photo(
        self, shopper: str, account: str, *pictures: bytes | Path, text: str = ""
    ) -> list[Message]:
        """Send photos byte for byte; a text beside them becomes a second message."""
        files = [("files", ("photo", _bytes(picture))) for picture in pictures]
        fields = {"account": account, "text": text}
        path = f"/shoppers/{shopper}/photos"
        return [_message(data) for data in await self._call("POST", path, data=fields, files=files)]

    async def tap(self, shopper: str, mid: str, *, payload: str = "", title: str = "") -> Message:
        """Tap a quick reply or a template button, by payload or title (else the first)."""
        body = {"mid": mid, "payload": payload, "title": title}
        return _message(await self._call("POST", f"/shoppers/{shopper}/tap", json=body))

    async def react(self, shopper: str, mid: str, emoji: str = "❤️") -> None:
        """React; an empty emoji takes the reaction back."""
        body = {"mid": mid, "emoji": emoji}
        await self._call("POST", f"/shoppers/{shopper}/reactions", json=body)

    async def edit(self, shopper: str, mid: str, text: str) -> None:
        """Edit a text."""
        await self._call("POST", f"/shoppers/{shopper}/edit", json={"mid": mid, "text": text})

    async def unsend(self, shopper: str, mid: str) -> None:
        """Take a message back."""
        await self._call("POST", f"/shoppers/{shopper}/unsend", json={"mid": mid})

    async def see(self, shopper: str, account: str) -> None:
        """Open the conversation."""
        await self._call("POST", f"/shoppers/{shopper}/seen", json={"account": account})

    async def accept(self, shopper: str, account: str) -> None:
        """Accept a message request."""
        await self._call("POST", f"/shoppers/{shopper}/accept", json={"account": account})

    async def relate(
        self,
        shopper: str,
        account: str,
        *,
        follows: bool | None = None,
        blocked: bool | None = None,
    ) -> None:
        """Follow or block an account, or stop doing so."""
        body = {"account": account, "follows": follows, "blocked": blocked}
        await self._call("POST", f"/shoppers/{shopper}/relation", json=body)

    async def share(self, shopper: str, account: str, post: str) -> Message:
        """Send a post into the conversation."""
        body = {"account": account, "post": post}
        return _message(await self._call("POST", f"/shoppers/{shopper}/share", json=body))

    async def mention_in_story(self, shopper: str, account: str, picture: bytes | Path) -> Message:
        """Name the account in one's own story."""
        data = await self._call(
            "POST",
            f"/shoppers/{shopper}/story-mention",
            data={"account": account},
            files={"picture": ("story", _bytes(picture))},
        )
        return _message(data)

    async def reply_to_story(self, shopper: str, account: str, post: str, text: str) -> Message:
        """Answer a story."""
        body = {"account": account, "post": post, "text": text}
        return _message(await self._call("POST", f"/shoppers/{shopper}/story-reply", json=body))

    async def owner_writes(self, account: str, shopper: str, text: str) -> Message:
        """A person of the brand answers in the app itself."""
        body = {"shopper": shopper, "text": text}
        return _message(await self._call("POST", f"/accounts/{account}/messages", json=body))

    async def owner_comments(self, account: str, post: str, text: str) -> str:
        """The account comments under its own post in the app itself; the comment's id."""
        body = {"post": post, "text": text}
        return str((await self._call("POST", f"/accounts/{account}/comments", json=body))["id"])

    # Reading ----------------------------------------------------------------------------------

    async def thread(self, shopper: str, account: str) -> Thread:
        """The conversation of the two, even before a word was said."""
        data = await self._call("GET", f"/threads/between/{shopper}/{account}")
        return Thread(
            id=data["id"],
            account=data["account"],
            shopper=data["shopper"],
            igsid=data["igsid"],
            commenter_id=data["commenter_id"],
            request=data["request"],
            window_open=data["window_open"],
        )

    async def messages(self, thread: Thread | str, *, after: int = 0) -> list[Message]:
        """Messages after a sequence number, oldest first."""
        path = f"/threads/{_thread_id(thread)}/messages"
        found = await self._call("GET", path, params={"after": after})
        return [_message(data) for data in found]

    async def wait_for_message(
        self,
        thread: Thread | str,
        predicate: Callable[[Message], bool] = lambda message: message.from_brand,
        timeout: float = 30.0,  # noqa: ASYNC109 - the deadline is part of the question
        *,
        after: int = 0,
    ) -> Message:
        """The first message after ``after`` that fits. Raises NothingCame when time is up."""
        deadline, seen = time.monotonic() + timeout, list[str]()
        with self._watching(_thread_id(thread)) as changed:
            while True:
                for message in await self.messages(thread, after=after):
                    if predicate(message):
                        return message
                    after = message.seq
                    seen.append(f"{message.origin}: {message.text or '(no text)'}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise NothingCame(f"nothing fitting in {timeout:.0f} s; the thread has {seen}")
                # The pause is bounded: news may be lost while the stand-in restarts.
                await until(changed, min(left, LONGEST_PAUSE))

    @contextmanager
    def _watching(self, thread_id: str) -> Iterator[asyncio.Event]:
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        event = asyncio.Event()
        self._watchers[thread_id].add(event)
        try:
            yield event
        finally:
            self._watchers[thread_id].discard(event)

    async def _listen(self) -> None:
        """One live stream for all waiters: hundreds of long polls would cost far more."""
        while True:
            with contextlib.suppress(httpx.HTTPError):
                stream = self._http.stream("GET", "/live", params={"only": "thread"}, timeout=None)
                async with stream as answer:
                    self._wake(*self._watchers)
                    async for line in answer.aiter_lines():
                        if line.startswith("data: "):
                            self._wake(str(json.loads(line[6:])["thread"]))
            await asyncio.sleep(RECONNECT_PAUSE)

    def _wake(self, *thread_ids: str) -> None:
        for thread_id in thread_ids:
            for event in self._watchers.get(thread_id, ()):
                event.set()

    async def comments(self, post: str) -> list[Json]:
        """Every comment of a post."""
        found: list[Json] = await self._call("GET", f"/posts/{post}/comments")
        return found

    async def picture(self, link: str) -> bytes:
        """The bytes behind a message's picture link. Raises SandboxError 403 when it is dead."""
        answer = await self._http.get(link)
        if answer.is_error:
            raise SandboxError(answer.status_code, answer.text)
        return answer.content

    # Trouble ----------------------------------------------------------------------------------

    async def faults(self, **changes: Any) -> Json:
        """Change faults by name (see ``switchboard.Faults``); all faults in force."""
        found: Json = await self._call("PATCH", "/faults", json=changes)
        return found

    async def calm(self) -> None:
        """Switch all trouble off and send what was held back."""
        await self._call("DELETE", "/faults")
        await self.hurry()

    async def rate_limit(self, code: int = 80002, seconds: float = 60) -> None:
        """Answer every call with a rate-limit error for a while."""
        await self._call("POST", "/rate-limit", json={"code": code, "seconds": seconds})

    async def fail_next(
        self,
        code: int,
        subcode: int = 0,
        *,
        on: str = "*",
        times: int = 1,
        after_effect: bool = False,
    ) -> None:
        """Answer the next matching calls with this error."""
        body = {
            "code": code,
            "subcode": subcode,
            "on": on,
            "times": times,
            "after_effect": after_effect,
        }
        await self._call("POST", "/errors", json=body)

    async def trouble(self, account: str, action: str, **details: Any) -> None:
        """Something happens to an account: expire_token, revoke_token, deauthorize …"""
        body = {"action": action, **details}
        await self._call("POST", f"/accounts/{account}/trouble", json=body)

    async def close_window(self, thread: Thread | str) -> None:
        """Pretend the shopper last wrote 25 hours ago."""
        await self._call("POST", f"/threads/{_thread_id(thread)}/close-window")

    async def age_comment(self, comment: str, days: float) -> None:
        """Pretend the comment is older."""
        await self._call("POST", f"/comments/{comment}/age", json={"days": days})

    # Deliveries -------------------------------------------------------------------------------

    async def deliveries(self, limit: int = 50) -> list[Json]:
        """The newest first."""
        found: list[Json] = await self._call("GET", "/deliveries", params={"limit": limit})
        return found

    async def hurry(self) -> None:
        """Make everything that waits due now."""
        await self._call("POST", "/deliveries/hurry")

    async def redeliver(self, delivery: int) -> None:
        """Deliver once more."""
        await self._call("POST", f"/deliveries/{delivery}/again")

    async def wait_until_delivered(self, timeout: float = 30.0) -> bool:  # noqa: ASYNC109
        """Whether everything arrived (or was given up) in time."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            wait = {"wait": min(left, LONG_POLL)}
            answer = await self._call("GET", "/deliveries/outstanding", params=wait)
            if answer["outstanding"] == 0:
                return True
        return False

    # Signing in -------------------------------------------------------------------------------

    async def authorize(
        self, authorize_url: str, account: str, *, deny: bool = False, scopes: tuple[str, ...] = ()
    ) -> str:
        """Decide on the consent screen; the address the browser is sent back to.

        Grants everything asked for unless ``scopes`` names less.
        """
        query = {key: values[0] for key, values in parse_qs(urlsplit(authorize_url).query).items()}
        asked = query.get("scope", "").replace(" ", ",").split(",")
        accounts = await self.accounts()
        chosen = next((one for one in accounts if account in {one.id, one.username}), None)
        if chosen is None:
            raise SandboxError(404, f"there is no account {account!r}")
        form = {
            **query,
            "account": chosen.id,
            "decision": "deny" if deny else "allow",
            "granted": list(scopes or asked),
        }
        answer = await self._http.post("/oauth/authorize", data=form)
        if answer.status_code != 302:
            raise SandboxError(answer.status_code, answer.text)
        return answer.headers["location"]


def _bytes(picture: bytes | Path) -> bytes:
    return picture if isinstance(picture, bytes) else picture.read_bytes()


def _thread_id(thread: Thread | str) -> str:
    return thread if isinstance(thread, str) else thread.id
