"""The webhook's side of the wire: the handshake, the signature, and a delivery taken apart.

``parse`` never loses anything: what it cannot take apart or understand comes back as it was, for the
caller to park; ``parse_entry`` reads such a parked entry again.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selify.core.errors import BadRequest, Forbidden
from selify.vendors.instagram.json_input import (
    Ambiguous,
    as_id,
    as_list,
    as_moment,
    decode_everything,
    decode_json,
    loses_nothing,
)
from selify.vendors.instagram.webhook_events import InstagramEvent
from selify.vendors.instagram.webhook_readers import (
    Envelope,
    NotUnderstoodError,
    read_change,
    read_messaging,
    read_standby,
)

MAX_BODY_BYTES = 8 * 1024 * 1024
NO_ENTRY_ID = "unknown"

_PARTS = ("messaging", "standby", "changes")
_LISTS = frozenset(("entry", *_PARTS))
# What says whose an update is and when: everything else in it is an event of its own.
_FRAME = ("id", "time", "field", "value", *_PARTS)
_PARTIES = ("sender", "recipient", "timestamp")

_NAMED_TWICE = "a name stands in it twice"
_CHALLENGE = re.compile(r"[A-Za-z0-9]{1,128}")
_SIGNATURE_PREFIX = "sha256="


class HandshakeRefused(Forbidden):
    """Somebody other than Meta asked, or the verify token in Meta's dashboard is another."""

    code = "instagram_handshake_refused"


class SignatureWrong(Forbidden):
    """Not signed with a secret of ours: not from Meta, or changed on its way."""

    code = "instagram_signature_wrong"


class UnreadableDelivery(BadRequest):
    """Signed, and still no JSON that we can read."""

    code = "instagram_delivery_unreadable"


class OversizedDelivery(UnreadableDelivery):
    """Larger than a thousand updates can be."""

    status, code = 413, "instagram_delivery_too_large"


@dataclass(frozen=True, slots=True)
class RawEntry:
    """What could not be understood, shaped as an entry where that is possible, and why."""

    entry_id: str
    raw: Any
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedDelivery:
    """One POST taken apart. Its order means nothing: sort by ``occurred_at``."""

    events: tuple[InstagramEvent, ...] = ()
    unparsed: tuple[RawEntry, ...] = ()


def verify_challenge(params: Mapping[str, str], verify_token: str) -> str:
    """The bare challenge to answer with, as text/plain. HandshakeRefused where the token differs.

    The challenge is echoed to whoever asks, so it must be letters and digits.
    """
    given = params.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    if not verify_token or not hmac.compare_digest(given, verify_token.encode()):
        raise HandshakeRefused(
            "The verify token is not ours.",
            hint="Enter the value of SELIFY_INSTAGRAM_VERIFY_TOKEN in Meta's dashboard.",
        )
    challenge = params.get("hub.challenge", "")
    if params.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        raise UnreadableDelivery("This is not Meta's webhook handshake.")
    return challenge


def sign(raw: bytes, secret: str) -> str:
    """The ``X-Hub-Signature-256`` header for a body: HMAC-SHA256 over its raw bytes."""
    return _SIGNATURE_PREFIX + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def verify_signature(raw: bytes, header: str | None, secrets: Iterable[str]) -> None:
    """SignatureWrong unless the header signs these very bytes with any of the secrets.

    Constant time; every secret is tried. Only SHA-256: the old SHA-1 header is not accepted.
    """
    given = (header or "").encode("utf-8", "surrogatepass")
    matches = [
        hmac.compare_digest(given, sign(raw, secret).encode()) for secret in secrets if secret
    ]
    if not any(matches):
        raise SignatureWrong(
            "The webhook's signature does not match.",
            hint="Check SELIFY_INSTAGRAM_APP_SECRET: it is the Instagram app's secret.",
        )


def parse(body: bytes, *, received_at: datetime) -> ParsedDelivery:
    """Every event of a delivery, and what could not be understood.

    ``received_at`` stands in for a delivery without a time. Raises UnreadableDelivery (400, or 413
    where too large) for what is no JSON, and nothing else whatever the JSON holds.
    """
    if len(body) > MAX_BODY_BYTES:
        raise OversizedDelivery(f"A delivery has at most {MAX_BODY_BYTES:,} bytes.")
    try:
        document = _decoded(body)
    except ValueError as error:
        raise UnreadableDelivery("The delivery is not JSON that we can read.") from error
    return _collect(_read_document(document, received_at))


def _decoded(body: bytes) -> Any:
    document = decode_json(body)
    return document if loses_nothing(body, document) else decode_everything(body, lists=_LISTS)


def parse_entry(raw: Any, *, received_at: datetime) -> ParsedDelivery:
    """One entry, as ``RawEntry.raw`` has it: for parked entries, read again by a later version."""
    return _collect(_read_entry(raw, received_at))


