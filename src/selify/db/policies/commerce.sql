-- Catalogue, wardrobe and VR shops: members of the workspace. What a row refers to must be the same
-- workspace's, because foreign keys are checked without row level security and would accept another
-- brand's row.

-- amazon_connected_accounts -----------------------------------------------------------------------
CREATE POLICY "service_role_full_access" ON public.amazon_connected_accounts
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "workspace_members_access" ON public.amazon_connected_accounts
    FOR ALL TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- brand_settings ----------------------------------------------------------------------------------
CREATE POLICY "brand_settings_delete" ON public.brand_settings
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "brand_settings_insert" ON public.brand_settings
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND EXISTS (SELECT FROM public.connected_social_accounts a
                    WHERE a.id = brand_settings.connected_account_id
                      AND a.workspace_id = brand_settings.workspace_id)
    );
CREATE POLICY "brand_settings_select" ON public.brand_settings
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "brand_settings_update" ON public.brand_settings
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- imported_products -------------------------------------------------------------------------------
CREATE POLICY "Service role full access on imported_products" ON public.imported_products
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Users can delete own workspace imported products" ON public.imported_products
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can insert imported products" ON public.imported_products
    FOR INSERT TO authenticated
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can update own workspace imported products" ON public.imported_products
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can view own workspace imported products" ON public.imported_products
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- pending_shopify_installations -------------------------------------------------------------------
-- Nobody owns an installation until it is linked: before that, a signed claim is the only way to
-- it.
CREATE POLICY "pending_shopify_service_full_access" ON public.pending_shopify_installations
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "pending_shopify_user_view_own" ON public.pending_shopify_installations
    FOR SELECT TO authenticated
    USING (linked_workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- product_import_batches --------------------------------------------------------------------------
CREATE POLICY "Service role full access on import_batches" ON public.product_import_batches
    FOR ALL TO service_role USING (true) WITH CHECK (true);
CREATE POLICY "Users can create import batches" ON public.product_import_batches
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND coalesce(created_by, (SELECT auth.uid())) = (SELECT auth.uid())
    );
CREATE POLICY "Users can view own workspace import batches" ON public.product_import_batches
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- shopify_collections -----------------------------------------------------------------------------
CREATE POLICY "Users can manage collections in their workspaces" ON public.shopify_collections
    FOR ALL TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND EXISTS (SELECT FROM public.connected_social_accounts a
                    WHERE a.id = shopify_collections.connected_account_id
                      AND a.workspace_id = shopify_collections.workspace_id)
        AND (wardrobe_collection_id IS NULL
             OR EXISTS (SELECT FROM public.wardrobe_collections c
                        WHERE c.id = shopify_collections.wardrobe_collection_id
                          AND c.workspace_id = shopify_collections.workspace_id))
    );

-- shopify_inventory_history -----------------------------------------------------------------------
CREATE POLICY "Users can view inventory history of their products"
    ON public.shopify_inventory_history
    FOR SELECT TO authenticated
    USING (EXISTS (SELECT FROM public.shopify_product_variants v
                   WHERE v.id = shopify_inventory_history.variant_id OFFSET 0));

-- shopify_product_variants ------------------------------------------------------------------------
CREATE POLICY "Users can manage variants of their products" ON public.shopify_product_variants
    FOR ALL TO authenticated
    USING (EXISTS (SELECT FROM public.shopify_products p
                   WHERE p.id = shopify_product_variants.product_id OFFSET 0))
    WITH CHECK (EXISTS (SELECT FROM public.shopify_products p
                        WHERE p.id = shopify_product_variants.product_id));

-- shopify_products --------------------------------------------------------------------------------
CREATE POLICY "Users can manage products in their workspaces" ON public.shopify_products
    FOR ALL TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND EXISTS (SELECT FROM public.connected_social_accounts a
                    WHERE a.id = shopify_products.connected_account_id
                      AND a.workspace_id = shopify_products.workspace_id)
    );

-- vr_garments -------------------------------------------------------------------------------------
CREATE POLICY "Workspace members can manage garments" ON public.vr_garments
    FOR ALL TO authenticated
    USING (EXISTS (SELECT FROM public.vr_shops s WHERE s.id = vr_garments.shop_id OFFSET 0))
    WITH CHECK (EXISTS (SELECT FROM public.vr_shops s WHERE s.id = vr_garments.shop_id));

-- vr_shops ----------------------------------------------------------------------------------------
CREATE POLICY "Workspace members can manage their shop" ON public.vr_shops
    FOR ALL TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- wardrobe_collections ----------------------------------------------------------------------------
CREATE POLICY "Users can create collections in their workspaces" ON public.wardrobe_collections
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND coalesce(created_by, (SELECT auth.uid())) = (SELECT auth.uid())
        AND (shopify_collection_id IS NULL
             OR EXISTS (SELECT FROM public.shopify_collections c
                        WHERE c.id = wardrobe_collections.shopify_collection_id
                          AND c.workspace_id = wardrobe_collections.workspace_id))
    );
CREATE POLICY "Users can delete collections in their workspaces" ON public.wardrobe_collections
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can update collections in their workspaces" ON public.wardrobe_collections
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND (shopify_collection_id IS NULL
             OR EXISTS (SELECT FROM public.shopify_collections c
                        WHERE c.id = wardrobe_collections.shopify_collection_id
                          AND c.workspace_id = wardrobe_collections.workspace_id))
    );
CREATE POLICY "Users can view collections in their workspaces" ON public.wardrobe_collections
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- wardrobe_garments -------------------------------------------------------------------------------
-- The server hands out the file behind storage_path, so the path must run through the workspace's
-- own folder.
CREATE POLICY "Users can create garments in their workspaces" ON public.wardrobe_garments
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND internal.is_own_path(storage_path, workspace_id)
        AND coalesce(created_by, (SELECT auth.uid())) = (SELECT auth.uid())
        AND internal.is_own_garment_link(
            workspace_id, collection_id, shopify_product_id, shopify_variant_id)
    );
CREATE POLICY "Users can delete garments in their workspaces" ON public.wardrobe_garments
    FOR DELETE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
CREATE POLICY "Users can update garments in their workspaces" ON public.wardrobe_garments
    FOR UPDATE TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]))
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND internal.is_own_garment_link(
            workspace_id, collection_id, shopify_product_id, shopify_variant_id)
    );
CREATE POLICY "Users can view garments in their workspaces" ON public.wardrobe_garments
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));

-- wardrobe_usage_events ---------------------------------------------------------------------------
CREATE POLICY "Users can create usage events in their workspaces" ON public.wardrobe_usage_events
    FOR INSERT TO authenticated
    WITH CHECK (
        workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
        AND EXISTS (SELECT FROM public.wardrobe_garments g
                    WHERE g.id = wardrobe_usage_events.garment_id
                      AND g.workspace_id = wardrobe_usage_events.workspace_id)
    );
CREATE POLICY "Users can view usage events in their workspaces" ON public.wardrobe_usage_events
    FOR SELECT TO authenticated
    USING (workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[]));
