"""Tables of the queues: the inbox, and the record of durable workflows.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_OBJECT,
    NOW,
    RANDOM_UUID,
    ZERO,
    AccountRef,
    Base,
    Json,
    WorkspaceRef,
)


class TemporalWorkflow(Base):
    """Every long process, whichever engine runs it. The reference has no row level security here,
    so no user role gets any privilege on it.
    """

    __tablename__ = "temporal_workflows"
    __table_args__ = (
        UniqueConstraint("workflow_id", name="temporal_workflows_workflow_id_key"),
        Index(
            "idx_temporal_workflows_active",
            "status",
            "started_at",
            postgresql_where=text("status = 'RUNNING'::text"),
        ),
        Index("idx_temporal_workflows_workspace", "workspace_id", "status"),
        Index("idx_temporal_workflows_type", "workflow_type", "status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workflow_id: Mapped[str]
    workflow_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="RUNNING")
    progress_percentage: Mapped[int | None] = mapped_column(server_default=ZERO)
    current_step: Mapped[str | None]
    steps_completed: Mapped[list[str] | None]
    total_steps: Mapped[int | None]
    task_queue: Mapped[str | None]
    workspace_id: Mapped[WorkspaceRef | None]
    friendly_name: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    started_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class WebhookEvent(Base):
    """Everything that arrives, once: inserting the same event again is a no-op. A failed event
    with no retries left is a dead letter.
    """

    __tablename__ = "webhook_events"
    __table_args__ = (
        Index("webhook_events_account_idx", "connected_account_id", desc("created_at")),
        UniqueConstraint("event_fingerprint", name="webhook_events_fingerprint_unique"),
        Index(
            "webhook_events_message_id_unique",
            "platform",
            "platform_message_id",
            unique=True,
            postgresql_where=text("platform_message_id IS NOT NULL"),
        ),
        Index(
            "webhook_events_payload_idx",
            "payload",
            postgresql_using="gin",
            postgresql_ops={"payload": "jsonb_path_ops"},
        ),
        Index(
            "webhook_events_pending_idx",
            "status",
            "created_at",
            postgresql_where=text("(status)::text = 'pending'::text"),
        ),
        Index(
            "webhook_events_retry_idx",
            "status",
            "next_retry_at",
            postgresql_where=text(
                "((status)::text = 'failed'::text) AND (retry_count < max_retries)"
            ),
        ),
        Index("webhook_events_status_idx", "status", desc("created_at")),
        Index("idx_webhook_events_platform_status", "platform", "status", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    platform: Mapped[str] = mapped_column(String(50))
    platform_message_id: Mapped[str | None] = mapped_column(String(255))
    event_fingerprint: Mapped[str]
    event_type: Mapped[str] = mapped_column(String(50))
    connected_account_id: Mapped[AccountRef | None]
    payload: Mapped[Json]
    parsed_data: Mapped[Json | None]
    status: Mapped[str] = mapped_column(String(50), server_default="pending")
    retry_count: Mapped[int] = mapped_column(server_default=ZERO)
    max_retries: Mapped[int] = mapped_column(server_default=text("3"))
    processing_result: Mapped[Json | None]
    error_message: Mapped[str | None]
    error_stack: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    processing_started_at: Mapped[datetime | None]
    processed_at: Mapped[datetime | None]
    next_retry_at: Mapped[datetime | None]
    processing_duration_ms: Mapped[int | None]
    worker_id: Mapped[str | None] = mapped_column(String(255))
