"""What was true when somebody set out is asked again before anything is stored: between "Connect"
and the way back from the platform lie up to ten minutes, and the platform's own answer takes its
time as well.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.infra.world import PLATFORM, Brand, World
from tests.messaging.test_accounts import Gateway, audited

from selify.auth import Session
from selify.auth.permissions import RoleTooLow
from selify.auth.workspaces import WorkspaceNotFound
from selify.core.errors import SelifyError, Unauthenticated
from selify.messaging.accounts import ConnectedElsewhere
from selify.messaging.connecting import Attempt, Connector, StateInvalid
from selify.messaging.ports import Grant, PlatformRefused


@dataclass
class SlowGateway(Gateway):
    """The platform takes its time, and ``meanwhile`` something happens."""

    meanwhile: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    async def exchange(self, code: str, *, redirect_uri: str) -> Grant:
        for happens in self.meanwhile:
            await happens()
        return await super().exchange(code, redirect_uri=redirect_uri)


@dataclass(frozen=True)
class Traveller:
    """An admin of a workspace with another owner, on the platform's consent page."""

    world: World
    workspace_id: UUID
    session: Session
    state: str

    async def removed(self) -> None:
        await self._sql("DELETE FROM public.workspace_members WHERE user_id = $1")

    async def demoted(self) -> None:
        await self._sql("UPDATE public.workspace_members SET role = 'member' WHERE user_id = $1")

    async def membership_over(self) -> None:
        await self._sql(
            "UPDATE public.workspace_members SET expires_at = now() - interval '1 s'"
            " WHERE user_id = $1"
        )

    async def banned(self) -> None:
        later = self.world.clock.now() + timedelta(days=1)
        await self._sql("UPDATE auth.users SET banned_until = $2 WHERE id = $1", later)

    async def user_deleted(self) -> None:
        now = self.world.clock.now()
        await self._sql("UPDATE auth.users SET deleted_at = $2 WHERE id = $1", now)

    async def signed_out(self) -> None:
        await self._sql("DELETE FROM auth.sessions WHERE user_id = $1")

    async def session_over(self) -> None:
        self.world.clock.advance(timedelta(minutes=9))
        now = self.world.clock.now()
        await self._sql("UPDATE auth.sessions SET not_after = $2 WHERE user_id = $1", now)

    async def workspace_deleted(self) -> None:
        await self.world.sql(
            "UPDATE public.workspaces SET deleted_at = now() WHERE id = $1", self.workspace_id
        )

    async def _sql(self, statement: str, *more: object) -> None:
        await self.world.sql(statement, self.session.user.id, *more)


CHANGES: dict[Callable[[Traveller], Awaitable[None]], type[SelifyError]] = {
    Traveller.removed: WorkspaceNotFound,
    Traveller.demoted: RoleTooLow,
    Traveller.membership_over: WorkspaceNotFound,
    Traveller.workspace_deleted: WorkspaceNotFound,
    Traveller.banned: Unauthenticated,
    Traveller.user_deleted: Unauthenticated,
    Traveller.signed_out: Unauthenticated,
    Traveller.session_over: Unauthenticated,
}


@pytest.fixture
def gateway(world: World) -> SlowGateway:
    return SlowGateway(world)


@pytest.fixture
def connector(world: World) -> Connector:
    return Connector(
        world.database,
        world.clients,
        world.clock,
        world.secrets,
        public_url="https://selify.example",
    )


async def admin_of(world: World, workspace_id: UUID) -> Session:
    user_id = uuid4()
    await world.sql("INSERT INTO auth.users (id, email) VALUES ($1, $2)", user_id, "a@x.example")
    await world.sql(
        """
        INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)
        VALUES ($1, $2, 'admin', now())
        """,
        workspace_id,
        user_id,
    )
    return await world.sign_in(user_id)


async def set_out(world: World, connector: Connector, gateway: Gateway) -> Traveller:
    _, workspace_id = await world.workspace("Atelier")
    session = await admin_of(world, workspace_id)
    attempt = Attempt(workspace_id, session.user.id, session.id, PLATFORM)
    url = await connector.begin(gateway, attempt)
    state = url.partition("state=")[2].partition("&")[0]
    return Traveller(world, workspace_id, session, state)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("when", ["on the way", "while the platform answers"])
