-- Domain social: connected accounts, conversations, posts and what the bot did with each of them.
-- Keys and indexes stand in the order in which the reference prints them, the order of their making;
-- where an index or another key comes before the primary key, that one is added after the table.
-- Foreign keys and checks are in constraints.sql, triggers in triggers.sql.

-- One row per person and trigger, followed through the funnel.
CREATE TABLE public.bot_interactions (
    id                      uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id              uuid,
    post_id                 text,
    binding_id              uuid,
    instagram_user_id       text NOT NULL,
    instagram_username      text,
    user_demographics       jsonb DEFAULT '{}',
    interaction_type        text NOT NULL,
    interaction_source      text,
    trigger_word            text,
    original_message        text,
    conversation_id         text,
    message_count           integer DEFAULT 1,
    bot_responded           boolean DEFAULT false,
    response_type           text,
    response_time_ms        integer,
    user_sent_photo         boolean DEFAULT false,
    photo_quality_score     integer,
    generation_attempted    boolean DEFAULT false,
    generation_successful   boolean DEFAULT false,
    user_satisfied          boolean,
    user_shared_result      boolean DEFAULT false,
    user_made_purchase      boolean DEFAULT false,
    created_at              timestamptz DEFAULT now(),
    photo_received_at       timestamptz,
    generation_started_at   timestamptz,
    generation_completed_at timestamptz,
    conversation_ended_at   timestamptz,
    CONSTRAINT bot_interactions_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.bot_interactions IS
    'Detailed tracking of every bot interaction for funnel analysis';
COMMENT ON COLUMN public.bot_interactions.user_made_purchase IS
    'Track if interaction led to purchase - requires shop integration';
CREATE INDEX idx_bot_interactions_account ON public.bot_interactions (account_id);
CREATE INDEX idx_bot_interactions_conversation ON public.bot_interactions (conversation_id);
CREATE INDEX idx_bot_interactions_post ON public.bot_interactions (post_id);
CREATE INDEX idx_bot_interactions_user ON public.bot_interactions (instagram_user_id);
CREATE INDEX idx_bot_interactions_binding_id ON public.bot_interactions (binding_id);
CREATE INDEX idx_bot_interactions_created_at ON public.bot_interactions (created_at DESC);
CREATE INDEX idx_bot_interactions_account_created
    ON public.bot_interactions (account_id, created_at DESC);
ALTER TABLE public.bot_interactions ENABLE ROW LEVEL SECURITY;

-- One account is live in at most one workspace of the whole system (the partial unique key); a
-- disconnected one is kept 90 days and then purged.
CREATE TABLE public.connected_social_accounts (
    id                       uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id             uuid,
    user_id                  uuid,
    platform                 text NOT NULL,
    platform_account_id      text NOT NULL,
    platform_username        text,
    platform_profile_picture text,
    access_token             text NOT NULL,
    token_expires_at         timestamptz,
    token_last_refreshed_at  timestamptz,
    refresh_token            text,
    platform_data            jsonb DEFAULT '{}',
    -- The reference shows only the start of this default; the keys are those its comment lists.
    settings                 jsonb DEFAULT '{
        "tryon_enabled": true, "trigger_keywords": [], "message_templates": {},
        "auto_reply_enabled": true, "notifications_enabled": true, "business_hours_enabled": false
    }',
    status                   text DEFAULT 'active',
    last_sync_at             timestamptz,
    error_message            text,
    -- The reference shows only the start of this default.
    stats                    jsonb DEFAULT '{"last_message_at": null, "messages_handled": 0, "tryons_completed": 0}',
    created_at               timestamptz DEFAULT now(),
    updated_at               timestamptz DEFAULT now(),
    disconnected_at          timestamptz,
    CONSTRAINT connected_social_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT connected_social_accounts_workspace_platform_account_key UNIQUE (workspace_id, platform, platform_account_id)
);
COMMENT ON TABLE public.connected_social_accounts IS
    'Business social media accounts connected to workspaces (Instagram pages, WhatsApp business numbers, etc.). This is different from social_conversations which tracks customer conversations.';
COMMENT ON COLUMN public.connected_social_accounts.platform IS
    'Platform identifier (instagram, shopify, whatsapp, etc.). No CHECK constraint to allow flexibility - validation handled in application layer.';
