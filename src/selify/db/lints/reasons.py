"""Where the security rules are not the plain ones, and why: every exception has its sentence here.

``selify.db.lints.security`` fails for an exception that is missing here, and for one here that the
database no longer has.
"""

from typing import Final

# Table -> why it has no row level security. No user role has any privilege on these.
ROW_SECURITY_OFF: Final = {
    "account_sync_metadata": "the reference has it off; only the sync scheduler uses the table",
    "temporal_workflows": "the reference has it off; progress is served through the API",
}

# (table, policy) -> why the rows it opens do not depend on who asks.
OPEN_TO_EVERYONE: Final = {
    ("contact_submissions", "Allow public to insert contact submissions"): (
        "a contact form is for strangers; five columns may be written and none read"
    ),
    ("profiles", "Public profiles are viewable by everyone"): (
        "names and pictures appear beside comments and memberships; four columns may be read"
    ),
    ("subscription_tiers", "Active subscription tiers are publicly readable"): (
        "the price list; without the ids at the payment provider"
    ),
}

# (table, command) -> why users do not get what a policy's name promises them.
WITHHELD: Final = {
    ("amazon_connected_accounts", "INSERT"): (
        "who the seller is, is proven by the consent the server received"
    ),
    ("connected_social_accounts", "INSERT"): (
        "owning the account is proven by the consent the server received; an account lives in one"
        " workspace only, so a row made by hand would lock its true owner out"
    ),
    ("connected_social_accounts", "UPDATE"): (
        "how the bot behaves is for admins to say, and the server checks what it would say"
    ),
    ("connected_social_accounts", "DELETE"): (
        "an account is disconnected by an admin, at the platform too; its row carries conversations"
        " and what was charged for them"
    ),
    ("qa_test_results", "INSERT"): "a result is what the runner saw",
    ("social_conversations", "INSERT"): (
        "a thread begins with what a person wrote at the platform"
    ),
    (
        "social_conversations",
        "UPDATE",
    ): "who answers there, bot or person, is the server's to pass on",
    ("social_messages", "INSERT"): (
        "a message is sent first: window, pace and account health are asked, and the platform tells its id"
    ),
    ("social_posts_garment_bindings", "INSERT"): (
        "the server checks that a keyword does not fire on everything, and that the garment is clear"
    ),
    ("social_posts_garment_bindings", "UPDATE"): (
        "the server checks that a keyword does not fire on everything, and that the garment is clear"
    ),
    ("social_posts_garment_bindings", "DELETE"): (
        "a garment is taken off a post, and the figures of that time are kept"
    ),
    ("vr_tryons", "INSERT"): "a try-on spends the shop's money: gate, reserve, run, settle",
    ("wardrobe_garments", "INSERT"): (
        "the server looks at the picture: its size, what it shows, which part of the body it covers"
    ),
    ("wardrobe_garments", "UPDATE"): "the server checks what a garment is called and said to be",
    ("wardrobe_garments", "DELETE"): (
        "a garment is put away: conversations and charges refer to it"
    ),
    ("wardrobe_usage_events", "INSERT"): "a use is counted where it happens",
    ("workspaces", "DELETE"): (
        "the server deletes it: what runs is stopped first, and the books are kept"
    ),
    ("workspace_auto_reload_settings", "INSERT"): (
        "decides what a card is charged: billing writes it after owner, cap and lock"
    ),
    ("workspace_auto_reload_settings", "UPDATE"): (
        "decides what a card is charged: billing writes it after owner, cap and lock"
    ),
    ("workspace_auto_reload_settings", "DELETE"): (
        "decides what a card is charged: billing writes it after owner, cap and lock"
    ),
}

# (table, column) -> why users write a column whose name sounds like the system's.
USER_WRITABLE: Final = {
    ("ai_personas", "max_autonomous_value_cents"): "a limit the brand sets; nothing is spent by it",
    ("brand_settings", "price_ranges"): "how the brand describes its prices",
    ("catalog_generation_jobs", "tryon_count"): "how many pictures are ordered, before any work",
    ("imported_products", "compare_at_price_cents"): "the shop's own shelf price",
    ("imported_products", "price_cents"): "the shop's own shelf price",
    ("notifications", "archived_at"): "the reader's own mark",
    ("notifications", "read_at"): "the reader's own mark",
    ("qa_test_runs", "spec_ids"): "which tests the team wants to run",
    ("shopify_product_variants", "compare_at_price_cents"): "the shop's own shelf price",
    ("shopify_product_variants", "price_cents"): "the shop's own shelf price",
    ("shopify_products", "collection_ids"): "where the shop files its product",
    (
        "subscription_cancellation_feedback",
        "billing_cycle",
    ): "an answer of the form; billing never reads it",
    ("subscription_cancellation_feedback", "subscription_tier"): (
        "an answer of the form; billing never reads it"
    ),
    ("user_feedback", "github_issue_number"): "the team's note where it is followed up",
    ("vr_garments", "polygon_count"): "a property of the uploaded model",
    ("vr_garments", "price_usd"): "the shop's own shelf price",
    ("vr_shop_tokens", "expires_at"): "how long the shop lets its own token live",
    ("workspace_members", "expires_at"): "until when an admin lets someone in",
}

# (table, role, command) -> why two permissive policies meet there (each is evaluated for each row).
SEVERAL_POLICIES: Final = {
    ("social_posts", "service_role", "DELETE"): "the reference has the same policy twice",
    ("social_posts", "service_role", "INSERT"): "the reference has the same policy twice",
    ("social_posts", "service_role", "SELECT"): "the reference has the same policy twice",
    ("social_posts", "service_role", "UPDATE"): "the reference has the same policy twice",
    ("sso_audit_log", "authenticated", "SELECT"): "one for the team, one for the user concerned",
}
