-- Domain commerce: what a brand sells (shop caches, imports) and the wardrobe it is tried on from.
-- Keys and indexes stand in the order in which the reference prints them, the order of their making;
-- where an index or another key comes before the primary key, that one is added after the table.
-- Foreign keys and checks are in constraints.sql, triggers in triggers.sql.

CREATE TABLE public.amazon_connected_accounts (
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id     uuid NOT NULL,
    seller_id        text,
    marketplace_id   text,
    region           text DEFAULT 'us-east-1',
    access_token     text,
    refresh_token    text,
    token_expires_at timestamptz,
    seller_name      text,
    selling_status   text,
    status           text DEFAULT 'active',
    connected_at     timestamptz DEFAULT now(),
    last_sync_at     timestamptz,
    sync_error       text,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    CONSTRAINT amazon_connected_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT amazon_connected_accounts_workspace_id_key UNIQUE (workspace_id)
);
COMMENT ON TABLE public.amazon_connected_accounts IS
    'Amazon SP-API connected seller accounts for product import';
COMMENT ON COLUMN public.amazon_connected_accounts.seller_id IS
    'Amazon Merchant ID (MID)';
COMMENT ON COLUMN public.amazon_connected_accounts.marketplace_id IS
    'Amazon Marketplace ID (e.g., ATVPDKIKX0DER for US)';
COMMENT ON COLUMN public.amazon_connected_accounts.access_token IS
    'LWA OAuth access token (short-lived)';
COMMENT ON COLUMN public.amazon_connected_accounts.refresh_token IS
    'LWA OAuth refresh token (long-lived)';
CREATE INDEX idx_amazon_accounts_status ON public.amazon_connected_accounts (status);
CREATE INDEX idx_amazon_connected_accounts_workspace
    ON public.amazon_connected_accounts (workspace_id);
ALTER TABLE public.amazon_connected_accounts ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.brand_settings (
    id                        uuid NOT NULL DEFAULT gen_random_uuid(),
    connected_account_id      uuid NOT NULL,
    workspace_id              uuid NOT NULL,
    brand_name                text,
    brand_tagline             text,
    brand_story               text,
    brand_voice               text DEFAULT 'casual',
    tone_keywords             text[] DEFAULT ARRAY[]::text[],
    avoid_keywords            text[] DEFAULT ARRAY[]::text[],
    target_gender             text DEFAULT 'all',
    target_age_min            integer DEFAULT 18,
    target_age_max            integer DEFAULT 65,
    target_lifestyle          text[],
    target_income_level       text DEFAULT 'moderate',
    pricing_strategy          text DEFAULT 'value',
    price_ranges              jsonb DEFAULT '{}',
    currency                  text DEFAULT 'USD',
    default_markup_percent    numeric(5,2) DEFAULT 50.00,
    description_template      text,
    description_length        text DEFAULT 'medium',
    include_materials         boolean DEFAULT true,
    include_care_instructions boolean DEFAULT true,
    include_sizing_info       boolean DEFAULT true,
    include_sustainability    boolean DEFAULT false,
    include_origin_story      boolean DEFAULT false,
    preferred_model_style     text DEFAULT 'diverse',
    preferred_background      text DEFAULT 'white',
    model_diversity_enabled   boolean DEFAULT true,
    sample_titles             text[] DEFAULT ARRAY[]::text[],
    sample_descriptions       text[] DEFAULT ARRAY[]::text[],
    common_tags               text[] DEFAULT ARRAY[]::text[],
    products_analyzed         integer DEFAULT 0,
    last_analysis_at          timestamptz,
    analysis_insights         jsonb DEFAULT '{}',
    created_at                timestamptz DEFAULT now(),
    updated_at                timestamptz DEFAULT now(),
    CONSTRAINT brand_settings_pkey PRIMARY KEY (id),
    CONSTRAINT unique_brand_per_account UNIQUE (connected_account_id)
);
CREATE INDEX idx_brand_settings_account ON public.brand_settings (connected_account_id);
CREATE INDEX idx_brand_settings_workspace ON public.brand_settings (workspace_id);
ALTER TABLE public.brand_settings ENABLE ROW LEVEL SECURITY;

