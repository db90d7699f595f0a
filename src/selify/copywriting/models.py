"""Tables of copywriting: catalogue texts and the voice they are written in.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_OBJECT,
    EMPTY_TEXTS,
    FALSE,
    NO_TEXTS,
    NOW,
    RANDOM_UUID,
    TRUE,
    ZERO,
    AccountRef,
    Base,
    Json,
    UserRef,
    WorkspaceRef,
)


class BrandSettings(Base):
    """How a brand speaks, whom it speaks to, and what its generated texts must and must not say."""

    __tablename__ = "brand_settings"
    __table_args__ = (
        UniqueConstraint("connected_account_id", name="unique_brand_per_account"),
        Index("idx_brand_settings_account", "connected_account_id"),
        Index("idx_brand_settings_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    connected_account_id: Mapped[AccountRef]
    workspace_id: Mapped[WorkspaceRef]
    brand_name: Mapped[str | None]
    brand_tagline: Mapped[str | None]
    brand_story: Mapped[str | None]
    brand_voice: Mapped[str | None] = mapped_column(server_default="casual")
    tone_keywords: Mapped[list[str] | None] = mapped_column(server_default=NO_TEXTS)
    avoid_keywords: Mapped[list[str] | None] = mapped_column(server_default=NO_TEXTS)
    target_gender: Mapped[str | None] = mapped_column(server_default="all")
    target_age_min: Mapped[int | None] = mapped_column(server_default=text("18"))
    target_age_max: Mapped[int | None] = mapped_column(server_default=text("65"))
    target_lifestyle: Mapped[list[str] | None]
    target_income_level: Mapped[str | None] = mapped_column(server_default="moderate")
    pricing_strategy: Mapped[str | None] = mapped_column(server_default="value")
    price_ranges: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    currency: Mapped[str | None] = mapped_column(server_default="USD")
    default_markup_percent: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=text("50.00")
    )
    description_template: Mapped[str | None]
    description_length: Mapped[str | None] = mapped_column(server_default="medium")
    include_materials: Mapped[bool | None] = mapped_column(server_default=TRUE)
    include_care_instructions: Mapped[bool | None] = mapped_column(server_default=TRUE)
    include_sizing_info: Mapped[bool | None] = mapped_column(server_default=TRUE)
    include_sustainability: Mapped[bool | None] = mapped_column(server_default=FALSE)
    include_origin_story: Mapped[bool | None] = mapped_column(server_default=FALSE)
    preferred_model_style: Mapped[str | None] = mapped_column(server_default="diverse")
    preferred_background: Mapped[str | None] = mapped_column(server_default="white")
    model_diversity_enabled: Mapped[bool | None] = mapped_column(server_default=TRUE)
    sample_titles: Mapped[list[str] | None] = mapped_column(server_default=NO_TEXTS)
    sample_descriptions: Mapped[list[str] | None] = mapped_column(server_default=NO_TEXTS)
    common_tags: Mapped[list[str] | None] = mapped_column(server_default=NO_TEXTS)
    products_analyzed: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_analysis_at: Mapped[datetime | None]
    analysis_insights: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
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
