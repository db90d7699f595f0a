-- Domain ai: personas and their training, the studio, catalogue generation, knowledge, preferences.
-- Embeddings are vector(1536); the model that made one stands beside it, and vectors of different
-- models are never compared.
-- Keys and indexes stand in the order in which the reference prints them, the order of their making;
-- where an index or another key comes before the primary key, that one is added after the table.
-- Foreign keys and checks are in constraints.sql, triggers in triggers.sql.

CREATE TABLE public.ai_personas (
    id                         uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id               uuid NOT NULL,
    name                       text NOT NULL,
    status                     text DEFAULT 'draft',
    gender                     text,
    age_range                  text,
    ethnicity                  text,
    body_type                  text,
    height_cm                  integer,
    face_prompt                text NOT NULL,
    face_seed                  integer,
    face_images                text[] DEFAULT '{}',
    selected_face_index        integer DEFAULT 0,
    style                      text DEFAULT 'editorial',
    default_pose               text DEFAULT 'front',
    lighting_preset            text DEFAULT 'studio',
    lora_model_id              text,
    lora_status                text DEFAULT 'not_trained',
    lora_training_started_at   timestamptz,
    lora_training_completed_at timestamptz,
    generation_settings        jsonb DEFAULT '{}',
    usage_count                integer DEFAULT 0,
    last_used_at               timestamptz,
    is_favorite                boolean DEFAULT false,
    created_at                 timestamptz DEFAULT now(),
    updated_at                 timestamptz DEFAULT now(),
    face_reference_url         text,
    skin_tone                  text,
    style_aesthetic            text,
    -- The reference shows only the start of this default.
    voice_profile              jsonb DEFAULT '{"tone": "friendly", "vocabulary": "everyday", "sentence_length": "short"}',
    role                       text DEFAULT 'brand_ambassador',
    autonomy_level             integer DEFAULT 2,
    -- The reference shows only the first entry.
    requires_approval_for      text[] DEFAULT ARRAY['discount_offer', 'refund', 'price_change'],
    max_autonomous_value_cents integer DEFAULT 5000,
    pinned_facts               text[],
    memory_categories          text[],
    disclosure_text            text DEFAULT 'I''m an AI assistant',
    minor_interaction_mode     boolean DEFAULT false,
    total_interactions         integer DEFAULT 0,
    avg_satisfaction_score     numeric(3,2),
    is_default                 boolean DEFAULT false,
    lora_training_error        text,
    lora_version               integer DEFAULT 1,
    lora_cost_micro            integer DEFAULT 0,
    lora_trigger_word          text DEFAULT 'person',
    lora_rank                  integer DEFAULT 32,
    lora_alpha                 integer DEFAULT 16,
    lora_resolution            integer DEFAULT 512,
    lora_base_model            text DEFAULT 'FLUX.1-dev',
    lora_training_job_id       text,
    lora_size_bytes            bigint,
    lora_processed_images      integer,
    CONSTRAINT ai_personas_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.ai_personas IS
    'AI-generated consistent fashion models for brands to use in try-ons and product shoots';
COMMENT ON COLUMN public.ai_personas.face_prompt IS
    'Text description used to generate the persona face';
COMMENT ON COLUMN public.ai_personas.face_images IS
    'Array of generated face image URLs';
COMMENT ON COLUMN public.ai_personas.selected_face_index IS
    'Index of the selected face from face_images array';
COMMENT ON COLUMN public.ai_personas.lora_model_id IS
    'ID of the trained LoRA model for consistent generation';
COMMENT ON COLUMN public.ai_personas.lora_status IS
    'Status of LoRA training: not_trained, training, ready, failed';
COMMENT ON COLUMN public.ai_personas.lora_training_error IS
    'Error message if LoRA training failed';
COMMENT ON COLUMN public.ai_personas.lora_version IS
    'Version number, incremented on each successful training';
COMMENT ON COLUMN public.ai_personas.lora_cost_micro IS
    'Total cost spent on LoRA training for this persona';
COMMENT ON COLUMN public.ai_personas.lora_trigger_word IS
    'Trigger word to activate the LoRA in prompts';
CREATE INDEX idx_ai_personas_favorites
    ON public.ai_personas (workspace_id, is_favorite) WHERE (is_favorite = true);
CREATE INDEX idx_ai_personas_status ON public.ai_personas (workspace_id, status);
CREATE INDEX idx_ai_personas_usage ON public.ai_personas (workspace_id, usage_count DESC);
CREATE INDEX idx_ai_personas_workspace ON public.ai_personas (workspace_id);
CREATE UNIQUE INDEX idx_personas_default_per_role
    ON public.ai_personas (workspace_id, role) WHERE (is_default = true);
CREATE INDEX idx_personas_lora_ready
    ON public.ai_personas (workspace_id, lora_status) WHERE (lora_status = 'ready'::text);
ALTER TABLE public.ai_personas ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.autonomous_tasks (
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id    uuid NOT NULL,
    task_type       text NOT NULL,
    status          text NOT NULL DEFAULT 'pending',
    config          jsonb NOT NULL DEFAULT '{}',
    result          jsonb,
    items_processed integer DEFAULT 0,
    items_succeeded integer DEFAULT 0,
    items_failed    integer DEFAULT 0,
    scheduled_at    timestamptz,
    started_at      timestamptz,
    completed_at    timestamptz,
    error_message   text,
    error_details   jsonb,
    created_at      timestamptz DEFAULT now(),
    CONSTRAINT autonomous_tasks_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.autonomous_tasks IS
    'Tracks autonomous AI task executions';
CREATE INDEX idx_autonomous_tasks_workspace ON public.autonomous_tasks (workspace_id);
CREATE INDEX idx_autonomous_tasks_status
    ON public.autonomous_tasks (workspace_id, status)
    WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));
