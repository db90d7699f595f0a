"""Access tokens: short-lived JWTs with the claims Supabase uses, for programs that call the API.

HS256 with keys derived from the secret keys, named in the token's ``kid``, so that they rotate
together. A token is good only while its session lives: the server looks it up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from selify.auth.types import Session
from selify.core.errors import Unauthenticated
from selify.core.language import _
from selify.core.secrets import SecretBox

ALGORITHM = "HS256"
AUDIENCE = "authenticated"
LIFETIME = timedelta(hours=1)
LONGEST = 4096
_PURPOSE = "selify access tokens v1"
_DEMANDED = ["sub", "aud", "iss", "exp", "iat", "session_id"]


class TokenInvalid(Unauthenticated):
    code = "token_invalid"
    title = _("This access token is not valid (any more)")


@dataclass(frozen=True, slots=True)
class AccessToken:
    text: str
    expires_at: datetime


class Tokens:
    """Signs with the current key, accepts any configured one."""

    def __init__(self, box: SecretBox, *, issuer: str) -> None:
        self._keys = box.derive(_PURPOSE)
        self._current = next(iter(self._keys))
        self._issuer = issuer

    def issue(self, session: Session, *, now: datetime) -> AccessToken:
        """Ends with the session, at the latest after LIFETIME."""
        expires_at = min(now + LIFETIME, session.ends_at).replace(microsecond=0)
        payload = {
            **claims_of(session),
            "iss": self._issuer,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        text = jwt.encode(
            payload, self._keys[self._current], ALGORITHM, headers={"kid": self._current}
        )
        return AccessToken(text, expires_at.astimezone(UTC))

    def session_of(self, token: str, *, now: datetime) -> UUID:
        """The session a token was issued for. Raises TokenInvalid, never saying which check failed
        beyond whether it is merely too old.
        """
        try:
            claims = self._decode(token)
            expires_at = int(claims["exp"])
            session_id = UUID(str(claims["session_id"]))
        except (jwt.PyJWTError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise TokenInvalid(_("The access token cannot be accepted.")) from error
        if now.timestamp() >= expires_at:
            raise TokenInvalid(_("The access token has expired."), hint=_("Ask for a new one."))
        return session_id

    def _decode(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST:
            raise jwt.InvalidTokenError
        key = self._keys[str(jwt.get_unverified_header(token).get("kid"))]
        return jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],  # whatever the token itself says
            audience=AUDIENCE,
            issuer=self._issuer,
            # Expiry is checked against our own clock, above.
            options={"require": _DEMANDED, "verify_exp": False, "verify_iat": False},
        )


def claims_of(session: Session) -> dict[str, Any]:
    """What ``auth.jwt()`` shows inside PostgreSQL, whichever way the user signed in."""
    user = session.user
    return {
        "sub": str(user.id),
        "aud": AUDIENCE,
        "role": "authenticated",
        "email": user.email,
        "phone": "",
        "session_id": str(session.id),
        "aal": "aal1",
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "providers": ["email"], "team": user.is_team},
        "user_metadata": {"full_name": user.full_name} if user.full_name else {},
    }
