"""The language of an answer: of a page by what its reader chose, of the API by ``Accept-Language``.

A page is in the language of its reader's profile (``speak_as``, once it is known who they are), else
in the one chosen by the switch (a cookie), else in the browser's first that we speak, else in English.
"""

from http.cookies import CookieError, SimpleCookie

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from selify.core import language

COOKIE = "selify_language"
A_YEAR = 365 * 24 * 3600
_FOR_PROGRAMS = ("/api/", "/webhooks")
_WORDED = ("text/html", "application/json", "application/problem+json")


class SpeakLanguage:
    """Sets the language for whatever is inside, and says in the answer's headers which it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                if headers.get("content-type", "").startswith(_WORDED):
                    headers["content-language"] = language.current()
                    headers.add_vary_header("Accept-Language")
                    message["headers"] = headers.raw
            await send(message)

        with language.speaking(_asked_for(scope)):
            await self._app(scope, receive, send_with_language)


def speak_as(request: Request, chosen: str | None) -> None:
    """On pages, the language of whoever is signed in. A program says itself what it wants."""
    if chosen and not request.url.path.startswith(_FOR_PROGRAMS):
        language.speak(chosen)


def _asked_for(scope: Scope) -> str:
    headers = Headers(scope=scope)
    if COOKIE in (held := headers.get("cookie", "")) and not _is_for_programs(scope):
        chosen = _cookie(held)
        if chosen in language.LANGUAGES:
            return chosen
    accepted = headers.get("accept-language")
    return language.preferred(accepted) if accepted else language.ENGLISH


def _is_for_programs(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(_FOR_PROGRAMS)


def _cookie(held: str) -> str:
    try:
        found = SimpleCookie(held).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
