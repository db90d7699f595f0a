"""Roles, the login that owns nothing, and schema auth with Supabase's conventions."""

from importlib import resources
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.infra.settings import Settings
from tests.infra.worlds import new_workspace, sign_up

from selify.app import create_server, open_worker
from selify.core.database import Actor
from selify.db import errors, migrate
from selify.db.lints import security

ROLES_SQL = resources.files("selify.db").joinpath("roles.sql").read_text()
AUTH_SQL = resources.files("selify.db").joinpath("auth.sql").read_text()


async def test_roles_can_be_made_again(db: asyncpg.Connection) -> None:
    await db.execute(ROLES_SQL)
    assert await security.roles(db) == []


async def test_roles_that_exist_are_left_as_they_are(db: asyncpg.Connection) -> None:
    await db.execute(
        "ALTER ROLE anon SET statement_timeout = '3s'; ALTER ROLE authenticated INHERIT"
    )
    await db.execute(ROLES_SQL)
    kept = await db.fetchrow(
        "SELECT (SELECT rolconfig FROM pg_roles WHERE rolname = 'anon') AS config,"
        " (SELECT rolinherit FROM pg_roles WHERE rolname = 'authenticated') AS inherits"
    )
    assert dict(kept) == {"config": ["statement_timeout=3s"], "inherits": True}


async def test_a_user_who_may_not_create_roles_is_told_what_to_do(db: asyncpg.Connection) -> None:
    await db.execute("CREATE ROLE newcomer; ALTER ROLE anon RENAME TO anon_elsewhere")
    await db.execute("SET LOCAL ROLE newcomer")
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refusal:
        await db.execute(ROLES_SQL)
    assert refusal.value.message == 'The database user "newcomer" may not create the role "anon".'
    assert "CREATE ROLE anon NOLOGIN NOINHERIT" in refusal.value.hint


async def test_a_user_who_may_not_grant_roles_is_told_what_to_do(db: asyncpg.Connection) -> None:
    await db.execute("CREATE ROLE newcomer; SET LOCAL ROLE newcomer")
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refusal:
        await db.execute(ROLES_SQL)
    assert "GRANT selify_login TO newcomer" in refusal.value.hint


async def test_an_owner_who_is_no_superuser_can_migrate_and_serve(empty_database_url: str) -> None:
    superuser = await asyncpg.connect(empty_database_url)
    name = await superuser.fetchval("SELECT current_database()")
    await superuser.execute(ROLES_SQL)
    await superuser.execute(
        f"CREATE ROLE plain_owner LOGIN; ALTER DATABASE {name} OWNER TO plain_owner;"
        "GRANT selify_login TO plain_owner; CREATE SCHEMA extensions AUTHORIZATION plain_owner;"
        "GRANT USAGE ON SCHEMA extensions TO PUBLIC; CREATE EXTENSION vector SCHEMA extensions"
    )
    await superuser.close()
    url = empty_database_url.replace("//postgres@", "//plain_owner@")
    await migrate.upgrade(url)
    db = await asyncpg.connect(url)
    assert await security.check(db) == []
    user = await sign_up(db, "user")
    workspace = await new_workspace(db, user)
    await db.execute(f"SET ROLE selify_login; {Actor.user(user).opening()}")
    assert await db.fetchval("SELECT workspace_id FROM public.workspace_quotas") == workspace
    await db.execute("ROLLBACK")
    await db.close()


async def test_a_service_role_that_is_held_back_is_refused(db: asyncpg.Connection) -> None:
    await db.execute("ALTER ROLE service_role NOBYPASSRLS")
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refusal:
        await db.execute(ROLES_SQL)
    assert "ALTER ROLE service_role BYPASSRLS" in refusal.value.hint


async def test_the_login_can_do_nothing_until_it_takes_a_role(shared_database_url: str) -> None:
    url = shared_database_url.replace("//postgres@", "//selify_login@")
    login = await asyncpg.connect(url)
    for statement in (
        "SELECT id FROM public.profiles",
        "SELECT id FROM auth.users",
        "SELECT id FROM internal.outbox",
        "CREATE TABLE public.mine ()",
        "SET ROLE postgres",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await login.execute(statement)
    for role in ("anon", "authenticated", "service_role"):
        async with login.transaction():
            await login.execute(f"SET LOCAL ROLE {role}")
            assert await login.fetchval("SELECT current_user") == role
        assert await login.fetchval("SELECT current_user") == "selify_login"
    await login.close()


async def test_the_program_runs_as_the_login_that_owns_nothing(
    shared_database_url: str, tmp_path: Path
) -> None:
    url = shared_database_url.replace("//postgres@", "//selify_login@")
    assert await migrate.current(url) == migrate.head()
    app = create_server(Settings(database_url=url, data_dir=tmp_path))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["schema"]) == (200, "ok")
    async with open_worker(Settings(database_url=url, data_dir=tmp_path)):
        pass


