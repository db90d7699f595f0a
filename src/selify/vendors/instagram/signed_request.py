"""Meta's ``signed_request``: how it tells us that an app was removed, or data must be deleted.

``<signature>.<payload>``, both base64url without padding; the signature is HMAC-SHA256 with the app
secret over the *encoded payload text*. Source: Meta, Data Deletion Request Callback.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from selify.core.errors import BadRequest
from selify.vendors.instagram.json_input import as_id, as_moment, decode_json

MAX_LENGTH = 16 * 1024
ALGORITHM = "HMAC-SHA256"


class SignedRequestWrong(BadRequest):
    """Not signed by Meta with a secret of ours, or not in the form Meta documents."""

    code = "instagram_signed_request_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """Who is meant: ``user_id`` is the app-scoped id (``id`` of ``/me``, not ``user_id``).

    Nothing forbids Meta to send one twice or late, so ``expires_at`` is shown and not enforced.
    """

    user_id: str
    issued_at: datetime | None = None
    expires_at: datetime | None = None


def parse_signed_request(signed_request: str, secrets: Iterable[str]) -> SignedRequest:
    """The request, where any of the secrets signed it; SignedRequestWrong otherwise."""
    signature, _, payload = signed_request.partition(".")
    if len(signed_request) > MAX_LENGTH or not signed_request.isascii():
        raise SignedRequestWrong("The signed request is not in Meta's form.")
    given = _decode(signature)
    matches = [hmac.compare_digest(given, _sign(payload, secret)) for secret in secrets if secret]
    if not any(matches):
        raise SignedRequestWrong(
            "The signed request is not signed with our secret.",
            hint="Check SELIFY_INSTAGRAM_APP_SECRET.",
        )
    return _read(_decode(payload))


def _read(document: bytes) -> SignedRequest:
    try:
        payload = decode_json(document)
    except ValueError as error:
        raise SignedRequestWrong("The signed request holds no JSON.") from error
    if not isinstance(payload, dict) or str(payload.get("algorithm")).upper() != ALGORITHM:
        raise SignedRequestWrong(f"A signed request is signed by {ALGORITHM}.")
    user_id = as_id(payload.get("user_id"))
    if not user_id:
        raise SignedRequestWrong("The signed request names nobody.")
    return SignedRequest(
        user_id=user_id,
        issued_at=as_moment(payload.get("issued_at")),
        expires_at=as_moment(payload.get("expires")),
    )


def _sign(payload: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except (binascii.Error, ValueError):
        raise SignedRequestWrong("The signed request is not base64url.") from None
