-- Connected accounts, posts, conversations and mailboxes: members of the workspace, along account
-- -> workspace.
--
-- A child row (message, metric) is visible exactly where its parent is: few accounts are compared
-- as an array, many conversations are looked up one by one under their own policy.

-- bot_interactions --------------------------------------------------------------------------------
CREATE POLICY "Service role manages bot interactions" ON public.bot_interactions
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Workspace members can view interactions" ON public.bot_interactions
    FOR SELECT TO authenticated
    USING (account_id = ANY ((SELECT internal.my_accounts())::uuid[]));

-- connected_social_accounts -----------------------------------------------------------------------
CREATE POLICY "Service role can do anything with connected_social_accounts"
    ON public.connected_social_accounts
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Users can delete connected accounts in their workspaces"
    ON public.connected_social_accounts
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can insert connected accounts in their workspaces"
    ON public.connected_social_accounts
    FOR INSERT TO authenticated
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can update connected accounts in their workspaces"
    ON public.connected_social_accounts
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can view connected accounts in their workspaces"
    ON public.connected_social_accounts
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- conversation_messages, conversation_sessions: the agent's own memory, served through the API ----
CREATE POLICY "Service role full access on conversation_messages" ON public.conversation_messages
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Service role full access on conversation_sessions" ON public.conversation_sessions
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- instagram_account_health ------------------------------------------------------------------------
CREATE POLICY "Service role manages account health" ON public.instagram_account_health
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "workspace_members_view_account_health" ON public.instagram_account_health
    FOR SELECT TO authenticated
    USING (account_id = ANY ((SELECT internal.my_accounts())::uuid[]));

-- instagram_message_queue -------------------------------------------------------------------------
CREATE POLICY "Service role manages message queue" ON public.instagram_message_queue
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- instagram_post_metrics --------------------------------------------------------------------------
CREATE POLICY "Service role manages post metrics" ON public.instagram_post_metrics
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Workspace members can view metrics" ON public.instagram_post_metrics
    FOR SELECT TO authenticated
    USING (account_id = ANY ((SELECT internal.my_accounts())::uuid[]));

-- instagram_rate_limits ---------------------------------------------------------------------------
CREATE POLICY "Service role manages rate limits" ON public.instagram_rate_limits
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "workspace_members_view_rate_limits" ON public.instagram_rate_limits
    FOR SELECT TO authenticated
    USING (account_id = ANY ((SELECT internal.my_accounts())::uuid[]));

-- instagram_webhook_subscriptions -----------------------------------------------------------------
CREATE POLICY "Service role manages webhook subscriptions" ON public.instagram_webhook_subscriptions
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "workspace_members_view_webhook_subs" ON public.instagram_webhook_subscriptions
    FOR SELECT TO authenticated
    USING (connected_account_id = ANY ((SELECT internal.my_accounts())::uuid[]));

-- social_account_sync_metadata --------------------------------------------------------------------
CREATE POLICY "Service role has full access to sync metadata" ON public.social_account_sync_metadata
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- social_conversations ----------------------------------------------------------------------------
CREATE POLICY "Service role can do anything with social_conversations"
    ON public.social_conversations
    FOR ALL TO service_role USING (true) WITH CHECK (true);
-- The account must be the workspace's own: a thread is unique per account, so one in a foreign
-- account would take the place of a customer's.
CREATE POLICY "Users can insert conversations in their workspaces" ON public.social_conversations
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND (connected_account_id IS NULL
             OR EXISTS (SELECT FROM public.connected_social_accounts a
                        WHERE a.id = social_conversations.connected_account_id
                          AND a.workspace_id = social_conversations.workspace_id))
    );
CREATE POLICY "Users can update conversations in their workspaces" ON public.social_conversations
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can view conversations in their workspaces" ON public.social_conversations
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- social_messages ---------------------------------------------------------------------------------
CREATE POLICY "Service role can do anything with social_messages" ON public.social_messages
    FOR ALL TO service_role USING (true) WITH CHECK (true);
