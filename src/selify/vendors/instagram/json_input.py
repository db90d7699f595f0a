"""JSON as it comes in from outside, made safe to store and to walk.

PostgreSQL's jsonb takes no NUL, no lone surrogate and no infinity, and Python's own reader gives
all three. What is legal JSON but cannot be stored is replaced; what is not JSON is a ValueError.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import orjson

JsonObject = dict[str, Any]
Pairs = list[tuple[str, Any]]

MAX_DEPTH = 64
MAX_ID = 512
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Under the name that two members have: all that they say.
AT_ODDS = "at_odds"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MILLISECONDS = 10**11  # as seconds the year 5138, as milliseconds 1973
_LAST_SECONDS = 4_102_444_800  # the year 2100

_NAME = re.compile(rb'"\s*:')
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ESCAPED_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class Ambiguous(dict[str, Any]):
    """An object of which two members have one name and differ (all they say stands under ``AT_ODDS``), or
    that has such a one inside, with none of the lists in between of which each item is read by itself.
    """


def decode_json(body: bytes) -> Any:
    """The value, with every string storable. ValueError: not JSON, or nested deeper than 64.

    Of members of one name the last counts.
    """
    return _decode(body, _LAST, dict)


def loses_nothing(body: bytes, value: Any) -> bool:
    """Whether surely no object of the text had two members of one name. ``value``: as ``decode_json``
    gave it.

    By counting the names in the text and in what became of it: looking at each pair of each object takes
    half as long again as reading it.
    """
    if b"\\u0022" in body:  # a quotation mark that only one of the two would show
        return False
    try:
        said_again = orjson.dumps(value)
    except TypeError:  # it knows no numbers of more than 64 bits
        return False
    return len(_NAME.findall(body)) == len(_NAME.findall(said_again))


def decode_everything(body: bytes, *, lists: frozenset[str]) -> Any:
    """The same, and no member is lost: what stands under one name twice is joined, for these names also
    where it is no list, for others where it is one each time. Where that cannot be, the object is
    Ambiguous. ``lists``: of which each item is read by itself.
    """

    def joined(pairs: Pairs) -> JsonObject:
        return _joined(pairs, lists)

    decoder = json.JSONDecoder(
        parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=joined
    )
    return _decode(body, decoder, joined)


def _decode(body: bytes, decoder: json.JSONDecoder, build: Callable[[Pairs], JsonObject]) -> Any:
    try:
        value = decoder.decode(body.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _ESCAPED_UNSTORABLE.search(body) or body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        return _storable(value, 0, build)
    return value


def storable_text(text: str) -> str:
    """The text without NUL and lone surrogates, which neither UTF-8 nor PostgreSQL can hold."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def as_object(value: Any) -> JsonObject:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The list, or one of this alone."""
    return value if isinstance(value, list) else [value]


def as_text(value: Any) -> str:
    """The string, or "" for anything else."""
    return value if isinstance(value, str) else ""


def as_id(value: Any) -> str:
    """Ids are strings of 17 and more digits, and sometimes come as bare numbers. "" where none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID else ""


def as_count(value: Any) -> int:
    """A number of things; 0 for anything that cannot be one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 2**53 else 0


def as_moment(value: Any) -> datetime | None:
    """Milliseconds (messaging) or seconds (changes) since 1970, as number or digits; else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    milliseconds = value if value >= _FIRST_MILLISECONDS else value * 1000
    if milliseconds > _LAST_SECONDS * 1000:
        return None
    return _EPOCH + timedelta(milliseconds=int(milliseconds))


def _storable(value: Any, depth: int, build: Callable[[Pairs], JsonObject]) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [_storable(item, depth + 1, build) for item in value]
    if isinstance(value, dict):
        # Two names may be one by now.
        made = build(
            [(storable_text(key), _storable(item, depth + 1, build)) for key, item in value.items()]
        )
        return Ambiguous(made) if isinstance(value, Ambiguous) else made
    return value


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _joined(pairs: Pairs, lists: frozenset[str]) -> JsonObject:
    said: dict[str, list[Any]] = {}
    for name, value in pairs:
        said.setdefault(name, []).append(value)
    found: JsonObject = {}
    clear = True
    for name, values in said.items():
        if all(value == values[0] for value in values):
            found[name] = values[0]
        elif name in lists or all(isinstance(value, list) for value in values):
            found[name] = [item for value in values for item in as_list(value)]
        else:
            found[name], clear = {AT_ODDS: values}, False
        clear = clear and (name in lists or not _is_ambiguous(found[name]))
    return found if clear else Ambiguous(found)


def _is_ambiguous(value: Any) -> bool:
    if isinstance(value, list):
        return any(_is_ambiguous(item) for item in value)
    return isinstance(value, Ambiguous)


_LAST = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
