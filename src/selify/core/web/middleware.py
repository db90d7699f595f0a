"""What surrounds every request, as plain ASGI: cheap enough for the webhook intake.

From the outside in: ``Envelope`` (trace id and security headers on every answer),
``CatchUnhandled`` (what nobody expected becomes a problem document), ``LimitBody``, ``PlainPosts``
(what is answered without the framework, inside all of these). Innermost, where an app has them:
``rate_limits.LimitRates``, which what is answered there never reaches.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from selify.core.errors import BadRequest, SelifyError, TooLarge, Unavailable
from selify.core.language import _
from selify.core.logging import get_logger, traced
from selify.core.web import problems

log = get_logger(__name__)

EXTRA_HEADERS = "selify.response_headers"
STREAM = "selify.stream"  # in the scope of an answer that has no end of its own
KIB = 1024
_STOPPED = _("The server is being stopped. Please try again in a moment.")
_TRACE = re.compile(rb"[A-Za-z0-9_-]{8,64}")

# Scripts, styles and connections from our own origin only, nothing inline: text that a visitor
# wrote cannot become a script even where a template forgets to escape it.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE = (b"cache-control", b"no-store")
_EVENTS = b"text/event-stream"
# By whether the world reaches us by https, and whether the answer is one of the API's.
_ENVELOPES = {
    (False, False): _SECURITY_HEADERS,
    (False, True): (*_SECURITY_HEADERS, _NO_STORE),
    (True, False): (*_SECURITY_HEADERS, _HTTPS_ONLY),
    (True, True): (*_SECURITY_HEADERS, _HTTPS_ONLY, _NO_STORE),
}


def envelope_headers(path: str, *, https: bool) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer carries that says nothing else. Answers below ``/api/`` are about somebody
    and stay out of caches.
    """
    return _ENVELOPES[https, path.startswith("/api/")]


class Envelope:
    """Accepts or makes the trace id (``X-Trace-Id``), and puts it and ``envelope_headers`` on the
    answer. A header that the answer already has is left as it is.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = envelope_headers(scope["path"], https=self._https)
        extra: list[tuple[bytes, bytes]] = []
        scope[EXTRA_HEADERS] = extra
        with traced(_trace_of(scope)) as trace:
            trace_header = (b"x-trace-id", trace.encode())

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    own = list(message.get("headers", ()))
                    names = dict(own)
                    scope[STREAM] = names.get(b"content-type", b"").startswith(_EVENTS)
                    own.extend(header for header in headers if header[0] not in names)
                    message["headers"] = [*own, trace_header, *extra]
                await send(message)

            await self._app(scope, receive, send_with_headers)


def _trace_of(scope: Scope) -> str | None:
    """The caller's trace id, if it is one we would put into a log line."""
    given = _header(scope, b"x-trace-id")
    return given.decode() if given and _TRACE.fullmatch(given) else None


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return None


class CatchUnhandled:
    """Whatever no handler expected is logged and answered as a problem document.

    So is whoever is still at work when the server stops and has waited long enough.

    Inside ``Envelope``, so that the answer names the trace id the log line has. An answer that has
    begun cannot be taken back: the error goes on, and the server cuts the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            log.info("the client went away", path=scope["path"])
        except asyncio.CancelledError:  # by the server, whose grace when it stops is over
            log.warning("the server stops before this was done", path=scope["path"])
            if not started:
                await problems.problem(Unavailable(_STOPPED))(scope, receive, send)
        except Exception as error:
            if started:
                raise
            response = await problems.unexpected(Request(scope), error)
            await response(scope, receive, send)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The largest request body in bytes. ``by_path`` names the few places that take more (or less)
    with regular expressions of whole paths: whatever lies beside or below them keeps the default.
    """

    default: int = 256 * KIB
    by_path: Mapping[str, int] = field(default_factory=dict)


class LimitBody:
    """Refuses bodies over the path's limit (413): by ``Content-Length`` before anything is read,
    and by counting what really arrives where no length was announced.
    """

    def __init__(self, app: ASGIApp, *, limits: BodyLimits) -> None:
        self._app = app
        self._default = limits.default
        self._paths = [(re.compile(path), limit) for path, limit in limits.by_path.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        announced = _header(scope, b"content-length")
        if announced is None:
            await self._app(scope, _counted(receive, limit), send)
            return
        refusal = _refusal_of(announced, limit)
        if refusal is None:  # the server itself holds the client to the announced length
            await self._app(scope, receive, send)
        else:
            await problems.problem(refusal)(scope, receive, send)

    def _limit_of(self, path: str) -> int:
        for pattern, limit in self._paths:
            if pattern.fullmatch(path):
                return limit
        return self._default


def _refusal_of(announced: bytes, limit: int) -> SelifyError | None:
    if not announced.isdigit():
        return BadRequest(_("The Content-Length header is not a number."))
    too_large = len(announced) > 18 or int(announced) > limit
    return TooLarge(_too_large(limit)) if too_large else None


def _counted(receive: Receive, limit: int) -> Receive:
    """The same body, ending with a 413 where it exceeds the limit."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                # An HTTPException, because FastAPI takes any other error while a body is being
                # read for a malformed body.
                raise HTTPException(413, _too_large(limit))
        return message

    return counting


def _too_large(limit: int) -> str:
    if limit >= KIB * KIB:
        return _("At most %(size)s MB can be sent here.", size=limit // (KIB * KIB))
    return _("At most %(size)s KB can be sent here.", size=limit // KIB)


PlainPost = Callable[[bytes, Headers], Awaitable[Response]]
"""Answers a request by its body and headers. May raise whatever an endpoint may."""


class PlainPosts:
    """POST to one of the paths of ``app.state.plain_posts`` is answered here: what the framework does
    for a request (matching, resolving, wrapping) costs more than storing a delivery. Everything
    around it (``Envelope``, ``CatchUnhandled``, ``LimitBody``) is the same, because it lies inside.

    The same paths are routes as well: for the documentation, and for every other method.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _plain_post(scope)
        if answer is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await answer(await _read(receive), Headers(scope=scope))
        except (SelifyError, HTTPException) as error:
            response = problems.refused(Request(scope), error)
        await response(scope, receive, send)


def _plain_post(scope: Scope) -> PlainPost | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    posts: Mapping[str, PlainPost] = getattr(scope["app"].state, "plain_posts", {})
    return posts.get(scope["path"])


async def _read(receive: Receive) -> bytes:
    """The whole body. Raises ClientDisconnect."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