-- has_variants is computed by the database, so it cannot disagree with variants.
CREATE TABLE public.imported_products (
    id                     uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id           uuid NOT NULL,
    source                 text NOT NULL DEFAULT 'csv',
    external_id            text,
    sku                    text,
    title                  text NOT NULL,
    description            text,
    images                 jsonb NOT NULL DEFAULT '[]',
    primary_image_url      text,
    price_cents            integer,
    compare_at_price_cents integer,
    currency               text DEFAULT 'USD',
    product_type           text,
    vendor                 text,
    tags                   text[],
    variants               jsonb DEFAULT '[]',
    has_variants           boolean GENERATED ALWAYS AS (jsonb_array_length(variants) > 0) STORED,
    ai_generated_at        timestamptz,
    ai_body_html           text,
    ai_meta_title          text,
    ai_meta_description    text,
    ai_tags                text[],
    ai_quality_score       integer,
    garment_type           text,
    garment_category       text,
    garment_color          text,
    garment_material       text,
    garment_fit            text,
    embedding              vector(1536),
    content_hash           text,
    import_batch_id        uuid,
    import_row_number      integer,
    import_errors          jsonb,
    status                 text DEFAULT 'pending',
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now(),
    CONSTRAINT imported_products_pkey PRIMARY KEY (id),
    CONSTRAINT imported_products_workspace_id_source_external_id_key UNIQUE (workspace_id, source, external_id)
);
COMMENT ON TABLE public.imported_products IS
    'Source-agnostic product storage for bulk imports from CSV, Amazon, eBay, etc.
Supports the same AI generation workflow as shopify_products.';
COMMENT ON COLUMN public.imported_products.source IS
    'Origin of the product: csv (manual import), amazon, ebay, woocommerce, etc.';
COMMENT ON COLUMN public.imported_products.external_id IS
    'Original ID from source system (ASIN for Amazon, item ID for eBay, etc.)';
CREATE INDEX idx_imported_products_workspace
    ON public.imported_products (workspace_id, created_at DESC);
CREATE INDEX idx_imported_products_status ON public.imported_products (workspace_id, status);
CREATE INDEX idx_imported_products_batch ON public.imported_products (import_batch_id);
CREATE INDEX idx_imported_products_source ON public.imported_products (workspace_id, source);
CREATE INDEX idx_imported_products_pending_ai
    ON public.imported_products (workspace_id, status)
    WHERE ((status = 'pending'::text) AND (ai_generated_at IS NULL));
CREATE INDEX idx_imported_products_embedding
    ON public.imported_products USING ivfflat (embedding vector_cosine_ops) WITH (lists='100');
ALTER TABLE public.imported_products ENABLE ROW LEVEL SECURITY;

-- A shop installed before its owner has an account; unclaimed after seven days, its token is
-- thrown away.
CREATE TABLE public.pending_shopify_installations (
    id                  uuid NOT NULL DEFAULT uuid_generate_v4(),
    shop                text NOT NULL,
    access_token        text NOT NULL,
    scopes              text[] NOT NULL DEFAULT '{}',
    hmac                text,
    status              text NOT NULL DEFAULT 'pending_account_creation',
    oauth_data          jsonb DEFAULT '{}',
    installed_at        timestamptz NOT NULL DEFAULT now(),
    expires_at          timestamptz NOT NULL DEFAULT now() + '7 days'::interval,
    completed_at        timestamptz,
    linked_workspace_id uuid,
    metadata            jsonb DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pending_shopify_installations_pkey PRIMARY KEY (id),
    CONSTRAINT pending_shopify_installations_shop_key UNIQUE (shop)
);
COMMENT ON TABLE public.pending_shopify_installations IS
    'Tracks Shopify app installations awaiting account creation and setup';
COMMENT ON COLUMN public.pending_shopify_installations.shop IS
    'Shopify shop domain (e.g., store.myshopify.com)';
COMMENT ON COLUMN public.pending_shopify_installations.access_token IS
    'Encrypted Shopify access token from OAuth flow';
COMMENT ON COLUMN public.pending_shopify_installations.status IS
    'Installation status: pending_account_creation (waiting), active (linked), expired (timeout)';
COMMENT ON COLUMN public.pending_shopify_installations.expires_at IS
    'When this pending installation expires (7 days from installation)';
CREATE INDEX idx_pending_shopify_expires
    ON public.pending_shopify_installations (expires_at)
    WHERE (status = 'pending_account_creation'::text);
