"""Secrets at rest: AES-256-GCM with the key's id in front and the row's identity as associated data.

A sealed text reads ``v1.<key id>.<nonce + ciphertext, base64url>``. Because the row's identity is
bound in, a sealed token copied into another row does not open there.
"""

import base64
import binascii
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from selify.core.errors import SelifyError
from selify.core.language import _

_VERSION = "v1"
_NONCE_BYTES = 12


class SecretUnreadable(SelifyError):
    """A sealed text that no key we hold opens, or that belongs to another row."""

    code = "secret_unreadable"
    title = _("A stored secret cannot be read")


class SecretBox:
    """Seals with the first key, opens with any. Keys are 32 bytes, named by a short id."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        for name, key in keys.items():
            if len(key) != 32 or "." in name:
                raise ValueError(f"key {name!r} must be 32 bytes long and its id without a dot")
        self._keys = dict(keys)
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self.current_key = next(iter(keys))

    @property
    def older_keys(self) -> tuple[str, ...]:
        """The ids of those that only open."""
        return tuple(self._keys)[1:]

    @classmethod
    def parse(cls, keys: Sequence[str]) -> Self:
        """From ``id:base64url(32 bytes)`` texts, the current key first."""
        parsed = {}
        for text in keys:
            name, _dot, encoded = text.partition(":")
            if name in parsed:
                raise ValueError(f"two keys are called {name!r}: give the new one an id of its own")
            parsed[name] = _decode(encoded)
        return cls(parsed)

    @staticmethod
    def new_key(name: str) -> str:
        return f"{name}:{base64.urlsafe_b64encode(os.urandom(32)).decode()}"

    def derive(self, purpose: str) -> dict[str, bytes]:
        """Keys of 32 bytes for another purpose (HKDF-SHA256), by key id, the current one first.

        They say nothing about the keys they come from, and rotate with them.
        """
        return {
            name: HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)
            for name, key in self._keys.items()
        }

    def seal(self, plain: str, *, about: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.current_key].encrypt(nonce, plain.encode(), about.encode())
        body = base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")
        return f"{_VERSION}.{self.current_key}.{body}"

    def seal_with(self, names: Collection[str], plain: str, *, about: str) -> dict[str, str]:
        """The same text sealed with the current key and with each of these that we hold, by key id.

        Who opens all of them can open whatever those keys have sealed.
        """
        return {
            name: SecretBox({name: key}).seal(plain, about=about)
            for name, key in self._keys.items()
            if name == self.current_key or name in names
        }

    def open(self, sealed: str, *, about: str) -> str:
        version, _dot, rest = sealed.partition(".")
        name, _dot, body = rest.partition(".")
        cipher = self._ciphers.get(name)
        if version != _VERSION or cipher is None:
            raise SecretUnreadable(
                _("The key that sealed this secret is not among the configured keys."),
                hint=_(
                    "Add the old key back to SELIFY_SECRET_KEYS, after the current one; one that the"
                    " program made itself is in the file secret.key of the data directory."
                ),
            )
        try:
            raw = _decode(body)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable(
                _("This secret was altered, or copied from another row.")
            ) from error

    def is_current(self, sealed: str) -> bool:
        """Whether it is sealed with the current key (else: rotate it)."""
        return sealed.startswith(f"{_VERSION}.{self.current_key}.")

    def reseal(self, sealed: str, *, about: str) -> str:
        return self.seal(self.open(sealed, about=about), about=about)


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error
