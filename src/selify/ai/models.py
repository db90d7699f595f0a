"""Tables of domain ai: personas, studio, catalogue generation, knowledge and preferences.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    EMPTY_TEXTS,
    FALSE,
    NOW,
    RANDOM_UUID,
    TRUE,
    UUID_V4,
    ZERO,
    AccountRef,
    Base,
    Json,
    JsonList,
    UserRef,
    WorkspaceRef,
)


class AiPersona(Base):
    """AI-generated consistent fashion models for brands to use in try-ons and product shoots."""

    __tablename__ = "ai_personas"
    __table_args__ = (
        Index(
            "idx_ai_personas_favorites",
            "workspace_id",
            "is_favorite",
            postgresql_where=text("is_favorite = true"),
        ),
        Index("idx_ai_personas_status", "workspace_id", "status"),
        Index("idx_ai_personas_usage", "workspace_id", desc("usage_count")),
        Index("idx_ai_personas_workspace", "workspace_id"),
        Index(
            "idx_personas_default_per_role",
            "workspace_id",
            "role",
            unique=True,
            postgresql_where=text("is_default = true"),
        ),
        Index(
            "idx_personas_lora_ready",
            "workspace_id",
            "lora_status",
            postgresql_where=text("lora_status = 'ready'::text"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    name: Mapped[str]
    status: Mapped[str | None] = mapped_column(server_default="draft")
    gender: Mapped[str | None]
    age_range: Mapped[str | None]
    ethnicity: Mapped[str | None]
    body_type: Mapped[str | None]
    height_cm: Mapped[int | None]
    face_prompt: Mapped[str]
    face_seed: Mapped[int | None]
    face_images: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    selected_face_index: Mapped[int | None] = mapped_column(server_default=ZERO)
    style: Mapped[str | None] = mapped_column(server_default="editorial")
    default_pose: Mapped[str | None] = mapped_column(server_default="front")
    lighting_preset: Mapped[str | None] = mapped_column(server_default="studio")
    lora_model_id: Mapped[str | None]
    lora_status: Mapped[str | None] = mapped_column(server_default="not_trained")
    lora_training_started_at: Mapped[datetime | None]
    lora_training_completed_at: Mapped[datetime | None]
    generation_settings: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    usage_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_used_at: Mapped[datetime | None]
    is_favorite: Mapped[bool | None] = mapped_column(server_default=FALSE)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    face_reference_url: Mapped[str | None]
    skin_tone: Mapped[str | None]
    style_aesthetic: Mapped[str | None]
    voice_profile: Mapped[Json | None] = mapped_column(
        server_default=(
            '{"tone": "friendly", "vocabulary": "everyday", "sentence_length": "short"}'
        )
    )
    role: Mapped[str | None] = mapped_column(server_default="brand_ambassador")
    autonomy_level: Mapped[int | None] = mapped_column(server_default=text("2"))
    requires_approval_for: Mapped[list[str] | None] = mapped_column(
        server_default=text("ARRAY['discount_offer', 'refund', 'price_change']")
    )
    max_autonomous_value_cents: Mapped[int | None] = mapped_column(server_default=text("5000"))
    pinned_facts: Mapped[list[str] | None]
    memory_categories: Mapped[list[str] | None]
    disclosure_text: Mapped[str | None] = mapped_column(server_default="I'm an AI assistant")
    minor_interaction_mode: Mapped[bool | None] = mapped_column(server_default=FALSE)
    total_interactions: Mapped[int | None] = mapped_column(server_default=ZERO)
    avg_satisfaction_score: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    is_default: Mapped[bool | None] = mapped_column(server_default=FALSE)
    lora_training_error: Mapped[str | None]
    lora_version: Mapped[int | None] = mapped_column(server_default=text("1"))
    lora_cost_micro: Mapped[int | None] = mapped_column(server_default=ZERO)
    lora_trigger_word: Mapped[str | None] = mapped_column(server_default="person")
    lora_rank: Mapped[int | None] = mapped_column(server_default=text("32"))
    lora_alpha: Mapped[int | None] = mapped_column(server_default=text("16"))
    lora_resolution: Mapped[int | None] = mapped_column(server_default=text("512"))
    lora_base_model: Mapped[str | None] = mapped_column(server_default="FLUX.1-dev")
    lora_training_job_id: Mapped[str | None]
    lora_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    lora_processed_images: Mapped[int | None]


class AutonomousTask(Base):
    """Tracks autonomous AI task executions."""

    __tablename__ = "autonomous_tasks"
    __table_args__ = (
        Index("idx_autonomous_tasks_workspace", "workspace_id"),
        Index(
            "idx_autonomous_tasks_status",
            "workspace_id",
            "status",
            postgresql_where=text("status = ANY (ARRAY['pending'::text, 'running'::text])"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    task_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    config: Mapped[Json] = mapped_column(server_default=EMPTY_OBJECT)
    result: Mapped[Json | None]
    items_processed: Mapped[int | None] = mapped_column(server_default=ZERO)
    items_succeeded: Mapped[int | None] = mapped_column(server_default=ZERO)
    items_failed: Mapped[int | None] = mapped_column(server_default=ZERO)
    scheduled_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    error_message: Mapped[str | None]
    error_details: Mapped[Json | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class BrandIntelligence(Base):
    """Stores extracted brand voice and intelligence per workspace."""

    __tablename__ = "brand_intelligence"
    __table_args__ = (
        UniqueConstraint("workspace_id", name="uq_brand_intelligence_workspace"),
        Index("idx_brand_intelligence_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    voice_embedding: Mapped[list[float] | None] = mapped_column(Vector(1536))
    voice_attributes: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    avg_quality_score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    total_products_generated: Mapped[int | None] = mapped_column(server_default=ZERO)
    conversion_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    trending_styles: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    seasonal_preferences: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    shared_learnings: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class BrandKnowledgeChunk(Base):
    """Stores chunked, embedded knowledge from various sources for RAG retrieval."""

    __tablename__ = "brand_knowledge_chunks"
    __table_args__ = (
        Index(
            "idx_brand_knowledge_workspace",
            "workspace_id",
            postgresql_where=text("is_active = true"),
        ),
        Index(
            "idx_brand_knowledge_embedding",
            "embedding",
            postgresql_using="ivfflat",
            postgresql_ops={"embedding": "vector_cosine_ops"},
            postgresql_with={"lists": "100"},
            postgresql_where=text("(is_active = true) AND (embedding IS NOT NULL)"),
        ),
        Index(
            "idx_brand_knowledge_source_type",
            "workspace_id",
            "source_type",
            postgresql_where=text("is_active = true"),
        ),
        Index(
            "idx_brand_knowledge_content_hash",
            "workspace_id",
            "content_hash",
            postgresql_where=text("content_hash IS NOT NULL"),
        ),
        Index(
            "idx_brand_knowledge_source_doc",
            "source_doc_id",
            postgresql_where=text("source_doc_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    source_type: Mapped[str]
    source_url: Mapped[str | None]
    source_title: Mapped[str | None]
    source_doc_id: Mapped[UUID | None]
    content: Mapped[str]
    content_hash: Mapped[str | None]
    embedding: Mapped[list[float] | None] = mapped_column(Vector(1536))
    embedding_model: Mapped[str | None] = mapped_column(server_default="bge-small-en-v1.5")
    embedding_updated_at: Mapped[datetime | None]
    chunk_index: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_chunks: Mapped[int | None] = mapped_column(server_default=text("1"))
    char_count: Mapped[int | None]
    token_estimate: Mapped[int | None]
    quality_score: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    relevance_tags: Mapped[list[str] | None]
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    last_verified_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class CatalogGenerationJob(Base):
    """processed = succeeded + failed <= total. checkpoint_data is enough to go on after any
    interruption.
    """

    __tablename__ = "catalog_generation_jobs"
    __table_args__ = (
        UniqueConstraint(
            "temporal_workflow_id", name="catalog_generation_jobs_temporal_workflow_id_key"
        ),
        Index("idx_catalog_jobs_workspace", "workspace_id", desc("created_at")),
        Index(
            "idx_catalog_jobs_active",
            "status",
            postgresql_where=text(
                "status = ANY (ARRAY['pending'::text, 'preparing'::text, 'processing'::text, 'resuming'::text])"
            ),
        ),
        Index(
            "idx_catalog_jobs_workflow",
            "temporal_workflow_id",
            postgresql_where=text("temporal_workflow_id IS NOT NULL"),
        ),
        Index("idx_catalog_jobs_account", "connected_account_id", "status"),
        Index("idx_catalog_generation_jobs_created_by", "created_by"),
        Index(
            "idx_catalog_generation_jobs_status",
            "status",
            postgresql_where=text("status = ANY (ARRAY['pending'::text, 'processing'::text])"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    connected_account_id: Mapped[AccountRef]
    temporal_workflow_id: Mapped[str | None]
    temporal_run_id: Mapped[str | None]
    config: Mapped[Json] = mapped_column(server_default=EMPTY_OBJECT)
    status: Mapped[str] = mapped_column(server_default="pending")
    total_products: Mapped[int | None] = mapped_column(server_default=ZERO)
    products_new: Mapped[int | None] = mapped_column(server_default=ZERO)
    products_updated: Mapped[int | None] = mapped_column(server_default=ZERO)
    products_skipped: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_chunks: Mapped[int | None] = mapped_column(server_default=ZERO)
    chunks_completed: Mapped[int | None] = mapped_column(server_default=ZERO)
    chunks_failed: Mapped[int | None] = mapped_column(server_default=ZERO)
    chunk_size: Mapped[int | None] = mapped_column(server_default=text("500"))
    parallel_chunks: Mapped[int | None] = mapped_column(server_default=text("5"))
    items_processed: Mapped[int | None] = mapped_column(server_default=ZERO)
    items_succeeded: Mapped[int | None] = mapped_column(server_default=ZERO)
    items_failed: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_checkpoint_at: Mapped[datetime | None]
    checkpoint_data: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    priority_mode: Mapped[str | None] = mapped_column(server_default="new_first")
    delta_only: Mapped[bool | None] = mapped_column(server_default=FALSE)
    delta_detected_at: Mapped[datetime | None]
    estimated_cost_micro: Mapped[int | None] = mapped_column(BigInteger, server_default=ZERO)
    actual_cost_micro: Mapped[int | None] = mapped_column(BigInteger, server_default=ZERO)
    billing_event_ids: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    billing_strategy: Mapped[str | None] = mapped_column(server_default="per_chunk")
    generate_tryons: Mapped[bool | None] = mapped_column(server_default=TRUE)
    tryon_count: Mapped[int | None] = mapped_column(server_default=text("2"))
    auto_publish: Mapped[bool | None] = mapped_column(server_default=FALSE)
    custom_instructions: Mapped[str | None]
    estimated_duration_seconds: Mapped[int | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    last_activity_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    error_message: Mapped[str | None]
    error_details: Mapped[Json | None]
    retry_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    max_retries: Mapped[int | None] = mapped_column(server_default=text("3"))
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    created_by: Mapped[UserRef | None]
    parallel_products_per_chunk: Mapped[int | None] = mapped_column(server_default=text("5"))


class KnowledgeIngestionJob(Base):
    """Tracks knowledge ingestion workflow jobs (website scraping, document processing)."""

    __tablename__ = "knowledge_ingestion_jobs"
    __table_args__ = (
        Index("idx_knowledge_jobs_workspace", "workspace_id", "status"),
        Index(
            "idx_knowledge_jobs_workflow",
            "workflow_id",
            postgresql_where=text("workflow_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    job_type: Mapped[str]
    config: Mapped[Json] = mapped_column(server_default=EMPTY_OBJECT)
    status: Mapped[str] = mapped_column(server_default="pending")
    items_total: Mapped[int | None] = mapped_column(server_default=ZERO)
    items_processed: Mapped[int | None] = mapped_column(server_default=ZERO)
    items_succeeded: Mapped[int | None] = mapped_column(server_default=ZERO)
    items_failed: Mapped[int | None] = mapped_column(server_default=ZERO)
    chunks_created: Mapped[int | None] = mapped_column(server_default=ZERO)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    error_message: Mapped[str | None]
    error_details: Mapped[Json | None]
    workflow_id: Mapped[str | None]
    workflow_run_id: Mapped[str | None]
    cost_micro_units: Mapped[int | None] = mapped_column(server_default=ZERO)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class LoraTrainingHistory(Base):
    """One row per training; a failed one is refunded once."""

    __tablename__ = "lora_training_history"
    __table_args__ = (
        Index("idx_lora_history_persona", "persona_id", desc("created_at")),
        Index("idx_lora_history_workspace", "workspace_id", desc("created_at")),
        Index(
            "idx_lora_history_status",
            "status",
            postgresql_where=text("status = ANY (ARRAY['pending'::text, 'training'::text])"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    persona_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.ai_personas.id", ondelete="CASCADE")
    )
    workspace_id: Mapped[WorkspaceRef]
    version: Mapped[int]
    image_count: Mapped[int]
    trigger_word: Mapped[str] = mapped_column(server_default="person")
    epochs: Mapped[int | None] = mapped_column(server_default=text("3"))
    rank: Mapped[int | None] = mapped_column(server_default=text("32"))
    alpha: Mapped[int | None] = mapped_column(server_default=text("16"))
    resolution: Mapped[int | None] = mapped_column(server_default=text("512"))
    learning_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(10, 8), server_default=text("0.0001")
    )
    base_model: Mapped[str | None] = mapped_column(server_default="FLUX.1-dev")
    status: Mapped[str]
    job_id: Mapped[str | None]
    lora_path: Mapped[str | None]
    lora_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    processed_images: Mapped[int | None]
    training_time_seconds: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    total_time_seconds: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    error_message: Mapped[str | None]
    error_details: Mapped[Json | None]
    cost_micro_units: Mapped[int | None] = mapped_column(server_default=ZERO)
    charged_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class StudioCreation(Base):
    """History of all studio generations (try-on, bg removal, color change, text-to-image, etc.)."""

    __tablename__ = "studio_creations"
    __table_args__ = (
        Index("idx_studio_creations_garment", "garment_id"),
        Index("idx_studio_creations_model", "model_id"),
        Index(
            "idx_studio_creations_prediction",
            "replicate_prediction_id",
            postgresql_where=text("replicate_prediction_id IS NOT NULL"),
        ),
        Index(
            "idx_studio_creations_status",
            "status",
            postgresql_where=text("status = ANY (ARRAY['pending'::text, 'processing'::text])"),
        ),
        Index("idx_studio_creations_type", "workspace_id", "creation_type"),
        Index("idx_studio_creations_workspace", "workspace_id"),
        Index("idx_studio_creations_workspace_date", "workspace_id", desc("created_at")),
        Index("idx_studio_creations_project_id", "project_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    project_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.studio_projects.id", ondelete="SET NULL")
    )
    creation_type: Mapped[str] = mapped_column(server_default="tryon")
    garment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.wardrobe_garments.id", ondelete="SET NULL")
    )
    model_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.studio_models.id", ondelete="SET NULL")
    )
    model_image_url: Mapped[str | None]
    model_storage_path: Mapped[str | None]
    input_image_url: Mapped[str | None]
    prompt: Mapped[str | None]
    quality: Mapped[str | None] = mapped_column(server_default="balanced")
    category: Mapped[str | None] = mapped_column(server_default="upper_body")
    num_outputs: Mapped[int | None] = mapped_column(server_default=text("1"))
    settings: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    result_urls: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    thumbnail_url: Mapped[str | None]
    replicate_prediction_id: Mapped[str | None]
    fal_request_id: Mapped[str | None]
    status: Mapped[str | None] = mapped_column(server_default="pending")
    cost_micro_units: Mapped[int | None]
    error_message: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class StudioModel(Base):
    """Saved person photos for reuse in virtual try-ons and AI model generation."""

    __tablename__ = "studio_models"
    __table_args__ = (
        Index(
            "idx_studio_models_favorites",
            "workspace_id",
            "is_favorite",
            postgresql_where=text("is_favorite = true"),
        ),
        Index("idx_studio_models_usage", "workspace_id", desc("usage_count")),
        Index("idx_studio_models_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    name: Mapped[str | None]
    storage_path: Mapped[str]
    thumbnail_url: Mapped[str | None]
    attributes: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    usage_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    is_favorite: Mapped[bool | None] = mapped_column(server_default=FALSE)
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class StudioProject(Base):
    """Organize creations into campaigns/collections."""

    __tablename__ = "studio_projects"
    __table_args__ = (
        Index(
            "idx_studio_projects_active",
            "workspace_id",
            "is_archived",
            postgresql_where=text("is_archived = false"),
        ),
        Index("idx_studio_projects_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    name: Mapped[str]
    description: Mapped[str | None]
    default_settings: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    total_creations: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_cost_micro_units: Mapped[int | None] = mapped_column(server_default=ZERO)
    is_archived: Mapped[bool | None] = mapped_column(server_default=FALSE)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class UserPreference(Base):
    """What is known of a shopper, by customer id or, before we know them, by an anonymous id."""

    __tablename__ = "user_preferences"
    __table_args__ = (
        Index(
            "idx_user_prefs_workspace_customer",
            "workspace_id",
            "customer_id",
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
        Index(
            "idx_user_prefs_workspace_anon",
            "workspace_id",
            "anonymous_id",
            postgresql_where=text("anonymous_id IS NOT NULL"),
        ),
        Index(
            "idx_user_prefs_unique_customer",
            "workspace_id",
            "customer_id",
            "category",
            "preference_key",
            unique=True,
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
        Index(
            "idx_user_prefs_unique_anon",
            "workspace_id",
            "anonymous_id",
            "category",
            "preference_key",
            unique=True,
            postgresql_where=text("anonymous_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    customer_id: Mapped[UUID | None]
    anonymous_id: Mapped[str | None]
    category: Mapped[str]
    preference_key: Mapped[str]
    preference_value: Mapped[Json]
    confidence: Mapped[Decimal | None] = mapped_column(Numeric(3, 2), server_default=text("0.5"))
    source: Mapped[str | None]
    last_confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class VrTryon(Base):
    """Virtual try-on history (Nano Banana 2 generations)."""

    __tablename__ = "vr_tryons"
    __table_args__ = (
        Index("idx_vr_tryons_created_at", desc("created_at")),
        Index("idx_vr_tryons_status", "status"),
        Index("idx_vr_tryons_user_id", "user_id"),
        Index("idx_vr_tryons_workspace_id", "workspace_id"),
        Index("idx_vr_tryons_garment_id", "garment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    user_id: Mapped[UserRef | None]
    garment_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.vr_garments.id", ondelete="CASCADE")
    )
    user_photo_url: Mapped[str]
    result_url: Mapped[str | None]
    status: Mapped[str | None] = mapped_column(server_default="pending")
    error_message: Mapped[str | None]
    generation_time_ms: Mapped[int | None]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(10, 4), server_default=text("0.03"))
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    completed_at: Mapped[datetime | None]
    workspace_id: Mapped[WorkspaceRef | None]