CREATE INDEX idx_pending_shopify_shop ON public.pending_shopify_installations (shop);
CREATE INDEX idx_pending_shopify_status
    ON public.pending_shopify_installations (status)
    WHERE (status = 'pending_account_creation'::text);
CREATE INDEX idx_pending_shopify_workspace
    ON public.pending_shopify_installations (linked_workspace_id)
    WHERE (linked_workspace_id IS NOT NULL);
ALTER TABLE public.pending_shopify_installations ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.product_import_batches (
    id                uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id      uuid NOT NULL,
    source            text NOT NULL,
    source_file_name  text,
    source_file_url   text,
    status            text DEFAULT 'pending',
    total_rows        integer DEFAULT 0,
    valid_rows        integer DEFAULT 0,
    invalid_rows      integer DEFAULT 0,
    imported_count    integer DEFAULT 0,
    validation_errors jsonb DEFAULT '[]',
    error_message     text,
    catalog_job_id    uuid,
    started_at        timestamptz,
    completed_at      timestamptz,
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now(),
    created_by        uuid,
    CONSTRAINT product_import_batches_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.product_import_batches IS
    'Tracks bulk import jobs with validation, progress, and error tracking.';
CREATE INDEX idx_import_batches_workspace
    ON public.product_import_batches (workspace_id, created_at DESC);
CREATE INDEX idx_product_import_batches_created_by ON public.product_import_batches (created_by);
CREATE INDEX idx_product_import_batches_catalog_job_id
    ON public.product_import_batches (catalog_job_id);
ALTER TABLE public.product_import_batches ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.shopify_collections (
    id                     uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id           uuid NOT NULL,
    connected_account_id   uuid NOT NULL,
    shopify_collection_id  text NOT NULL,
    collection_type        text,
    title                  text NOT NULL,
    body_html              text,
    handle                 text,
    sort_order             text,
    image_url              text,
    image_alt              text,
    wardrobe_collection_id uuid,
    auto_sync_enabled      boolean DEFAULT false,
    published              boolean DEFAULT true,
    published_at           timestamptz,
    product_count          integer DEFAULT 0,
    last_synced_at         timestamptz DEFAULT now(),
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now(),
    shopify_updated_at     timestamptz
);
COMMENT ON TABLE public.shopify_collections IS
    'Shopify product collections - can sync to wardrobe collections';
ALTER TABLE public.shopify_collections ADD CONSTRAINT shopify_collections_connected_account_id_shopify_collection_key
    UNIQUE (connected_account_id, shopify_collection_id);
ALTER TABLE public.shopify_collections ADD CONSTRAINT shopify_collections_pkey PRIMARY KEY (id);
CREATE INDEX idx_shopify_collections_account ON public.shopify_collections (connected_account_id);
CREATE INDEX idx_shopify_collections_published
    ON public.shopify_collections (workspace_id, published);
CREATE INDEX idx_shopify_collections_wardrobe
    ON public.shopify_collections (wardrobe_collection_id);
CREATE INDEX idx_shopify_collections_workspace ON public.shopify_collections (workspace_id);
ALTER TABLE public.shopify_collections ENABLE ROW LEVEL SECURITY;

-- Append-only: one row per change, none when nothing changed.
CREATE TABLE public.shopify_inventory_history (
    id                uuid NOT NULL DEFAULT gen_random_uuid(),
    variant_id        uuid NOT NULL,
    previous_quantity integer NOT NULL,
    new_quantity      integer NOT NULL,
    change_amount     integer NOT NULL,
    change_reason     text,
    change_source     text,
    metadata          jsonb DEFAULT '{}',
    changed_at        timestamptz DEFAULT now(),
    CONSTRAINT shopify_inventory_history_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.shopify_inventory_history IS
    'Audit trail of inventory changes for analytics';
CREATE INDEX idx_inventory_history_variant
    ON public.shopify_inventory_history (variant_id, changed_at DESC);
ALTER TABLE public.shopify_inventory_history ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.shopify_product_variants (
    id                        uuid NOT NULL DEFAULT gen_random_uuid(),
    product_id                uuid NOT NULL,
    shopify_variant_id        text NOT NULL,
    shopify_inventory_item_id text,
    title                     text NOT NULL,
    sku                       text,
    barcode                   text,
    option1                   text,
    option2                   text,
    option3                   text,
    price_cents               integer NOT NULL,
    compare_at_price_cents    integer,
    cost_cents                integer,
    inventory_quantity        integer DEFAULT 0,
    inventory_policy          text DEFAULT 'deny',
    inventory_management      text,
    fulfillment_service       text DEFAULT 'manual',
    available                 boolean DEFAULT true,
    requires_shipping         boolean DEFAULT true,
    taxable                   boolean DEFAULT true,
    weight_grams              integer,
    weight_unit               text DEFAULT 'g',
    image_id                  text,
    image_url                 text,
    position                  integer DEFAULT 1,
    created_at                timestamptz DEFAULT now(),
    updated_at                timestamptz DEFAULT now(),
    shopify_created_at        timestamptz,
    shopify_updated_at        timestamptz,
    -- Same meaning as shopify_inventory_item_id; a trigger keeps the two equal.
    inventory_item_id         text,
    CONSTRAINT shopify_product_variants_pkey PRIMARY KEY (id),
    CONSTRAINT shopify_product_variants_shopify_variant_id_key UNIQUE (shopify_variant_id)
);
COMMENT ON TABLE public.shopify_product_variants IS
    'Individual product variants with size, color, and real-time inventory';
COMMENT ON COLUMN public.shopify_product_variants.inventory_quantity IS
    'Real-time stock level - synced via webhooks';
COMMENT ON COLUMN public.shopify_product_variants.inventory_policy IS
    'deny = out of stock prevents purchase, continue = allow backorder';
COMMENT ON COLUMN public.shopify_product_variants.inventory_item_id IS
    'Shopify inventory_item_id - different from variant_id, required for inventory webhook matching';
CREATE INDEX idx_shopify_variants_inventory_item_id
    ON public.shopify_product_variants (inventory_item_id) WHERE (inventory_item_id IS NOT NULL);
CREATE INDEX idx_variants_in_stock
    ON public.shopify_product_variants (product_id)
    WHERE ((inventory_quantity > 0) AND (available = true));
CREATE INDEX idx_variants_inventory
    ON public.shopify_product_variants (product_id, inventory_quantity, available);
CREATE INDEX idx_variants_options
    ON public.shopify_product_variants (product_id, option1, option2, option3);
CREATE INDEX idx_variants_product ON public.shopify_product_variants (product_id);
CREATE INDEX idx_variants_shopify_id ON public.shopify_product_variants (shopify_variant_id);
CREATE INDEX idx_variants_sku ON public.shopify_product_variants (sku) WHERE (sku IS NOT NULL);
ALTER TABLE public.shopify_product_variants ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.shopify_products (
    id                           uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id                 uuid NOT NULL,
    connected_account_id         uuid NOT NULL,
    shopify_product_id           text NOT NULL,
    shopify_admin_graphql_api_id text,
    title                        text NOT NULL,
    body_html                    text,
    vendor                       text,
    product_type                 text,
    tags                         text[] DEFAULT '{}',
    price_min_cents              integer,
    price_max_cents              integer,
    compare_at_price_min_cents   integer,
    currency                     text DEFAULT 'USD',
    images                       jsonb DEFAULT '[]',
    featured_image_url           text,
    status                       text DEFAULT 'active',
    published_at                 timestamptz,
    available_for_sale           boolean DEFAULT true,
    total_inventory              integer DEFAULT 0,
    variants_count               integer DEFAULT 0,
    has_variants_in_stock        boolean DEFAULT false,
    lowest_stock_level           integer,
    options                      jsonb DEFAULT '[]',
    handle                       text,
    shopify_store_url            text,
    collection_ids               text[] DEFAULT '{}',
    seo_title                    text,
    seo_description              text,
    metafields                   jsonb DEFAULT '{}',
    last_synced_at               timestamptz DEFAULT now(),
    sync_status                  text DEFAULT 'synced',
    sync_error                   text,
    sync_hash                    text,
    created_at                   timestamptz DEFAULT now(),
    updated_at                   timestamptz DEFAULT now(),
    shopify_created_at           timestamptz,
    shopify_updated_at           timestamptz,
    embedding                    vector(1536),
    embedding_model              text DEFAULT 'text-embedding-3-small',
    embedding_updated_at         timestamptz,
    ai_generated_at              timestamptz,
    content_hash_at_generation   text
);
COMMENT ON TABLE public.shopify_products IS
    'Cached Shopify product data for fast Instagram bot access';
COMMENT ON COLUMN public.shopify_products.total_inventory IS
    'Denormalized sum of all variant inventory for quick checks';
COMMENT ON COLUMN public.shopify_products.has_variants_in_stock IS
    'True if ANY variant has inventory > 0';
COMMENT ON COLUMN public.shopify_products.lowest_stock_level IS
    'Lowest inventory count across variants (for urgency messaging)';
COMMENT ON COLUMN public.shopify_products.ai_generated_at IS
    'Timestamp when AI description was last generated for this product';
COMMENT ON COLUMN public.shopify_products.content_hash_at_generation IS
    'Content hash at time of last AI generation for delta detection';
ALTER TABLE public.shopify_products ADD CONSTRAINT shopify_products_connected_account_id_shopify_product_id_key
    UNIQUE (connected_account_id, shopify_product_id);
ALTER TABLE public.shopify_products ADD CONSTRAINT shopify_products_pkey PRIMARY KEY (id);
CREATE INDEX idx_shopify_products_sync ON public.shopify_products (sync_status, last_synced_at);
CREATE INDEX idx_shopify_products_account ON public.shopify_products (connected_account_id);
CREATE INDEX idx_shopify_products_available
    ON public.shopify_products (workspace_id, available_for_sale, has_variants_in_stock)
    WHERE ((status = 'active'::text) AND (has_variants_in_stock = true));
CREATE INDEX idx_shopify_products_inventory
    ON public.shopify_products (workspace_id, has_variants_in_stock, total_inventory);
CREATE INDEX idx_shopify_products_low_stock
    ON public.shopify_products (workspace_id, lowest_stock_level)
    WHERE ((lowest_stock_level < 10) AND (has_variants_in_stock = true));
CREATE INDEX idx_shopify_products_search
    ON public.shopify_products USING gin (to_tsvector('english'::regconfig, ((((title || ' '::text) || COALESCE(body_html, ''::text)) || ' '::text) || COALESCE(vendor, ''::text))));
CREATE INDEX idx_shopify_products_status
    ON public.shopify_products (workspace_id, status, available_for_sale);
CREATE INDEX idx_shopify_products_sync_status
    ON public.shopify_products (sync_status) WHERE (sync_status <> 'deleted'::text);
CREATE INDEX idx_shopify_products_tags ON public.shopify_products USING gin (tags);
CREATE INDEX idx_shopify_products_title_search
    ON public.shopify_products USING gin (to_tsvector('english'::regconfig, title));
CREATE INDEX idx_shopify_products_workspace ON public.shopify_products (workspace_id);
CREATE INDEX shopify_products_embedding_idx
    ON public.shopify_products USING hnsw (embedding vector_cosine_ops);
ALTER TABLE public.shopify_products ENABLE ROW LEVEL SECURITY;

-- Six garments hang on a rack, positions 0 to 5.
CREATE TABLE public.vr_garments (
    id            uuid NOT NULL DEFAULT uuid_generate_v4(),
    shop_id       uuid NOT NULL,
    name          text NOT NULL,
    description   text,
    garment_type  text NOT NULL,
    model_glb_url text NOT NULL,
    thumbnail_url text NOT NULL,
    price_usd     numeric(10,2),
    polygon_count integer,
    texture_size  integer,
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now(),
    display_order integer DEFAULT 0,
    is_active     boolean DEFAULT true,
    CONSTRAINT vr_garments_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.vr_garments IS
    '3D garment models displayed in VR shops';
COMMENT ON COLUMN public.vr_garments.model_glb_url IS
    '3D GLB model (<5K polygons, Draco compressed)';
COMMENT ON COLUMN public.vr_garments.thumbnail_url IS
    '2D reference image sent to Nano Banana 2 for try-on';
COMMENT ON COLUMN public.vr_garments.display_order IS
    'Position on circular rack (0-5 for 6 garments)';
CREATE INDEX idx_vr_garments_active ON public.vr_garments (is_active);
CREATE INDEX idx_vr_garments_display_order ON public.vr_garments (shop_id, display_order);
CREATE INDEX idx_vr_garments_shop_id ON public.vr_garments (shop_id);
ALTER TABLE public.vr_garments ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.vr_shops (
    id                  uuid NOT NULL DEFAULT uuid_generate_v4(),
    name                text NOT NULL,
    description         text,
    brand               text,
    logo_url            text,
    environment_glb_url text,
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now(),
    is_active           boolean DEFAULT true,
    workspace_id        uuid
);
COMMENT ON TABLE public.vr_shops IS
    'Virtual reality shops in the VR shopping mall';
COMMENT ON COLUMN public.vr_shops.logo_url IS
    'Shop logo displayed in shop selection grid';
COMMENT ON COLUMN public.vr_shops.environment_glb_url IS
    'Custom 3D shop interior (optional, uses default if null)';
COMMENT ON COLUMN public.vr_shops.workspace_id IS
    'Fashion brand workspace that owns this VR shop. Try-ons are charged to this workspace.';
ALTER TABLE public.vr_shops ADD CONSTRAINT vr_shops_name_unique UNIQUE (name);
ALTER TABLE public.vr_shops ADD CONSTRAINT vr_shops_pkey PRIMARY KEY (id);
CREATE INDEX idx_vr_shops_workspace_id ON public.vr_shops (workspace_id);
ALTER TABLE public.vr_shops ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.wardrobe_collections (
    id                    uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id          uuid NOT NULL,
    name                  text NOT NULL,
    description           text,
    thumbnail_url         text,
    display_order         integer DEFAULT 0,
    is_default            boolean DEFAULT false,
    metadata              jsonb DEFAULT '{}',
    created_by            uuid,
    created_at            timestamptz DEFAULT now(),
    updated_at            timestamptz DEFAULT now(),
    shopify_collection_id uuid,
    auto_sync_enabled     boolean DEFAULT false,
    last_shopify_sync_at  timestamptz
);
COMMENT ON COLUMN public.wardrobe_collections.shopify_collection_id IS
    'Linked Shopify collection for auto-sync';
COMMENT ON COLUMN public.wardrobe_collections.auto_sync_enabled IS
    'Automatically sync new products from Shopify collection';
ALTER TABLE public.wardrobe_collections ADD CONSTRAINT unique_collection_name_per_workspace
    UNIQUE (workspace_id, name);
ALTER TABLE public.wardrobe_collections ADD CONSTRAINT wardrobe_collections_pkey PRIMARY KEY (id);
CREATE INDEX idx_collections_shopify
    ON public.wardrobe_collections (workspace_id, shopify_collection_id);
CREATE INDEX idx_wardrobe_collections_created_at ON public.wardrobe_collections (created_at DESC);
CREATE INDEX idx_wardrobe_collections_display_order ON public.wardrobe_collections (display_order);
CREATE INDEX idx_wardrobe_collections_workspace ON public.wardrobe_collections (workspace_id);
CREATE UNIQUE INDEX unique_default_collection_per_workspace
    ON public.wardrobe_collections (workspace_id) WHERE (is_default = true);
CREATE INDEX idx_wardrobe_collections_created_by ON public.wardrobe_collections (created_by);
ALTER TABLE public.wardrobe_collections ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.wardrobe_garments (
    id                  uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id        uuid NOT NULL,
    collection_id       uuid,
    storage_path        text NOT NULL,
    filename            text NOT NULL,
    name                text,
    description         text,
    sku                 text,
    tags                text[] DEFAULT '{}',
    metadata            jsonb DEFAULT '{}',
    usage_count         integer DEFAULT 0,
    last_used_at        timestamptz,
    has_transparency    boolean DEFAULT false,
    mime_type           text,
    file_size           bigint,
    created_by          uuid,
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now(),
    shopify_product_id  uuid,
    shopify_variant_id  uuid,
    shopify_image_index integer DEFAULT 0,
    linked_source       text DEFAULT 'manual',
    leffa_metadata      jsonb
);
COMMENT ON COLUMN public.wardrobe_garments.shopify_product_id IS
    'Link to Shopify product if garment sourced from store';
COMMENT ON COLUMN public.wardrobe_garments.shopify_variant_id IS
    'Specific variant (size/color) if selected';
COMMENT ON COLUMN public.wardrobe_garments.shopify_image_index IS
    'Which product image was chosen (0-based index)';
COMMENT ON COLUMN public.wardrobe_garments.linked_source IS
    'How garment was created: manual, shopify_sync, instagram_post';
COMMENT ON COLUMN public.wardrobe_garments.leffa_metadata IS
    'Structured metadata for Leffa model compatibility.
Structure:
{
  "leffa_category": "upper_body" | "lower_body" | "dresses",
  "category_confidence": 0.0-1.0,
  "sleeve_type": "sleeveless" | "cap" | "short" | "3/4" | "long" | null,
  "neckline": "crew" | "v-neck" | "scoop" | "high" | "off-shoulder" | null,
  "length": "crop" | "regular" | "tunic" | "midi" | "maxi" | null,
  "fit": "fitted" | "regular" | "relaxed" | "oversized" | null,
  "has_print": boolean,
  "has_pattern": boolean,
  "pattern_type": "solid" | "stripes" | "plaid" | "floral" | "graphic" | null,
  "warnings": ["text warnings about garment"],
  "recommended_body_visible": "upper" | "lower" | "full",
  "recommended_pose": "front_standing" | "side" | "back",
  "analyzed_at": "ISO timestamp",
  "analyzer_version": "qwen-vl-2.5-7b"
}';
ALTER TABLE public.wardrobe_garments ADD CONSTRAINT unique_storage_path_per_workspace
    UNIQUE (workspace_id, storage_path);
ALTER TABLE public.wardrobe_garments ADD CONSTRAINT wardrobe_garments_pkey PRIMARY KEY (id);
CREATE INDEX idx_garments_shopify_product ON public.wardrobe_garments (shopify_product_id);
CREATE INDEX idx_garments_shopify_variant ON public.wardrobe_garments (shopify_variant_id);
CREATE INDEX idx_wardrobe_garments_collection ON public.wardrobe_garments (collection_id);
CREATE INDEX idx_wardrobe_garments_created_at ON public.wardrobe_garments (created_at DESC);
CREATE INDEX idx_wardrobe_garments_leffa_category
    ON public.wardrobe_garments (((leffa_metadata ->> 'leffa_category'::text)))
    WHERE (leffa_metadata IS NOT NULL);
CREATE INDEX idx_wardrobe_garments_shopify_account
    ON public.wardrobe_garments (((metadata ->> 'account_id'::text)))
    WHERE ((metadata -> 'shopify'::text) IS NOT NULL);
CREATE INDEX idx_wardrobe_garments_shopify_product_id
    ON public.wardrobe_garments ((((metadata -> 'shopify'::text) ->> 'product_id'::text)))
    WHERE ((metadata -> 'shopify'::text) IS NOT NULL);
CREATE INDEX idx_wardrobe_garments_sku ON public.wardrobe_garments (sku);
CREATE INDEX idx_wardrobe_garments_storage_path ON public.wardrobe_garments (storage_path);
CREATE INDEX idx_wardrobe_garments_tags ON public.wardrobe_garments USING gin (tags);
CREATE INDEX idx_wardrobe_garments_usage ON public.wardrobe_garments (usage_count DESC);
CREATE INDEX idx_wardrobe_garments_workspace ON public.wardrobe_garments (workspace_id);
CREATE INDEX idx_wardrobe_garments_created_by ON public.wardrobe_garments (created_by);
ALTER TABLE public.wardrobe_garments ENABLE ROW LEVEL SECURITY;

-- Append-only; usage_count of a garment is the number of its rows here.
CREATE TABLE public.wardrobe_usage_events (
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    garment_id     uuid NOT NULL,
    workspace_id   uuid NOT NULL,
    event_type     text NOT NULL,
    event_metadata jsonb DEFAULT '{}',
    created_at     timestamptz DEFAULT now(),
    CONSTRAINT wardrobe_usage_events_pkey PRIMARY KEY (id)
);
CREATE INDEX idx_wardrobe_usage_events_created_at ON public.wardrobe_usage_events (created_at DESC);
CREATE INDEX idx_wardrobe_usage_events_garment ON public.wardrobe_usage_events (garment_id);
CREATE INDEX idx_wardrobe_usage_events_type ON public.wardrobe_usage_events (event_type);
CREATE INDEX idx_wardrobe_usage_events_workspace ON public.wardrobe_usage_events (workspace_id);
ALTER TABLE public.wardrobe_usage_events ENABLE ROW LEVEL SECURITY;
