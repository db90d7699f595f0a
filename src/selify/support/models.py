"""Tables of support: messages from the public, and users' feedback.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import EMPTY_OBJECT, FALSE, NOW, RANDOM_UUID, UTC_NOW, Base, Json, UserRef


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
