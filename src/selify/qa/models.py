"""Tables of qa: specs, runs and results.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Enum, ForeignKey, Index, Numeric, Sequence, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    EMPTY_TEXTS,
    FALSE,
    NOW,
    RANDOM_UUID,
    ZERO,
    Base,
    Json,
    JsonList,
    UserRef,
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
