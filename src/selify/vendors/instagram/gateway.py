"""Instagram behind the social domain's port for connecting, keeping and leaving an account."""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from selify.core.language import _
from selify.messaging.ports import (
    Action,
    Grant,
    PlatformRefused,
    PostItem,
    PostPage,
    RenewedToken,
    Subscription,
)
from selify.vendors.instagram import oauth, subscribing
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.errors import (
    NOT_ALLOWED,
    TOKEN_DEAD,
    WRONG_REQUEST,
    GraphError,
)
from selify.vendors.instagram.oauth import InstagramOAuth, Token
from selify.vendors.instagram.types import Media

T = TypeVar("T")

_WRONG_REQUEST = _(
    "Instagram did not accept what we asked of it. We will ask again; if this stays, whoever runs "
    "Selify should look at the app in Meta's dashboard."
)

# What connecting again ends, without that advice: whoever shows it gives it once.
_RECONNECTING_HELPS = {
    NOT_ALLOWED.explanation: _("A permission is missing."),
    TOKEN_DEAD.explanation: _("Instagram no longer accepts our access."),
}


class InstagramGateway:
    """Every method may raise PlatformRefused."""

    platform = "instagram"

    def __init__(
        self, client: InstagramClient, oauth_client: InstagramOAuth, config: InstagramConfig
    ) -> None:
        self._client = client
        self._oauth = oauth_client
        self._config = config

    def consent_url(self, *, state: str, redirect_uri: str) -> str:
        return oauth.authorize_url(self._config, redirect_uri=redirect_uri, state=state)

    def read_callback(self, params: Mapping[str, str]) -> str:
        return oauth.read_callback(params)

    async def exchange(self, code: str, *, redirect_uri: str) -> Grant:
        """Code → short-lived → long-lived token, and whose it is."""
        short = await _said(self._oauth.exchange_code(code, redirect_uri=redirect_uri))
        token = await _said(self._oauth.exchange_for_long_lived(short))
        account = (await _said(self._client.me(token.access_token))).value
        return Grant(
            platform_account_id=account.user_id,
            app_scoped_id=account.id,
            username=account.username,
            picture_url=account.profile_picture_url,
            token=token.access_token,
            expires_at=token.expires_at,
            permissions=token.permissions,
            profile={"name": account.name, "followers": account.followers_count},
        )

    async def renew(self, token: str, *, expires_at: datetime, since: datetime) -> RenewedToken:
        known = Token(
            access_token=token, user_id="", permissions=(), issued_at=since, expires_at=expires_at
        )
        try:
            renewed = await _said(self._oauth.refresh(known))
        except oauth.TokenNotRefreshable as error:
            expired = error.extra.get("reason") == "expired"
            raise PlatformRefused(error.code, error.detail, token_dead=expired) from error
        return RenewedToken(renewed.access_token, renewed.expires_at)

    async def subscribe(self, token: str, permissions: Sequence[str]) -> Subscription:
        fields = self._config.webhook_fields
        try:
            return await _said(subscribing.subscribe(self._client, token, fields, permissions))
        except PlatformRefused as refused:
            plain = _RECONNECTING_HELPS.get(refused.reason)
            if plain is None:
                raise
            raise PlatformRefused(
                refused.code, plain, token_dead=refused.token_dead, reconnecting_helps=True
            ) from refused

    async def unsubscribe(self, token: str) -> None:
        await _said(self._client.unsubscribe(token))

    async def posts(self, token: str, after: str | None) -> PostPage:
        page = await _said(self._client.media(token, after))
        return PostPage(tuple(_post(item) for item in page.items), page.after)


async def _said(call: Awaitable[T]) -> T:
    """The answer, or the refusal in the port's words."""
    try:
        return await call
    except GraphError as error:
        dead = error.action is Action.REAUTHORISE
        said = error.verdict.explanation
        # Written of a message, and nothing here is one.
        reason = _WRONG_REQUEST if said == WRONG_REQUEST.explanation else said
        raise PlatformRefused(error.verdict.reason, reason, token_dead=dead) from error


def _post(item: Media) -> PostItem:
    pictures = [child.media_url for child in item.children] or [item.media_url]
    return PostItem(
        post_ref=item.id,
        url=item.permalink,
        caption=item.caption,
        media_type=item.media_type,
        media_urls=tuple(filter(None, pictures)),
        thumbnail_url=item.thumbnail_url or item.media_url,
        likes=item.like_count,
        comments=item.comments_count,
        posted_at=item.posted_at or datetime.fromtimestamp(0, UTC),
    )
