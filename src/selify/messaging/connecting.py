"""From "Connect" to a live account: consent, callback, first subscription, and whoever else has to know.

The ``state`` of a consent is signed, lives ten minutes and names workspace, user, session and
platform, so that a callback can neither be forged nor finished by somebody else, nor twice. Whether that
user still may is asked before the platform's code is exchanged, and again where the account is stored: much
can happen in ten minutes, and in between. Who may not any more leaves nothing behind, here or there.
"""

import base64
import hashlib
import hmac
import secrets as random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson

from selify.auth import OAuthEvent, Session, access_workspace, audit, check_session
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import BadRequest, SelifyError, Unavailable
from selify.core.language import _, stored
from selify.core.logging import get_logger
from selify.core.secrets import SecretBox
from selify.messaging import accounts, subscriptions, tokens
from selify.messaging import permissions as may
from selify.messaging.accounts import Connected
from selify.messaging.clients import Clients
from selify.messaging.ports import AccountGateway, Grant, PlatformRefused
from selify.messaging.types import Account

log = get_logger(__name__)

ACTOR = Actor.system("connecting an account")
STATE_LIFE = timedelta(minutes=10)
PURPOSE = "oauth-state 2"


class StateInvalid(BadRequest):
    code = "oauth_state_invalid"
    title = _("This connection attempt is no longer valid")