COMMENT ON COLUMN public.connected_social_accounts.access_token IS
    'OAuth access token. MUST BE ENCRYPTED in production using pgcrypto or application-level encryption!';
COMMENT ON COLUMN public.connected_social_accounts.platform_data IS
    'Platform-specific metadata stored as JSONB for maximum flexibility across different social platforms.';
COMMENT ON COLUMN public.connected_social_accounts.settings IS
    'Account settings including:
- trigger_keywords: Global trigger words for starting virtual try-on
- message_templates: Customizable bot response messages
- tryon_enabled: Enable/disable virtual try-on feature
- auto_reply_enabled: Enable/disable automatic replies
- notifications_enabled: Enable/disable notifications
- business_hours_enabled: Enable/disable business hours restrictions';
COMMENT ON COLUMN public.connected_social_accounts.disconnected_at IS
    'Timestamp when the Instagram account was disconnected. Used for 90-day retention grace period.';
CREATE UNIQUE INDEX connected_social_accounts_active_platform_account_unique
    ON public.connected_social_accounts (platform, platform_account_id)
    WHERE (status = ANY (ARRAY['active'::text, 'pending'::text]));
CREATE INDEX idx_connected_social_accounts_platform_id
    ON public.connected_social_accounts (platform, platform_account_id);
CREATE INDEX idx_connected_social_accounts_shopify
    ON public.connected_social_accounts (workspace_id, status) WHERE (platform = 'shopify'::text);
CREATE INDEX idx_connected_social_accounts_status
    ON public.connected_social_accounts (workspace_id, status) WHERE (status = 'active'::text);
CREATE INDEX idx_connected_social_accounts_workspace
    ON public.connected_social_accounts (workspace_id, platform);
ALTER TABLE public.connected_social_accounts ENABLE ROW LEVEL SECURITY;