ALTER TABLE public.autonomous_tasks ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.brand_intelligence (
    id                       uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id             uuid NOT NULL,
    voice_embedding          vector(1536),
    voice_attributes         jsonb DEFAULT '{}',
    avg_quality_score        numeric(5,2),
    total_products_generated integer DEFAULT 0,
    conversion_rate          numeric(5,4),
    trending_styles          jsonb DEFAULT '[]',
    seasonal_preferences     jsonb DEFAULT '{}',
    shared_learnings         jsonb DEFAULT '{}',
    updated_at               timestamptz DEFAULT now(),
    created_at               timestamptz DEFAULT now(),
    CONSTRAINT brand_intelligence_pkey PRIMARY KEY (id),
    CONSTRAINT uq_brand_intelligence_workspace UNIQUE (workspace_id)
);
COMMENT ON TABLE public.brand_intelligence IS
    'Stores extracted brand voice and intelligence per workspace';
CREATE INDEX idx_brand_intelligence_workspace ON public.brand_intelligence (workspace_id);
ALTER TABLE public.brand_intelligence ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.brand_knowledge_chunks (
    id                   uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id         uuid NOT NULL,
    source_type          text NOT NULL,
    source_url           text,
    source_title         text,
    source_doc_id        uuid,
    content              text NOT NULL,
    content_hash         text,
    embedding            vector(1536),
    -- Its vectors have 384 dimensions and do not fit: writers name their model themselves.
    embedding_model      text DEFAULT 'bge-small-en-v1.5',
    embedding_updated_at timestamptz,
    chunk_index          integer DEFAULT 0,
    total_chunks         integer DEFAULT 1,
    char_count           integer,
    token_estimate       integer,
    quality_score        numeric(3,2),
    relevance_tags       text[],
    is_active            boolean DEFAULT true,
    last_verified_at     timestamptz,
    expires_at           timestamptz,
    created_at           timestamptz DEFAULT now(),
    updated_at           timestamptz DEFAULT now(),
    CONSTRAINT brand_knowledge_chunks_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.brand_knowledge_chunks IS
    'Stores chunked, embedded knowledge from various sources for RAG retrieval';
CREATE INDEX idx_brand_knowledge_workspace
    ON public.brand_knowledge_chunks (workspace_id) WHERE (is_active = true);
CREATE INDEX idx_brand_knowledge_embedding
    ON public.brand_knowledge_chunks USING ivfflat (embedding vector_cosine_ops) WITH (lists='100')
    WHERE ((is_active = true) AND (embedding IS NOT NULL));
CREATE INDEX idx_brand_knowledge_source_type
    ON public.brand_knowledge_chunks (workspace_id, source_type) WHERE (is_active = true);
CREATE INDEX idx_brand_knowledge_content_hash
    ON public.brand_knowledge_chunks (workspace_id, content_hash) WHERE (content_hash IS NOT NULL);
CREATE INDEX idx_brand_knowledge_source_doc
    ON public.brand_knowledge_chunks (source_doc_id) WHERE (source_doc_id IS NOT NULL);
ALTER TABLE public.brand_knowledge_chunks ENABLE ROW LEVEL SECURITY;

-- processed = succeeded + failed <= total. checkpoint_data is enough to go on after any
-- interruption.
CREATE TABLE public.catalog_generation_jobs (
    id                          uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id                uuid NOT NULL,
    connected_account_id        uuid NOT NULL,
    temporal_workflow_id        text,
    temporal_run_id             text,
    config                      jsonb NOT NULL DEFAULT '{}',
    status                      text NOT NULL DEFAULT 'pending',
    total_products              integer DEFAULT 0,
    products_new                integer DEFAULT 0,
    products_updated            integer DEFAULT 0,
    products_skipped            integer DEFAULT 0,
    total_chunks                integer DEFAULT 0,
    chunks_completed            integer DEFAULT 0,
    chunks_failed               integer DEFAULT 0,
    chunk_size                  integer DEFAULT 500,
    parallel_chunks             integer DEFAULT 5,
    items_processed             integer DEFAULT 0,
    items_succeeded             integer DEFAULT 0,
    items_failed                integer DEFAULT 0,
    last_checkpoint_at          timestamptz,
    checkpoint_data             jsonb DEFAULT '{}',
    priority_mode               text DEFAULT 'new_first',
    delta_only                  boolean DEFAULT false,
    delta_detected_at           timestamptz,
    estimated_cost_micro        bigint DEFAULT 0,
    actual_cost_micro           bigint DEFAULT 0,
    billing_event_ids           text[] DEFAULT '{}',
    billing_strategy            text DEFAULT 'per_chunk',
    generate_tryons             boolean DEFAULT true,
    tryon_count                 integer DEFAULT 2,
    auto_publish                boolean DEFAULT false,
    custom_instructions         text,
    estimated_duration_seconds  integer,
    started_at                  timestamptz,
    completed_at                timestamptz,
    last_activity_at            timestamptz DEFAULT now(),
    error_message               text,
    error_details               jsonb,
    retry_count                 integer DEFAULT 0,
    max_retries                 integer DEFAULT 3,
    created_at                  timestamptz DEFAULT now(),
    updated_at                  timestamptz DEFAULT now(),
    created_by                  uuid,
    parallel_products_per_chunk integer DEFAULT 5,
    CONSTRAINT catalog_generation_jobs_pkey PRIMARY KEY (id),
    CONSTRAINT catalog_generation_jobs_temporal_workflow_id_key UNIQUE (temporal_workflow_id)
);
COMMENT ON TABLE public.catalog_generation_jobs IS
    'Tracks bulk catalog generation jobs with chunking, parallel processing (both chunk-level and product-level), checkpoints for resume, and incremental billing. Designed for enterprise clients with 5000+ SKUs. parallel_chunks controls concurrent chunks, parallel_products_per_chunk controls concurrent products within each chunk.';
COMMENT ON COLUMN public.catalog_generation_jobs.checkpoint_data IS
    'JSON with {completed_chunks: int[], failed_products: [{shopify_id, title, error}]} for resume capability';
COMMENT ON COLUMN public.catalog_generation_jobs.priority_mode IS
    'Determines product processing order: new_first prioritizes products without AI descriptions';
COMMENT ON COLUMN public.catalog_generation_jobs.delta_only IS
    'When true, only process products that changed since last generation (uses content hash comparison)';
COMMENT ON COLUMN public.catalog_generation_jobs.billing_event_ids IS
    'Array of workspace_usage_events.id for charges made during this job. Used for refunds on failure.';
COMMENT ON COLUMN public.catalog_generation_jobs.parallel_products_per_chunk IS
    'Number of products to process concurrently within each chunk. Default 5 to stay within Modal.com free tier (10 GPU containers). Each product may use 2 GPU calls (vision + try-on), so 5 products = up to 10 concurrent GPU containers.';
CREATE INDEX idx_catalog_jobs_workspace
    ON public.catalog_generation_jobs (workspace_id, created_at DESC);
CREATE INDEX idx_catalog_jobs_active
    ON public.catalog_generation_jobs (status)
    WHERE (status = ANY (ARRAY['pending'::text, 'preparing'::text, 'processing'::text, 'resuming'::text]));
CREATE INDEX idx_catalog_jobs_workflow
    ON public.catalog_generation_jobs (temporal_workflow_id)
    WHERE (temporal_workflow_id IS NOT NULL);
CREATE INDEX idx_catalog_jobs_account
    ON public.catalog_generation_jobs (connected_account_id, status);
CREATE INDEX idx_catalog_generation_jobs_created_by ON public.catalog_generation_jobs (created_by);
CREATE INDEX idx_catalog_generation_jobs_status
    ON public.catalog_generation_jobs (status)
    WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text]));
