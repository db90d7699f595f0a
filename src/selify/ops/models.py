"""Tables of domain ops: the inbox, notifications, support, workflows and QA.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    Enum,
    ForeignKey,
    Index,
    Numeric,
    Sequence,
    String,
    UniqueConstraint,
    desc,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    EMPTY_TEXTS,
    FALSE,
    NOW,
    RANDOM_UUID,
    UTC_NOW,
    ZERO,
    AccountRef,
    Base,
    Json,
    JsonList,
    UserRef,
    WorkspaceRef,
)

QA_TARGET_APP = Enum(
    "dash.selify.ai",
    "admin.selify.ai",
    "selify.ai",
    "vr.selify.ai",
    "api.selify.ai",
    "jko.ai",
    name="qa_target_app",
    schema="public",
    metadata=Base.metadata,
)
QA_SPEC_STATUS = Enum(
    "draft",
    "active",
    "quarantined",
    "archived",
    name="qa_spec_status",
    schema="public",
    metadata=Base.metadata,
)
QA_RUN_STATUS = Enum(
    "queued",
    "running",
    "passed",
    "failed",
    "cancelled",
    "error",
    name="qa_run_status",
    schema="public",
    metadata=Base.metadata,
)
QA_RESULT_STATUS = Enum(
    "pending",
    "running",
    "passed",
    "failed",
    "skipped",
    "flaky",
    "healed",
    "error",
    name="qa_result_status",
    schema="public",
    metadata=Base.metadata,
)
RUN_NUMBERS = Sequence("qa_test_runs_run_number_seq", metadata=Base.metadata)
SPEC_NUMBERS = Sequence("qa_test_specs_spec_number_seq", metadata=Base.metadata)


class ContactEmailLog(Base):
    """Tracks auto-response and notification emails sent by the backend."""

    __tablename__ = "contact_email_log"
    __table_args__ = (
        Index("idx_contact_email_log_sent_at", desc("sent_at")),
        Index("idx_contact_email_log_submission", "contact_submission_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    contact_submission_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.contact_submissions.id", ondelete="CASCADE")
    )
    email_type: Mapped[str]
    sent_to: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(server_default=UTC_NOW)
    subject: Mapped[str | None]
    status: Mapped[str | None] = mapped_column(server_default="sent")
    error_message: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)


class ContactSubmission(Base):
    """Contact form submissions from jko.ai, managed by api.jko.ai:8443 backend."""

    __tablename__ = "contact_submissions"
    __table_args__ = (
        Index("idx_contact_submissions_created_at", desc("created_at")),
        Index("idx_contact_submissions_email", "email"),
        Index("idx_contact_submissions_source", "source"),
        Index("idx_contact_submissions_status", "status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    name: Mapped[str]
    email: Mapped[str]
    message: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=UTC_NOW)
    status: Mapped[str | None] = mapped_column(server_default="new")
    notes: Mapped[str | None]
    ip_address: Mapped[str | None]
    user_agent: Mapped[str | None]
    source: Mapped[str | None] = mapped_column(server_default="jko.ai")
    auto_response_sent: Mapped[bool | None] = mapped_column(server_default=FALSE)
    auto_response_sent_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    replied_by: Mapped[UserRef | None]


class Notification(Base):
    """Unified notification system for workspace and system events."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("idx_notifications_created_at", desc("created_at")),
        Index(
            "idx_notifications_dashboard",
            "user_id",
            "workspace_id",
            desc("created_at"),
            postgresql_where=text("(read_at IS NULL) AND (archived_at IS NULL)"),
        ),
        Index("idx_notifications_type", "type"),
        Index("idx_notifications_user_id", "user_id"),
        Index(
            "idx_notifications_user_unread",
            "user_id",
            "read_at",
            postgresql_where=text("read_at IS NULL"),
        ),
        Index("idx_notifications_workspace_id", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    workspace_id: Mapped[WorkspaceRef | None]
    type: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    action_url: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    read_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ProcessedWebhookEvent(Base):
    """Payment events already handled, written in the same transaction as their effect."""

    __tablename__ = "processed_webhook_events"
    __table_args__ = (
        Index("idx_webhook_events_cleanup", "processed_at"),
        Index("idx_processed_webhook_events_event", "event_id"),
    )

    event_id: Mapped[str] = mapped_column(primary_key=True)
    processed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class QaTestResult(Base):
    """What one spec did in one run."""

    __tablename__ = "qa_test_results"
    __table_args__ = (
        Index("idx_qa_results_run", "run_id", "status"),
        Index("idx_qa_results_spec", "spec_id", desc("created_at")),
        Index("idx_qa_results_healed", "was_healed", postgresql_where=text("was_healed = true")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("public.qa_test_runs.id", ondelete="CASCADE"))
    spec_id: Mapped[UUID] = mapped_column(ForeignKey("public.qa_test_specs.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(QA_RESULT_STATUS)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    attempt_number: Mapped[int | None] = mapped_column(server_default=text("1"))
    total_attempts: Mapped[int | None] = mapped_column(server_default=text("1"))
    error_message: Mapped[str | None]
    error_stack: Mapped[str | None]
    error_screenshot_url: Mapped[str | None]
    failure_step: Mapped[str | None]
    was_healed: Mapped[bool | None] = mapped_column(server_default=FALSE)
    heal_reason: Mapped[str | None]
    original_code: Mapped[str | None]
    healed_code: Mapped[str | None]
    healer_confidence: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    visual_diff_url: Mapped[str | None]
    visual_diff_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    visual_passed: Mapped[bool | None]
    screenshot_url: Mapped[str | None]
    video_url: Mapped[str | None]
    trace_url: Mapped[str | None]
    console_logs: Mapped[Json | None]
    network_logs: Mapped[Json | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class QaTestRun(Base):
    """One run of a set of specs."""

    __tablename__ = "qa_test_runs"
    __table_args__ = (
        UniqueConstraint("run_number", name="qa_test_runs_run_number_key"),
        Index("idx_qa_runs_status", "status"),
        Index("idx_qa_runs_target", "target_app"),
        Index("idx_qa_runs_created", desc("created_at")),
        Index("idx_qa_runs_trigger", "trigger_type", "trigger_ref"),
        Index(
            "idx_qa_runs_workflow",
            "git_workflow_id",
            postgresql_where=text("git_workflow_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    run_number: Mapped[int] = mapped_column(server_default=RUN_NUMBERS.next_value())
    name: Mapped[str | None]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(QA_RUN_STATUS, server_default="queued")
    target_app: Mapped[str | None] = mapped_column(QA_TARGET_APP)
    environment: Mapped[str | None] = mapped_column(server_default="staging")
    base_url: Mapped[str | None]
    triggered_by: Mapped[UserRef | None]
    trigger_type: Mapped[str | None] = mapped_column(server_default="manual")
    trigger_ref: Mapped[str | None]
    spec_ids: Mapped[list[UUID] | None]
    tags: Mapped[list[str] | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    total_specs: Mapped[int | None] = mapped_column(server_default=ZERO)
    passed_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    failed_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    skipped_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    healed_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    flaky_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    auto_heals_applied: Mapped[int | None] = mapped_column(server_default=ZERO)
    heal_details: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    report_url: Mapped[str | None]
    trace_url: Mapped[str | None]
    video_url: Mapped[str | None]
    error_message: Mapped[str | None]
    error_stack: Mapped[str | None]
    git_branch: Mapped[str | None]
    git_commit: Mapped[str | None]
    git_message: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    git_workflow_id: Mapped[str | None]
    git_repo: Mapped[str | None]
    git_push_sha: Mapped[str | None]


class QaTestSpec(Base):
    """What a test of the product should do, in words and as generated code."""

    __tablename__ = "qa_test_specs"
    __table_args__ = (
        UniqueConstraint("spec_number", name="qa_test_specs_spec_number_key"),
        Index("idx_qa_specs_status", "status", postgresql_where=text("deleted_at IS NULL")),
        Index("idx_qa_specs_target", "target_app", postgresql_where=text("deleted_at IS NULL")),
        Index("idx_qa_specs_category", "category", postgresql_where=text("deleted_at IS NULL")),
        Index(
            "idx_qa_specs_tags",
            "tags",
            postgresql_using="gin",
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "idx_qa_specs_flaky",
            desc("flaky_score"),
            postgresql_where=text("(deleted_at IS NULL) AND (flaky_score > (10)::numeric)"),
        ),
        Index(
            "idx_qa_specs_priority", desc("priority"), postgresql_where=text("deleted_at IS NULL")
        ),
        Index(
            "idx_qa_specs_search",
            text(
                "to_tsvector('english'::regconfig, ((COALESCE(name, ''::text) || ' '::text) || COALESCE(nl_spec, ''::text)))"
            ),
            postgresql_using="gin",
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "idx_qa_specs_push_repos",
            "trigger_on_repos",
            postgresql_using="gin",
            postgresql_where=text(
                "(deleted_at IS NULL) AND (status = 'active'::qa_spec_status) AND (run_on_push = true)"
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    spec_number: Mapped[int] = mapped_column(server_default=SPEC_NUMBERS.next_value())
    name: Mapped[str]
    description: Mapped[str | None]
    target_app: Mapped[str] = mapped_column(QA_TARGET_APP, server_default="dash.selify.ai")
    target_url: Mapped[str | None]
    nl_spec: Mapped[str]
    generated_code: Mapped[str | None]
    generated_at: Mapped[datetime | None]
    generated_by: Mapped[str | None]
    generation_model: Mapped[str | None]
    spec_file_path: Mapped[str | None]
    test_file_path: Mapped[str | None]
    status: Mapped[str] = mapped_column(QA_SPEC_STATUS, server_default="draft")
    tags: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    category: Mapped[str | None]
    priority: Mapped[int | None] = mapped_column(server_default=text("50"))
    timeout_ms: Mapped[int | None] = mapped_column(server_default=text("30000"))
    retries: Mapped[int | None] = mapped_column(server_default=text("2"))
    browser: Mapped[str | None] = mapped_column(server_default="chromium")
    viewport_width: Mapped[int | None] = mapped_column(server_default=text("1280"))
    viewport_height: Mapped[int | None] = mapped_column(server_default=text("720"))
    depends_on: Mapped[list[UUID] | None]
    setup_spec_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.qa_test_specs.id", ondelete="SET NULL")
    )
    heal_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_healed_at: Mapped[datetime | None]
    heal_history: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    flaky_score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    consecutive_passes: Mapped[int | None] = mapped_column(server_default=ZERO)
    consecutive_fails: Mapped[int | None] = mapped_column(server_default=ZERO)
    visual_baseline_url: Mapped[str | None]
    visual_threshold: Mapped[Decimal | None] = mapped_column(
        Numeric(3, 2), server_default=text("0.01")
    )
    created_by: Mapped[UserRef | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    last_run_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    trigger_on_repos: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    run_on_push: Mapped[bool | None] = mapped_column(server_default=FALSE)
    push_priority: Mapped[int | None] = mapped_column(server_default=text("100"))
    push_timeout_ms: Mapped[int | None] = mapped_column(server_default=text("60000"))


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


class UserFeedback(Base):
    """External user feedback and bug reports for manual triage."""

    __tablename__ = "user_feedback"
    __table_args__ = (
        Index("idx_user_feedback_task_id", "task_id", postgresql_where=text("task_id IS NOT NULL")),
        Index("idx_user_feedback_user_id", "user_id"),
        Index("idx_user_feedback_status", "status"),
        Index("idx_user_feedback_category", "category"),
        Index("idx_user_feedback_created_at", desc("created_at")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    user_id: Mapped[UserRef | None]
    user_email: Mapped[str | None]
    title: Mapped[str]
    description: Mapped[str]
    category: Mapped[str] = mapped_column(server_default="bug")
    affected_area: Mapped[str | None]
    steps_to_reproduce: Mapped[str | None]
    expected_behavior: Mapped[str | None]
    actual_behavior: Mapped[str | None]
    screenshots: Mapped[list[str] | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata")
    status: Mapped[str] = mapped_column(server_default="new")
    source: Mapped[str] = mapped_column(server_default="dashboard")
    assigned_to: Mapped[UserRef | None]
    internal_notes: Mapped[str | None]
    resolution: Mapped[str | None]
    plane_issue_id: Mapped[str | None]
    github_issue_number: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    resolved_at: Mapped[datetime | None]
    task_id: Mapped[UUID | None]


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


class WorkspaceAutoReloadSettings(Base):
    """Topping up by card when the balance falls. Only one reload may be in flight."""

    __tablename__ = "workspace_auto_reload_settings"

    workspace_id: Mapped[WorkspaceRef] = mapped_column(primary_key=True)
    enabled: Mapped[bool] = mapped_column(server_default=FALSE)
    threshold_cents: Mapped[int]
    reload_amount_cents: Mapped[int]
    stripe_payment_method_id: Mapped[str | None]
    last_reload_at: Mapped[datetime | None]
    last_reload_status: Mapped[str | None]
    failed_attempts: Mapped[int | None] = mapped_column(server_default=ZERO)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    created_by: Mapped[UserRef | None]


class WorkspaceEvent(Base):
    """History only; nothing writes here any more."""

    __tablename__ = "workspace_events"
    __table_args__ = (
        Index("idx_workspace_events_created_at", desc("created_at")),
        Index("idx_workspace_events_workspace_id", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    event_type: Mapped[str]
    event_data: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
