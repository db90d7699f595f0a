"""Signed, expiring links to stored files, for those who cannot sign in: a platform that fetches a
picture, or the phone of the person it was sent to.

A token reads ``<key id>.<expiry>.<signature>.<storage key>``, all in one URL-safe word.
"""

import base64
import binascii
import hmac
from datetime import datetime, timedelta

from selify.core.errors import Gone, NotFound
from selify.core.language import _
from selify.core.secrets import SecretBox

PURPOSE = "file-links"


class LinkExpired(Gone):
    code = "link_expired"
    title = _("This link has expired")


class FileLinks:
    """Makes and opens links. ``base`` is the public address of the server."""

    def __init__(self, secrets: SecretBox, base: str) -> None:
        self._keys = secrets.derive(PURPOSE)
        self._current = secrets.current_key
        self._base = base.rstrip("/")

    def make(self, storage_key: str, *, now: datetime, lasts: timedelta) -> str:
        expires = int((now + lasts).timestamp())
        signature = self._sign(self._current, expires, storage_key)
        token = f"{self._current}.{expires}.{signature}.{storage_key}"
        return f"{self._base}/files/{_encode(token.encode())}"

    def open(self, token: str, *, now: datetime) -> str:
        """The storage key. Raises NotFound for what we did not sign, LinkExpired for the old."""
        try:
            name, expires, signature, storage_key = _decode(token).decode().split(".", 3)
            expected = self._sign(name, int(expires), storage_key)
        except (ValueError, KeyError) as error:
            raise NotFound(_("There is no such file.")) from error
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise NotFound(_("There is no such file."))
        if int(expires) < now.timestamp():
            raise LinkExpired(_("This link was made for a limited time, and that time is over."))
        return storage_key

    def _sign(self, name: str, expires: int, storage_key: str) -> str:
        message = f"{expires}.{storage_key}".encode()
        return _encode(hmac.digest(self._keys[name], message, "sha256")[:20])


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