-- Append-only. cost_micro_units is what the turn cost us; what it cost the brand is a usage event.
CREATE TABLE public.conversation_messages (
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    session_id       uuid NOT NULL,
    role             text NOT NULL,
    content          text NOT NULL,
    tool_name        text,
    tool_input       jsonb,
    tool_output      jsonb,
    model_used       text,
    tokens_used      integer,
    latency_ms       integer,
    confidence       numeric(3,2),
    cost_micro_units integer DEFAULT 0,
    created_at       timestamptz DEFAULT now(),
    CONSTRAINT conversation_messages_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.conversation_messages IS
    'Individual messages within conversation sessions';
CREATE INDEX idx_conv_messages_session ON public.conversation_messages (session_id);
CREATE INDEX idx_conv_messages_created
    ON public.conversation_messages (session_id, created_at DESC);
ALTER TABLE public.conversation_messages ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.conversation_sessions (
    id                    uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id          uuid NOT NULL,
    customer_id           uuid,
    anonymous_id          text,
    channel               text NOT NULL,
    platform_session_id   text,
    started_at            timestamptz DEFAULT now(),
    last_activity_at      timestamptz DEFAULT now(),
    ended_at              timestamptz,
    is_active             boolean DEFAULT true,
    session_state         jsonb DEFAULT '{}',
    extracted_preferences jsonb DEFAULT '{}',
    message_count         integer DEFAULT 0,
    tool_calls_count      integer DEFAULT 0,
    conversion_value      numeric(10,2) DEFAULT 0,
    CONSTRAINT conversation_sessions_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.conversation_sessions IS
    'Tracks customer conversation sessions across channels';
CREATE INDEX idx_conv_sessions_workspace ON public.conversation_sessions (workspace_id);
CREATE INDEX idx_conv_sessions_customer
    ON public.conversation_sessions (customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX idx_conv_sessions_anonymous
    ON public.conversation_sessions (anonymous_id) WHERE (anonymous_id IS NOT NULL);
CREATE INDEX idx_conv_sessions_active
    ON public.conversation_sessions (workspace_id, is_active) WHERE (is_active = true);
ALTER TABLE public.conversation_sessions ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.instagram_account_health (
    account_id               uuid NOT NULL,
    health_status            varchar(20) DEFAULT 'healthy',
    token_valid              boolean DEFAULT true,
    last_successful_api_call timestamptz,
    last_failed_api_call     timestamptz,
    consecutive_failures     integer DEFAULT 0,
    error_types              jsonb DEFAULT '{}',
    webhook_delivery_rate    numeric(5,2) DEFAULT 100.00,
    avg_response_time_ms     integer,
    messages_processed_today integer DEFAULT 0,
    messages_failed_today    integer DEFAULT 0,
    created_at               timestamptz DEFAULT now(),
    updated_at               timestamptz DEFAULT now(),
    CONSTRAINT instagram_account_health_pkey PRIMARY KEY (account_id)
);
CREATE INDEX idx_account_health_status
    ON public.instagram_account_health (account_id, health_status)
    WHERE ((health_status)::text <> 'healthy'::text);
ALTER TABLE public.instagram_account_health ENABLE ROW LEVEL SECURITY;

-- Raw entries that cannot be split or attributed yet wait here; webhook_events is where they go.
CREATE TABLE public.instagram_message_queue (
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id      uuid,
    entry_id        text NOT NULL,
    webhook_payload jsonb NOT NULL,
    status          varchar(20) DEFAULT 'pending',
    attempts        integer DEFAULT 0,
    max_attempts    integer DEFAULT 3,
    last_error      text,
    processed_at    timestamptz,
    created_at      timestamptz DEFAULT now(),
    CONSTRAINT instagram_message_queue_pkey PRIMARY KEY (id)
);
CREATE INDEX idx_message_queue_status_created
    ON public.instagram_message_queue (status, created_at)
    WHERE ((status)::text = ANY (ARRAY[('pending'::character varying)::text, ('processing'::character varying)::text]));
CREATE INDEX idx_instagram_message_queue_account_id ON public.instagram_message_queue (account_id);
CREATE INDEX idx_instagram_message_queue_status
    ON public.instagram_message_queue (status) WHERE ((status)::text = 'pending'::text);
ALTER TABLE public.instagram_message_queue ENABLE ROW LEVEL SECURITY;

-- One cumulative snapshot per hour, in UTC; differences are taken when reading.
CREATE TABLE public.instagram_post_metrics (
    id                     uuid NOT NULL DEFAULT gen_random_uuid(),
    post_id                text NOT NULL,
    account_id             uuid,
    binding_id             uuid,
    -- The platform no longer reports impressions; views are stored here.
    impressions            integer DEFAULT 0,
    reach                  integer DEFAULT 0,
    likes                  integer DEFAULT 0,
    comments               integer DEFAULT 0,
    shares                 integer DEFAULT 0,
    saves                  integer DEFAULT 0,
    engagement_rate        numeric(5,2) DEFAULT 0,
    bot_comments           integer DEFAULT 0,
    bot_dms                integer DEFAULT 0,
    bot_conversations      integer DEFAULT 0,
    viewers_to_commenters  numeric(5,2) DEFAULT 0,
    commenters_to_triggers numeric(5,2) DEFAULT 0,
    triggers_to_tryons     numeric(5,2) DEFAULT 0,
    tryons_to_shares       numeric(5,2) DEFAULT 0,
    estimated_sales        integer DEFAULT 0,
    estimated_revenue      numeric(10,2) DEFAULT 0,
    cost_per_tryon         numeric(6,4) DEFAULT 0.023,
    revenue_per_tryon      numeric(6,4) DEFAULT 0.115,
    total_profit           numeric(10,2) DEFAULT 0,
    roi_percentage         numeric(8,2) DEFAULT 0,
    peak_engagement_hour   integer,
    avg_time_to_dm         integer,
    avg_time_to_tryon      integer,
    metric_date            date DEFAULT CURRENT_DATE,
    metric_hour            integer DEFAULT EXTRACT(hour FROM now()),
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now(),
    CONSTRAINT instagram_post_metrics_pkey PRIMARY KEY (id),
    CONSTRAINT instagram_post_metrics_post_id_account_id_metric_date_metri_key UNIQUE (post_id, account_id, metric_date, metric_hour)
);
COMMENT ON TABLE public.instagram_post_metrics IS
    'Instagram API metrics + bot performance for shop owner insights';
COMMENT ON COLUMN public.instagram_post_metrics.roi_percentage IS
    'Return on investment for this post - critical for shop owners';
CREATE INDEX idx_post_metrics_account ON public.instagram_post_metrics (account_id);
CREATE INDEX idx_post_metrics_binding ON public.instagram_post_metrics (binding_id);
CREATE INDEX idx_post_metrics_date ON public.instagram_post_metrics (metric_date DESC);
CREATE INDEX idx_post_metrics_post ON public.instagram_post_metrics (post_id);
ALTER TABLE public.instagram_post_metrics ENABLE ROW LEVEL SECURITY;

-- Counted and refused in one UPDATE; a refused message waits, it is never dropped.
CREATE TABLE public.instagram_rate_limits (
    account_id              uuid NOT NULL,
    messages_sent_today     integer DEFAULT 0,
    messages_sent_this_hour integer DEFAULT 0,
    last_message_at         timestamptz,
    daily_limit             integer DEFAULT 1000,
    hourly_limit            integer DEFAULT 200,
    reset_at                timestamptz,
    created_at              timestamptz DEFAULT now(),
    updated_at              timestamptz DEFAULT now(),
    CONSTRAINT instagram_rate_limits_pkey PRIMARY KEY (account_id)
);
CREATE INDEX idx_rate_limits_account_message
    ON public.instagram_rate_limits (account_id, last_message_at);
ALTER TABLE public.instagram_rate_limits ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.instagram_webhook_subscriptions (
    id                   uuid NOT NULL DEFAULT gen_random_uuid(),
    connected_account_id uuid NOT NULL,
    webhook_id           text,
    -- The reference shows only the first entry; these are the fields the bot and the inbox need.
    subscribed_fields    text[] DEFAULT ARRAY[
        'messages', 'messaging_postbacks', 'messaging_seen', 'messaging_referral',
        'message_reactions', 'message_edit', 'comments', 'live_comments'
    ],
    subscription_status  varchar(20) DEFAULT 'active',
    last_verified_at     timestamptz,
    error_count          integer DEFAULT 0,
    last_error           text,
    created_at           timestamptz DEFAULT now(),
    updated_at           timestamptz DEFAULT now()
);
ALTER TABLE public.instagram_webhook_subscriptions ADD CONSTRAINT instagram_webhook_subscriptions_connected_account_id_key
    UNIQUE (connected_account_id);
ALTER TABLE public.instagram_webhook_subscriptions ADD CONSTRAINT instagram_webhook_subscriptions_pkey
    PRIMARY KEY (id);
CREATE INDEX idx_webhook_subs_account_status
    ON public.instagram_webhook_subscriptions (connected_account_id, subscription_status)
    WHERE ((subscription_status)::text = 'active'::text);
ALTER TABLE public.instagram_webhook_subscriptions ENABLE ROW LEVEL SECURITY;

-- The lease and the API budget of an account's synchronisation; how often it should run is
-- account_sync_metadata's.
CREATE TABLE public.social_account_sync_metadata (
    connected_account_id   uuid NOT NULL,
    last_sync_started_at   timestamptz,
    last_sync_completed_at timestamptz,
    sync_in_progress       boolean DEFAULT false,
    api_calls_this_hour    integer DEFAULT 0,
    hour_window_start      timestamptz DEFAULT timezone('utc', now()),
    total_posts_synced     integer DEFAULT 0,
    last_post_id           text,
    last_post_timestamp    timestamptz,
    consecutive_errors     integer DEFAULT 0,
    last_error             text,
    last_error_at          timestamptz,
    next_allowed_sync      timestamptz DEFAULT timezone('utc', now()),
    created_at             timestamptz NOT NULL DEFAULT timezone('utc', now()),
    updated_at             timestamptz NOT NULL DEFAULT timezone('utc', now()),
    CONSTRAINT social_account_sync_metadata_pkey PRIMARY KEY (connected_account_id)
);
CREATE INDEX idx_sync_metadata_next_sync
    ON public.social_account_sync_metadata (next_allowed_sync, sync_in_progress);
ALTER TABLE public.social_account_sync_metadata ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.social_conversations (
    id                   uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id         uuid,
    platform             text NOT NULL,
    platform_user_id     text NOT NULL,
    platform_username    text,
    platform_profile_url text,
    last_message_at      timestamptz DEFAULT now(),
    last_message_text    text,
    unread_count         integer DEFAULT 0,
    -- The reference shows only the start: the stage of the conversation and what it waits for.
    conversation_state   jsonb DEFAULT '{"stage": "initial", "awaiting": null}',
    status               text DEFAULT 'active',
    created_at           timestamptz DEFAULT now(),
    updated_at           timestamptz DEFAULT now(),
    connected_account_id uuid,
    -- A stranger's conversation is inserted as 'requests', whatever the default says.
    category             text DEFAULT 'general',
    is_accepted          boolean DEFAULT false,
    message_count        integer DEFAULT 0,
    CONSTRAINT social_conversations_pkey PRIMARY KEY (id),
    CONSTRAINT social_conversations_unique_per_account UNIQUE (connected_account_id, platform_user_id)
);
COMMENT ON TABLE public.social_conversations IS
    'Multi-platform social media conversations (Instagram, Messenger, WhatsApp, etc.). Acts as performance index and metadata cache.';
COMMENT ON COLUMN public.social_conversations.platform IS
    'Social media platform identifier (instagram, messenger, whatsapp, tiktok, telegram, twitter).';
COMMENT ON COLUMN public.social_conversations.connected_account_id IS
    'Links conversation to specific Instagram account (e.g., @bodyspire). Enables multi-account management.';
COMMENT ON COLUMN public.social_conversations.category IS
    'Inbox category: primary (VIP), general (regular), requests (new/unknown), hidden (spam). Matches Instagram UX.';
COMMENT ON COLUMN public.social_conversations.is_accepted IS
    'Whether conversation was accepted from Requests tab and moved to General/Primary.';
CREATE INDEX idx_social_conversations_account
    ON public.social_conversations (connected_account_id, last_message_at DESC);
CREATE INDEX idx_social_conversations_account_category
    ON public.social_conversations (connected_account_id, category, last_message_at DESC);
CREATE INDEX idx_social_conversations_active
    ON public.social_conversations (workspace_id, status) WHERE (status = 'active'::text);
CREATE INDEX idx_social_conversations_connected_account
    ON public.social_conversations (connected_account_id);
CREATE INDEX idx_social_conversations_platform
    ON public.social_conversations (workspace_id, platform, status);
CREATE INDEX idx_social_conversations_workspace
    ON public.social_conversations (workspace_id, last_message_at DESC);
CREATE INDEX idx_social_conversations_status
    ON public.social_conversations (status) WHERE (status <> 'closed'::text);
ALTER TABLE public.social_conversations ENABLE ROW LEVEL SECURITY;

-- Direction is not a column: a message is ours when its sender is the account itself.
CREATE TABLE public.social_messages (
    id                  uuid NOT NULL DEFAULT gen_random_uuid(),
    conversation_id     uuid,
    platform_message_id text,
    sender_platform_id  text NOT NULL,
    message_text        text,
    message_type        text DEFAULT 'text',
    attachments         jsonb DEFAULT '[]',
    read_at             timestamptz,
    created_at          timestamptz DEFAULT now(),
    reactions           jsonb DEFAULT '[]',
    CONSTRAINT social_messages_pkey PRIMARY KEY (id),
    CONSTRAINT social_messages_platform_message_id_unique UNIQUE (platform_message_id)
);
COMMENT ON TABLE public.social_messages IS
    'Individual messages within social conversations across all platforms.';
COMMENT ON COLUMN public.social_messages.reactions IS
    'Array of reaction objects: [{"emoji": "❤️", "actor_id": "123", "created_at": "2025-11-01T10:00:00Z"}]';
CREATE INDEX idx_social_messages_platform_message_id
    ON public.social_messages (platform_message_id) WHERE (platform_message_id IS NOT NULL);
CREATE INDEX idx_social_messages_reactions
    ON public.social_messages USING gin (reactions)
    WHERE ((reactions IS NOT NULL) AND (reactions <> '[]'::jsonb));
CREATE INDEX idx_social_messages_type ON public.social_messages (conversation_id, message_type);
CREATE INDEX idx_social_messages_unread
    ON public.social_messages (conversation_id) WHERE (read_at IS NULL);
CREATE INDEX idx_social_messages_created_at ON public.social_messages (created_at DESC);
CREATE INDEX idx_social_messages_conversation_created
    ON public.social_messages (conversation_id, created_at DESC);
ALTER TABLE public.social_messages ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.social_posts (
    id                   uuid NOT NULL DEFAULT uuid_generate_v4(),
    connected_account_id uuid NOT NULL,
    workspace_id         uuid NOT NULL,
    platform             text NOT NULL,
    platform_post_id     text NOT NULL,
    platform_url         text,
    caption              text,
    media_type           text,
    media_urls           jsonb DEFAULT '[]',
    thumbnail_url        text,
    like_count           integer DEFAULT 0,
    comment_count        integer DEFAULT 0,
    view_count           integer DEFAULT 0,
    posted_at            timestamptz NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT timezone('utc', now()),
    updated_at           timestamptz NOT NULL DEFAULT timezone('utc', now()),
    last_synced_at       timestamptz NOT NULL DEFAULT timezone('utc', now()),
    shopify_product_id   uuid,
    shopify_variant_id   uuid,
    bot_config           jsonb
);
COMMENT ON COLUMN public.social_posts.shopify_product_id IS
    'Shopify product featured in this Instagram post';
COMMENT ON COLUMN public.social_posts.shopify_variant_id IS
    'Specific variant if post shows particular size/color';
COMMENT ON COLUMN public.social_posts.bot_config IS
    'Post-level bot configuration overrides for campaigns (custom messages, triggers, promo codes, etc.)';
ALTER TABLE public.social_posts ADD CONSTRAINT social_posts_connected_account_id_platform_post_id_key
    UNIQUE (connected_account_id, platform_post_id);
ALTER TABLE public.social_posts ADD CONSTRAINT social_posts_pkey PRIMARY KEY (id);
CREATE INDEX idx_social_posts_bot_config ON public.social_posts USING gin (bot_config);
CREATE INDEX idx_social_posts_last_synced
    ON public.social_posts (connected_account_id, last_synced_at);
CREATE INDEX idx_social_posts_platform ON public.social_posts (platform);
CREATE INDEX idx_social_posts_shopify_product ON public.social_posts (shopify_product_id);
CREATE INDEX idx_social_posts_workspace ON public.social_posts (workspace_id, posted_at DESC);
CREATE INDEX idx_social_posts_shopify_variant_id ON public.social_posts (shopify_variant_id);
CREATE INDEX idx_social_posts_account_posted
    ON public.social_posts (connected_account_id, posted_at DESC);
ALTER TABLE public.social_posts ENABLE ROW LEVEL SECURITY;

-- Counters are projections of bot_interactions and can be recomputed from it at any time.
CREATE TABLE public.social_posts_garment_bindings (
    id                      uuid NOT NULL DEFAULT gen_random_uuid(),
    post_id                 uuid NOT NULL,
    account_id              uuid NOT NULL,
    workspace_id            uuid,
    user_id                 uuid,
    garment_url             text,
    garment_name            text,
    garment_description     text,
    garment_metadata        jsonb DEFAULT '{}',
    is_active               boolean DEFAULT true,
    -- The reference shows only the first entries.
    trigger_keywords        text[] DEFAULT ARRAY['tryon', 'try on', 'try-on', 'try it on'],
    use_global_keywords     boolean DEFAULT true,
    total_triggers          integer DEFAULT 0,
    total_dm_conversations  integer DEFAULT 0,
    total_photo_requests    integer DEFAULT 0,
    total_photos_received   integer DEFAULT 0,
    total_generations       integer DEFAULT 0,
    successful_generations  integer DEFAULT 0,
    trigger_to_dm_rate      numeric(5,2) DEFAULT 0,
    dm_to_photo_rate        numeric(5,2) DEFAULT 0,
    photo_to_success_rate   numeric(5,2) DEFAULT 0,
    overall_conversion_rate numeric(5,2) DEFAULT 0,
    avg_response_time_ms    integer,
    avg_generation_time_ms  integer,
    last_used_at            timestamptz,
    created_at              timestamptz DEFAULT now(),
    updated_at              timestamptz DEFAULT now(),
    wardrobe_garment_id     uuid,
    CONSTRAINT garment_bindings_pkey PRIMARY KEY (id),
    CONSTRAINT garment_bindings_post_id_account_id_key UNIQUE (post_id, account_id)
);
COMMENT ON TABLE public.social_posts_garment_bindings IS
    'Links Instagram posts to garment images for virtual try-on. Garments are stored in wardrobe_garments table and can be reused across multiple posts. When user removes a garment from a post, only this binding is deleted - garment stays in wardrobe.';
COMMENT ON COLUMN public.social_posts_garment_bindings.overall_conversion_rate IS
    'Key metric: % of trigger words that result in successful try-ons';
COMMENT ON COLUMN public.social_posts_garment_bindings.wardrobe_garment_id IS
    'Reference to wardrobe_garments table. ALL garments now go through wardrobe: 1. Direct uploads: Upload to wardrobe then create binding. 2. Wardrobe selection: Use existing then create binding. 3. Shopify gallery: Import to wardrobe then create binding. This ensures single source of truth and protects against external URL changes.';
CREATE INDEX idx_garment_bindings_account ON public.social_posts_garment_bindings (account_id);
CREATE INDEX idx_garment_bindings_active
    ON public.social_posts_garment_bindings (is_active) WHERE (is_active = true);
CREATE INDEX idx_garment_bindings_post ON public.social_posts_garment_bindings (post_id);
CREATE INDEX idx_garment_bindings_workspace ON public.social_posts_garment_bindings (workspace_id);
CREATE INDEX idx_social_posts_garment_bindings_wardrobe_garment_id
    ON public.social_posts_garment_bindings (wardrobe_garment_id);
ALTER TABLE public.social_posts_garment_bindings ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.user_email_accounts (
    id                 uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id            uuid NOT NULL,
    email              text NOT NULL,
    display_name       text,
    color              text,
    imap_host          text NOT NULL,
    imap_port          integer NOT NULL DEFAULT 993,
    imap_secure        boolean DEFAULT true,
    smtp_host          text NOT NULL,
    smtp_port          integer NOT NULL DEFAULT 465,
    smtp_secure        boolean DEFAULT true,
    password_encrypted text NOT NULL,
    is_active          boolean DEFAULT true,
    last_sync_at       timestamptz,
    sync_error         text,
    created_at         timestamptz DEFAULT now(),
    updated_at         timestamptz DEFAULT now(),
    CONSTRAINT user_email_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT user_email_accounts_user_id_email_key UNIQUE (user_id, email)
);
COMMENT ON TABLE public.user_email_accounts IS
    'Personal email accounts owned by individual users';
COMMENT ON COLUMN public.user_email_accounts.password_encrypted IS
    'AES-GCM encrypted IMAP/SMTP password with IV prepended';
CREATE INDEX idx_user_email_accounts_user_id ON public.user_email_accounts (user_id);
CREATE INDEX idx_user_email_accounts_email ON public.user_email_accounts (email);
ALTER TABLE public.user_email_accounts ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.workspace_email_account_members (
    id         uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL,
    user_id    uuid NOT NULL,
    role       text NOT NULL DEFAULT 'member',
    created_at timestamptz DEFAULT now(),
    CONSTRAINT workspace_email_account_members_pkey PRIMARY KEY (id),
    CONSTRAINT workspace_email_account_members_account_id_user_id_key UNIQUE (account_id, user_id)
);
COMMENT ON TABLE public.workspace_email_account_members IS
    'Access control for workspace email accounts';
COMMENT ON COLUMN public.workspace_email_account_members.role IS
    'owner: created the account, admin: full control, member: send/receive, readonly: view only';
CREATE INDEX idx_workspace_email_access_account
    ON public.workspace_email_account_members (account_id);
CREATE INDEX idx_workspace_email_access_user ON public.workspace_email_account_members (user_id);
ALTER TABLE public.workspace_email_account_members ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.workspace_email_accounts (
    id                 uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id       uuid NOT NULL,
    email              text NOT NULL,
    display_name       text,
    color              text,
    imap_host          text NOT NULL,
    imap_port          integer NOT NULL DEFAULT 993,
    imap_secure        boolean DEFAULT true,
    smtp_host          text NOT NULL,
    smtp_port          integer NOT NULL DEFAULT 465,
    smtp_secure        boolean DEFAULT true,
    password_encrypted text NOT NULL,
    is_active          boolean DEFAULT true,
    last_sync_at       timestamptz,
    sync_error         text,
    created_at         timestamptz DEFAULT now(),
    updated_at         timestamptz DEFAULT now(),
    CONSTRAINT workspace_email_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT workspace_email_accounts_workspace_id_email_key UNIQUE (workspace_id, email)
);
COMMENT ON TABLE public.workspace_email_accounts IS
    'Shared email accounts for team/workspace use (e.g., info@, support@)';
CREATE INDEX idx_workspace_email_accounts_workspace_id
    ON public.workspace_email_accounts (workspace_id);
CREATE INDEX idx_workspace_email_accounts_email ON public.workspace_email_accounts (email);
ALTER TABLE public.workspace_email_accounts ENABLE ROW LEVEL SECURITY;
