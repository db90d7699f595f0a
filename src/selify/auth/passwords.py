"""Passwords: argon2id, with its cost in code and old hashes renewed at the next sign-in."""

import asyncio
import contextlib
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from selify.core.errors import Invalid, Unavailable
from selify.core.language import _

# RFC 9106, second recommended option: 64 MiB, three passes.
COST = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16)
SHORTEST, LONGEST = 10, 256
# Each costs 64 MiB and tens of milliseconds: side by side at most these, and a short queue.
PARALLEL, WAITING = 2, 32


class PasswordInvalid(Invalid):
    code = "password_invalid"
    title = _("Please choose another password")


class SignInBusy(Unavailable):
    code = "sign_in_busy"
    title = _("Too many people are signing in right now")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``renew``: right, but hashed with other costs than today's."""

    right: bool
    renew: bool = False


class Passwords:
    """Hashes and checks passwords in threads, never more at once than the machine bears."""

    def __init__(self, hasher: PasswordHasher = COST) -> None:
        self._hasher = hasher
        self._slots = asyncio.Semaphore(PARALLEL)
        self._inside = 0

    async def hash(self, password: str) -> str:
        async with self._slot():
            return await asyncio.to_thread(self._hasher.hash, _prepared(password))

    async def check(self, stored: str | None, password: str) -> Verdict:
        """Whether the password is right. Without a stored hash the same work is done for nothing,
        so that the time it takes does not tell whether there is such an account.
        """
        async with self._slot():
            return await asyncio.to_thread(self._check, stored, _prepared(password))

    def _check(self, stored: str | None, password: str) -> Verdict:
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return Verdict(right=False)
        if stored is None:
            return Verdict(right=False)
        return Verdict(right=True, renew=self._hasher.check_needs_rehash(stored))

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("the password of nobody")

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._inside >= PARALLEL + WAITING:
            raise SignInBusy(_("Please try again in a moment."))
        self._inside += 1
        try:
            async with self._slots:
                yield
        finally:
            self._inside -= 1


def demand_good(password: str, *, email: str) -> None:
    """Long enough and not the e-mail address. Raises PasswordInvalid.

    No rules about digits and signs: length is what helps (NIST SP 800-63B).
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordInvalid(
            _(
                "A password has %(shortest)s to %(longest)s characters.",
                shortest=SHORTEST,
                longest=LONGEST,
            ),
            hint=_("Several words in a row are easy to remember and hard to guess."),
            field="password",
        )
    if len(set(password)) < 4 or password.casefold() in (email, email.partition("@")[0]):
        raise PasswordInvalid(_("This password would be guessed at once."), field="password")


def _prepared(password: str) -> str:
    """The same characters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)
