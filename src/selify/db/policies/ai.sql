-- Personas, studio and catalogue jobs: members of the workspace. Knowledge and autonomous work:
-- only the system, pages read them through the API.

-- ai_personas -------------------------------------------------------------------------------------
CREATE POLICY "Users can delete own workspace personas" ON public.ai_personas
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can insert own workspace personas" ON public.ai_personas
    FOR INSERT TO authenticated
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can update own workspace personas" ON public.ai_personas
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can view own workspace personas" ON public.ai_personas
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- autonomous_tasks, brand_intelligence, brand_knowledge_chunks ------------------------------------
CREATE POLICY "Service role full access on autonomous_tasks" ON public.autonomous_tasks
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Service role full access on brand_intelligence" ON public.brand_intelligence
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Service role full access on brand_knowledge_chunks" ON public.brand_knowledge_chunks
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- catalog_generation_jobs -------------------------------------------------------------------------
CREATE POLICY "Service role full access on catalog_generation_jobs"
    ON public.catalog_generation_jobs
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Users can create catalog jobs in own workspaces" ON public.catalog_generation_jobs
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND coalesce(created_by, (SELECT auth.uid())) = (SELECT auth.uid())
        AND EXISTS (SELECT FROM public.connected_social_accounts a
                    WHERE a.id = catalog_generation_jobs.connected_account_id
                      AND a.workspace_id = catalog_generation_jobs.workspace_id)
    );
CREATE POLICY "Users can update catalog jobs in own workspaces" ON public.catalog_generation_jobs
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can view own workspace catalog jobs" ON public.catalog_generation_jobs
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- knowledge_ingestion_jobs ------------------------------------------------------------------------
CREATE POLICY "Service role full access on knowledge_ingestion_jobs"
    ON public.knowledge_ingestion_jobs
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- lora_training_history ---------------------------------------------------------------------------
CREATE POLICY "Service role full access on lora_training_history" ON public.lora_training_history
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Users can view own workspace lora history" ON public.lora_training_history
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- studio_creations --------------------------------------------------------------------------------
-- Project, garment and model must be the same workspace's: a result shows what it was made from.
CREATE POLICY "Users can delete own workspace creations" ON public.studio_creations
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can insert own workspace creations" ON public.studio_creations
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND internal.is_own_path(model_storage_path, workspace_id)
        AND (project_id IS NULL
             OR EXISTS (SELECT FROM public.studio_projects p
                        WHERE p.id = studio_creations.project_id
                          AND p.workspace_id = studio_creations.workspace_id))
        AND (garment_id IS NULL
             OR EXISTS (SELECT FROM public.wardrobe_garments g
                        WHERE g.id = studio_creations.garment_id
                          AND g.workspace_id = studio_creations.workspace_id))
        AND (model_id IS NULL
             OR EXISTS (SELECT FROM public.studio_models m
                        WHERE m.id = studio_creations.model_id
                          AND m.workspace_id = studio_creations.workspace_id))
    );
CREATE POLICY "Users can update own workspace creations" ON public.studio_creations
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND (project_id IS NULL
             OR EXISTS (SELECT FROM public.studio_projects p
                        WHERE p.id = studio_creations.project_id
                          AND p.workspace_id = studio_creations.workspace_id))
    );
CREATE POLICY "Users can view own workspace creations" ON public.studio_creations
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- studio_models -----------------------------------------------------------------------------------
CREATE POLICY "Users can delete own workspace models" ON public.studio_models
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can insert own workspace models" ON public.studio_models
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND internal.is_own_path(storage_path, workspace_id)
    );
CREATE POLICY "Users can update own workspace models" ON public.studio_models
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can view own workspace models" ON public.studio_models
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- studio_projects ---------------------------------------------------------------------------------
CREATE POLICY "Users can delete own workspace projects" ON public.studio_projects
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can insert own workspace projects" ON public.studio_projects
    FOR INSERT TO authenticated
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can update own workspace projects" ON public.studio_projects
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can view own workspace projects" ON public.studio_projects
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- user_preferences --------------------------------------------------------------------------------
CREATE POLICY "Service role full access on user_preferences" ON public.user_preferences
    FOR ALL TO service_role USING (true) WITH CHECK (true);

-- vr_tryons ---------------------------------------------------------------------------------------
-- A try-on spends the shop's money, so no user role has the privilege to insert one
-- (privileges.sql). Should it ever be granted, only for oneself and only against the garment's own
-- shop.
CREATE POLICY "Users can create tryons" ON public.vr_tryons
    FOR INSERT TO authenticated
    WITH CHECK (
        user_id = (SELECT auth.uid())
        AND EXISTS (SELECT FROM public.vr_garments g JOIN public.vr_shops s ON s.id = g.shop_id
                    WHERE g.id = vr_tryons.garment_id AND s.workspace_id = vr_tryons.workspace_id)
    );
CREATE POLICY "Users can view their own tryons" ON public.vr_tryons
    FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
