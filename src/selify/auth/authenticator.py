"""Authentication: signing up, in and out, and telling who is asking.

These are edge functions: they open their own transactions, because a refused try must be counted
although it is refused, and because a password is checked (slowly, on purpose) outside of any.
Endpoints and pages call the authenticator; it hangs on ``app.state.authenticator``.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Self

from fastapi import Depends, Request

from selify.auth import (
    emails,
    one_time_links,
    passwords,
    repository,
    sessions,
    sign_in_audit,
    throttle,
    tokens,
)
from selify.auth.account import mails
from selify.auth.api_keys import keys, scopes
from selify.auth.one_time_links import FormFields, LinkKind
from selify.auth.passwords import Passwords
from selify.auth.repository import Account
from selify.auth.sessions import AccountClosed
from selify.auth.settings import AuthSettings
from selify.auth.sign_in_audit import SignInEvent
from selify.auth.throttle import TooManyAttempts
from selify.auth.tokens import AccessToken, TokenInvalid, Tokens
from selify.auth.types import ClientInfo, Session, SignedIn, User
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import Forbidden, Unauthenticated
from selify.core.language import _, current
from selify.core.permissions import access_of
from selify.core.web import http, origins
from selify.core.web.language import speak_as
from selify.notifications.email import Mailer

ACTOR = Actor.system("sign-in")
_LONGEST_SECRET = 100
_API = "/api/"


class WrongCredentials(Unauthenticated):
    code = "wrong_credentials"
    title = _("This e-mail address and password do not go together")


class PasswordWrong(Forbidden):
    code = "password_wrong"
    title = _("This is not your password")

    def __init__(self, detail: str, *, field: str) -> None:
        said = _("This is not your password.")
        super().__init__(detail, fields=[{"field": field, "message": said}])


class KeyInvalid(Unauthenticated):
    code = "api_key_invalid"
    title = _("This API key opens nothing (any more)")


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Everything that signing in needs. ``public_url`` is our own origin, ``hosts`` are others to which a
    sign-in may lead back.
    """

    database: Database
    clock: Clock
    passwords: Passwords
    tokens: Tokens
    mailer: Mailer
    form_fields: FormFields
    public_url: str
    lifetime: timedelta
    hosts: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls, settings: AuthSettings, database: Database, clock: Clock) -> Self:
        return cls(
            database=database,
            clock=clock,
            passwords=Passwords(),
            tokens=Tokens(settings.secret_box, issuer=settings.public_url),
            mailer=Mailer.from_settings(settings),
            form_fields=FormFields(settings.secret_box),
            public_url=settings.public_url,
            lifetime=timedelta(hours=settings.session_hours),
            hosts=settings.sign_in_hosts,
        )

    # Coming and going

    async def sign_up(
        self, *, email: str, password: str, full_name: str | None, client: ClientInfo
    ) -> None:
        """A new account, whose address is mailed a link to confirm it. Where there is an account with that
        address, its owner is told instead; whoever asked cannot tell which it was, so nobody is signed in.
        Raises EmailInvalid, PasswordInvalid, TooManyAttempts.
        """
        address = emails.normalise(email)
        passwords.demand_good(password, email=address)
        now = self.clock.now()
        await self.count(throttle.sign_up_limits(client.address), now)
        hashed = await self.passwords.hash(password)
        async with self.database.tx(ACTOR) as tx:
            user = await repository.insert_user(
                tx, email=address, password_hash=hashed, full_name=full_name, now=now
            )
            if user is None:
                await self._tell_owner(tx, address, client, now)
                return
            await repository.set_language(tx, user.id, current())
            await sign_in_audit.record(tx, SignInEvent.SIGN_UP, now=now, user=user, client=client)
            await mails.send_confirmation(
                tx, self.mailer, user.id, address, language=current(), now=now
            )

    async def _tell_owner(self, tx: Tx, address: str, client: ClientInfo, now: datetime) -> None:
        account = await repository.find_account(tx, email=address, now=now)
        owner = account.user if account else None
        await sign_in_audit.record(
            tx,
            SignInEvent.SIGN_UP,
            now=now,
            user=owner,
            email=address,
            error_code="email_taken",
            client=client,
        )
        await mails.send_taken(tx, self.mailer, owner, address, now=now)

    async def sign_in(self, *, email: str, password: str, client: ClientInfo) -> SignedIn:
        """Raises EmailInvalid, WrongCredentials, AccountClosed, TooManyAttempts."""
        address, now = emails.normalise(email), self.clock.now()
        limits = throttle.sign_in_limits(address, client.address)
        await self._count_sign_in(limits, address, client, now)
        while True:
            account, renewed = await self._proven(address, password, client)
            async with self.database.tx(ACTOR) as tx:
                # Checking takes a while: what was changed meanwhile is checked anew.
                if not await repository.lock_unchanged(tx, account, now=self.clock.now()):
                    continue
                await throttle.forgive_attempt(tx, limits)
                if renewed:
                    await repository.set_password_hash(
                        tx, account.user.id, renewed, now=self.clock.now()
                    )
                # Whoever knows the password needs no new one: nobody is to find that link later.
                await one_time_links.end(tx, account.user.id, LinkKind.PASSWORD_RESET)
                await sign_in_audit.record(
                    tx, SignInEvent.SIGN_IN, now=now, user=account.user, client=client
                )
                return await sessions.start(
                    tx, account.user, client=client, now=now, lifetime=self.lifetime
                )

    async def prove(
        self, session: Session, password: str, client: ClientInfo, *, field: str
    ) -> Account:
        """The account of who is signed in, once more by its password, which they typed into ``field``. Raises
        PasswordWrong, TooManyAttempts.
        """
        address, now = session.user.email, self.clock.now()
        limits = throttle.sign_in_limits(address, client.address)
        await self._count_sign_in(limits, address, client, now)
        try:
            account, _renewed = await self._proven(address, password, client)
        except WrongCredentials:
            raise PasswordWrong(_("Nothing was changed."), field=field) from None
        async with self.database.tx(ACTOR) as tx:
            await throttle.forgive_attempt(tx, limits)
        return account

    async def check_password(self, *, email: str, password: str, client: ClientInfo) -> User:
        """Whose account it is, which may be closed. Raises EmailInvalid, WrongCredentials, TooManyAttempts."""
        address, now = emails.normalise(email), self.clock.now()
        limits = throttle.sign_in_limits(address, client.address)
        await self._count_sign_in(limits, address, client, now)
        async with self.database.tx(ACTOR) as tx:
            account = await repository.find_account(tx, email=address, now=now)
        verdict = await self.passwords.check(account.password_hash if account else None, password)
        if account is None or not verdict.right:
            raise WrongCredentials(_("Please check both."))
        async with self.database.tx(ACTOR) as tx:
            await throttle.forgive_attempt(tx, limits)
        return account.user

    async def sign_out(self, request: Request) -> None:
        """Ends the session the request came with, if any, and takes the cookie back."""
        session = await self.identify(request)
        if session is not None:
            async with self.database.tx(ACTOR) as tx:
                await self._end(tx, session, client_of(request))
        self.take_cookie(request)

    async def enter(self, request: Request, signed_in: SignedIn) -> None:
        """The browser's session from now on. One it had before ends, whoever's it was."""
        before = request.cookies.get(self.cookie_name, "")
        if 0 < len(before) <= _LONGEST_SECRET:
            async with self.database.tx(ACTOR) as tx:
                held = await repository.find_by_secret(
                    tx, sessions.hash_of(before), now=self.clock.now()
                )
                if held:
                    await self._end(tx, held.session, client_of(request))
        self.give_cookie(request, signed_in)

    async def _end(self, tx: Tx, session: Session, client: ClientInfo) -> None:
        await repository.delete_session(tx, session.id)
        await sign_in_audit.record(
            tx, SignInEvent.SIGNED_OUT, now=self.clock.now(), user=session.user, client=client
        )

    async def count(self, limits: list[throttle.Limit], now: datetime) -> None:
        """Raises TooManyAttempts."""
        async with self.database.tx(ACTOR) as tx:
            over = await throttle.count_attempt(tx, limits, now=now)
        if over is not None:
            raise throttle.refusal(over.until, now=now)

    async def _count_sign_in(
        self, limits: list[throttle.Limit], address: str, client: ClientInfo, now: datetime
    ) -> None:
        """The same. Of those refused in a window the first has a line: nobody fills the log by knocking."""
        async with self.database.tx(ACTOR) as tx:
            over = await throttle.count_attempt(tx, limits, now=now)
            if over is not None and over.first:
                account = await repository.find_account(tx, email=address, now=now)
                await self._note_failure(tx, account, address, client, TooManyAttempts.code)
        if over is not None:
            raise throttle.refusal(over.until, now=now)

    async def _proven(
        self, address: str, password: str, client: ClientInfo
    ) -> tuple[Account, str | None]:
        """As ``_checked``; a refusal is written down."""
        async with self.database.tx(ACTOR) as tx:
            account = await repository.find_account(tx, email=address, now=self.clock.now())
        try:
            return await self._checked(account, password)
        except (WrongCredentials, AccountClosed) as refusal:
            async with self.database.tx(ACTOR) as tx:
                await self._note_failure(tx, account, address, client, refusal.code)
            raise

    async def _note_failure(
        self, tx: Tx, account: Account | None, address: str, client: ClientInfo, code: str
    ) -> None:
        await sign_in_audit.record(
            tx,
            SignInEvent.SIGN_IN_FAILED,
            now=self.clock.now(),
            user=account.user if account else None,
            email=address,
            error_code=code,
            client=client,
        )

    async def _checked(self, account: Account | None, password: str) -> tuple[Account, str | None]:
        """The account, and its password hashed anew if the costs have changed."""
        stored = account.password_hash if account else None
        verdict = await self.passwords.check(stored, password)
        if account is None or not verdict.right:
            raise WrongCredentials(_("Please check both."))
        if not account.may_sign_in:  # said only to who knows the password
            async with self.database.tx(ACTOR) as tx:
                until = await repository.banned_until(tx, account.user.id)
            raise AccountClosed(until, now=self.clock.now())
        return account, await self.passwords.hash(password) if verdict.renew else None

    # Who is asking

    async def authenticate(self, request: Request) -> Actor:
        """The user or API key that is asking, or the visitor. Raises TokenInvalid, CrossSite, KeyInvalid,
        ScopeMissing, TooManyAttempts.
        """
        secret = _api_key_of(request)
        if secret is not None:
            return await self._by_key(request, secret)
        session = await self.identify(request)
        return Actor.visitor() if session is None else actor_of(session)

    async def identify(self, request: Request) -> Session | None:
        """The session a request belongs to, looked up once per request. An API key has none: raises
        KeyInvalid or ScopeMissing.
        """
        if _api_key_of(request) is not None:
            _demand_api(request)
            scopes.check_access((), None)
        if not hasattr(request.state, "session"):
            bearer = _bearer_of(request)
            request.state.session = await (
                self._by_cookie(request) if bearer is None else self._by_token(bearer)
            )
            if request.state.session is not None:
                speak_as(request, request.state.session.user.language)
        session: Session | None = request.state.session
        return session

    async def choose_language(self, request: Request, language: str) -> None:
        """Of the pages, for whoever is signed in; nothing for a visitor."""
        session = await self.identify(request)
        if session is not None:
            async with self.database.tx(ACTOR) as tx:
                await repository.set_language(tx, session.user.id, language)

    async def still_holds(self, request: Request) -> bool:
        """Whether the request's session has not ended since, nor the token or API key that it shows: for
        answers that go on for longer than a look at the door is good for (``core.web.http.StillSignedIn``).
        """
        now, bearer = self.clock.now(), _bearer_of(request)
        secret = _api_key_of(request)
        if secret is not None:
            async with self.database.tx(ACTOR) as tx:
                return await keys.present(tx, secret, now=now) is not None
        session = await self.identify(request)
        if session is None:
            return False
        if bearer is not None:
            try:
                self.tokens.session_of(bearer, now=now)
            except TokenInvalid:
                return False
        async with self.database.tx(ACTOR) as tx:
            return await repository.find_session(tx, session.id, now=now) is not None

    async def demand_session(self, request: Request) -> Session:
        """Raises Unauthenticated for a visitor."""
        session = await self.identify(request)
        if session is None:
            raise Unauthenticated(
                _("This needs a signed-in user."), hint=_("Sign in and try again.")
            )
        return session

    async def demand_browser(self, request: Request) -> Session:
        """The session of the request's cookie. Raises Unauthenticated for anybody else: a token that
        could get itself another would be good for as long as its session.
        """
        if _bearer_of(request) is not None:
            raise Unauthenticated(
                _("An access token cannot be exchanged for another."),
                hint=_("Use the refresh token, or sign in again."),
            )
        return await self.demand_session(request)

    async def _by_key(self, request: Request, secret: str) -> Actor:
        """The scopes are compared with what the endpoint says that it allows, before it is reached."""
        _demand_api(request)
        now = self.clock.now()
        async with self.database.tx(ACTOR) as tx:
            key = await keys.present(tx, secret, now=now)
        if key is None:
            await self.count(throttle.wrong_key_limits(client_of(request).address), now)
            raise KeyInvalid(
                _(
                    "It is wrong, or it was revoked, has expired or waits for an owner to confirm it."
                ),
                hint=_("Ask an owner or an admin of the workspace for a new one."),
            )
        scopes.check_access(key.scopes, access_of(request.scope["endpoint"]))
        return key.actor

    async def _by_token(self, token: str) -> Session:
        now = self.clock.now()
        session_id = self.tokens.session_of(token, now=now)
        async with self.database.tx(ACTOR) as tx:
            session = await repository.find_session(tx, session_id, now=now)
        if session is None:
            raise TokenInvalid(_("The access token's session has ended."), hint=_("Sign in again."))
        return session

    async def _by_cookie(self, request: Request) -> Session | None:
        secret = request.cookies.get(self.cookie_name)
        if not secret or len(secret) > _LONGEST_SECRET:
            return None
        self.demand_same_origin(request)
        async with self.database.tx(ACTOR) as tx:
            presented = await sessions.present(tx, secret, now=self.clock.now())
        if presented is None:
            self.take_cookie(request)
            return None
        if presented.new_secret:
            self.give_cookie(request, SignedIn(presented.session, presented.new_secret))
        return presented.session

    async def renew(self, refresh_token: str) -> SignedIn:
        """The session of a program's refresh token, and the refresh token to use from now on.
        Raises TokenInvalid.
        """
        async with self.database.tx(ACTOR) as tx:
            presented = await sessions.present(tx, refresh_token, now=self.clock.now())
        if presented is None:
            raise TokenInvalid(_("The refresh token is not valid."), hint=_("Sign in again."))
        return SignedIn(presented.session, presented.new_secret or refresh_token)

    def issue_token(self, session: Session) -> AccessToken:
        return self.tokens.issue(session, now=self.clock.now())

    # The browser

    def demand_same_origin(self, request: Request) -> None:
        """Raises CrossSite; forms that sign people in need it too, cookie or not."""
        origins.demand_same_origin(request, public_url=self.public_url)

    def demand_own_form(self, request: Request, field: str, secret: str) -> None:
        """Of the page that a one-time link opens. Raises CrossSite, FormFieldWrong."""
        origins.demand_same_origin(request, public_url=self.public_url, hidden=True)
        self.form_fields.check(field, secret)

    def safe_return_to(self, value: str | None) -> str:
        return origins.safe_return_to(value, public_url=self.public_url, hosts=self.hosts)

    @property
    def cookie_name(self) -> str:
        # The prefix keeps every other host, a subdomain too, from setting this cookie.
        return f"__Host-{http.SESSION_COOKIE}" if self._https else http.SESSION_COOKIE

    def give_cookie(self, request: Request, signed_in: SignedIn) -> None:
        seconds = int((signed_in.session.ends_at - self.clock.now()).total_seconds())
        self._set_cookie(request, signed_in.secret, seconds)

    def take_cookie(self, request: Request) -> None:
        if self.cookie_name in request.cookies:
            self._set_cookie(request, "", 0)

    def _set_cookie(self, request: Request, value: str, seconds: int) -> None:
        cookie = f"{self.cookie_name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
        http.add_response_header(request, "Set-Cookie", cookie + ("; Secure" * self._https))

    @property
    def _https(self) -> bool:
        return self.public_url.startswith("https://")