async def test_a_user_who_may_not_become_the_system_is_told_what_is_missing(
    shared_database_url: str,
) -> None:
    owner = await asyncpg.connect(shared_database_url)
    await owner.execute("CREATE ROLE guest LOGIN")
    try:
        with pytest.raises(errors.RightsMissing, match="guest may not act as service_role") as told:
            await migrate.check(shared_database_url.replace("//postgres@", "//guest@"))
    finally:
        await owner.execute("DROP ROLE guest")
        await owner.close()
    assert "GRANT selify_login TO guest" in told.value.hint


USER = "9b2f3c6e-0a4d-4d5b-8f57-3f1f0c2f7a11"


async def test_auth_functions_read_the_claims(db: asyncpg.Connection) -> None:
    await db.execute(
        f'SET LOCAL "request.jwt.claims" = \'{{"sub": "{USER}", "role": "authenticated",'
        ' "email": "a@b.example", "app_metadata": {"x": 1}}\''
    )
    row = await db.fetchrow(
        "SELECT auth.uid()::text AS uid, auth.role() AS role, auth.email() AS email,"
        " auth.jwt() -> 'app_metadata' ->> 'x' AS x"
    )
    assert dict(row) == {"uid": USER, "role": "authenticated", "email": "a@b.example", "x": "1"}


async def test_auth_functions_read_the_older_settings(db: asyncpg.Connection) -> None:
    await db.execute(
        f"SET LOCAL \"request.jwt.claim.sub\" = '{USER}'; SET LOCAL \"request.jwt.claim.role\" = 'anon'"
    )
    row = await db.fetchrow("SELECT auth.uid()::text AS uid, auth.role() AS role")
    assert dict(row) == {"uid": USER, "role": "anon"}


async def test_nobody_is_asking_before_and_after_a_request(shared_database_url: str) -> None:
    connection = await asyncpg.connect(shared_database_url)
    nobody = {"uid": None, "role": None, "jwt": None}
    asked = "SELECT auth.uid() AS uid, auth.role() AS role, auth.jwt() AS jwt"
    assert dict(await connection.fetchrow(asked)) == nobody
    async with connection.transaction():
        await connection.execute('SET LOCAL "request.jwt.claims" = \'{"role": "anon"}\'')
    assert dict(await connection.fetchrow(asked)) == nobody
    await connection.close()


SUPABASE = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    instance_id uuid, id uuid PRIMARY KEY, email varchar(255), encrypted_password varchar(255),
    email_confirmed_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb,
    banned_until timestamptz, created_at timestamptz, deleted_at timestamptz);
CREATE TABLE auth.sessions (
    id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    created_at timestamptz, updated_at timestamptz, not_after timestamptz, refreshed_at timestamp);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'anon' $$;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT '{}'::jsonb $$;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
"""
AUTH_SCHEMA = (
    "SELECT array_agg(name ORDER BY name) FROM ("
    " SELECT attrelid::regclass::text || '.' || attname FROM pg_attribute JOIN pg_class c"
    " ON c.oid = attrelid WHERE attnum > 0 AND c.relnamespace = 'auth'::regnamespace"
    " UNION ALL SELECT oid::regprocedure || md5(prosrc) FROM pg_proc"
    " WHERE pronamespace = 'auth'::regnamespace"
    " UNION ALL SELECT relname || coalesce(relacl::text, '') FROM pg_class"
    " WHERE relnamespace = 'auth'::regnamespace) AS parts (name)"
)


async def test_a_supabase_auth_schema_is_left_alone(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(f"{ROLES_SQL}; {SUPABASE}")
    before = await connection.fetchval(AUTH_SCHEMA)
    await migrate.upgrade(empty_database_url)
    assert await connection.fetchval(AUTH_SCHEMA) == before
    assert await security.check(connection) == []
    user = await connection.fetchval(
        "INSERT INTO auth.users (id) VALUES (gen_random_uuid()) RETURNING id"
    )
    assert await connection.fetchval("SELECT id FROM public.profiles") == user
    await connection.close()


async def test_auth_can_be_made_again(db: asyncpg.Connection) -> None:
    before = await db.fetchval(AUTH_SCHEMA)
    await db.execute(AUTH_SQL)
    assert await db.fetchval(AUTH_SCHEMA) == before