-- The sender decides the direction, so a member may only write as the account itself, never as a
-- customer.
CREATE POLICY "Users can insert messages in their workspace conversations" ON public.social_messages
    FOR INSERT TO authenticated
    WITH CHECK (
        EXISTS (SELECT FROM public.social_conversations c
                JOIN public.connected_social_accounts a ON a.id = c.connected_account_id
                WHERE c.id = social_messages.conversation_id
                  AND a.platform_account_id = social_messages.sender_platform_id)
    );
-- OFFSET 0: row by row. Else PostgreSQL may read all conversations of the workspace, to look them up.
CREATE POLICY "Users can view messages in their workspace conversations" ON public.social_messages
    FOR SELECT TO authenticated
    USING (EXISTS (SELECT FROM public.social_conversations c
                   WHERE c.id = social_messages.conversation_id OFFSET 0));

-- social_posts ------------------------------------------------------------------------------------
CREATE POLICY "Service role full access to social_posts" ON public.social_posts
    FOR ALL TO service_role USING (true) WITH CHECK (true);
-- The reference has two of the same; both stay.
CREATE POLICY "Service role has full access to posts" ON public.social_posts
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Workspace members can view posts" ON public.social_posts
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- social_posts_garment_bindings -------------------------------------------------------------------
CREATE POLICY "Service role can do anything with social_posts_garment_bindings"
    ON public.social_posts_garment_bindings
    FOR ALL TO service_role USING (true) WITH CHECK (true);
-- Post, account, garment and workspace must be one brand's: there is one binding per post, and the
-- bot answers the post's customers with its garment.
CREATE POLICY "Workspace members can manage garments" ON public.social_posts_garment_bindings
    FOR ALL TO authenticated
    USING (account_id = ANY ((SELECT internal.my_accounts())::uuid[]))
    WITH CHECK (
        EXISTS (SELECT FROM public.social_posts p
                WHERE p.id = social_posts_garment_bindings.post_id
                  AND p.connected_account_id = social_posts_garment_bindings.account_id
                  AND p.workspace_id
                      = coalesce(social_posts_garment_bindings.workspace_id, p.workspace_id)
                  AND (wardrobe_garment_id IS NULL
                       OR EXISTS (SELECT FROM public.wardrobe_garments g
                                  WHERE g.id = social_posts_garment_bindings.wardrobe_garment_id
                                    AND g.workspace_id = p.workspace_id)))
    );

-- user_email_accounts -----------------------------------------------------------------------------
CREATE POLICY "Users can delete own email accounts" ON public.user_email_accounts
    FOR DELETE TO authenticated
    USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Users can insert own email accounts" ON public.user_email_accounts
    FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Users can update own email accounts" ON public.user_email_accounts
    FOR UPDATE TO authenticated
    USING (user_id = (SELECT auth.uid()))
    WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Users can view own email accounts" ON public.user_email_accounts
    FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));

-- workspace_email_account_members -----------------------------------------------------------------
-- E-mail admins are the account's owners and admins, and those of its workspace (who made it).
-- Access is given to members of the workspace only.
CREATE POLICY "Email admins can manage access" ON public.workspace_email_account_members
    FOR ALL TO authenticated
    USING (account_id = ANY ((SELECT internal.my_managed_email_accounts())::uuid[]))
    WITH CHECK (
        account_id = ANY ((SELECT internal.my_managed_email_accounts())::uuid[])
        AND EXISTS (SELECT FROM public.workspace_email_accounts e
                    WHERE e.id = workspace_email_account_members.account_id
                      AND internal.is_member(
                          e.workspace_id, workspace_email_account_members.user_id))
    );

-- workspace_email_accounts ------------------------------------------------------------------------
CREATE POLICY "Users can view accessible workspace email accounts"
    ON public.workspace_email_accounts
    FOR SELECT TO authenticated
    USING (id = ANY ((SELECT internal.my_email_accounts())::uuid[]));
CREATE POLICY "Workspace admins can delete email accounts" ON public.workspace_email_accounts
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[]));
CREATE POLICY "Workspace admins can insert email accounts" ON public.workspace_email_accounts
    FOR INSERT TO authenticated
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[]));
CREATE POLICY "Workspace admins can update email accounts" ON public.workspace_email_accounts
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_admin_workspaces())::uuid[]));