def actor_of(session: Session) -> Actor:
    return Actor.user(session.user.id, email=session.user.email, claims=tokens.claims_of(session))


def client_of(request: Request) -> ClientInfo:
    """The network address as the server sees it (behind a proxy: as uvicorn's settings say)."""
    agent = "".join(c for c in request.headers.get("user-agent", "") if c.isprintable())[:300]
    return ClientInfo(_address_of(request), agent or None)


def _address_of(request: Request) -> str | None:
    try:
        return str(ipaddress.ip_address(request.client.host)) if request.client else None
    except ValueError:  # a unix socket, or a test
        return None


def _bearer_of(request: Request) -> str | None:
    """The token of an ``Authorization: Bearer`` header; other schemes are not ours."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _api_key_of(request: Request) -> str | None:
    bearer = _bearer_of(request)
    return bearer if bearer is not None and bearer.startswith(keys.MARK) else None


def _demand_api(request: Request) -> None:
    """Raises KeyInvalid."""
    if not request.url.path.startswith(_API):
        raise KeyInvalid(
            _("API keys are for the API, and open no page."), hint=_("Sign in to see pages.")
        )


def open_authenticator(request: Request) -> Authenticator:
    authenticator: Authenticator = request.app.state.authenticator
    return authenticator


CurrentAuthenticator = Annotated[Authenticator, Depends(open_authenticator)]


async def current_session(
    request: Request, authenticator: CurrentAuthenticator, _user: http.CurrentUser
) -> Session:
    return await authenticator.demand_session(request)


CurrentSession = Annotated[Session, Depends(current_session)]
