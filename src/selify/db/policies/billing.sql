-- Money: members read what their workspace has and spent, only the system writes it.

-- affiliate_commissions ---------------------------------------------------------------------------
CREATE POLICY "Affiliates can view their own commissions" ON public.affiliate_commissions
    FOR SELECT TO authenticated
    USING (affiliate_user_id = (SELECT auth.uid()));
CREATE POLICY "Only service_role can delete commissions" ON public.affiliate_commissions
    FOR DELETE TO service_role USING (true);
CREATE POLICY "Only service_role can insert commissions" ON public.affiliate_commissions
    FOR INSERT TO service_role WITH CHECK (true);
CREATE POLICY "Only service_role can update commissions" ON public.affiliate_commissions
    FOR UPDATE TO service_role USING (true) WITH CHECK (true);

-- billing_meters ----------------------------------------------------------------------------------
CREATE POLICY "service_role_only" ON public.billing_meters
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- subscription_cancellation_feedback --------------------------------------------------------------
CREATE POLICY "Workspace members can insert cancellation feedback"
    ON public.subscription_cancellation_feedback
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND coalesce(user_id, (SELECT auth.uid())) = (SELECT auth.uid())
    );
CREATE POLICY "Workspace members can view cancellation feedback"
    ON public.subscription_cancellation_feedback
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- subscription_tiers ------------------------------------------------------------------------------
CREATE POLICY "Active subscription tiers are publicly readable" ON public.subscription_tiers
    FOR SELECT TO anon, authenticated
    USING (is_active);

-- workspace_financial_transactions ----------------------------------------------------------------
CREATE POLICY "Service role manages financial transactions"
    ON public.workspace_financial_transactions
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "workspace_financial_transactions_select" ON public.workspace_financial_transactions
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- workspace_payg_balance --------------------------------------------------------------------------
CREATE POLICY "Service role manages PAYG balance" ON public.workspace_payg_balance
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Workspace members can view tokens" ON public.workspace_payg_balance
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- workspace_quotas --------------------------------------------------------------------------------
CREATE POLICY "Service role manages quotas" ON public.workspace_quotas
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Workspace members can view quotas" ON public.workspace_quotas
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- workspace_subscriptions -------------------------------------------------------------------------
CREATE POLICY "Service role manages subscriptions" ON public.workspace_subscriptions
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Workspace members can view subscriptions" ON public.workspace_subscriptions
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- workspace_usage_events --------------------------------------------------------------------------
CREATE POLICY "Service role manages usage events" ON public.workspace_usage_events
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "workspace_usage_events_select" ON public.workspace_usage_events
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
