-- Domain analytics: foreign keys and what must hold within a row.
-- ON DELETE: CASCADE where a row means nothing without the other, SET NULL where only the link is lost,
-- RESTRICT where money is remembered. "(x IN (...)) IS TRUE" also refuses null: a state is never unknown.

ALTER TABLE public.account_metrics_daily
    ADD CONSTRAINT account_metrics_daily_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    -- Null is distinct from null, so the unique key would let a day be counted twice.
    ADD CONSTRAINT account_metrics_daily_account_id_check CHECK (account_id IS NOT NULL),
    ADD CONSTRAINT account_metrics_daily_generations_check
        CHECK (successful_generations >= 0 AND successful_generations <= total_generations),
    ADD CONSTRAINT account_metrics_daily_profit_check
        CHECK (total_profit_cents = total_revenue_cents - total_cost_cents),
    ADD CONSTRAINT account_metrics_daily_uptime_check CHECK (uptime_percentage BETWEEN 0 AND 100);

ALTER TABLE public.account_sync_metadata
    ADD CONSTRAINT account_sync_metadata_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT account_sync_metadata_sync_status_check
        CHECK ((sync_status IN ('pending', 'syncing', 'synced', 'error')) IS TRUE),
    ADD CONSTRAINT account_sync_metadata_class_check
        CHECK (activity_classification IN ('hot', 'warm', 'cold', 'inactive')),
    ADD CONSTRAINT account_sync_metadata_frequency_check
        CHECK (sync_frequency_minutes > 0 AND posts_synced_count >= 0);

ALTER TABLE public.cross_brand_analytics
    ADD CONSTRAINT cross_brand_analytics_holding_workspace_id_fkey
        FOREIGN KEY (holding_workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT cross_brand_analytics_top_performing_brand_fkey
        FOREIGN KEY (top_performing_brand) REFERENCES public.workspaces (id) ON DELETE SET NULL,
    ADD CONSTRAINT cross_brand_analytics_risk_check
        CHECK (brand_cannibalization_risk BETWEEN 0 AND 1);
