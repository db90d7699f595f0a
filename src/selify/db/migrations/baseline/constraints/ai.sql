-- Domain ai: foreign keys and what must hold within a row.
-- ON DELETE: CASCADE where a row means nothing without the other, SET NULL where only the link is lost,
-- RESTRICT where money is remembered. "(x IN (...)) IS TRUE" also refuses null: a state is never unknown.

ALTER TABLE public.ai_personas
    ADD CONSTRAINT ai_personas_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT ai_personas_status_check CHECK ((status IN (
            'draft', 'generating_face', 'ready', 'active', 'archived', 'failed'
        )) IS TRUE),
    ADD CONSTRAINT ai_personas_lora_status_check
        CHECK ((lora_status IN ('not_trained', 'training', 'ready', 'failed')) IS TRUE),
    ADD CONSTRAINT ai_personas_autonomy_check
        CHECK (autonomy_level BETWEEN 0 AND 5 AND max_autonomous_value_cents >= 0),
    ADD CONSTRAINT ai_personas_counts_check
        CHECK (usage_count >= 0 AND total_interactions >= 0 AND lora_cost_micro >= 0),
    ADD CONSTRAINT ai_personas_satisfaction_check CHECK (avg_satisfaction_score BETWEEN 0 AND 5),
    ADD CONSTRAINT ai_personas_face_index_check CHECK (selected_face_index >= 0),
    ADD CONSTRAINT ai_personas_height_check CHECK (height_cm BETWEEN 50 AND 260),
    ADD CONSTRAINT ai_personas_lora_shape_check
        CHECK (lora_rank > 0 AND lora_alpha > 0 AND lora_resolution > 0 AND lora_version >= 0);

ALTER TABLE public.autonomous_tasks
    ADD CONSTRAINT autonomous_tasks_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT autonomous_tasks_status_check CHECK ((status IN (
            'pending', 'awaiting_approval', 'running', 'completed', 'failed', 'cancelled',
            'rejected'
        )) IS TRUE),
    ADD CONSTRAINT autonomous_tasks_items_check
        CHECK (items_succeeded >= 0 AND items_failed >= 0
            AND items_processed = items_succeeded + items_failed);

ALTER TABLE public.brand_intelligence
    ADD CONSTRAINT brand_intelligence_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT brand_intelligence_ranges_check
        CHECK (conversion_rate BETWEEN 0 AND 1 AND avg_quality_score BETWEEN 0 AND 100
            AND total_products_generated >= 0);

ALTER TABLE public.brand_knowledge_chunks
    ADD CONSTRAINT brand_knowledge_chunks_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT brand_knowledge_chunks_position_check
        CHECK (chunk_index >= 0 AND chunk_index < total_chunks),
    ADD CONSTRAINT brand_knowledge_chunks_quality_check CHECK (quality_score BETWEEN 0 AND 1),
    ADD CONSTRAINT brand_knowledge_chunks_model_check
        CHECK (embedding IS NULL OR embedding_model IS NOT NULL);

ALTER TABLE public.catalog_generation_jobs
    ADD CONSTRAINT catalog_generation_jobs_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT catalog_generation_jobs_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT catalog_generation_jobs_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT catalog_generation_jobs_status_check CHECK ((status IN (
            'pending', 'preparing', 'processing', 'paused', 'resuming', 'completed', 'failed',
            'cancelled'
        )) IS TRUE),
    ADD CONSTRAINT catalog_generation_jobs_items_check
        CHECK (items_succeeded >= 0 AND items_failed >= 0
            AND items_processed = items_succeeded + items_failed AND items_processed <= total_products),
    ADD CONSTRAINT catalog_generation_jobs_products_check
        CHECK (products_new >= 0 AND products_updated >= 0 AND products_skipped >= 0
            AND products_new + products_updated + products_skipped <= total_products),
    ADD CONSTRAINT catalog_generation_jobs_chunks_check
        CHECK (chunks_completed >= 0 AND chunks_failed >= 0
            AND chunks_completed + chunks_failed <= total_chunks),
    ADD CONSTRAINT catalog_generation_jobs_sizes_check
        CHECK (chunk_size > 0 AND parallel_chunks > 0 AND parallel_products_per_chunk > 0
            AND tryon_count >= 0),
    ADD CONSTRAINT catalog_generation_jobs_cost_check
        CHECK (estimated_cost_micro >= 0 AND actual_cost_micro >= 0),
    ADD CONSTRAINT catalog_generation_jobs_retries_check
        CHECK (retry_count BETWEEN 0 AND max_retries);

