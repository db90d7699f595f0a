"""What keeps rows consistent, read from the catalogs of the living database.

``await check(connection)`` gives the violations; an empty list is the only good answer. The
reference fixes every index and column, so some rules have exceptions: each stands here with its
reason, and an exception that is no longer needed is a violation too.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from selify.db.lints.security import Finding, Reader

# (table, column) -> why no index begins with this foreign key. The reference allows no other index,
# and each of these is looked up only when the row it points to is deleted, which is rare.
_RARE: Final = "searched only when that account is deleted"
UNINDEXED_KEYS: Final = {
    ("connected_social_accounts", "user_id"): _RARE,
    ("contact_submissions", "replied_by"): _RARE,
    ("qa_test_runs", "triggered_by"): _RARE,
    ("qa_test_specs", "created_by"): _RARE,
    ("qa_test_specs", "setup_spec_id"): "specs are marked deleted, not deleted; there are few",
    ("social_posts_garment_bindings", "user_id"): _RARE,
    ("subscription_cancellation_feedback", "user_id"): _RARE,
    ("user_feedback", "assigned_to"): _RARE,
    ("vr_shop_tokens", "created_by"): _RARE,
    ("wardrobe_collections", "shopify_collection_id"): (
        "the only index begins with workspace_id; a workspace has few collections"
    ),
    ("workspace_auto_reload_settings", "created_by"): _RARE,
    ("workspace_financial_transactions", "user_id"): _RARE,
    ("workspace_members", "invited_by"): _RARE,
}

# (table, unique key) -> why a null in it does no harm. Elsewhere a CHECK forbids it.
NULL_IN_UNIQUE_KEY: Final = {
    ("catalog_generation_jobs", "catalog_generation_jobs_temporal_workflow_id_key"): (
        "a job that no workflow engine runs has no workflow"
    ),
    ("profiles", "profiles_referral_code_key"): "a code is given at sign-up, or never",
    ("profiles", "profiles_username_key"): "a name is chosen later, or never",
    ("social_messages", "social_messages_platform_message_id_unique"): (
        "a message that is not sent yet has no id at the platform"
    ),
    ("workspace_subscriptions", "workspace_subscriptions_stripe_subscription_id_key"): (
        "a plan that nobody pays for has no subscription"
    ),
}

# (table, column) -> why its values are not ours to list.
OPEN_STATES: Final = {
    ("ai_personas", "role"): "what a persona is for is the brand's own word",
    ("amazon_connected_accounts", "selling_status"): "the marketplace's own words",
}

# Tables whose rows belong to no workspace, and to whom instead.
NOT_TENANT: Final = {
    "billing_meters": "the price list",
    "contact_email_log": "the contact form",
    "contact_submissions": "the contact form",
    "processed_webhook_events": "the payment provider's events",
    "profiles": "its user",
    "qa_test_results": "our own team",
    "qa_test_runs": "our own team",
    "qa_test_specs": "our own team",
    "sso_audit_log": "its user",
    "subscription_tiers": "the price list",
    "user_email_accounts": "its user",
    "user_feedback": "its user",
}

# Functions in `public` are callable through every generic API gateway, so there are only these.
PUBLIC_FUNCTIONS: Final = {
    "create_workspace_with_owner": "how a user makes a workspace",
    "my_profile": "how a user reads the whole of their own profile",
}


async def unindexed_foreign_keys(db: Reader) -> list[Finding]:
    """Every foreign key column leads an index, or says why not."""
    rows = await db.fetch(
        "SELECT t.relname AS table, a.attname AS column"
        " FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND t.relnamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_index i"
        "  WHERE i.indrelid = t.oid AND i.indkey[0] = k.conkey[1])"
    )
    found = {(row["table"], row["column"]) for row in rows}
    return _compare("unindexed_foreign_key", found, UNINDEXED_KEYS, "no index begins with it")


async def nulls_in_unique_keys(db: Reader) -> list[Finding]:
    """Null is distinct from null: a unique key with a nullable member lets duplicates in."""
    rows = await db.fetch(
        "SELECT DISTINCT t.relname AS table, c.relname AS key"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_class t ON t.oid = i.indrelid"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)"
        " WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique"
        " AND i.indpred IS NULL AND NOT a.attnotnull"
        " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid"
        "  AND k.contype = 'c' AND a.attnum = ANY (k.conkey)"
        "  AND pg_get_constraintdef(k.oid) ~ 'IS NOT NULL\\)|num_nulls\\(')"
    )
    found = {(row["table"], row["key"]) for row in rows}
    return _compare(
        "null_in_unique_key", found, NULL_IN_UNIQUE_KEY, "add CHECK (… IS NOT NULL), or say why not"
    )


async def rows_of_nobody(db: Reader) -> list[Finding]:
    """Every row reaches one workspace: by its own column, or along required foreign keys."""
    rows = await db.fetch(
        "WITH RECURSIVE reaching AS ("
        " SELECT 'public.workspaces'::regclass::oid AS oid"
        " UNION SELECT k.conrelid FROM pg_constraint k JOIN reaching r ON r.oid = k.confrelid"
        "  WHERE k.contype = 'f')"
        " SELECT relname AS table FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND oid NOT IN (SELECT oid FROM reaching)"
    )
    found = {row["table"] for row in rows}
    return _compare("row_of_nobody", found, NOT_TENANT, "give it a way to its workspace")


async def unchecked_states(db: Reader) -> list[Finding]:
    """A column that holds a state says which states there are: by type, or by CHECK."""
    rows = await db.fetch(
        "SELECT t.relname AS table, a.attname AS column"
        " FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid"
        " JOIN pg_type y ON y.oid = a.atttypid"
        " WHERE t.relnamespace IN ('public'::regnamespace, 'internal'::regnamespace)"
        " AND t.relkind = 'r' AND a.attnum > 0 AND y.typtype <> 'e' AND y.typname <> 'int4'"
        " AND (a.attname IN ('status', 'state', 'role') OR a.attname LIKE '%\\_status')"
        " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid"
        "  AND k.contype = 'c' AND a.attnum = ANY (k.conkey))"
    )
    found = {(row["table"], row["column"]) for row in rows}
    return _compare("unchecked_state", found, OPEN_STATES, "list its states in a CHECK")


async def standing_still(db: Reader) -> list[Finding]:
    """updated_at moves by itself."""
    rows = await db.fetch(
        "SELECT t.oid::regclass::text AS table FROM pg_attribute a"
        " JOIN pg_class t ON t.oid = a.attrelid"
        " WHERE a.attname = 'updated_at' AND t.relkind = 'r'"
        " AND t.relnamespace IN ('public'::regnamespace, 'internal'::regnamespace)"
        " AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid"
        "  AND g.tgfoid = 'internal.touch_updated_at'::regproc)"
    )
    return [Finding("standing_still", r["table"], "add the trigger touch_updated_at") for r in rows]


async def functions_in_public(db: Reader) -> list[Finding]:
    """Schema ``public`` holds no function but those named here."""
    rows = await db.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')"
    )
    found = {row["proname"] for row in rows}
    return _compare("function_in_public", found, PUBLIC_FUNCTIONS, "move it to schema internal")


RULES: Final[tuple[Callable[[Reader], Awaitable[list[Finding]]], ...]] = (
    unindexed_foreign_keys,
    nulls_in_unique_keys,
    rows_of_nobody,
    unchecked_states,
    standing_still,
    functions_in_public,
)


async def check(db: Reader) -> list[Finding]:
    """All violations of all rules."""
    return [finding for rule in RULES for finding in await rule(db)]


def _compare(rule: str, found: set[Any], expected: dict[Any, str], advice: str) -> list[Finding]:
    """What is found without a reason, and reasons for what is no longer found."""
    unexpected = [Finding(rule, _text(key), advice) for key in sorted(found - set(expected))]
    return unexpected + [
        Finding(rule, _text(key), "the exception is no longer needed: remove its reason")
        for key in sorted(set(expected) - found)
    ]


def _text(key: str | tuple[str, ...]) -> str:
    return key if isinstance(key, str) else ".".join(key)
