"""CHECKs, foreign keys and triggers, each tried on real rows of a complete brand."""

from uuid import uuid4

import asyncpg
import pytest_asyncio
from tests.infra.worlds import build_world, insert_sql, new_row, read_tables


@pytest_asyncio.fixture(loop_scope="session")
async def db(shared_database_url):
    """A connection whose work is undone."""
    connection = await asyncpg.connect(shared_database_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def world(db):
    return await build_world(db, await read_tables(db), "Amaranth")


async def refused(db, statement, *args):
    """The name of what refuses the statement; the transaction goes on."""
    try:
        async with db.transaction():
            await db.execute(statement, *args)
    except asyncpg.IntegrityConstraintViolationError as error:
        return error.constraint_name or str(error)
    return None


async def test_every_table_takes_a_plain_row(db, world):
    tables = await read_tables(db)
    assert set(world.rows) == set(tables)
    assert len(tables) == 73


CHECKS = [
    ("profiles", "status = 'asleep'", "profiles_status_check"),
    ("profiles", "status = NULL", "profiles_status_check"),
    ("profiles", "timezone = now()", "profiles_timezone_check"),
    ("profiles", "affiliate_commission_rate = 1.5", "profiles_commission_rate_check"),
    ("workspaces", "slug = 'Not a slug'", "workspaces_slug_check"),
    ("workspaces", "name = ''", "workspaces_name_check"),
    ("workspace_members", "role = 'boss'", "workspace_members_role_check"),
    ("vr_shop_tokens", "token = 'abc'", "vr_shop_tokens_token_check"),
    ("vr_shop_tokens", "total_uses = 3", "vr_shop_tokens_uses_check"),
    ("affiliate_commissions", "status = 'paid'", "affiliate_commissions_paid_check"),
    (
        "affiliate_commissions",
        "referred_user_id = affiliate_user_id",
        "affiliate_commissions_self_referral_check",
    ),
    ("workspace_subscriptions", "scheduled_tier = 'pro'", "workspace_subscriptions_schedule_check"),
    ("workspace_quotas", "weekly_credits_used = -1", "workspace_quotas_credits_check"),
    ("workspace_quotas", "period_end = period_start", "workspace_quotas_period_check"),
    (
        "workspace_payg_balance",
        "balance_micro_units = -6, total_used = total_purchased + 6",
        "workspace_payg_balance_not_negative_check",
    ),
    ("workspace_payg_balance", "balance_micro_units = 6", "workspace_payg_balance_sum_check"),
    ("workspace_usage_events", "status = 'lost'", "workspace_usage_events_status_check"),
    ("workspace_usage_events", "status = 'refunded'", "workspace_usage_events_refunded_check"),
    (
        "workspace_auto_reload_settings",
        "threshold_cents = 499",
        "workspace_auto_reload_settings_amounts_check",
    ),
    ("imported_products", "external_id = NULL", "imported_products_external_id_check"),
    (
        "product_import_batches",
        "total_rows = 1, valid_rows = 2",
        "product_import_batches_counts_check",
    ),
    ("brand_settings", "target_age_min = 70", "brand_settings_ages_check"),
    ("vr_garments", "display_order = 6", "vr_garments_display_order_check"),
    ("vr_garments", "polygon_count = 5000", "vr_garments_polygons_check"),
    (
        "wardrobe_garments",
        """leffa_metadata = '{"leffa_category": "hat"}'""",
        "wardrobe_garments_leffa_metadata_check",
    ),
    (
        "wardrobe_garments",
        """leffa_metadata = '{"leffa_category": "dresses", "category_confidence": 1.2}'""",
        "wardrobe_garments_leffa_metadata_check",
    ),
    (
        "wardrobe_garments",
        """leffa_metadata = '{"leffa_category": "dresses", "category_confidence": "high"}'""",
        "wardrobe_garments_leffa_metadata_check",
    ),
    ("lora_training_history", "refunded_at = now()", "lora_training_history_refund_check"),
    ("studio_creations", "status = 'failed'", "studio_creations_failed_check"),
    ("catalog_generation_jobs", "items_succeeded = 1", "catalog_generation_jobs_items_check"),
    ("brand_knowledge_chunks", "chunk_index = 1", "brand_knowledge_chunks_position_check"),
    ("user_preferences", "customer_id = NULL", "user_preferences_subject_check"),
    (
        "connected_social_accounts",
        "status = 'disconnected'",
        "connected_social_accounts_disconnected_check",
    ),
    (
        "connected_social_accounts",
        "disconnected_at = now()",
        "connected_social_accounts_connected_check",
    ),
    (
        "connected_social_accounts",
        "workspace_id = NULL",
        "connected_social_accounts_workspace_id_check",
    ),
    (
        "social_posts_garment_bindings",
        "wardrobe_garment_id = NULL, is_active = true, garment_url = NULL",
        None,  # switched off by its trigger instead of refused
    ),
    (
        "social_posts_garment_bindings",
        "successful_generations = 1",
        "social_posts_garment_bindings_counts_check",
    ),
    ("bot_interactions", "generation_successful = true", "bot_interactions_generation_check"),
    ("instagram_post_metrics", "metric_hour = NULL", "instagram_post_metrics_key_check"),
    ("instagram_post_metrics", "metric_hour = 24", "instagram_post_metrics_hours_check"),
    ("social_conversations", "category = 'vip'", "social_conversations_category_check"),
    ("social_messages", "reactions = '{}'", "social_messages_lists_check"),
    ("conversation_sessions", "is_active = false", "conversation_sessions_ended_check"),
    ("account_metrics_daily", "total_profit_cents = 1", "account_metrics_daily_profit_check"),
    ("webhook_events", "status = 'processing'", "webhook_events_lease_check"),
    ("webhook_events", "status = 'lost'", "webhook_events_status_check"),
    (
        "contact_submissions",
        "auto_response_sent = true",
        "contact_submissions_auto_response_check",
    ),
    ("temporal_workflows", "status = 'running'", "temporal_workflows_status_check"),
    ("temporal_workflows", "progress_percentage = 101", "temporal_workflows_progress_check"),
    ("qa_test_results", "was_healed = true", "qa_test_results_healed_check"),
]


async def test_checks_refuse_what_must_not_be(db, world):
    outcomes = {}
    for table, change, _ in CHECKS:
        outcomes[table, change] = await refused(db, f"UPDATE public.{table} SET {change}")
    assert outcomes == {(table, change): name for table, change, name in CHECKS}


async def test_history_is_append_only_unless_purged(db, world):
    """Of the catalogs: every table with the trigger, whatever it is called."""
    guarded = await db.fetch(
        "SELECT tgrelid::regclass::text AS table, bool_or(tgtype & 16 > 0) AS updates,"
        " bool_or(tgtype & 8 > 0) AS deletes FROM pg_trigger"
        " WHERE tgfoid = 'internal.refuse_change'::regproc GROUP BY tgrelid"
    )
    assert len(guarded) == 12
    for table, updates, deletes in guarded:
        column = await db.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1", table
        )
        change, removal = f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"
        assert bool(await refused(db, change)) == updates, table
        assert bool(await refused(db, removal)) == deletes, table
    async with db.transaction():
        await db.execute("SET LOCAL selify.purge = 'on'")
        await db.execute("DELETE FROM public.affiliate_commissions")
        for table, *_ in guarded:
            await db.execute(f"DELETE FROM {table}")


