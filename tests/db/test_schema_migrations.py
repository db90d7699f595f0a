"""Upgrading: from nothing, step by step, twice at once, and the clear refusals."""

import asyncio

import asyncpg
import pytest
from tests.infra.catalog import catalog
from tests.infra.postgres import named
from tests.infra.worlds import build_world, read_tables

from selify.core.errors import SelifyError
from selify.db import errors, migrate


async def test_step_by_step_is_the_same_as_at_once(empty_database_url, shared_database_url):
    """Every revision in between upgrades too; later revisions are covered by being there."""
    for revision in migrate.revisions():
        await migrate.upgrade(empty_database_url, revision=revision)
        assert await migrate.current(empty_database_url) == revision
    assert await catalog(empty_database_url) == await catalog(shared_database_url)


# The baseline reads files that have grown since: so it was when it was released.
AS_IT_WAS = """
DROP FUNCTION internal.tell_subscribers() CASCADE;
DROP FUNCTION internal.silence_workspace() CASCADE;
DROP FUNCTION internal.stop_auto_reload() CASCADE;
DROP FUNCTION internal.tell_sign_in_ended() CASCADE;
DROP VIEW internal.active_access;
DROP FUNCTION internal.review_keys_of_member() CASCADE;
DROP FUNCTION internal.suspend_keys_of_banned() CASCADE;
DROP FUNCTION internal.revoke_keys_of_workspace() CASCADE;
GRANT DELETE ON public.amazon_connected_accounts, public.connected_social_accounts, public.workspaces,
    public.qa_test_results, public.qa_test_runs, public.qa_test_specs, public.wardrobe_garments,
    public.social_posts_garment_bindings TO authenticated;
GRANT UPDATE (region) ON public.amazon_connected_accounts TO authenticated;
GRANT UPDATE (settings) ON public.connected_social_accounts TO authenticated;
GRANT INSERT (permissions), UPDATE (permissions) ON public.workspace_members TO authenticated;
GRANT UPDATE (settings, social_platforms_config) ON public.workspaces TO authenticated;
GRANT INSERT (id, name, storage_path), UPDATE (name) ON public.wardrobe_garments TO authenticated;
GRANT INSERT (id, garment_id) ON public.wardrobe_usage_events TO authenticated;
GRANT INSERT (id, category), UPDATE (category) ON public.social_conversations TO authenticated;
GRANT INSERT (id, message_text) ON public.social_messages TO authenticated;
GRANT INSERT (id, post_id), UPDATE (trigger_keywords) ON public.social_posts_garment_bindings
    TO authenticated;
"""
# What later revisions change the tables of, or make lists of, in all its kinds.
OF_ALL_KINDS = """
UPDATE public.social_conversations SET unread_count = 2, last_message_at = NULL;
UPDATE public.social_conversations SET conversation_state = '{"handler": "human"}', unread_count = 0
 WHERE id = (SELECT min(id::text)::uuid FROM public.social_conversations);
UPDATE public.wardrobe_garments SET name = 'Grünes Kleid, size M', sku = 'AB-12';
UPDATE public.wardrobe_garments SET metadata = '{"archived_at": "2026-01-01T00:00:00Z"}'
 WHERE id = (SELECT min(id::text)::uuid FROM public.wardrobe_garments);
UPDATE public.instagram_webhook_subscriptions SET subscription_status = 'error';
INSERT INTO internal.outbox (channel, key, lane, state, leased_until, sent_at, account_id)
SELECT 'instagram', state, 'lane', state, now(), now(), id
  FROM unnest('{queued,sending,sent,failed,unknown,cancelled}'::text[]) AS state,
       (SELECT id FROM public.connected_social_accounts LIMIT 1) AS account;
INSERT INTO internal.jobs (kind, key, state, leased_until, started_at, workspace_id)
SELECT 'tryon', state, state, now(), now(), id
  FROM unnest('{queued,running,done,failed,cancelled}'::text[]) AS state,
       (SELECT id FROM public.workspaces LIMIT 1) AS workspace;
INSERT INTO internal.send_pace (account_id, free_at, last_turn, paused_until, paused_for)
SELECT id, now(), now(), now() + interval '1 minute', interval '1 minute'
  FROM public.connected_social_accounts;
INSERT INTO internal.invariant_findings (invariant, subject) VALUES ('balances', 'somebody');
INSERT INTO internal.routine_turns (routine, taken_at) VALUES ('sweep', now());
"""
TABLES = """
SELECT oid::regclass::text FROM pg_class
 WHERE relnamespace::regnamespace::text IN ('public', 'internal', 'auth') AND relkind = 'r'
"""
KEPT_LISTS = ("waiting_conversations", "garment_shelf", "garment_words")


async def test_a_database_with_rows_keeps_them_and_becomes_what_a_new_one_is(
    empty_database_url, shared_database_url
):
    """From what was released first, with a row in every table."""
    first, *later = migrate.revisions()
    await migrate.upgrade(empty_database_url, revision=first)
    db = await asyncpg.connect(empty_database_url)
    await db.execute(AS_IT_WAS)
    tables = await read_tables(db)
    for name in ("a", "b"):
        await build_world(db, tables, name)
    await db.execute(OF_ALL_KINDS)
    before = await _counts(db)
    for revision in later:
        await migrate.upgrade(empty_database_url, revision=revision)
    after = await _counts(db)
    assert {name: after[name] for name in before} == before
    lists = {table: await _rows(db, table) for table in KEPT_LISTS}
    assert all(lists.values())
    assert await _rows(db, "account_trouble")
    await db.execute("SELECT internal.rebuild_lists()")
    assert {table: await _rows(db, table) for table in KEPT_LISTS} == lists
    await db.close()
    assert await catalog(empty_database_url) == await catalog(shared_database_url)