ALTER TABLE public.knowledge_ingestion_jobs
    ADD CONSTRAINT knowledge_ingestion_jobs_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT knowledge_ingestion_jobs_status_check CHECK ((status IN (
            'pending', 'running', 'completed', 'partial', 'failed', 'cancelled'
        )) IS TRUE),
    ADD CONSTRAINT knowledge_ingestion_jobs_items_check
        CHECK (items_succeeded >= 0 AND items_failed >= 0
            AND items_processed = items_succeeded + items_failed AND items_processed <= items_total),
    ADD CONSTRAINT knowledge_ingestion_jobs_counts_check
        CHECK (chunks_created >= 0 AND cost_micro_units >= 0);

ALTER TABLE public.lora_training_history
    ADD CONSTRAINT lora_training_history_persona_id_fkey
        FOREIGN KEY (persona_id) REFERENCES public.ai_personas (id) ON DELETE CASCADE,
    ADD CONSTRAINT lora_training_history_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT lora_training_history_status_check
        CHECK ((status IN ('pending', 'training', 'completed', 'failed', 'cancelled')) IS TRUE),
    ADD CONSTRAINT lora_training_history_version_check CHECK (version >= 1),
    ADD CONSTRAINT lora_training_history_images_check
        CHECK (image_count > 0 AND processed_images BETWEEN 0 AND image_count),
    ADD CONSTRAINT lora_training_history_cost_check CHECK (cost_micro_units >= 0),
    ADD CONSTRAINT lora_training_history_refund_check
        CHECK (refunded_at IS NULL OR (refunded_at >= charged_at) IS TRUE),
    ADD CONSTRAINT lora_training_history_completed_check
        CHECK (status <> 'completed' OR (lora_path IS NOT NULL AND completed_at IS NOT NULL));

ALTER TABLE public.studio_creations
    ADD CONSTRAINT studio_creations_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT studio_creations_project_id_fkey
        FOREIGN KEY (project_id) REFERENCES public.studio_projects (id) ON DELETE SET NULL,
    ADD CONSTRAINT studio_creations_garment_id_fkey
        FOREIGN KEY (garment_id) REFERENCES public.wardrobe_garments (id) ON DELETE SET NULL,
    ADD CONSTRAINT studio_creations_model_id_fkey
        FOREIGN KEY (model_id) REFERENCES public.studio_models (id) ON DELETE SET NULL,
    ADD CONSTRAINT studio_creations_type_check CHECK ((creation_type IN (
            'tryon', 'bg_remove', 'color_change', 'text_to_image', 'image_to_image', 'upscale',
            'video'
        )) IS TRUE),
    ADD CONSTRAINT studio_creations_quality_check
        CHECK (quality IN ('fast', 'balanced', 'high', 'ultra')),
    ADD CONSTRAINT studio_creations_status_check
        CHECK ((status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')) IS TRUE),
    ADD CONSTRAINT studio_creations_outputs_check CHECK (num_outputs BETWEEN 1 AND 16),
    ADD CONSTRAINT studio_creations_cost_check CHECK (cost_micro_units >= 0),
    ADD CONSTRAINT studio_creations_completed_check
        CHECK (status <> 'completed' OR completed_at IS NOT NULL),
    ADD CONSTRAINT studio_creations_failed_check
        CHECK (status <> 'failed' OR error_message IS NOT NULL);

ALTER TABLE public.studio_models
    ADD CONSTRAINT studio_models_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT studio_models_usage_count_check CHECK (usage_count >= 0);

ALTER TABLE public.studio_projects
    ADD CONSTRAINT studio_projects_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT studio_projects_counts_check
        CHECK (total_creations >= 0 AND total_cost_micro_units >= 0);

ALTER TABLE public.user_preferences
    ADD CONSTRAINT user_preferences_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT user_preferences_subject_check
        CHECK (num_nonnulls(customer_id, anonymous_id) >= 1),
    ADD CONSTRAINT user_preferences_confidence_check CHECK (confidence BETWEEN 0 AND 1);

ALTER TABLE public.vr_tryons
    ADD CONSTRAINT vr_tryons_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT vr_tryons_garment_id_fkey
        FOREIGN KEY (garment_id) REFERENCES public.vr_garments (id) ON DELETE CASCADE,
    ADD CONSTRAINT vr_tryons_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT vr_tryons_status_check
        CHECK ((status IN ('pending', 'processing', 'completed', 'failed')) IS TRUE),
    ADD CONSTRAINT vr_tryons_completed_check
        CHECK (status <> 'completed' OR result_url IS NOT NULL),
    ADD CONSTRAINT vr_tryons_cost_check CHECK (cost_usd >= 0);