async def test_history_forgets_a_user_and_stays(db, world):
    user = await db.fetchval("SELECT user_id FROM public.oauth_audit_logs")
    await db.execute("SET LOCAL selify.purge = 'on'; DELETE FROM public.affiliate_commissions")
    await db.execute("SET LOCAL selify.purge = 'off'")
    await db.execute("DELETE FROM auth.users WHERE id = $1", user)
    rows = await db.fetch("SELECT user_id FROM public.oauth_audit_logs")
    assert [row["user_id"] for row in rows] == [None]


async def test_workspace_with_charges_cannot_be_deleted(db, world):
    name = await refused(db, "DELETE FROM public.workspaces WHERE id = $1", world.workspace_id)
    assert name in (
        "workspace_usage_events_workspace_id_fkey",
        "workspace_financial_transactions_workspace_id_fkey",
    )


async def test_workspace_without_charges_takes_everything_along(db, world):
    await db.execute(
        "SET LOCAL selify.purge = 'on'; DELETE FROM public.affiliate_commissions;"
        " DELETE FROM public.workspace_usage_events;"
        " DELETE FROM public.workspace_financial_transactions"
    )
    await db.execute("DELETE FROM public.workspaces WHERE id = $1", world.workspace_id)
    assert await db.fetchval("SELECT count(*) FROM public.social_messages") == 0
    assert await db.fetchval("SELECT count(*) FROM public.conversation_messages") == 0