ALTER TABLE public.catalog_generation_jobs ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.knowledge_ingestion_jobs (
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id     uuid NOT NULL,
    job_type         text NOT NULL,
    config           jsonb NOT NULL DEFAULT '{}',
    status           text NOT NULL DEFAULT 'pending',
    items_total      integer DEFAULT 0,
    items_processed  integer DEFAULT 0,
    items_succeeded  integer DEFAULT 0,
    items_failed     integer DEFAULT 0,
    chunks_created   integer DEFAULT 0,
    started_at       timestamptz,
    completed_at     timestamptz,
    error_message    text,
    error_details    jsonb,
    workflow_id      text,
    workflow_run_id  text,
    cost_micro_units integer DEFAULT 0,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    CONSTRAINT knowledge_ingestion_jobs_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.knowledge_ingestion_jobs IS
    'Tracks knowledge ingestion workflow jobs (website scraping, document processing)';
CREATE INDEX idx_knowledge_jobs_workspace ON public.knowledge_ingestion_jobs (workspace_id, status);
CREATE INDEX idx_knowledge_jobs_workflow
    ON public.knowledge_ingestion_jobs (workflow_id) WHERE (workflow_id IS NOT NULL);
ALTER TABLE public.knowledge_ingestion_jobs ENABLE ROW LEVEL SECURITY;

-- One row per training; a failed one is refunded once.
CREATE TABLE public.lora_training_history (
    id                    uuid NOT NULL DEFAULT gen_random_uuid(),
    persona_id            uuid NOT NULL,
    workspace_id          uuid NOT NULL,
    version               integer NOT NULL,
    image_count           integer NOT NULL,
    trigger_word          text NOT NULL DEFAULT 'person',
    epochs                integer DEFAULT 3,
    rank                  integer DEFAULT 32,
    alpha                 integer DEFAULT 16,
    resolution            integer DEFAULT 512,
    learning_rate         numeric(10,8) DEFAULT 0.0001,
    base_model            text DEFAULT 'FLUX.1-dev',
    status                text NOT NULL,
    job_id                text,
    lora_path             text,
    lora_size_bytes       bigint,
    processed_images      integer,
    training_time_seconds numeric(10,2),
    total_time_seconds    numeric(10,2),
    error_message         text,
    error_details         jsonb,
    cost_micro_units      integer DEFAULT 0,
    charged_at            timestamptz,
    refunded_at           timestamptz,
    created_at            timestamptz DEFAULT now(),
    started_at            timestamptz,
    completed_at          timestamptz,
    CONSTRAINT lora_training_history_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.lora_training_history IS
    'Tracks all LoRA training jobs with parameters, results, and billing';
CREATE INDEX idx_lora_history_persona ON public.lora_training_history (persona_id, created_at DESC);
CREATE INDEX idx_lora_history_workspace
    ON public.lora_training_history (workspace_id, created_at DESC);
CREATE INDEX idx_lora_history_status
    ON public.lora_training_history (status)
    WHERE (status = ANY (ARRAY['pending'::text, 'training'::text]));
ALTER TABLE public.lora_training_history ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.studio_creations (
    id                      uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id            uuid NOT NULL,
    project_id              uuid,
    creation_type           text NOT NULL DEFAULT 'tryon',
    garment_id              uuid,
    model_id                uuid,
    model_image_url         text,
    model_storage_path      text,
    input_image_url         text,
    prompt                  text,
    quality                 text DEFAULT 'balanced',
    category                text DEFAULT 'upper_body',
    num_outputs             integer DEFAULT 1,
    settings                jsonb DEFAULT '{}',
    result_urls             text[] DEFAULT '{}',
    thumbnail_url           text,
    replicate_prediction_id text,
    fal_request_id          text,
    status                  text DEFAULT 'pending',
    cost_micro_units        integer,
    error_message           text,
    created_at              timestamptz DEFAULT now(),
    started_at              timestamptz,
    completed_at            timestamptz,
    CONSTRAINT studio_creations_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.studio_creations IS
    'History of all studio generations (try-on, bg removal, color change, text-to-image, etc.)';
COMMENT ON COLUMN public.studio_creations.creation_type IS
    'Type: tryon, bg_remove, color_change, text_to_image, image_to_image, upscale, video';
COMMENT ON COLUMN public.studio_creations.quality IS
    'Generation quality: fast (20 steps), balanced (30 steps), high (40 steps), ultra (50+ steps)';
COMMENT ON COLUMN public.studio_creations.cost_micro_units IS
    'Cost in micro-units: 100000 = $1.00, 10000 = $0.10';
CREATE INDEX idx_studio_creations_garment ON public.studio_creations (garment_id);
CREATE INDEX idx_studio_creations_model ON public.studio_creations (model_id);
CREATE INDEX idx_studio_creations_prediction
    ON public.studio_creations (replicate_prediction_id)
    WHERE (replicate_prediction_id IS NOT NULL);
CREATE INDEX idx_studio_creations_status
    ON public.studio_creations (status)
    WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text]));
