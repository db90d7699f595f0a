"""What the program logs in as owns nothing, and cannot become who does."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
import structlog.testing
from tests.infra.settings import Settings

from selify import running
from selify.app import WINGS
from selify.core.database import Actor, Database
from selify.core.opening import open_container
from selify.db import embedded
from selify.supervisor import free_port

WAYS_OUT = (
    "RESET ROLE",
    "SET SESSION AUTHORIZATION DEFAULT",
    "RESET SESSION AUTHORIZATION",
    "SET SESSION AUTHORIZATION postgres",
    "SET ROLE postgres",
    "SET ROLE NONE",
    "DISCARD ALL",
)
OWNS = """
SELECT rolsuper OR EXISTS (SELECT FROM pg_class WHERE pg_has_role(r.oid, relowner, 'MEMBER')
                            AND relnamespace::regnamespace::text IN ('public', 'internal', 'auth'))
  FROM pg_roles r WHERE rolname = {of}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def pool(postgres_server: embedded.EmbeddedServer, template_database: str) -> AsyncIterator:
    """The pool as `selify up` gives it to the server and the workers."""
    opened = await Database.connect(postgres_server.login_url, max_size=1)
    yield opened
    await opened.close()


@pytest.mark.parametrize("of_whom", ["_users", "_system"])
@pytest.mark.parametrize("way", WAYS_OUT)
async def test_nothing_that_runs_in_a_pool_gets_the_owners_rights(
    pool: Database, way: str, of_whom: str
) -> None:
    async with getattr(pool, of_whom).acquire() as connection:
        try:
            await connection.execute(way)
        except asyncpg.InsufficientPrivilegeError:
            return
        for of in ("current_user", "session_user"):
            assert not await connection.fetchval(OWNS.format(of=of)), of
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("ALTER TABLE public.profiles DISABLE ROW LEVEL SECURITY")


async def test_inside_a_transaction_the_same(pool: Database) -> None:
    async with pool.tx(Actor.visitor()) as tx:
        await tx.execute("RESET ROLE")
        assert await tx.fetch_value("SELECT current_user = 'selify_login'")


@pytest.mark.slow
async def test_the_command_gives_its_programs_the_login() -> None:
    folder = Path(tempfile.mkdtemp(prefix="selify-test-"))
    settings = Settings(data_dir=folder, port=free_port(), database_url="")
    try:
        async with running.database(settings) as (url, _):
            connection = await asyncpg.connect(url)
            assert await connection.fetchval("SELECT session_user") == "selify_login"
            assert await connection.fetchval("SELECT count(*) FROM pg_stat_activity") >= 1
            await connection.close()
            assert running.programs(settings, url)[0].environment["SELIFY_DATABASE_URL"] == url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_an_owners_address_is_warned_about(shared_database_url: str, tmp_path: Path) -> None:
    login = shared_database_url.replace("//postgres@", "//selify_login@")
    for url, warned in ((shared_database_url, True), (login, False)):
        with structlog.testing.capture_logs() as said:
            async with open_container(Settings(database_url=url, data_dir=tmp_path), WINGS):
                pass
        assert any("SELIFY_DATABASE_OWNER_URL" in line["event"] for line in said) == warned


async def test_the_owner_migrates_and_the_login_serves(
    empty_database_url: str, tmp_path: Path, template_database: str
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        database_url=empty_database_url.replace("//postgres@", "//selify_login@"),
        database_owner_url=empty_database_url,
    )
    async with running.database(settings) as (url, keeper):
        assert (url, keeper) == (settings.database_url, None)
        async with (
            open_container(settings, WINGS) as container,
            container.database.tx(Actor.system("test")) as tx,
        ):
            assert await tx.fetch_value("SELECT count(*) FROM internal.price_book")
