-- Domain commerce: foreign keys and what must hold within a row.
-- ON DELETE: CASCADE where a row means nothing without the other, SET NULL where only the link is lost,
-- RESTRICT where money is remembered. "(x IN (...)) IS TRUE" also refuses null: a state is never unknown.

ALTER TABLE public.amazon_connected_accounts
    ADD CONSTRAINT amazon_connected_accounts_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT amazon_connected_accounts_status_check
        CHECK ((status IN ('pending', 'active', 'expired', 'error', 'disconnected')) IS TRUE);

ALTER TABLE public.brand_settings
    ADD CONSTRAINT brand_settings_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT brand_settings_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT brand_settings_ages_check
        CHECK (target_age_min >= 0 AND target_age_max <= 120 AND target_age_min <= target_age_max),
    ADD CONSTRAINT brand_settings_markup_check CHECK (default_markup_percent >= 0),
    ADD CONSTRAINT brand_settings_description_length_check
        CHECK (description_length IN ('short', 'medium', 'long'));

ALTER TABLE public.imported_products
    ADD CONSTRAINT imported_products_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT imported_products_import_batch_id_fkey
        FOREIGN KEY (import_batch_id) REFERENCES public.product_import_batches (id) ON DELETE SET NULL,
    ADD CONSTRAINT imported_products_status_check CHECK ((status IN (
            'pending', 'generating', 'ready', 'published', 'failed', 'archived'
        )) IS TRUE),
    -- Null is distinct from null, so the unique key alone would let a file be imported twice. A trigger
    -- makes an id for rows that come without one.
    ADD CONSTRAINT imported_products_external_id_check CHECK (external_id IS NOT NULL),
    ADD CONSTRAINT imported_products_prices_check
        CHECK (price_cents >= 0 AND compare_at_price_cents >= 0),
    ADD CONSTRAINT imported_products_quality_check CHECK (ai_quality_score BETWEEN 0 AND 100),
    ADD CONSTRAINT imported_products_images_check CHECK (jsonb_typeof(images) = 'array');