CREATE INDEX idx_studio_creations_type ON public.studio_creations (workspace_id, creation_type);
CREATE INDEX idx_studio_creations_workspace ON public.studio_creations (workspace_id);
CREATE INDEX idx_studio_creations_workspace_date
    ON public.studio_creations (workspace_id, created_at DESC);
CREATE INDEX idx_studio_creations_project_id ON public.studio_creations (project_id);
ALTER TABLE public.studio_creations ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.studio_models (
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id  uuid NOT NULL,
    name          text,
    storage_path  text NOT NULL,
    thumbnail_url text,
    attributes    jsonb DEFAULT '{}',
    usage_count   integer DEFAULT 0,
    is_favorite   boolean DEFAULT false,
    last_used_at  timestamptz,
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now(),
    CONSTRAINT studio_models_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.studio_models IS
    'Saved person photos for reuse in virtual try-ons and AI model generation';
CREATE INDEX idx_studio_models_favorites
    ON public.studio_models (workspace_id, is_favorite) WHERE (is_favorite = true);
CREATE INDEX idx_studio_models_usage ON public.studio_models (workspace_id, usage_count DESC);
CREATE INDEX idx_studio_models_workspace ON public.studio_models (workspace_id);
ALTER TABLE public.studio_models ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.studio_projects (
    id                     uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id           uuid NOT NULL,
    name                   text NOT NULL,
    description            text,
    default_settings       jsonb DEFAULT '{}',
    total_creations        integer DEFAULT 0,
    total_cost_micro_units integer DEFAULT 0,
    is_archived            boolean DEFAULT false,
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now(),
    CONSTRAINT studio_projects_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.studio_projects IS
    'Organize creations into campaigns/collections';
CREATE INDEX idx_studio_projects_active
    ON public.studio_projects (workspace_id, is_archived) WHERE (is_archived = false);
CREATE INDEX idx_studio_projects_workspace ON public.studio_projects (workspace_id);
ALTER TABLE public.studio_projects ENABLE ROW LEVEL SECURITY;

-- What is known of a shopper, by customer id or, before we know them, by an anonymous id.
CREATE TABLE public.user_preferences (
    id                uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id      uuid NOT NULL,
    customer_id       uuid,
    anonymous_id      text,
    category          text NOT NULL,
    preference_key    text NOT NULL,
    preference_value  jsonb NOT NULL,
    confidence        numeric(3,2) DEFAULT 0.5,
    source            text,
    last_confirmed_at timestamptz,
    created_at        timestamptz DEFAULT now(),
    updated_at        timestamptz DEFAULT now(),
    CONSTRAINT user_preferences_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.user_preferences IS
    'Long-term user preferences extracted via Mem0 pattern';
CREATE INDEX idx_user_prefs_workspace_customer
    ON public.user_preferences (workspace_id, customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX idx_user_prefs_workspace_anon
    ON public.user_preferences (workspace_id, anonymous_id) WHERE (anonymous_id IS NOT NULL);
CREATE UNIQUE INDEX idx_user_prefs_unique_customer
    ON public.user_preferences (workspace_id, customer_id, category, preference_key)
    WHERE (customer_id IS NOT NULL);
CREATE UNIQUE INDEX idx_user_prefs_unique_anon
    ON public.user_preferences (workspace_id, anonymous_id, category, preference_key)
    WHERE (anonymous_id IS NOT NULL);
ALTER TABLE public.user_preferences ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.vr_tryons (
    id                 uuid NOT NULL DEFAULT uuid_generate_v4(),
    user_id            uuid,
    garment_id         uuid NOT NULL,
    user_photo_url     text NOT NULL,
    result_url         text,
    status             text DEFAULT 'pending',
    error_message      text,
    generation_time_ms integer,
    cost_usd           numeric(10,4) DEFAULT 0.03,
    created_at         timestamptz DEFAULT now(),
    completed_at       timestamptz,
    workspace_id       uuid,
    CONSTRAINT vr_tryons_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.vr_tryons IS
    'Virtual try-on history (Nano Banana 2 generations)';
COMMENT ON COLUMN public.vr_tryons.user_id IS
    'Null if user not logged in (anonymous try-on)';
COMMENT ON COLUMN public.vr_tryons.status IS
    'pending → processing → completed/failed';
COMMENT ON COLUMN public.vr_tryons.cost_usd IS
    'Cost per generation ($0.03 for Nano Banana 2)';
COMMENT ON COLUMN public.vr_tryons.workspace_id IS
    'Workspace that was charged for this try-on (the shop owner)';
CREATE INDEX idx_vr_tryons_created_at ON public.vr_tryons (created_at DESC);
CREATE INDEX idx_vr_tryons_status ON public.vr_tryons (status);
CREATE INDEX idx_vr_tryons_user_id ON public.vr_tryons (user_id);
CREATE INDEX idx_vr_tryons_workspace_id ON public.vr_tryons (workspace_id);
CREATE INDEX idx_vr_tryons_garment_id ON public.vr_tryons (garment_id);
ALTER TABLE public.vr_tryons ENABLE ROW LEVEL SECURITY;
