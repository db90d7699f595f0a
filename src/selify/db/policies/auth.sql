-- Who sees and changes identities, workspaces and memberships.
--
-- Names and commands are the schema reference's. Every policy names its role. Policies TO
-- service_role are always true in all domains: that role bypasses row level security anyway, and
-- the reference lists them.

-- oauth_audit_logs --------------------------------------------------------------------------------
CREATE POLICY "Service role has full access to audit logs" ON public.oauth_audit_logs
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Users can view audit logs for their workspaces" ON public.oauth_audit_logs
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- profiles ----------------------------------------------------------------------------------------
-- True for every living profile; "public" are four columns of it (privileges.sql).
CREATE POLICY "Public profiles are viewable by everyone" ON public.profiles
    FOR SELECT TO anon, authenticated
    USING (deleted_at IS NULL);
CREATE POLICY "Users can insert their own profile" ON public.profiles
    FOR INSERT TO authenticated
    WITH CHECK (id = (SELECT auth.uid()));
CREATE POLICY "Users can update their own profile" ON public.profiles
    FOR UPDATE TO authenticated
    USING (id = (SELECT auth.uid()))
    WITH CHECK (id = (SELECT auth.uid()));

-- sso_audit_log -----------------------------------------------------------------------------------
CREATE POLICY "Service role can insert SSO audit logs" ON public.sso_audit_log
    FOR INSERT TO service_role WITH CHECK (true);
CREATE POLICY "Team members can read all SSO audit logs" ON public.sso_audit_log
    FOR SELECT TO authenticated
    USING ((SELECT internal.is_team()));
CREATE POLICY "Users can read own SSO audit logs" ON public.sso_audit_log
    FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));

-- vr_shop_tokens ----------------------------------------------------------------------------------
CREATE POLICY "Service role full access to shop tokens" ON public.vr_shop_tokens
    FOR ALL TO service_role USING (true) WITH CHECK (true);
-- The token's workspace pays, so it must be the shop's.
CREATE POLICY "Workspace members can create shop tokens" ON public.vr_shop_tokens
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND EXISTS (SELECT FROM public.vr_shops s
                    WHERE s.id = vr_shop_tokens.shop_id
                      AND s.workspace_id = vr_shop_tokens.workspace_id)
        AND coalesce(created_by, (SELECT auth.uid())) = (SELECT auth.uid())
    );
CREATE POLICY "Workspace members can update their shop tokens" ON public.vr_shop_tokens
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Workspace members can view their shop tokens" ON public.vr_shop_tokens
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- workspace_members -------------------------------------------------------------------------------
-- Memberships decide everything else: owners and admins write them, and only owners touch an
-- owner's.
CREATE POLICY "workspace_members_select" ON public.workspace_members
    FOR SELECT TO authenticated
    USING (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        -- an open invitation is the invited person's to read
        OR (user_id = (SELECT auth.uid()) AND joined_at IS NULL AND invited_at IS NOT NULL
            AND (expires_at IS NULL OR expires_at > now()))
    );
CREATE POLICY "workspace_members_insert" ON public.workspace_members
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[])
        AND (role <> 'owner'
             OR workspace_id = ANY ((SELECT internal.my_owned_workspaces())::uuid[]))
    );
CREATE POLICY "workspace_members_update" ON public.workspace_members
    FOR UPDATE TO authenticated
    USING (
        workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[])
        AND (role <> 'owner'
             OR workspace_id = ANY ((SELECT internal.my_owned_workspaces())::uuid[]))
    )
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[])
        AND (role <> 'owner'
             OR workspace_id = ANY ((SELECT internal.my_owned_workspaces())::uuid[]))
    );
CREATE POLICY "workspace_members_delete" ON public.workspace_members
    FOR DELETE TO authenticated
    USING (
        user_id = (SELECT auth.uid())  -- anyone may leave, or decline
        OR (workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[])
            AND (role <> 'owner'
                 OR workspace_id = ANY ((SELECT internal.my_owned_workspaces())::uuid[])))
    );

-- workspaces --------------------------------------------------------------------------------------
CREATE POLICY "Users can create their own workspaces" ON public.workspaces
    FOR INSERT TO authenticated
    WITH CHECK (owner_id = (SELECT auth.uid()));
CREATE POLICY "Users can view workspaces they're members of" ON public.workspaces
    FOR SELECT TO authenticated
    USING (id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Workspace owners can delete their workspaces" ON public.workspaces
    FOR DELETE TO authenticated
    USING (id = ANY ((SELECT internal.my_owned_workspaces())::uuid[]));
CREATE POLICY "Workspace owners can update their workspaces" ON public.workspaces
    FOR UPDATE TO authenticated
    USING (id = ANY ((SELECT internal.my_owned_workspaces())::uuid[]))
    WITH CHECK (id = ANY ((SELECT internal.my_owned_workspaces())::uuid[]));
