-- Domain analytics: daily roll-ups, and what a holding company sees of its brands.
-- Keys and indexes stand in the order in which the reference prints them, the order of their making;
-- where an index or another key comes before the primary key, that one is added after the table.
-- Foreign keys and checks are in constraints.sql, triggers in triggers.sql.

-- One row per account and day, written again whenever late facts arrive.
CREATE TABLE public.account_metrics_daily (
    id                     uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id             uuid,
    metric_date            date NOT NULL,
    total_posts            integer DEFAULT 0,
    posts_with_garments    integer DEFAULT 0,
    total_impressions      integer DEFAULT 0,
    total_reach            integer DEFAULT 0,
    total_likes            integer DEFAULT 0,
    total_comments         integer DEFAULT 0,
    total_shares           integer DEFAULT 0,
    total_bot_triggers     integer DEFAULT 0,
    total_dm_conversations integer DEFAULT 0,
    total_photos_received  integer DEFAULT 0,
    total_generations      integer DEFAULT 0,
    successful_generations integer DEFAULT 0,
    overall_trigger_rate   numeric(5,2) DEFAULT 0,
    overall_dm_rate        numeric(5,2) DEFAULT 0,
    overall_photo_rate     numeric(5,2) DEFAULT 0,
    overall_success_rate   numeric(5,2) DEFAULT 0,
    total_cost_cents       integer DEFAULT 0,
    total_revenue_cents    integer DEFAULT 0,
    total_profit_cents     integer DEFAULT 0,
    roi_percentage         numeric(8,2) DEFAULT 0,
    avg_response_time_ms   integer,
    avg_generation_time_ms integer,
    uptime_percentage      numeric(5,2) DEFAULT 100,
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now()
);
COMMENT ON TABLE public.account_metrics_daily IS
    'Daily aggregated metrics for account dashboard';
ALTER TABLE public.account_metrics_daily ADD CONSTRAINT account_metrics_daily_account_id_metric_date_key
    UNIQUE (account_id, metric_date);
ALTER TABLE public.account_metrics_daily ADD CONSTRAINT account_metrics_daily_pkey PRIMARY KEY (id);
CREATE INDEX idx_account_metrics_account ON public.account_metrics_daily (account_id);
CREATE INDEX idx_account_metrics_date ON public.account_metrics_daily (metric_date DESC);
ALTER TABLE public.account_metrics_daily ENABLE ROW LEVEL SECURITY;

-- How often an account is synchronised. The reference has no row level security here, so no user
-- role gets any privilege on it.
CREATE TABLE public.account_sync_metadata (
    account_id              uuid NOT NULL,
    last_sync_at            timestamptz,
    posts_synced_count      integer DEFAULT 0,
    sync_status             text DEFAULT 'pending',
    sync_error              text,
    activity_classification text,
    sync_frequency_minutes  integer DEFAULT 5,
    created_at              timestamptz DEFAULT now(),
    updated_at              timestamptz DEFAULT now(),
    CONSTRAINT account_sync_metadata_pkey PRIMARY KEY (account_id)
);
COMMENT ON TABLE public.account_sync_metadata IS
    'Metadata for tracking account sync status and activity classification';
CREATE INDEX idx_account_sync_metadata_activity
    ON public.account_sync_metadata (activity_classification, last_sync_at);
CREATE INDEX idx_account_sync_metadata_status
    ON public.account_sync_metadata (sync_status, last_sync_at);

-- Append-only snapshots for workspaces that are holding companies.
CREATE TABLE public.cross_brand_analytics (
    id                         uuid NOT NULL DEFAULT gen_random_uuid(),
    holding_workspace_id       uuid NOT NULL,
    total_skus                 integer,
    total_revenue_30d          numeric(12,2),
    top_performing_brand       uuid,
    shared_customer_segments   jsonb DEFAULT '[]',
    brand_cannibalization_risk numeric(5,4),
    cross_sell_opportunities   jsonb DEFAULT '[]',
    portfolio_trends           jsonb DEFAULT '{}',
    recommended_actions        jsonb DEFAULT '[]',
    computed_at                timestamptz DEFAULT now(),
    CONSTRAINT cross_brand_analytics_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.cross_brand_analytics IS
    'Aggregate analytics for holding companies';
CREATE INDEX idx_cross_brand_holding
    ON public.cross_brand_analytics (holding_workspace_id, computed_at DESC);
CREATE INDEX idx_cross_brand_analytics_top_brand
    ON public.cross_brand_analytics (top_performing_brand);
ALTER TABLE public.cross_brand_analytics ENABLE ROW LEVEL SECURITY;
