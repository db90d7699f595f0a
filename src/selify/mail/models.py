"""Tables of mail: mailboxes and who shares them.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import NOW, RANDOM_UUID, TRUE, Base, WorkspaceRef


class UserEmailAccount(Base):
    """Personal email accounts owned by individual users."""

    __tablename__ = "user_email_accounts"
    __table_args__ = (
        UniqueConstraint("user_id", "email", name="user_email_accounts_user_id_email_key"),
        Index("idx_user_email_accounts_user_id", "user_id"),
        Index("idx_user_email_accounts_email", "email"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    email: Mapped[str]
    display_name: Mapped[str | None]
    color: Mapped[str | None]
    imap_host: Mapped[str]
    imap_port: Mapped[int] = mapped_column(server_default=text("993"))
    imap_secure: Mapped[bool | None] = mapped_column(server_default=TRUE)
    smtp_host: Mapped[str]
    smtp_port: Mapped[int] = mapped_column(server_default=text("465"))
    smtp_secure: Mapped[bool | None] = mapped_column(server_default=TRUE)
    password_encrypted: Mapped[str]
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    last_sync_at: Mapped[datetime | None]
    sync_error: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class WorkspaceEmailAccountMember(Base):
    """Access control for workspace email accounts."""

    __tablename__ = "workspace_email_account_members"
    __table_args__ = (
        UniqueConstraint(
            "account_id", "user_id", name="workspace_email_account_members_account_id_user_id_key"
        ),
        Index("idx_workspace_email_access_account", "account_id"),
        Index("idx_workspace_email_access_user", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.workspace_email_accounts.id", ondelete="CASCADE")
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(server_default="member")
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class WorkspaceEmailAccount(Base):
    """Shared email accounts for team/workspace use (e.g., info@, support@)."""

    __tablename__ = "workspace_email_accounts"
    __table_args__ = (
        UniqueConstraint(
            "workspace_id", "email", name="workspace_email_accounts_workspace_id_email_key"
        ),
        Index("idx_workspace_email_accounts_workspace_id", "workspace_id"),
        Index("idx_workspace_email_accounts_email", "email"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    email: Mapped[str]
    display_name: Mapped[str | None]
    color: Mapped[str | None]
    imap_host: Mapped[str]
    imap_port: Mapped[int] = mapped_column(server_default=text("993"))
    imap_secure: Mapped[bool | None] = mapped_column(server_default=TRUE)
    smtp_host: Mapped[str]
    smtp_port: Mapped[int] = mapped_column(server_default=text("465"))
    smtp_secure: Mapped[bool | None] = mapped_column(server_default=TRUE)
    password_encrypted: Mapped[str]
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    last_sync_at: Mapped[datetime | None]
    sync_error: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
