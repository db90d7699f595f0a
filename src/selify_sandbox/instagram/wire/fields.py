"""The ``fields=`` language: ``id,caption,children{media_url},messages.limit(5){text}``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selify_sandbox.instagram.state.errors import BAD_PARAMETER, GraphError

MAX_DEPTH = 5
Fields = dict[str, "Wanted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of one field: its own fields and how many entries (0: the default)."""

    fields: Fields = field(default_factory=dict)
    limit: int = 0


def parse_fields(text: str) -> Fields:
    """Parse the parameter. Raises code 100 for unbalanced or empty parts."""
    wanted, rest = _parse(text.replace(" ", ""), 0)
    if rest:
        raise _syntax_error()
    return wanted


def _parse(text: str, depth: int) -> tuple[Fields, str]:
    if depth > MAX_DEPTH:
        raise _syntax_error()
    wanted: Fields = {}
    while text and text[0] != "}":
        name, text = _name(text)
        limit = 0
        inner: Fields = {}
        while text and text[0] in ".{":
            if text[0] == ".":
                limit, text = _modifier(text)
            else:
                inner, text = _parse(text[1:], depth + 1)
                if not text.startswith("}"):
                    raise _syntax_error()
                text = text[1:]
        wanted[name] = Wanted(inner, limit)
        if text.startswith(","):
            text = text[1:]
        elif text and text[0] != "}":
            raise _syntax_error()
    return wanted, text


def _name(text: str) -> tuple[str, str]:
    end = next((i for i, char in enumerate(text) if char in ",{}."), len(text))
    if end == 0 or not text[:end].replace("_", "").isalnum():
        raise _syntax_error()
    return text[:end], text[end:]


def _modifier(text: str) -> tuple[int, str]:
    start, end = text.find("("), text.find(")")
    inside = text[start + 1 : end]
    if start < 0 or end < start:
        raise _syntax_error()
    return (int(inside) if text[1:start] == "limit" and inside.isdigit() else 0), text[end + 1 :]


def _syntax_error() -> GraphError:
    return GraphError(BAD_PARAMETER.saying("(#100) Syntax error in the fields parameter"))


def project(values: Mapping[str, Any], wanted: Fields, *, always: tuple[str, ...] = ("id",)) -> Any:
    """Keep what was asked for; a field nobody knows is code 100, as with the real thing."""
    for name in wanted:
        if name not in values:
            raise GraphError(
                BAD_PARAMETER.saying(f"(#100) Tried accessing nonexisting field ({name})")
            )
    names = [name for name in values if name in wanted or name in always]
    return {name: values[name] for name in names if values[name] is not None}


def page(items: list[Any], query: Mapping[str, str], *, default: int = 25) -> dict[str, Any]:
    """One page of an edge with cursors; ``limit`` up to 100, ``after`` and ``before`` offsets."""
    limit = _number(query.get("limit"), default, 100)
    start = _number(query.get("after"), 0, len(items))
    if query.get("before"):
        end = _number(query.get("before"), 0, len(items))
        start, limit = max(0, end - limit), min(limit, end)
    shown = items[start : start + limit]
    answer: dict[str, Any] = {"data": shown}
    if shown:
        cursors = {"before": str(start), "after": str(start + len(shown))}
        answer["paging"] = {"cursors": cursors}
    return answer


def _number(text: str | None, default: int, most: int) -> int:
    return min(int(text), most) if text and text.isdigit() else default
