"""Policies are asked once per statement, however many rows there are."""

import asyncpg
import pytest
from tests.infra.worlds import World, build_world, read_tables

from selify.core.database import Actor

MEMBERSHIPS = ("my_workspaces", "my_accounts")
CALLS = (
    "SELECT coalesce(sum(pg_stat_get_xact_function_calls(p.oid)), 0)::int FROM pg_proc p"
    " WHERE p.pronamespace = 'internal'::regnamespace AND p.proname = ANY ($1)"
)


async def _fill(db: asyncpg.Connection, world: World) -> None:
    """A busy inbox: 100 conversations of 100 messages, and as many comments on posts."""
    account = world.rows["connected_social_accounts"]["id"]
    await db.execute(
        "WITH threads AS (INSERT INTO public.social_conversations"
        " (workspace_id, connected_account_id, platform, platform_user_id)"
        " SELECT $1, $2, 'instagram', n::text FROM generate_series(1, 100) n RETURNING id)"
        " INSERT INTO public.social_messages (conversation_id, sender_platform_id)"
        " SELECT id, 'someone' FROM threads, generate_series(1, 100)",
        world.workspace_id,
        account,
    )
    await db.execute(
        "INSERT INTO public.bot_interactions (account_id, instagram_user_id, interaction_type)"
        " SELECT $1, n::text, 'comment' FROM generate_series(1, 2000) n",
        account,
    )


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT count(*) FROM public.social_messages", 10_001),
        ("SELECT count(*) FROM public.social_conversations", 101),
        ("SELECT count(*) FROM public.bot_interactions", 2_001),
    ],
)
async def test_memberships_are_looked_up_once_per_statement(
    shared_database_url: str, query: str, rows: int
) -> None:
    db = await asyncpg.connect(shared_database_url)
    await db.execute("BEGIN; SET LOCAL track_functions = 'all'; SET LOCAL selify.quiet = 'on'")
    tables = await read_tables(db)
    worlds = [await build_world(db, tables, name) for name in ("a", "b")]
    for world in worlds:
        await _fill(db, world)
    actor = Actor.user(worlds[0].users["member"])
    await db.execute("DISCARD PLANS;" + actor.opening().removeprefix("BEGIN;"))
    before = await db.fetchval(CALLS, MEMBERSHIPS)
    assert await db.fetchval(query) == rows
    assert await db.fetchval(CALLS, MEMBERSHIPS) - before <= 2
    await db.execute("ROLLBACK")
    await db.close()
