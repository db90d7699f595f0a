"""Tables of assistant: sessions, memory, knowledge and tasks of the shop assistant.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pgvector.sqlalchemy import Vector
from sqlalchemy import ForeignKey, Index, Numeric, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    NOW,
    RANDOM_UUID,
    TRUE,
    ZERO,
    Base,
    Json,
    JsonList,
    WorkspaceRef,
)


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


class ConversationMessage(Base):
    """Append-only. cost_micro_units is what the turn cost us; what it cost the brand is a usage
    event.
    """

    __tablename__ = "conversation_messages"
    __table_args__ = (
        Index("idx_conv_messages_session", "session_id"),
        Index("idx_conv_messages_created", "session_id", desc("created_at")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.conversation_sessions.id", ondelete="CASCADE")
    )
    role: Mapped[str]
    content: Mapped[str]
    tool_name: Mapped[str | None]
    tool_input: Mapped[Json | None]
    tool_output: Mapped[Json | None]
    model_used: Mapped[str | None]
    tokens_used: Mapped[int | None]
    latency_ms: Mapped[int | None]
    confidence: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    cost_micro_units: Mapped[int | None] = mapped_column(server_default=ZERO)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class ConversationSession(Base):
    """Tracks customer conversation sessions across channels."""

    __tablename__ = "conversation_sessions"
    __table_args__ = (
        Index("idx_conv_sessions_workspace", "workspace_id"),
        Index(
            "idx_conv_sessions_customer",
            "customer_id",
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
        Index(
            "idx_conv_sessions_anonymous",
            "anonymous_id",
            postgresql_where=text("anonymous_id IS NOT NULL"),
        ),
        Index(
            "idx_conv_sessions_active",
            "workspace_id",
            "is_active",
            postgresql_where=text("is_active = true"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    customer_id: Mapped[UUID | None]
    anonymous_id: Mapped[str | None]
    channel: Mapped[str]
    platform_session_id: Mapped[str | None]
    started_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    last_activity_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    session_state: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    extracted_preferences: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    message_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    tool_calls_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    conversion_value: Mapped[Decimal | None] = mapped_column(Numeric(10, 2), server_default=ZERO)