_Piece = InstagramEvent | RawEntry


def _collect(pieces: Iterable[_Piece]) -> ParsedDelivery:
    events: list[InstagramEvent] = []
    unparsed: list[RawEntry] = []
    for piece in pieces:
        if isinstance(piece, RawEntry):
            unparsed.append(piece)
        else:
            events.append(piece)
    return ParsedDelivery(tuple(events), tuple(unparsed))


def _read_document(document: Any, received_at: datetime) -> Iterator[_Piece]:
    """Some of Meta's samples wrap the envelope in a list."""
    for envelope in as_list(document):
        entries = envelope.get("entry") if isinstance(envelope, dict) else None
        if not isinstance(entries, list):
            yield RawEntry(NO_ENTRY_ID, envelope, "no list of entries")
        elif isinstance(envelope, Ambiguous):
            yield RawEntry(NO_ENTRY_ID, envelope, _NAMED_TWICE)
        elif envelope.get("object") != "instagram":
            yield RawEntry(NO_ENTRY_ID, envelope, "not about Instagram")
        else:
            for entry in entries:
                yield from _read_entry(entry, received_at)


def _read_entry(entry: Any, received_at: datetime) -> Iterator[_Piece]:
    account_id = as_id(entry.get("id")) if isinstance(entry, dict) else ""
    if not account_id:
        yield RawEntry(NO_ENTRY_ID, entry, "the entry names no account")
        return
    if isinstance(entry, Ambiguous):
        yield _set_aside(account_id, {}, entry)
        return
    envelope = Envelope(account_id, as_moment(entry.get("time")) or received_at)
    found = False
    for update in _updates(entry):
        found = True
        yield from _read_update(envelope, update)
    for name, part in entry.items():
        if name not in _FRAME and isinstance(part, list | dict):
            found = True
            yield RawEntry(account_id, {**_frame(entry), name: part}, "an unknown part of an entry")
    if not found:
        yield RawEntry(account_id, entry, "the entry has no updates")


def _updates(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entry in pieces of one update each, every piece shaped as an entry again."""
    frame = _frame(entry)
    for part in ("messaging", "standby"):
        for update in as_list(entry.get(part, [])):
            for alone in _one_by_one(update):
                yield {**frame, part: [alone]}
    changes = as_list(entry.get("changes", []))
    if "field" in entry:
        changes = [*changes, {"field": entry["field"], "value": entry.get("value")}]
    for change in changes:
        value = change.get("value") if isinstance(change, dict) else None
        talk = isinstance(value, dict) and not value.keys().isdisjoint(_PARTIES[:2])
        talk = talk and not isinstance(change, Ambiguous)
        for alone in _one_by_one(value) if talk else [value]:
            yield {**frame, "changes": [{**change, "value": alone} if talk else change]}


def _frame(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("id", "time") if name in entry}


def _only_part(piece: dict[str, Any]) -> tuple[str, list[Any]]:
    return next((name, piece[name]) for name in piece if name not in {"id", "time"})


def _set_aside(account_id: str, frame: dict[str, Any], what: Any) -> RawEntry:
    """In a form that is never taken for an entry: nobody can tell which of the two is meant."""
    return RawEntry(account_id, {**frame, "ambiguous": what}, _NAMED_TWICE)


def _one_by_one(update: Any) -> list[Any]:
    """An item of ``messaging`` with several members as several with one each, so that one that is not
    understood keeps none of the others.
    """
    if not isinstance(update, dict) or isinstance(update, Ambiguous):
        return [update]
    parties = {name: update[name] for name in _PARTIES if name in update}
    members = update.keys() - parties.keys()
    if len(members) < 2:
        return [update]
    return [{**parties, name: value} for name, value in update.items() if name in members]


def _read_update(envelope: Envelope, piece: dict[str, Any]) -> Iterator[_Piece]:
    """All events of one update, or the whole of it unparsed: never half of it."""
    part, (update,) = _only_part(piece)
    if isinstance(update, Ambiguous):
        yield _set_aside(envelope.account_id, _frame(piece), {part: [update]})
        return
    try:
        yield from list(_read_one(envelope, piece))
    except NotUnderstoodError as reason:
        yield RawEntry(envelope.account_id, piece, str(reason))


def _read_one(envelope: Envelope, piece: dict[str, Any]) -> Iterator[InstagramEvent]:
    part, (update,) = _only_part(piece)
    if not isinstance(update, dict):
        raise NotUnderstoodError("the update is no object")
    if part == "messaging":
        return read_messaging(envelope, update)
    if part == "standby":
        return read_standby(envelope, update)
    field, value = update.get("field"), update.get("value")
    if not isinstance(field, str) or not isinstance(value, dict):
        raise NotUnderstoodError("the change has no field and value")
    return read_change(envelope, field, value)
