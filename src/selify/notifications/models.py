"""Tables of notifications: what a workspace's people are told.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import EMPTY_OBJECT, NOW, RANDOM_UUID, Base, Json, WorkspaceRef


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
