"""Refusals for people: what the rest of the house says in JSON, a browser gets as a page.

A middleware, because refusals come from everywhere: endpoints, the body limit, a missing address,
a database that is down. Some lead elsewhere instead, as the wings say (``pages.Lead``). A part of a page
that cannot be had becomes a short message on the page that is open.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from selify.core.language import _, translated
from selify.core.web.problems import PROBLEM
from selify.dash.rendering import render
from selify.dash.shell import Shell

_FOR_PROGRAMS = ("/api/", "/webhooks")
_IN_PLAIN_WORDS = {
    _("Not Found"): _(
        "There is no page at this address. Perhaps it was mistyped, or what it showed is gone."
    ),
    _("Method Not Allowed"): _("This address is not meant to be opened like this."),
}
NO_SUCH_PAGE = _IN_PLAIN_WORDS["Not Found"]
_NOT_HERE = {
    "code": "not_found",
    "title": _("Not found"),
    "detail": NO_SUCH_PAGE,
    "fields": [],
}
LONGEST_FORM = 32 * 1024
# A tick or a row of ours, and what is chosen from a list: nobody types these.
_CHOSEN = re.compile(r"true|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MENDED_BY_TYPING = (409, 422)
_UNFIT = ("content-length", "content-type", "www-authenticate")


class PagesForPeople:
    """Replaces problem documents on their way to a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_for_people(scope):
            await self._app(scope, receive, send)
            return
        typed = _Typed(receive) if _is_plain_form(scope) else None
        await self._app(scope, typed or receive, _Replacing(scope, send, typed))


class _Typed:
    """Remembers a form that is sent without scripts, so that it can be shown once more."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._body = b""

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and len(self._body) <= LONGEST_FORM:
            self._body += message.get("body", b"")
        return message

    def fields(self) -> list[tuple[str, str]]:
        """As they were typed; none of a form that is too long. A password is typed again."""
        if len(self._body) > LONGEST_FORM:
            return []
        try:
            found = parse_qsl(self._body.decode("ascii"), keep_blank_values=True, max_num_fields=40)
        except ValueError:
            return []
        return [(name, value) for name, value in found if name != "password"]


class _Replacing:
    """Passes an answer on as it comes, unless it is a problem document."""

    def __init__(self, scope: Scope, send: Send, typed: _Typed | None) -> None:
        self._scope = scope
        self._send = send
        self._typed = typed
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._answer(self._start, orjson.loads(self._body))

    async def _answer(self, start: Message, problem: dict[str, Any]) -> None:
        kept = [h for h in start["headers"] if h[0].lower().decode() not in _UNFIT]
        headers = MutableHeaders(raw=kept)
        status, body = _shown(self._scope, problem, headers, self._typed)
        headers["content-length"] = str(len(body))
        headers["content-type"] = "text/html; charset=utf-8"
        headers["cache-control"] = "no-store"
        await self._send({"type": "http.response.start", "status": status, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _shown(
    scope: Scope, problem: dict[str, Any], headers: MutableHeaders, typed: _Typed | None
) -> tuple[int, bytes]:
    """Status and body; says in ``headers`` where they go."""
    status: int = problem["status"]
    script = Headers(scope=scope).get("hx-request") == "true"
    shell: Shell = scope["app"].state.shell
    if goal := next(filter(None, (lead(scope, problem, script) for lead in shell.leads)), ""):
        headers["hx-redirect" if script else "location"] = goal
        return (200 if script else 303), b""
    if _is_misspelt(problem):
        problem = {**problem, "status": 404, **_NOT_HERE}
        status = 404
    if not script:
        said = next(
            (
                plain
                for raw, plain in _IN_PLAIN_WORDS.items()
                if translated(raw) == problem["detail"]
            ),
            problem["detail"],
        )
        shown = {**problem, "detail": said}
        again = _once_more(shell, scope, problem, typed)
        return status, render(shell, "problem.html", problem=shown, again=again).encode()
    if scope["path"].startswith("/fragments/"):  # it will be fetched again soon: no fuss
        headers["hx-reswap"] = "none"
        return status, b""
    headers["hx-retarget"], headers["hx-reswap"] = "#toasts", "beforeend"
    said = " ".join(filter(None, (problem["detail"], problem["hint"])))
    headers["hx-trigger"] = json.dumps({"refused": {"words": said, "fields": _fields(problem)}})
    return status, render(shell, "toast.html", text=said, state="bad", oob=False).encode()


def _once_more(
    shell: Shell, scope: Scope, problem: dict[str, Any], typed: _Typed | None
) -> dict[str, Any] | None:
    """The form that was refused, as it was typed; None where nothing was, or typing helps nothing."""
    values = typed.fields() if typed and problem["status"] in _MENDED_BY_TYPING else []
    if not values:
        return None
    query = scope["query_string"].decode("latin-1")
    refused = {field["name"]: field["words"] for field in _fields(problem)}
    return {
        "action": scope["path"] + (f"?{query}" if query else ""),
        "typed": [
            {
                "name": name,
                "label": shell.field_name(name),
                "value": value,
                "why": refused.get(name, ""),
                "chosen": name not in refused
                and (name in shell.chosen or bool(_CHOSEN.fullmatch(value))),
            }
            for name, value in values
        ],
    }


def _fields(problem: dict[str, Any]) -> list[dict[str, str]]:
    """What is wrong with which field of the form, under the name it has there. What to do about it
    belongs to the first.
    """
    found = [
        {"name": item["field"].removeprefix("body."), "words": item["message"]}
        for item in problem.get("fields") or []
    ]
    for first in found[:1]:
        first["words"] = " ".join(filter(None, (first["words"], problem["hint"])))
    return found


def _is_misspelt(problem: dict[str, Any]) -> bool:
    """Whether the address names what cannot be there, such as a conversation called “abc”."""
    fields = problem.get("fields") or []
    return bool(fields) and all(field["field"].startswith("path.") for field in fields)


def _is_for_people(scope: Scope) -> bool:
    if scope["path"].startswith(_FOR_PROGRAMS):
        return False
    headers = Headers(scope=scope)
    return headers.get("hx-request") == "true" or "text/html" in headers.get("accept", "")


def _is_plain_form(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    kind = headers.get("content-type", "")
    return bool(
        scope["method"] == "POST"
        and kind.startswith("application/x-www-form-urlencoded")
        and headers.get("hx-request") != "true"
    )


def _is_problem(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return bool(message["status"] >= 400) and kind.startswith(PROBLEM)
