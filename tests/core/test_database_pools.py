"""The system's connections hold its role for good; no user is ever served from one of them."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from selify.core.database import Actor, Database
from selify.core.queue.claims import by_index

SYSTEM = Actor.system("a */ reason; DROP")
WHO = "SELECT current_user::text AS role, auth.jwt() ->> 'role' AS claim, pg_backend_pid() AS pid"


async def who(database: Database, actor: Actor) -> tuple[str, str, int]:
    async with database.tx(actor) as tx:
        return tuple(await tx.fetch_one(WHO))


async def test_users_and_the_system_never_share_a_connection(database: Database) -> None:
    actors = [SYSTEM, Actor.visitor(), Actor.user(uuid4())] * 8
    found = await asyncio.gather(*(who(database, actor) for actor in actors))
    for (role, claim, _), actor in zip(found, actors, strict=True):
        assert (role, claim) == (actor.role, actor.role)
    system = {pid for (_, _, pid), actor in zip(found, actors, strict=True) if actor.is_system}
    users = {pid for (_, _, pid), actor in zip(found, actors, strict=True) if not actor.is_system}
    assert system.isdisjoint(users)


async def test_a_user_finds_nothing_of_who_was_here_before(database: Database) -> None:
    """One connection, one after another: role and claims end with their transaction."""
    one = await Database.connect(database.url, max_size=1)
    user = Actor.user(uuid4(), email="ana@brand.example")
    first = await who(one, user)
    assert (await who(one, Actor.visitor()))[2] == first[2], "the same connection"
    async with one.tx(Actor.visitor()) as tx:
        assert await tx.fetch_value("SELECT auth.jwt() ->> 'email'") is None
    async with one._users.acquire() as connection:
        assert await connection.fetchval("SELECT current_user::text") == "selify_login"
    await one.close()


async def test_what_failed_leaves_the_systems_session_as_it_was(database: Database) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with database.tx(SYSTEM) as tx:
            await tx.execute("SET LOCAL ROLE anon")
            await tx.fetch_value("SELECT 1 / 0")
    assert (await who(database, SYSTEM))[:2] == ("service_role", "service_role")


@pytest.mark.parametrize("actor", [SYSTEM, Actor.user(uuid4())])
async def test_settings_of_a_transaction_end_with_it(database: Database, actor: Actor) -> None:
    one = await Database.connect(database.url, max_size=1)
    async with by_index(one, actor) as tx:
        assert await tx.fetch_value("SHOW enable_seqscan") == "off"
        inside = await tx.fetch_one(WHO)
    async with one.tx(actor) as tx:
        assert await tx.fetch_value("SHOW enable_seqscan") == "on"
        assert await tx.fetch_one(WHO) == inside, "the same connection"
    await one.close()


async def test_a_statement_of_its_own_is_committed_at_once(database: Database) -> None:
    insert = "INSERT INTO internal.routine_turns (routine, taken_at) VALUES ($1, now())"
    count = "SELECT count(*) FROM internal.routine_turns WHERE routine = 'alone'"
    with pytest.raises(RuntimeError, match="later"):
        async with database.statements(SYSTEM) as tx:
            await tx.execute(insert, "alone")
            raise RuntimeError("later")
    async with database.tx(SYSTEM) as tx:
        assert await tx.fetch_value(count) == 1


async def test_whoever_needs_a_transaction_is_told_so(database: Database) -> None:
    with pytest.raises(ValueError, match="transaction"):
        async with database.statements(Actor.user(uuid4())):
            pass
    async with database.statements(SYSTEM) as tx:
        with pytest.raises(RuntimeError, match="open a transaction"):
            async with tx.savepoint():
                pass