async def _counts(db):
    names = [row[0] for row in await db.fetch(TABLES)]
    return {name: await db.fetchval(f"SELECT count(*) FROM {name}") for name in names}


async def _rows(db, table):
    return sorted(row[0] for row in await db.fetch(f"SELECT t::text FROM internal.{table} t"))


async def test_two_upgrades_at_once_take_turns(empty_database_url):
    said: list[str] = []
    done = await asyncio.gather(
        *(migrate.upgrade(empty_database_url, progress=said.append) for _ in range(3))
    )
    assert done == [migrate.head()] * 3
    assert len([step for step in said if step.startswith("Applying 0001")]) == 1


async def test_upgrades_of_two_databases_share_the_roles(postgres_server):
    admin = await asyncpg.connect(named(postgres_server.url, "postgres"))
    names = ["twin_one", "twin_two"]
    for name in names:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    await asyncio.gather(*(migrate.upgrade(named(postgres_server.url, name)) for name in names))
    for name in names:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_upgraded_database_passes_the_check_and_stays(database_url):
    await migrate.check(database_url)
    said: list[str] = []
    assert await migrate.upgrade(database_url, progress=said.append) == migrate.head()
    assert said == ["The database is up to date."]


async def test_a_failed_upgrade_leaves_nothing(empty_database_url):
    connection = await asyncpg.connect(empty_database_url)
    # Something of the same name stands in the way of a late step of the baseline.
    await connection.execute("CREATE SCHEMA internal; CREATE TABLE internal.outbox (id int)")
    with pytest.raises(errors.MigrationFailed, match=r"internal\.sql.*Nothing was changed"):
        await migrate.upgrade(empty_database_url)
    assert await migrate.current(empty_database_url) is None
    left = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    )
    await connection.close()
    assert left == 0


async def test_empty_database_is_not_ours_yet(empty_database_url):
    assert await migrate.current(empty_database_url) is None
    with pytest.raises(errors.NotSelifyDatabase, match="no Selify tables"):
        await migrate.check(empty_database_url)


async def test_tables_of_others_are_not_mixed_with_ours(empty_database_url):
    await _execute(empty_database_url, "CREATE TABLE public.wp_posts (id int)")
    with pytest.raises(errors.NotSelifyDatabase, match="wp_posts"):
        await migrate.upgrade(empty_database_url)


async def test_newer_database_is_refused(database_url):
    await _execute(database_url, "UPDATE internal.alembic_version SET version_num = '9999'")
    for refused in (migrate.check, migrate.upgrade):
        with pytest.raises(errors.DatabaseNewer, match="9999"):
            await refused(database_url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@/none?host=/nowhere/at/all",
        "postgresql://someone@127.0.0.1:1/none",
        "not a url",
    ],
)
async def test_unreachable_is_one_line(url):
    with pytest.raises(errors.DatabaseUnreachable) as refusal:
        await migrate.check(url)
    assert "\n" not in refusal.value.detail
    assert isinstance(refusal.value, SelifyError)


async def test_wrong_database_name_is_one_line(postgres_server):
    with pytest.raises(errors.DatabaseUnreachable, match="does not exist"):
        await migrate.check(named(postgres_server.url, "no_such_database"))


async def test_missing_rights_are_named(empty_database_url):
    await _execute(empty_database_url, "CREATE ROLE guest LOGIN; CREATE EXTENSION vector")
    guest = empty_database_url.replace("postgres@", "guest@")
    try:
        with pytest.raises(errors.RightsMissing, match="guest lacks: CREATE on the database"):
            await migrate.upgrade(guest)
        await _execute(empty_database_url, "DROP EXTENSION vector")
        with pytest.raises(errors.VectorMissing) as refusal:
            await migrate.upgrade(guest)
        assert "CREATE EXTENSION vector" in refusal.value.hint
    finally:
        await _execute(empty_database_url, "DROP ROLE guest")


async def test_owner_without_superuser_can_upgrade(empty_database_url, template_database):
    """What an administrator must do first: the roles (there already) and the vector extension."""
    name = empty_database_url.split("@/")[1].split("?")[0]
    await _execute(
        empty_database_url,
        "CREATE ROLE landlord LOGIN CREATEROLE;"
        " GRANT anon, authenticated, service_role, selify_login TO landlord WITH ADMIN OPTION;"
        f" ALTER DATABASE {name} OWNER TO landlord; CREATE EXTENSION vector",
    )
    try:
        await migrate.upgrade(empty_database_url.replace("postgres@", "landlord@"))
        await migrate.check(empty_database_url)
    finally:
        await _execute(
            empty_database_url,
            f"ALTER DATABASE {name} OWNER TO postgres; REASSIGN OWNED BY landlord TO postgres;"
            " DROP OWNED BY landlord; DROP ROLE landlord",
        )


async def _execute(url, statements):
    connection = await asyncpg.connect(url)
    await connection.execute(statements)
    await connection.close()
