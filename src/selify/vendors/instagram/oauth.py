"""Business Login for Instagram: consent, code, tokens.

consent page → code (1 h, single use) → short-lived token (1 h) → long-lived token (60 days), which
is refreshed from its first day to its last. Source: Meta, Business Login; access token references.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx

from selify.core.clock import Clock
from selify.core.errors import BadRequest, Conflict, Forbidden
from selify.core.language import _
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.json_input import JsonObject, as_id
from selify.vendors.instagram.transport import Call, Transport
from selify.vendors.instagram.types import required_id, unwrap

SHORT_LIVED = timedelta(hours=1)
MIN_REFRESH_AGE = timedelta(hours=24)
BASIC_SCOPE = "instagram_business_basic"
_LONGEST_LIFE = 400 * 24 * 3600
_FRAGMENT = "#_"


class ConsentDenied(Forbidden):
    """The owner said no on Instagram's consent page."""

    code = "instagram_consent_denied"


class CallbackWrong(BadRequest):
    """Whoever called is not Instagram's consent page."""

    code = "instagram_callback_wrong"


class TokenNotRefreshable(Conflict):
    """Too young, too old, or without the basic permission. ``extra["reason"]`` says which."""

    code = "instagram_token_not_refreshable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An Instagram User token. ``permissions`` are those the owner left switched on."""

    access_token: str = field(repr=False)
    user_id: str
    permissions: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime


def authorize_url(
    config: InstagramConfig,
    *,
    redirect_uri: str,
    state: str,
    force_reauth: bool = False,
    enable_fb_login: bool = True,
) -> str:
    """The consent page. ``state`` is unguessable and remembered by the caller."""
    params = {
        "client_id": config.app_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(config.scopes),
        "state": state,
    }
    if force_reauth:
        params["force_reauth"] = "true"
    if not enable_fb_login:
        params["enable_fb_login"] = "false"
    return f"{config.www_url}/oauth/authorize?{urlencode(params)}"


def read_callback(params: Mapping[str, str]) -> str:
    """The code, without the ``#_`` that Instagram hangs on. The caller has checked ``state``.

    ConsentDenied where the owner said no; CallbackWrong where there is no code.
    """
    if params.get("error"):
        raise ConsentDenied(
            _("Instagram was not connected because access was not allowed."),
            hint=_("Start again and choose Allow."),
            reason=params.get("error_reason", params["error"])[:100],
        )
    code = params.get("code", "").removesuffix(_FRAGMENT)
    if not code:
        raise CallbackWrong(_("Instagram's answer holds no code."), hint=_("Start again."))
    return code


def check_refreshable(token: Token, now: datetime) -> None:
    """TokenNotRefreshable unless it is 24 hours old, not expired, and has the basic permission."""
    if now >= token.expires_at:
        raise TokenNotRefreshable(
            _("Instagram's access has run out."),
            hint=_("Connect the account again."),
            reason="expired",
        )
    if now - token.issued_at < MIN_REFRESH_AGE:
        raise TokenNotRefreshable(
            _("Instagram renews access only after its first day."),
            hint=_("Nothing to do: it is renewed later."),
            reason="too_young",
        )
    if token.permissions and BASIC_SCOPE not in token.permissions:
        raise TokenNotRefreshable(
            _("The basic permission is missing."),
            hint=_("Connect the account again and leave every switch on."),
            reason="permission_missing",
        )


class InstagramOAuth:
    """The token endpoints. Failures are GraphErrors, like the client's."""

    def __init__(self, http: httpx.AsyncClient, config: InstagramConfig, clock: Clock) -> None:
        self._transport = Transport(http, config)
        self._config = config
        self._clock = clock

    async def exchange_code(self, code: str, *, redirect_uri: str) -> Token:
        """The short-lived token. ``redirect_uri`` is letter for letter the one of ``authorize_url``.

        A code works once: when the answer is lost (UNKNOWN), the owner starts again.
        """
        config, now = self._config, self._clock.now()
        form = {
            "client_id": config.app_id,
            "client_secret": config.app_secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": code,
        }

        call = Call(
            operation="exchange_code",
            method="POST",
            url=f"{config.api_url}/oauth/access_token",
            read=lambda answer: _read_short_lived(answer, now),
            repeatable=False,
            form=form,
            secrets=(config.app_secret, code),
        )
        return (await self._transport.send(call)).value

    async def exchange_for_long_lived(self, token: Token) -> Token:
        """The token for 60 days. Asking twice gives two good tokens."""
        params = {
            "grant_type": "ig_exchange_token",
            "client_secret": self._config.app_secret,
            "access_token": token.access_token,
        }
        return await self._renew("exchange_for_long_lived", "access_token", params, token)

    async def refresh(self, token: Token) -> Token:
        """The token for another 60 days. TokenNotRefreshable before anything is asked."""
        check_refreshable(token, self._clock.now())
        params = {"grant_type": "ig_refresh_token", "access_token": token.access_token}
        return await self._renew("refresh", "refresh_access_token", params, token)

    async def _renew(
        self, operation: str, path: str, params: Mapping[str, str], token: Token
    ) -> Token:
        now = self._clock.now()
        call = Call(
            operation=operation,
            method="GET",
            url=f"{self._config.graph_url}/{path}",
            read=lambda answer: _read_long_lived(answer, token, now),
            repeatable=True,
            params=params,
            secrets=(self._config.app_secret, token.access_token),
        )
        return (await self._transport.send(call)).value


def _read_short_lived(answer: JsonObject, now: datetime) -> Token:
    """Documented as ``{"data": [{…}]}``; seen flat, and with the permissions as a list."""
    data = unwrap(answer)
    return Token(
        access_token=required_id(data, "access_token"),
        user_id=as_id(data.get("user_id")),
        permissions=_read_permissions(data.get("permissions")),
        issued_at=now,
        expires_at=now + SHORT_LIVED,
    )


def _read_long_lived(answer: JsonObject, token: Token, now: datetime) -> Token:
    data = unwrap(answer)
    seconds = int(data["expires_in"])
    if not 0 < seconds <= _LONGEST_LIFE:
        raise ValueError("the token's life makes no sense")
    return replace(
        token,
        access_token=required_id(data, "access_token"),
        permissions=_read_permissions(data.get("permissions")) or token.permissions,
        issued_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )


def _read_permissions(value: object) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list):
        return ()
    return tuple(word.strip() for word in words if isinstance(word, str) and word.strip())
