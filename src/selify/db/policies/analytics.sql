-- Figures: members read their accounts' days; what is computed across brands is served through the
-- API. account_sync_metadata has no row level security in the reference; no user role has any
-- privilege on it.

-- account_metrics_daily ---------------------------------------------------------------------------
CREATE POLICY "Workspace members can view account metrics" ON public.account_metrics_daily
    FOR SELECT TO authenticated
    USING (account_id = ANY ((SELECT internal.my_accounts())::uuid[]));

-- cross_brand_analytics ---------------------------------------------------------------------------
CREATE POLICY "Service role full access on cross_brand_analytics" ON public.cross_brand_analytics
    FOR ALL TO service_role USING (true) WITH CHECK (true);
