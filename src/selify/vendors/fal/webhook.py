"""fal's webhooks: Ed25519 over four lines, with keys from fal's published key set.

Source: fal's documentation of webhooks, "Verify your webhook".
"""

import asyncio
import base64
import binascii
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from selify.core.clock import Clock, is_within
from selify.core.errors import BadRequest, Forbidden

JWKS_URL: Final = "https://rest.fal.ai/.well-known/jwks.json"
TOLERANCE: Final = timedelta(seconds=300)
KEYS_LIVE: Final = timedelta(hours=24)
REFETCH_AT_MOST_EVERY: Final = timedelta(minutes=1)
MAX_KEYS: Final = 50

_NAMES: Final = ("request-id", "user-id", "timestamp")

FetchKeySet = Callable[[], Awaitable[bytes]]


class SignatureWrong(Forbidden):
    """Not signed by fal, too old, or changed on its way."""

    code = "fal_signature_wrong"


class UnreadableDelivery(BadRequest):
    """Signed, and still not what fal documents."""

    code = "fal_delivery_unreadable"


@dataclass(frozen=True, slots=True)
class FalEvent:
    """A finished request. It may come ten times: handle one ``request_id`` once."""

    request_id: str
    succeeded: bool
    payload: Mapping[str, Any] | None
    error: str


def verify(
    headers: Mapping[str, str], body: bytes, keys: Sequence[Ed25519PublicKey], now: datetime
) -> None:
    """Check header names in lower case, the raw body, any of the keys. Raises SignatureWrong."""
    values = [headers.get(f"x-fal-webhook-{name}", "") for name in _NAMES]
    _check_time(values[2], now)
    try:
        signature = bytes.fromhex(headers.get("x-fal-webhook-signature", ""))
    except ValueError as error:
        raise SignatureWrong("The signature is not hexadecimal.") from error
    message = "\n".join([*values, hashlib.sha256(body).hexdigest()]).encode()
    if not any(_fits(key, signature, message) for key in keys):
        raise SignatureWrong("The signature does not fit.")


def _check_time(stamp: str, now: datetime) -> None:
    if not (stamp.isascii() and stamp.isdecimal()) or len(stamp) > 12:
        raise SignatureWrong("The time stamp is missing or not a number.")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise SignatureWrong("The delivery is too old, or one of the clocks is wrong.")


def _fits(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def parse_key_set(data: bytes) -> list[Ed25519PublicKey]:
    """The usable Ed25519 keys of a JSON Web Key Set; what else it holds is passed over."""
    try:
        entries = json.loads(data)["keys"][:MAX_KEYS]
        return [key for entry in entries if (key := _public_key(entry)) is not None]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def _public_key(entry: object) -> Ed25519PublicKey | None:
    if not isinstance(entry, dict) or (entry.get("kty"), entry.get("crv")) != ("OKP", "Ed25519"):
        return None
    try:
        x = str(entry.get("x", ""))
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)))
    except (ValueError, binascii.Error):
        return None


def parse(body: bytes) -> FalEvent:
    """Raises UnreadableDelivery."""
    try:
        event = json.loads(body)
        request_id, status = event["request_id"], str(event["status"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableDelivery("The delivery is not a finished request.") from error
    if not isinstance(request_id, str) or not request_id or status not in {"OK", "ERROR"}:
        raise UnreadableDelivery("The delivery is not a finished request.")
    payload = event.get("payload")
    return FalEvent(
        request_id,
        succeeded=status == "OK" and isinstance(payload, dict),
        payload=payload if isinstance(payload, dict) else None,
        error=str(event.get("error") or event.get("payload_error") or ""),
    )


class WebhookVerifier:
    """Verifies with fal's current keys: kept a day, fetched anew (once a minute at most) on doubt.

    ``fetch`` returns the key set's bytes and may raise anything; then the kept keys stay in use
    for as long as they live.
    """

    def __init__(self, fetch: FetchKeySet, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: list[Ed25519PublicKey] = []
        self._keys_from: datetime | None = None
        self._asked_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises SignatureWrong."""
        now = self._clock.now()
        _check_time(headers.get("x-fal-webhook-timestamp", ""), now)
        if not self._alive(now):
            await self._refresh()
        known = self._keys if self._alive(now) else []
        try:
            verify(headers, body, known, now)
        except SignatureWrong:
            if not await self._refresh():
                raise
            verify(headers, body, self._keys, now)

    def _alive(self, now: datetime) -> bool:
        return self._keys_from is not None and is_within(KEYS_LIVE, self._keys_from, now)

    async def _refresh(self) -> bool:
        """Whether there are newly fetched keys now. A flood of forgeries asks fal only once."""
        async with self._lock:
            now = self._clock.now()
            if self._asked_at and is_within(REFETCH_AT_MOST_EVERY, self._asked_at, now):
                return False
            self._asked_at = now
            try:
                keys = parse_key_set(await self._fetch())
            except Exception:  # noqa: BLE001 — no key set is the same as none fetched
                return False
            if keys:
                self._keys, self._keys_from = keys, now
            return bool(keys)