async def test_a_charge_is_settled_and_given_back_once(db, world):
    event = "WHERE workspace_id = '" + str(world.workspace_id) + "'"
    change = f"UPDATE public.workspace_usage_events SET {{}} {event}"
    await db.execute(change.format("status = 'reserved'"))
    await db.execute(change.format("cost_credits = 17"))
    await db.execute(change.format("status = 'completed', completed_at = now()"))
    assert "not rewritten" in await refused(db, change.format("cost_credits = 383"))
    assert "not rewritten" in await refused(db, change.format("cost_source = 'payg_balance'"))
    await db.execute(change.format("status = 'refunded', refunded_at = '2026-01-01Z'"))
    assert "given back once" in await refused(db, change.format("status = 'completed'"))
    assert "given back once" in await refused(db, change.format("refunded_at = '2026-01-02Z'"))


async def test_lifetime_totals_never_fall(db, world):
    balance = "UPDATE public.workspace_payg_balance SET "
    await db.execute(balance + "total_purchased = 600, total_used = 6, balance_micro_units = 594")
    lower = balance + "total_purchased = 594, total_used = 0, balance_micro_units = 594"
    assert "never fall" in await refused(db, lower)


async def test_a_transaction_earns_a_commission_once(db, world):
    tables = await read_tables(db)
    again = new_row(tables["affiliate_commissions"], world)
    again["commission_type"] = world.rows["affiliate_commissions"]["commission_type"]
    assert again["source_transaction_id"]
    assert "already earned" in await refused(db, insert_sql("affiliate_commissions", again))
    again["commission_type"] = "clawback"
    await db.execute(insert_sql("affiliate_commissions", again))


async def test_imported_rows_without_an_id_are_known_again(db, world):
    product = "INSERT INTO public.imported_products (workspace_id, title, sku) VALUES ($1, $2, $3)"
    for title, sku in (("Linen shirt", " A-1 "), ("Linen shirt", None), ("Wool coat", None)):
        await db.execute(product, world.workspace_id, title, sku)
        assert "external_id_key" in await refused(db, product, world.workspace_id, title, sku)
    ids = await db.fetch("SELECT external_id FROM public.imported_products WHERE title ~ ' '")
    assert sorted(row["external_id"][:4] for row in ids) == ["row:", "row:", "sku:"]


async def test_both_inventory_columns_hold_the_item(db, world):
    update = "UPDATE public.shopify_product_variants SET {} RETURNING inventory_item_id,"
    update += " shopify_inventory_item_id"
    for change in ("inventory_item_id = '7'", "shopify_inventory_item_id = '8'"):
        row = await db.fetchrow(update.format(change))
        assert row["inventory_item_id"] == row["shopify_inventory_item_id"] == change[-2]


async def test_binding_of_a_deleted_garment_is_off_and_keeps_its_history(db, world):
    await db.execute(
        "UPDATE public.social_posts_garment_bindings"
        " SET is_active = true, total_triggers = 5, garment_url = NULL"
    )
    await db.execute("SET LOCAL selify.purge = 'on'")
    await db.execute("DELETE FROM public.wardrobe_garments")
    binding = await db.fetchrow("SELECT * FROM public.social_posts_garment_bindings")
    assert (binding["is_active"], binding["total_triggers"]) == (False, 5)