class PlatformSaidNo(Unavailable):
    code = "platform_refused"
    title = _("The platform did not let us in")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who wants to connect what to where."""

    workspace_id: UUID
    user_id: UUID
    session_id: UUID
    platform: str


class Connector:
    """Carries one owner through a platform's consent."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        clock: Clock,
        secrets: SecretBox,
        *,
        public_url: str,
    ) -> None:
        self._database = database
        self._clients = clients
        self._clock = clock
        self._secrets = secrets
        self._keys = secrets.derive(PURPOSE)
        self._public_url = public_url

    def redirect_uri(self, platform: str) -> str:
        return f"{self._public_url}/connect/{platform}/callback"

    async def begin(self, gateway: AccountGateway, attempt: Attempt) -> str:
        """The address of the platform's consent page."""
        async with self._database.tx(ACTOR) as tx:
            await _record(tx, OAuthEvent.INITIATED, attempt)
        return gateway.consent_url(
            state=self._seal(attempt), redirect_uri=self.redirect_uri(attempt.platform)
        )

    async def finish(
        self, gateway: AccountGateway, params: dict[str, str], *, session: Session
    ) -> Connected:
        """The callback. Raises StateInvalid, PlatformSaidNo, ConnectedElsewhere, the refusal of
        an owner who said no, or of a user who no longer may. What went wrong is on record either
        way.
        """
        attempt = await self._check_state(gateway.platform, params.get("state", ""), session)
        try:
            code = gateway.read_callback(params)
            await self._use_up(attempt, params["state"])
            grant = await gateway.exchange(code, redirect_uri=self.redirect_uri(gateway.platform))
            connected = await self._keep(gateway, attempt, grant)
        except StateInvalid:
            raise
        except PlatformRefused as refused:
            await self._record_failure(attempt, refused.reason)
            raise PlatformSaidNo(
                stored(refused.reason), hint=_("Please start again in a minute.")
            ) from refused
        except SelifyError as refused:
            await self._record_failure(attempt, refused.detail)
            raise
        # A failure here is shown with the account and tried again by a routine.
        await subscriptions.subscribe(
            self._database,
            self._clock,
            gateway,
            connected.account_id,
            grant.token,
            grant.permissions,
        )
        for client in self._clients.accounts:
            await client.on_connected(gateway, connected.account_id)
        return connected

    async def _use_up(self, attempt: Attempt, state: str) -> None:
        """A state is good for one exchange, by somebody who still may. Raises StateInvalid."""
        async with self._database.tx(ACTOR) as tx:
            await self._check_attempt(tx, attempt)
            first = await tx.execute(
                """
                INSERT INTO internal.used_consents (state_hash, used_at) VALUES ($1, $2)
                ON CONFLICT (state_hash) DO NOTHING
                """,
                hashlib.sha256(state.encode(errors="replace")).digest(),
                self._clock.now(),
            )
        if not first:
            raise await self._invalid(attempt.platform, attempt.user_id)

    async def _check_attempt(self, tx: Tx, attempt: Attempt) -> None:
        await check_session(tx, attempt.session_id, now=self._clock.now())
        await access_workspace(
            tx, attempt.workspace_id, may.ACCOUNTS_CONNECT, user_id=attempt.user_id
        )

    async def _keep(self, gateway: AccountGateway, attempt: Attempt, grant: Grant) -> Connected:
        """Stored, or given back to the platform and forgotten."""
        try:
            return await self._store(attempt, grant)
        except SelifyError:
            await self._give_back(gateway, grant)
            raise

    async def _give_back(self, gateway: AccountGateway, grant: Grant) -> None:
        """The platform sends us nothing of the account: but where it is connected here already, by this brand
        or another, that stays as it is.
        """
        async with self._database.tx(ACTOR) as tx:
            if await accounts.is_connected(tx, gateway.platform, grant.platform_account_id):
                return
        try:
            await gateway.unsubscribe(grant.token)
        except (PlatformRefused, SelifyError) as error:
            log.info("could not give a token back", account=grant.username, reason=str(error))

    async def _store(self, attempt: Attempt, grant: Grant) -> Connected:
        async with self._database.tx(ACTOR) as tx:
            await self._check_attempt(tx, attempt)
            account_ref = grant.platform_account_id
            await _record(tx, OAuthEvent.CALLBACK_SUCCESS, attempt, account_ref=account_ref)
            return await accounts.connect(
                tx,
                self._clock,
                self._secrets,
                workspace_id=attempt.workspace_id,
                user_id=attempt.user_id,
                platform=attempt.platform,
                grant=grant,
            )

    async def disconnect(
        self, gateway: AccountGateway, account: Account, *, user_id: UUID | None
    ) -> None:
        """Let go of an account, as a member who may, or where the system itself does (``None``). Afterwards the
        platform is asked to send no more events, but need not agree.
        """
        async with self._database.tx(ACTOR) as tx:
            if user_id is not None:
                await access_workspace(
                    tx, account.workspace_id, may.ACCOUNTS_DISCONNECT, user_id=user_id
                )
            token = await tokens.find(tx, self._secrets, account.id)
            await accounts.disconnect(
                tx,
                self._clients,
                self._clock,
                account,
                user_id=user_id,
                reason="Disconnected here.",
            )
        if token is None:
            return
        try:
            await gateway.unsubscribe(token)
        except (PlatformRefused, SelifyError) as error:
            log.info("could not unsubscribe", account=account.username, reason=str(error))

    async def _check_state(self, platform: str, state: str, session: Session) -> Attempt:
        attempt = self._open(state)
        user_id = session.user.id
        if attempt is None or (platform, user_id, session.id) != (
            attempt.platform,
            attempt.user_id,
            attempt.session_id,
        ):
            raise await self._invalid(platform, user_id)
        return attempt

    async def _invalid(self, platform: str, user_id: UUID) -> StateInvalid:
        """On record, to be raised."""
        async with self._database.tx(ACTOR) as tx:
            await audit.record(tx, OAuthEvent.INVALID_STATE, platform=platform, user_id=user_id)
        return StateInvalid(
            _(
                "It took longer than ten minutes, was used before, or was started by somebody else or"
                " before you signed in again."
            ),
            hint=_("Start again with “Connect”."),
        )

    async def _record_failure(self, attempt: Attempt, reason: str) -> None:
        async with self._database.tx(ACTOR) as tx:
            await _record(tx, OAuthEvent.CALLBACK_FAILED, attempt, error=reason)

    def _seal(self, attempt: Attempt) -> str:
        content = [
            str(attempt.workspace_id),
            str(attempt.user_id),
            str(attempt.session_id),
            attempt.platform,
            int((self._clock.now() + STATE_LIFE).timestamp()),
            random.token_urlsafe(9),
        ]
        body = base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")
        return f"{body}.{self._sign(body, self._secrets.current_key)}"

    def _open(self, state: str) -> Attempt | None:
        body, _, signature = state.partition(".")
        valid = [
            hmac.compare_digest(signature.encode(errors="replace"), self._sign(body, name).encode())
            for name in self._keys
        ]
        if not any(valid):
            return None
        workspace_id, user_id, session_id, platform, expires, _ = orjson.loads(
            base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        )
        if expires < self._clock.now().timestamp():
            return None
        return Attempt(UUID(workspace_id), UUID(user_id), UUID(session_id), platform)

    def _sign(self, body: str, key: str) -> str:
        return hmac.new(self._keys[key], body.encode(errors="replace"), "sha256").hexdigest()


async def _record(
    tx: Tx,
    event: OAuthEvent,
    attempt: Attempt,
    *,
    account_ref: str | None = None,
    error: str | None = None,
) -> None:
    """One line about the attempt, in the audit log."""
    await audit.record(
        tx,
        event,
        platform=attempt.platform,
        workspace_id=attempt.workspace_id,
        user_id=attempt.user_id,
        platform_account_id=account_ref,
        error_message=error,
    )