async def test_who_may_no_more_connects_nothing(
    world: World,
    connector: Connector,
    gateway: SlowGateway,
    change: Callable[[Traveller], Awaitable[None]],
    when: str,
) -> None:
    traveller = await set_out(world, connector, gateway)
    if when == "on the way":
        await change(traveller)
    else:
        gateway.meanwhile.append(lambda: change(traveller))
    params = {"state": traveller.state, "code": "c"}
    with pytest.raises(CHANGES[change]):
        await connector.finish(gateway, params, session=traveller.session)
    assert await world.value("SELECT count(*) FROM public.connected_social_accounts") == 0
    asked = [] if when == "on the way" else ["exchange", "unsubscribe"]
    assert gateway.asked == asked, "nothing is exchanged for nobody, or it is given back"
    assert await audited(world) == ["oauth_initiated", "oauth_callback_failed"]


async def test_who_still_may_connects(
    world: World, connector: Connector, gateway: SlowGateway
) -> None:
    traveller = await set_out(world, connector, gateway)
    world.clock.advance(timedelta(minutes=9))
    params = {"state": traveller.state, "code": "c"}
    connected = await connector.finish(gateway, params, session=traveller.session)
    owner = await world.value(
        "SELECT user_id FROM public.connected_social_accounts WHERE id = $1", connected.account_id
    )
    assert owner == traveller.session.user.id


async def test_a_state_is_good_for_one_way_back(
    world: World, connector: Connector, gateway: SlowGateway
) -> None:
    """Pressing "back", a reloaded address, or two of them at once."""
    traveller = await set_out(world, connector, gateway)
    params = {"state": traveller.state, "code": "c"}

    async def finish() -> str:
        try:
            await connector.finish(gateway, params, session=traveller.session)
        except StateInvalid as refusal:
            return refusal.code
        return "connected"

    assert sorted(await asyncio.gather(finish(), finish())) == ["connected", "oauth_state_invalid"]
    assert await finish() == "oauth_state_invalid"
    assert gateway.asked.count("exchange") == gateway.asked.count("subscribe") == 1
    assert await world.value("SELECT count(*) FROM public.connected_social_accounts") == 1
    assert (await audited(world)).count("invalid_state") == 2


async def test_who_brings_the_state_of_another_uses_nothing_up(
    world: World, connector: Connector, gateway: SlowGateway
) -> None:
    traveller = await set_out(world, connector, gateway)
    user_id = uuid4()
    await world.sql("INSERT INTO auth.users (id, email) VALUES ($1, 'eva@x.example')", user_id)
    eva = await world.sign_in(user_id)
    params = {"state": traveller.state, "code": "c"}
    with pytest.raises(StateInvalid):
        await connector.finish(gateway, params, session=eva)
    assert gateway.asked == []
    assert await audited(world) == ["oauth_initiated", "invalid_state"]
    await connector.finish(gateway, params, session=traveller.session)


async def test_what_is_given_back_is_not_taken_from_whoever_has_it(
    world: World, brand: Brand, connector: Connector, gateway: SlowGateway
) -> None:
    """The same account, connected by another brand: letting go of it would cut that one off."""
    traveller = await set_out(world, connector, gateway)
    await world.sql(
        "UPDATE public.connected_social_accounts SET platform_account_id = $1",
        world.grant().platform_account_id,
    )
    with pytest.raises(ConnectedElsewhere):
        await connector.finish(
            gateway, {"state": traveller.state, "code": "c"}, session=traveller.session
        )
    assert gateway.asked == ["exchange"]


async def test_a_platform_that_takes_nothing_back_changes_no_refusal(
    world: World, connector: Connector, gateway: SlowGateway
) -> None:
    traveller = await set_out(world, connector, gateway)
    gateway.meanwhile.append(traveller.demoted)
    gateway.refusal = PlatformRefused("busy", "Not now.")
    with pytest.raises(RoleTooLow):
        await connector.finish(
            gateway, {"state": traveller.state, "code": "c"}, session=traveller.session
        )


async def test_who_may_no_more_disconnects_nothing_either(
    world: World, brand: Brand, connector: Connector, gateway: SlowGateway
) -> None:
    session = await admin_of(world, brand.workspace_id)
    await Traveller(world, brand.workspace_id, session, "").demoted()
    with pytest.raises(RoleTooLow):
        await connector.disconnect(gateway, brand.account, user_id=session.user.id)
    status = await world.value("SELECT status FROM public.connected_social_accounts")
    assert (status, gateway.asked) == ("active", [])


async def test_the_platform_is_told_of_a_disconnection_that_is_stored(
    world: World, brand: Brand, connector: Connector, gateway: SlowGateway
) -> None:
    """Killed in between, an account that still shows as connected would get no events."""
    states = []

    async def unsubscribe(token: str) -> None:
        states.append(await world.value("SELECT status FROM public.connected_social_accounts"))
        raise PlatformRefused("busy", "Not now.")

    gateway.unsubscribe = unsubscribe  # type: ignore[method-assign]
    await connector.disconnect(gateway, brand.account, user_id=brand.owner_id)
    assert states == ["disconnected"]
