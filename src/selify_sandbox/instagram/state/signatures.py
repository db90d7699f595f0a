"""Everything the vendor signs: webhooks, signed requests, CDN links."""

import base64
import hashlib
import hmac
import json
from typing import Any


def webhook_body(payload: Any) -> bytes:
    """The bytes on the wire: compact JSON, every non-ASCII character as a lower-case escape.

    The vendor signs the escaped text, so a body with raw UTF-8 would never be seen in the wild.
    """
    return json.dumps(payload, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def webhook_signature(body: bytes, secret: str) -> str:
    """Value of ``X-Hub-Signature-256`` for exactly these bytes."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_request(payload: dict[str, Any], secret: str) -> str:
    """``<signature>.<payload>``, both base64url; the signature covers the encoded payload text."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    encoded = _unpadded(text.encode())
    mac = hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{_unpadded(mac)}.{encoded}"


def cdn_signature(file_id: str, expires: int, secret: str) -> str:
    """Short signature of one CDN link; the key is derived so that it never doubles as another."""
    key = hashlib.sha256(b"cdn:" + secret.encode()).digest()
    return hmac.new(key, f"{file_id}:{expires}".encode(), hashlib.sha256).hexdigest()[:32]


def cdn_signature_ok(file_id: str, expires: int, secret: str, given: str) -> bool:
    """Whether ``given`` signs this link (says nothing about expiry)."""
    return hmac.compare_digest(cdn_signature(file_id, expires, secret), given)
