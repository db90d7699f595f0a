"""What is said on selify_changes and selify_work, at commit and only then."""

import asyncio
import json

import asyncpg
import orjson
import pytest_asyncio
from tests.infra.worlds import build_world, read_tables


class Ear:
    """What was heard on both channels, in order."""

    def __init__(self, connection):
        self.connection = connection
        self.heard = []
        self.marked = asyncio.Event()

    def hear(self, _connection, _pid, channel, payload):
        if payload == "marker":
            self.marked.set()
        else:
            self.heard.append((channel, payload))

    async def until_now(self):
        """Everything said before this call: a marker comes back after it."""
        self.marked.clear()
        await self.connection.execute("NOTIFY selify_work, 'marker'")
        await self.marked.wait()
        heard, self.heard = self.heard, []
        return heard

    async def changes(self):
        said = await self.until_now()
        return [json.loads(payload) for channel, payload in said if channel == "selify_changes"]

    async def work(self):
        return [p for channel, p in await self.until_now() if channel == "selify_work"]


@pytest_asyncio.fixture(loop_scope="session")
async def db(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ear(database_url):
    connection = await asyncpg.connect(database_url)
    ear = Ear(connection)
    for channel in ("selify_changes", "selify_work"):
        await connection.add_listener(channel, ear.hear)
    yield ear
    for channel in ("selify_changes", "selify_work"):
        await connection.remove_listener(channel, ear.hear)
    await connection.close()


WATCHED = {
    "social_conversations": "id",
    "social_messages": "id",
    "bot_interactions": "id",
    "workspace_usage_events": "id",
    "workspace_quotas": "id",
    "workspace_payg_balance": "id",
    "instagram_account_health": "account_id",
    "instagram_webhook_subscriptions": "id",
    "connected_social_accounts": "id",
    "social_posts_garment_bindings": "id",
    "notifications": "id",
    "wardrobe_garments": "id",
}


async def test_changes_name_workspace_table_and_row(db, ear):
    world = await build_world(db, await read_tables(db), "Echo")
    await ear.until_now()
    for table, key in WATCHED.items():
        row_id = world.rows[table][key]
        await db.execute(f"UPDATE public.{table} SET {key} = {key} WHERE {key} = $1", row_id)
        assert await ear.changes() == [
            {
                "workspace_id": str(world.workspace_id),
                "table": table,
                "id": str(row_id),
                "op": "update",
            }
        ], table


async def test_nothing_is_said_before_the_commit_or_after_a_rollback(db, ear):
    world = await build_world(db, await read_tables(db), "Echo")
    await ear.until_now()
    transaction = db.transaction()
    await transaction.start()
    await db.execute("DELETE FROM public.notifications")
    assert await ear.changes() == []
    await transaction.rollback()
    assert await ear.changes() == []
    await db.execute("DELETE FROM public.notifications")
    assert [change["op"] for change in await ear.changes()] == ["delete"]
    assert world.rows["notifications"]


async def test_who_meets_another_notifier_says_nothing_and_does_not_wait(db, ear, database_url):
    """Notifying transactions commit one after another, so only one at a time does."""
    job = "INSERT INTO internal.jobs (kind, key) VALUES ('k', $1)"
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock(4816020)")
        await db.execute(job, "first")
        assert await ear.work() == []
    await other.close()
    await db.execute(job, "second")
    assert await ear.work() == ["jobs"]


async def test_trouble_and_notices_are_told_although_another_notifies(db, ear, database_url):
    """They are few, and must be on the page within seconds."""
    world = await build_world(db, await read_tables(db), "Echo")
    account = world.rows["connected_social_accounts"]["id"]
    notice = (
        "INSERT INTO public.notifications (user_id, workspace_id, type, title)"
        " SELECT user_id, workspace_id, 'x', 'x' FROM public.notifications LIMIT 1"
    )
    trouble = (
        "INSERT INTO internal.account_trouble (account_id, scope, since, code, reason)"
        " VALUES ($1, 'sends', now(), 'x', 'x')"
    )
    changed = "UPDATE internal.account_trouble SET told_at = now()"
    await ear.until_now()
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock(4816020)")
        await db.execute(notice)
        assert [change["table"] for change in await ear.changes()] == ["notifications"]
        for statement, values in (
            (trouble, (account,)),
            (changed, ()),
            ("DELETE FROM internal.account_trouble", ()),
        ):
            await db.execute(statement, *values)
            told = [(change["table"], change["id"]) for change in await ear.changes()]
            assert told == [("instagram_account_health", str(account))], statement
    await other.close()


async def test_what_waits_is_told_and_what_leaves_undisturbed_is_not(db, ear):
    world = await build_world(db, await read_tables(db), "Echo")
    await db.execute(
        "INSERT INTO internal.outbox (channel, key, ordering_key, workspace_id)"
        " VALUES ('messages', 'a', 'a', $1)",
        world.workspace_id,
    )
    await ear.until_now()
    sending = "UPDATE internal.outbox SET state = 'sending', leased_until = now()"
    await db.execute(sending)
    await db.execute("UPDATE internal.outbox SET state = 'sent', sent_at = now()")
    assert await ear.changes() == []
    for reason in ("Slow down.", None):
        await db.execute("UPDATE internal.outbox SET state = 'queued', last_error = $1", reason)
        assert [change["table"] for change in await ear.changes()] == ["outbox"]


async def test_a_workspaces_switch_is_told(db, ear):
    world = await build_world(db, await read_tables(db), "Echo")
    await ear.until_now()
    await db.execute("UPDATE public.workspaces SET social_platforms_config = '{}'")
    told = [(change["table"], change["workspace_id"]) for change in await ear.changes()]
    assert ("workspaces", str(world.workspace_id)) in told


async def test_a_long_transaction_keeps_nobody_quiet(db, ear, database_url):
    job = "INSERT INTO internal.jobs (kind, key) VALUES ('k', $1)"
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute(job, "long")
        await db.execute(job, "short")
        assert await ear.work() == ["jobs"]
    await other.close()
    assert await ear.work() == ["jobs"]


async def test_work_is_announced_once_per_transaction(db, ear):
    await db.execute(
        "INSERT INTO public.webhook_events (platform, event_fingerprint, event_type, payload)"
        " SELECT 'p', n::text, 'message', '{}' FROM generate_series(1, 50) AS n"
    )
    assert await ear.work() == ["inbox"]
    await db.execute(
        "INSERT INTO internal.outbox (channel, key, ordering_key) VALUES ('c', 'k', 'l')"
    )
    assert await ear.work() == ["outbox"]
    await db.execute("INSERT INTO internal.jobs (kind, key) VALUES ('k', 'k')")
    assert await ear.work() == ["jobs"]


async def test_a_bulk_writer_may_be_quiet(db, ear):
    async with db.transaction():
        await db.execute("SET LOCAL selify.quiet = 'on'")
        await db.execute("INSERT INTO internal.jobs (kind, key) VALUES ('k', 'quiet')")
        await build_world(db, await read_tables(db), "Echo")  # in which somebody is banned
    heard = {orjson.loads(payload).get("table") for _, payload in await ear.until_now()}
    assert heard == {"rights"}, "whoever loses a right is never left out"