async def test_rack_has_one_garment_per_position(db, world):
    garment = (
        "INSERT INTO public.vr_garments (shop_id, name, garment_type, model_glb_url,"
        " thumbnail_url, display_order, is_active) VALUES ($1, 'x', 'top', 'm', 't', $2, $3)"
    )
    shop = world.rows["vr_shops"]["id"]
    await db.execute("UPDATE public.vr_garments SET display_order = 0, is_active = true")
    assert "taken" in await refused(db, garment, shop, 0, True)
    await db.execute(garment, shop, 0, False)
    await db.execute(garment, shop, 1, True)


async def test_token_is_paid_for_by_the_shops_workspace(db, world):
    other = await db.fetchval(
        "SELECT id FROM public.create_workspace_with_owner('Other', owner_id => $1)",
        world.users["owner"],
    )
    refusal = await refused(db, "UPDATE public.vr_shop_tokens SET workspace_id = $1", other)
    assert "owns the shop" in refusal


async def test_one_training_at_a_time_and_no_version_twice(db, world):
    training = (
        "INSERT INTO public.lora_training_history (persona_id, workspace_id, version, image_count,"
        " status) VALUES ($1, $2, $3, 20, $4)"
    )
    persona = world.rows["ai_personas"]["id"]
    await db.execute("UPDATE public.lora_training_history SET status = 'training', version = 1")
    assert "already" in await refused(db, training, persona, world.workspace_id, 2, "pending")
    await db.execute("UPDATE public.lora_training_history SET status = 'failed'")
    assert "already" in await refused(db, training, persona, world.workspace_id, 1, "pending")
    await db.execute(training, persona, world.workspace_id, 2, "pending")
    await db.execute("DELETE FROM public.lora_training_history WHERE version = 2")
    over = "UPDATE public.lora_training_history SET status = 'training' WHERE version = 1"
    assert "not start again" in await refused(db, over)


async def test_updated_at_moves_unless_it_is_set(db, world):
    await db.execute("ALTER TABLE public.workspaces DISABLE TRIGGER touch_updated_at")
    await db.execute("UPDATE public.workspaces SET updated_at = '2020-01-01Z'")
    await db.execute("ALTER TABLE public.workspaces ENABLE TRIGGER touch_updated_at")
    moved = "UPDATE public.workspaces SET description = {} RETURNING extract(year FROM updated_at)"
    assert await db.fetchval(moved.format("'x'")) > 2020
    assert await db.fetchval(moved.format("'y', updated_at = '2021-01-01Z'")) == 2021


async def test_one_price_at_a_time(db):
    price = (
        "INSERT INTO internal.price_book (meter, unit, credits, cost_micro, effective_from,"
        " effective_until) VALUES ('tryon', 'picture', 383, 2298, $1::text::timestamptz,"
        " $2::text::timestamptz)"
    )
    await db.execute("DELETE FROM internal.price_book")
    await db.execute(price, "2026-01-01Z", "2026-02-01Z")
    assert await refused(db, price, "2026-01-15Z", None) == "price_book_one_at_a_time_excl"
    await db.execute(price, "2026-02-01Z", None)
    assert "not edited" in await refused(db, "UPDATE internal.price_book SET credits = 1")


async def test_support_tables_keep_their_states(db):
    outbox = "INSERT INTO internal.outbox (channel, key, ordering_key, state) VALUES ('mail', $1, 'l', $2)"
    key = str(uuid4())
    await db.execute(outbox, key, "queued")
    assert await refused(db, outbox, key, "queued") == "outbox_channel_key_key"
    assert await refused(db, outbox, "other", "lost") == "outbox_state_check"
    assert await refused(db, outbox, "other", "sending") == "outbox_lease_check"
    assert await refused(db, outbox, "other", "sent") == "outbox_sent_check"
    job = "INSERT INTO internal.jobs (kind, key, state) VALUES ('render', $1, $2)"
    await db.execute(job, key, "queued")
    assert await refused(db, job, key, "queued") == "jobs_kind_key_key"
    assert await refused(db, job, "other", "running") == "jobs_lease_check"
