-- Domain auth: who people are, which workspace they belong to, and what was done in their name.
-- Keys and indexes stand in the order in which the reference prints them, the order of their making;
-- where an index or another key comes before the primary key, that one is added after the table.
-- Foreign keys and checks are in constraints.sql, triggers in triggers.sql.

-- Append-only, and never holds a token.
CREATE TABLE public.oauth_audit_logs (
    id                  uuid NOT NULL DEFAULT gen_random_uuid(),
    event_type          varchar(50) NOT NULL,
    workspace_id        uuid,
    user_id             uuid,
    platform            varchar(50) NOT NULL,
    platform_account_id text,
    ip_address          inet,
    user_agent          text,
    success             boolean NOT NULL DEFAULT true,
    error_message       text,
    metadata            jsonb DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oauth_audit_logs_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.oauth_audit_logs IS
    'OAuth event audit trail with realtime enabled.
Tracks OAuth authorization, connections, disconnections, errors.
Frontend can subscribe to receive instant notifications when OAuth events occur.
REPLICA IDENTITY FULL ensures complete data in realtime UPDATE events.';
COMMENT ON COLUMN public.oauth_audit_logs.event_type IS
    'Type of OAuth event: oauth_initiated, oauth_callback_success, oauth_callback_failed, account_connected, account_disconnected, token_refreshed, token_refresh_failed, invalid_state, rate_limit_exceeded';
COMMENT ON COLUMN public.oauth_audit_logs.platform IS
    'OAuth provider platform: instagram, shopify, etc.';
COMMENT ON COLUMN public.oauth_audit_logs.metadata IS
    'Additional event-specific metadata in JSON format';
CREATE INDEX idx_oauth_audit_logs_event_type
    ON public.oauth_audit_logs (event_type, created_at DESC);
CREATE INDEX idx_oauth_audit_logs_metadata ON public.oauth_audit_logs USING gin (metadata);
CREATE INDEX idx_oauth_audit_logs_platform ON public.oauth_audit_logs (platform, created_at DESC);
CREATE INDEX idx_oauth_audit_logs_success
    ON public.oauth_audit_logs (success, created_at DESC) WHERE (success = false);
CREATE INDEX idx_oauth_audit_logs_user_id ON public.oauth_audit_logs (user_id, created_at DESC);
CREATE INDEX idx_oauth_audit_logs_workspace_id
    ON public.oauth_audit_logs (workspace_id, created_at DESC);
CREATE INDEX idx_oauth_audit_logs_workspace_platform
    ON public.oauth_audit_logs (workspace_id, platform, created_at DESC);
ALTER TABLE public.oauth_audit_logs ENABLE ROW LEVEL SECURITY;

-- One row per user of auth.users, made when they sign up. Anyone may look at a profile, so what is
-- private here is kept by column privileges.
CREATE TABLE public.profiles (
    id                           uuid NOT NULL,
    updated_at                   timestamptz DEFAULT now(),
    username                     text,
    full_name                    text,
    avatar_url                   text,
    website                      text,
    location                     text,
    -- A point in time by contract, though the name promises a zone: never written; the zone is in
    -- preferences.
    timezone                     timestamptz,
    language                     text DEFAULT 'en',
    phone                        text,
    referral_id                  uuid,
    created_at                   timestamptz DEFAULT now(),
    status                       text DEFAULT 'active',
    email                        text,
    deleted_at                   timestamptz,
    invited_at                   timestamptz,
    banned_until                 timestamptz,
    email_confirmed_at           timestamptz,
    preferences                  jsonb DEFAULT '{}',
    onboarded_at                 timestamptz,
    referral_code                varchar(8),
    affiliate_status             text DEFAULT 'user',
    affiliate_commission_rate    numeric(4,3) DEFAULT 0.20,
    affiliate_balance_cents      bigint DEFAULT 0,
    affiliate_total_earned_cents bigint DEFAULT 0,
    affiliate_total_referrals    integer DEFAULT 0,
    affiliate_total_conversions  integer DEFAULT 0,
    affiliate_payout_method      text DEFAULT 'credits',
    affiliate_payout_email       text,
    affiliate_custom_slug        varchar(50),
    affiliate_approved_at        timestamptz,
    CONSTRAINT profiles_pkey PRIMARY KEY (id),
    CONSTRAINT profiles_referral_code_key UNIQUE (referral_code),
    CONSTRAINT profiles_username_key UNIQUE (username)
);
COMMENT ON TABLE public.profiles IS
    'User profiles with extended information linked to auth.users';
CREATE UNIQUE INDEX idx_profiles_affiliate_slug
    ON public.profiles (affiliate_custom_slug) WHERE (affiliate_custom_slug IS NOT NULL);
CREATE INDEX idx_profiles_affiliate_status
    ON public.profiles (affiliate_status) WHERE (affiliate_status = 'affiliate'::text);
CREATE INDEX idx_profiles_email ON public.profiles (email);
CREATE INDEX idx_profiles_preferences ON public.profiles USING gin (preferences);
CREATE INDEX idx_profiles_referral_code
    ON public.profiles (referral_code) WHERE (referral_code IS NOT NULL);
CREATE INDEX idx_profiles_referral_id ON public.profiles (referral_id);
CREATE INDEX idx_profiles_status ON public.profiles (status);
CREATE INDEX idx_profiles_username ON public.profiles (username);
ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

-- Append-only.
CREATE TABLE public.sso_audit_log (
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    user_id          uuid,
    email            text,
    event_type       text NOT NULL,
    source_subdomain text,
    return_to_url    text,
    login_method     text,
    ip_address       inet,
    user_agent       text,
    country_code     text,
    success          boolean NOT NULL DEFAULT true,
    error_message    text,
    error_code       text,
    metadata         jsonb DEFAULT '{}',
    CONSTRAINT sso_audit_log_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.sso_audit_log IS
    'Audit log for SSO authentication events across *.selify.ai subdomains';
CREATE INDEX idx_sso_audit_user_id ON public.sso_audit_log (user_id);
CREATE INDEX idx_sso_audit_email ON public.sso_audit_log (email);
CREATE INDEX idx_sso_audit_created_at ON public.sso_audit_log (created_at DESC);
CREATE INDEX idx_sso_audit_event_type ON public.sso_audit_log (event_type);
CREATE INDEX idx_sso_audit_source ON public.sso_audit_log (source_subdomain);
ALTER TABLE public.sso_audit_log ENABLE ROW LEVEL SECURITY;

-- A token is shown once, when it is made. Revoking is is_active = false: nobody may delete one.
CREATE TABLE public.vr_shop_tokens (
    id                    uuid NOT NULL DEFAULT gen_random_uuid(),
    shop_id               uuid NOT NULL,
    workspace_id          uuid NOT NULL,
    token                 text NOT NULL,
    token_name            text,
    rate_limit_per_minute integer DEFAULT 30,
    rate_limit_per_hour   integer DEFAULT 500,
    rate_limit_per_day    integer DEFAULT 2000,
    created_at            timestamptz DEFAULT now(),
    expires_at            timestamptz,
    is_active             boolean DEFAULT true,
    total_uses            integer DEFAULT 0,
    total_successful      integer DEFAULT 0,
    total_failed          integer DEFAULT 0,
    last_used_at          timestamptz,
    last_used_ip          text,
    created_by            uuid,
    notes                 text,
    CONSTRAINT vr_shop_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT vr_shop_tokens_token_key UNIQUE (token)
);
COMMENT ON TABLE public.vr_shop_tokens IS
    'API tokens for VR shop access without user authentication';
COMMENT ON COLUMN public.vr_shop_tokens.workspace_id IS
    'Denormalized for fast billing lookups';
COMMENT ON COLUMN public.vr_shop_tokens.token IS
    'Secure token with vrt_ prefix (e.g., vrt_abc123...)';
COMMENT ON COLUMN public.vr_shop_tokens.rate_limit_per_minute IS
    'Max requests per minute for this token';
CREATE INDEX idx_vr_shop_tokens_active
    ON public.vr_shop_tokens (is_active, expires_at) WHERE (is_active = true);
CREATE INDEX idx_vr_shop_tokens_shop_id ON public.vr_shop_tokens (shop_id);
CREATE INDEX idx_vr_shop_tokens_token ON public.vr_shop_tokens (token);
CREATE INDEX idx_vr_shop_tokens_workspace_id ON public.vr_shop_tokens (workspace_id);
ALTER TABLE public.vr_shop_tokens ENABLE ROW LEVEL SECURITY;

-- The one place that says who may see what: every policy of every tenant table asks it.
CREATE TABLE public.workspace_members (
    id           uuid NOT NULL DEFAULT uuid_generate_v4(),
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now(),
    workspace_id uuid NOT NULL,
    user_id      uuid NOT NULL,
    role         text NOT NULL DEFAULT 'member',
    permissions  jsonb DEFAULT '[]',
    invited_by   uuid,
    invited_at   timestamptz,
    joined_at    timestamptz,
    expires_at   timestamptz,
    CONSTRAINT workspace_members_pkey PRIMARY KEY (id),
    CONSTRAINT workspace_members_workspace_id_user_id_key UNIQUE (workspace_id, user_id)
);
COMMENT ON TABLE public.workspace_members IS
    'Workspace members are now created atomically via create_workspace_with_owner function, not via triggers';
CREATE INDEX idx_workspace_members_role ON public.workspace_members (role);
CREATE INDEX idx_workspace_members_user_id ON public.workspace_members (user_id);
CREATE INDEX idx_workspace_members_workspace_id ON public.workspace_members (workspace_id);
CREATE INDEX idx_workspace_members_user_workspace
    ON public.workspace_members (user_id, workspace_id);
ALTER TABLE public.workspace_members ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.workspaces (
    id                      uuid NOT NULL DEFAULT uuid_generate_v4(),
    created_at              timestamptz DEFAULT now(),
    updated_at              timestamptz DEFAULT now(),
    name                    text NOT NULL,
    slug                    text NOT NULL,
    type                    text DEFAULT 'workspace',
    owner_id                uuid NOT NULL,
    -- The reference shows only the start of this default; jsonb prints shorter keys first.
    settings                jsonb DEFAULT '{"credits_enabled": true, "notifications_enabled": true}',
    description             text,
    avatar_url              text,
    deleted_at              timestamptz,
    -- The reference shows only the start of this default.
    social_platforms_config jsonb DEFAULT '{"platforms": {
        "whatsapp": {"enabled": false, "auto_reply": false, "tryon_enabled": false, "trigger_keywords": []},
        "instagram": {"enabled": true, "auto_reply": true, "tryon_enabled": true, "trigger_keywords": ["tryon", "try on"]},
        "messenger": {"enabled": false, "auto_reply": false, "tryon_enabled": false, "trigger_keywords": []}
    }}',
    parent_workspace_id     uuid,
    is_holding_company      boolean DEFAULT false,
    brand_voice             jsonb DEFAULT '{}',
    brand_metadata          jsonb DEFAULT '{}',
    CONSTRAINT workspaces_pkey PRIMARY KEY (id),
    CONSTRAINT workspaces_slug_key UNIQUE (slug)
);
COMMENT ON TABLE public.workspaces IS
    'Workspaces for managing multiple Instagram shop accounts (multi-client support)';
COMMENT ON COLUMN public.workspaces.social_platforms_config IS
    'Multi-platform social media settings including auto-responses, trigger keywords, and try-on configurations for each connected platform.';
CREATE INDEX idx_workspaces_owner_id ON public.workspaces (owner_id);
CREATE INDEX idx_workspaces_settings ON public.workspaces USING gin (settings);
CREATE INDEX idx_workspaces_slug ON public.workspaces (slug);
CREATE INDEX idx_workspaces_type ON public.workspaces (type);
CREATE INDEX idx_workspaces_parent
    ON public.workspaces (parent_workspace_id) WHERE (parent_workspace_id IS NOT NULL);
ALTER TABLE public.workspaces ENABLE ROW LEVEL SECURITY;
