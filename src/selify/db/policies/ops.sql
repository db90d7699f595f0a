-- What the house itself runs on: forms, notifications, webhooks, quality tests. temporal_workflows
-- has no row level security in the reference; no user role has any privilege on it.

-- contact_email_log -------------------------------------------------------------------------------
CREATE POLICY "Service role manages contact emails" ON public.contact_email_log
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- contact_submissions -----------------------------------------------------------------------------
-- Always true: a contact form is for strangers. Only its own fields may be written, and nothing
-- read back.
CREATE POLICY "Allow public to insert contact submissions" ON public.contact_submissions
    FOR INSERT TO anon, authenticated WITH CHECK (true);
CREATE POLICY "Service role manages contact submissions" ON public.contact_submissions
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- notifications -----------------------------------------------------------------------------------
-- What a workspace told its member is no longer readable to one who left it.
CREATE POLICY "Service role creates notifications" ON public.notifications
    FOR INSERT TO service_role WITH CHECK (true);
CREATE POLICY "Users can delete their own notifications" ON public.notifications
    FOR DELETE TO authenticated
    USING (user_id = (SELECT auth.uid())
           AND (workspace_id IS NULL
                OR workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])));
CREATE POLICY "Users can update their own notifications" ON public.notifications
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT auth.uid())
           AND (workspace_id IS NULL
                OR workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])))
    WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Users can view their own notifications" ON public.notifications
    FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid())
           AND (workspace_id IS NULL
                OR workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])));

-- processed_webhook_events ------------------------------------------------------------------------
CREATE POLICY "service_role_only" ON public.processed_webhook_events
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- qa_test_results, qa_test_runs, qa_test_specs: our own staff -------------------------------------
CREATE POLICY "qa_results_team_access" ON public.qa_test_results
    FOR ALL TO authenticated
    USING ((SELECT internal.is_team())) WITH CHECK ((SELECT internal.is_team()));
CREATE POLICY "qa_runs_team_access" ON public.qa_test_runs
    FOR ALL TO authenticated
    USING ((SELECT internal.is_team())) WITH CHECK ((SELECT internal.is_team()));
CREATE POLICY "qa_specs_team_access" ON public.qa_test_specs
    FOR ALL TO authenticated
    USING ((SELECT internal.is_team())) WITH CHECK ((SELECT internal.is_team()));

-- user_feedback -----------------------------------------------------------------------------------
-- Open to everyone, but nobody speaks in another's name.
CREATE POLICY "Anyone can submit feedback" ON public.user_feedback
    FOR INSERT TO anon, authenticated
    WITH CHECK (user_id IS NULL OR user_id = (SELECT auth.uid()));
CREATE POLICY "Internal team can update feedback" ON public.user_feedback
    FOR UPDATE TO authenticated
    USING ((SELECT internal.is_team())) WITH CHECK ((SELECT internal.is_team()));
-- The team too, because an UPDATE reaches only rows that its role may see.
CREATE POLICY "Users can view own feedback" ON public.user_feedback
    FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()) OR (SELECT internal.is_team()));

-- webhook_events ----------------------------------------------------------------------------------
CREATE POLICY "webhook_events_service_all" ON public.webhook_events
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "webhook_events_workspace_read" ON public.webhook_events
    FOR SELECT TO authenticated
    USING (connected_account_id = ANY ((SELECT internal.my_accounts())::uuid[]));

-- workspace_auto_reload_settings ------------------------------------------------------------------
-- Members see whether their card may be charged; the row itself is written by billing after it
-- asked for an owner or admin (privileges.sql).
CREATE POLICY "workspace_members_manage_auto_reload" ON public.workspace_auto_reload_settings
    FOR ALL TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[]));

-- workspace_events --------------------------------------------------------------------------------
CREATE POLICY "Users can view workspace events" ON public.workspace_events
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