ALTER TABLE public.pending_shopify_installations
    ADD CONSTRAINT pending_shopify_installations_linked_workspace_id_fkey
        FOREIGN KEY (linked_workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT pending_shopify_installations_status_check
        CHECK ((status IN ('pending_account_creation', 'active', 'expired')) IS TRUE),
    ADD CONSTRAINT pending_shopify_installations_linked_check
        CHECK (status <> 'active' OR (linked_workspace_id IS NOT NULL
            AND completed_at IS NOT NULL));

ALTER TABLE public.product_import_batches
    ADD CONSTRAINT product_import_batches_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT product_import_batches_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT product_import_batches_catalog_job_id_fkey
        FOREIGN KEY (catalog_job_id) REFERENCES public.catalog_generation_jobs (id) ON DELETE SET NULL,
    ADD CONSTRAINT product_import_batches_status_check CHECK ((status IN (
            'pending', 'validating', 'validated', 'importing', 'completed',
            'completed_with_errors', 'failed', 'cancelled'
        )) IS TRUE),
    ADD CONSTRAINT product_import_batches_counts_check
        CHECK (valid_rows >= 0 AND invalid_rows >= 0 AND imported_count >= 0
            AND valid_rows + invalid_rows <= total_rows AND imported_count <= valid_rows);

ALTER TABLE public.shopify_collections
    ADD CONSTRAINT shopify_collections_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT shopify_collections_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT shopify_collections_wardrobe_collection_id_fkey
        FOREIGN KEY (wardrobe_collection_id) REFERENCES public.wardrobe_collections (id) ON DELETE SET NULL,
    ADD CONSTRAINT shopify_collections_type_check CHECK (collection_type IN ('custom', 'smart')),
    ADD CONSTRAINT shopify_collections_product_count_check CHECK (product_count >= 0);

ALTER TABLE public.shopify_inventory_history
    ADD CONSTRAINT shopify_inventory_history_variant_id_fkey
        FOREIGN KEY (variant_id) REFERENCES public.shopify_product_variants (id) ON DELETE CASCADE,
    ADD CONSTRAINT shopify_inventory_history_change_check
        CHECK (change_amount = new_quantity - previous_quantity AND change_amount <> 0),
    ADD CONSTRAINT shopify_inventory_history_source_check
        CHECK (change_source IN ('webhook', 'sync', 'manual', 'order'));

ALTER TABLE public.shopify_product_variants
    ADD CONSTRAINT shopify_product_variants_product_id_fkey
        FOREIGN KEY (product_id) REFERENCES public.shopify_products (id) ON DELETE CASCADE,
    ADD CONSTRAINT shopify_product_variants_prices_check
        CHECK (price_cents >= 0 AND compare_at_price_cents >= 0 AND cost_cents >= 0),
    ADD CONSTRAINT shopify_product_variants_inventory_policy_check
        CHECK ((inventory_policy IN ('deny', 'continue')) IS TRUE);

ALTER TABLE public.shopify_products
    ADD CONSTRAINT shopify_products_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT shopify_products_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT shopify_products_status_check
        CHECK ((status IN ('active', 'draft', 'archived', 'unlisted')) IS TRUE),
    ADD CONSTRAINT shopify_products_sync_status_check
        CHECK ((sync_status IN ('pending', 'syncing', 'synced', 'error', 'deleted')) IS TRUE),
    ADD CONSTRAINT shopify_products_prices_check CHECK (price_min_cents >= 0
            AND price_min_cents <= price_max_cents AND compare_at_price_min_cents >= 0),
    ADD CONSTRAINT shopify_products_variants_count_check CHECK (variants_count >= 0);

ALTER TABLE public.vr_garments
    ADD CONSTRAINT vr_garments_shop_id_fkey
        FOREIGN KEY (shop_id) REFERENCES public.vr_shops (id) ON DELETE CASCADE,
    ADD CONSTRAINT vr_garments_display_order_check CHECK (display_order BETWEEN 0 AND 5),
    ADD CONSTRAINT vr_garments_polygons_check CHECK (polygon_count >= 0 AND polygon_count < 5000),
    ADD CONSTRAINT vr_garments_price_check CHECK (price_usd >= 0);

ALTER TABLE public.vr_shops
    ADD CONSTRAINT vr_shops_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT vr_shops_name_check CHECK (name <> '');

ALTER TABLE public.wardrobe_collections
    ADD CONSTRAINT wardrobe_collections_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT wardrobe_collections_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT wardrobe_collections_shopify_collection_id_fkey
        FOREIGN KEY (shopify_collection_id) REFERENCES public.shopify_collections (id) ON DELETE SET NULL,
    ADD CONSTRAINT wardrobe_collections_name_check CHECK (name <> '');

ALTER TABLE public.wardrobe_garments
    ADD CONSTRAINT wardrobe_garments_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT wardrobe_garments_collection_id_fkey
        FOREIGN KEY (collection_id) REFERENCES public.wardrobe_collections (id) ON DELETE SET NULL,
    ADD CONSTRAINT wardrobe_garments_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT wardrobe_garments_shopify_product_id_fkey
        FOREIGN KEY (shopify_product_id) REFERENCES public.shopify_products (id) ON DELETE SET NULL,
    ADD CONSTRAINT wardrobe_garments_shopify_variant_id_fkey
        FOREIGN KEY (shopify_variant_id) REFERENCES public.shopify_product_variants (id) ON DELETE SET NULL,
    ADD CONSTRAINT wardrobe_garments_source_check CHECK ((linked_source IN (
            'manual', 'shopify_sync', 'instagram_post', 'csv_import', 'amazon_import'
        )) IS TRUE),
    ADD CONSTRAINT wardrobe_garments_counts_check
        CHECK (usage_count >= 0 AND file_size >= 0 AND shopify_image_index >= 0),
    ADD CONSTRAINT wardrobe_garments_storage_path_check CHECK (storage_path <> ''),
    -- What a garment is decides how it is put on; the rest of the analysis is checked by its reader.
    ADD CONSTRAINT wardrobe_garments_leffa_metadata_check
        CHECK (leffa_metadata IS NULL OR (
            leffa_metadata ->> 'leffa_category' IN ('upper_body', 'lower_body', 'dresses')
            AND CASE WHEN jsonb_typeof(leffa_metadata -> 'category_confidence') = 'number'
                THEN (leffa_metadata ->> 'category_confidence')::numeric BETWEEN 0 AND 1
                ELSE leffa_metadata -> 'category_confidence' IS NULL END
        ) IS TRUE);

ALTER TABLE public.wardrobe_usage_events
    ADD CONSTRAINT wardrobe_usage_events_garment_id_fkey
        FOREIGN KEY (garment_id) REFERENCES public.wardrobe_garments (id) ON DELETE CASCADE,
    ADD CONSTRAINT wardrobe_usage_events_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT wardrobe_usage_events_event_type_check CHECK ((event_type IN (
            'bound', 'unbound', 'tryon', 'studio', 'viewed', 'catalog', 'vr'
        )) IS TRUE);
