"""Tables of studio: projects, creations, models, personas and their training.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_OBJECT,
    EMPTY_TEXTS,
    FALSE,
    NOW,
    RANDOM_UUID,
    ZERO,
    Base,
    Json,
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
