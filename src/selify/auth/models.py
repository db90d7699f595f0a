"""Tables of auth: users, workspaces, members and the trails of what was done.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    FALSE,
    NOW,
    RANDOM_UUID,
    TRUE,
    UUID_V4,
    ZERO,
    Base,
    Json,
    JsonList,
    UserRef,
    WorkspaceRef,
)

AUTH_USERS = Table("users", Base.metadata, Column("id", Uuid, primary_key=True), schema="auth")


class OauthAuditLog(Base):
    """Append-only, and never holds a token."""

    __tablename__ = "oauth_audit_logs"
    __table_args__ = (
        Index("idx_oauth_audit_logs_event_type", "event_type", desc("created_at")),
        Index("idx_oauth_audit_logs_metadata", "metadata", postgresql_using="gin"),
        Index("idx_oauth_audit_logs_platform", "platform", desc("created_at")),
        Index(
            "idx_oauth_audit_logs_success",
            "success",
            desc("created_at"),
            postgresql_where=text("success = false"),
        ),
        Index("idx_oauth_audit_logs_user_id", "user_id", desc("created_at")),
        Index("idx_oauth_audit_logs_workspace_id", "workspace_id", desc("created_at")),
        Index(
            "idx_oauth_audit_logs_workspace_platform",
            "workspace_id",
            "platform",
            desc("created_at"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    event_type: Mapped[str] = mapped_column(String(50))
    workspace_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.workspaces.id", ondelete="SET NULL")
    )
    user_id: Mapped[UserRef | None]
    platform: Mapped[str] = mapped_column(String(50))
    platform_account_id: Mapped[str | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    success: Mapped[bool] = mapped_column(server_default=TRUE)
    error_message: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Profile(Base):
    """One row per user of auth.users, made when they sign up. Anyone may look at a profile, so
    what is private here is kept by column privileges.
    """

    __tablename__ = "profiles"
    __table_args__ = (
        UniqueConstraint("referral_code", name="profiles_referral_code_key"),
        UniqueConstraint("username", name="profiles_username_key"),
        Index(
            "idx_profiles_affiliate_slug",
            "affiliate_custom_slug",
            unique=True,
            postgresql_where=text("affiliate_custom_slug IS NOT NULL"),
        ),
        Index(
            "idx_profiles_affiliate_status",
            "affiliate_status",
            postgresql_where=text("affiliate_status = 'affiliate'::text"),
        ),
        Index("idx_profiles_email", "email"),
        Index("idx_profiles_preferences", "preferences", postgresql_using="gin"),
        Index(
            "idx_profiles_referral_code",
            "referral_code",
            postgresql_where=text("referral_code IS NOT NULL"),
        ),
        Index("idx_profiles_referral_id", "referral_id"),
        Index("idx_profiles_status", "status"),
        Index("idx_profiles_username", "username"),
    )

    id: Mapped[UUID] = mapped_column(
        ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True
    )
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    username: Mapped[str | None]
    full_name: Mapped[str | None]
    avatar_url: Mapped[str | None]
    website: Mapped[str | None]
    location: Mapped[str | None]
    timezone: Mapped[datetime | None]
    language: Mapped[str | None] = mapped_column(server_default="en")
    phone: Mapped[str | None]
    referral_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.profiles.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    status: Mapped[str | None] = mapped_column(server_default="active")
    email: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    invited_at: Mapped[datetime | None]
    banned_until: Mapped[datetime | None]
    email_confirmed_at: Mapped[datetime | None]
    preferences: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    onboarded_at: Mapped[datetime | None]
    referral_code: Mapped[str | None] = mapped_column(String(8))
    affiliate_status: Mapped[str | None] = mapped_column(server_default="user")
    affiliate_commission_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(4, 3), server_default=text("0.20")
    )
    affiliate_balance_cents: Mapped[int | None] = mapped_column(BigInteger, server_default=ZERO)
    affiliate_total_earned_cents: Mapped[int | None] = mapped_column(
        BigInteger, server_default=ZERO
    )
    affiliate_total_referrals: Mapped[int | None] = mapped_column(server_default=ZERO)
    affiliate_total_conversions: Mapped[int | None] = mapped_column(server_default=ZERO)
    affiliate_payout_method: Mapped[str | None] = mapped_column(server_default="credits")
    affiliate_payout_email: Mapped[str | None]
    affiliate_custom_slug: Mapped[str | None] = mapped_column(String(50))
    affiliate_approved_at: Mapped[datetime | None]


class SsoAuditLog(Base):
    """Append-only."""

    __tablename__ = "sso_audit_log"
    __table_args__ = (
        Index("idx_sso_audit_user_id", "user_id"),
        Index("idx_sso_audit_email", "email"),
        Index("idx_sso_audit_created_at", desc("created_at")),
        Index("idx_sso_audit_event_type", "event_type"),
        Index("idx_sso_audit_source", "source_subdomain"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    user_id: Mapped[UserRef | None]
    email: Mapped[str | None]
    event_type: Mapped[str]
    source_subdomain: Mapped[str | None]
    return_to_url: Mapped[str | None]
    login_method: Mapped[str | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    country_code: Mapped[str | None]
    success: Mapped[bool] = mapped_column(server_default=TRUE)
    error_message: Mapped[str | None]
    error_code: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)


class WorkspaceMember(Base):
    """The one place that says who may see what: every policy of every tenant table asks it."""

    __tablename__ = "workspace_members"
    __table_args__ = (
        UniqueConstraint(
            "workspace_id", "user_id", name="workspace_members_workspace_id_user_id_key"
        ),
        Index("idx_workspace_members_role", "role"),
        Index("idx_workspace_members_user_id", "user_id"),
        Index("idx_workspace_members_workspace_id", "workspace_id"),
        Index("idx_workspace_members_user_workspace", "user_id", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    workspace_id: Mapped[WorkspaceRef]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(server_default="member")
    permissions: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    invited_by: Mapped[UserRef | None]
    invited_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class Workspace(Base):
    """Workspaces for managing multiple Instagram shop accounts (multi-client support)."""

    __tablename__ = "workspaces"
    __table_args__ = (
        UniqueConstraint("slug", name="workspaces_slug_key"),
        Index("idx_workspaces_owner_id", "owner_id"),
        Index("idx_workspaces_settings", "settings", postgresql_using="gin"),
        Index("idx_workspaces_slug", "slug"),
        Index("idx_workspaces_type", "type"),
        Index(
            "idx_workspaces_parent",
            "parent_workspace_id",
            postgresql_where=text("parent_workspace_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    name: Mapped[str]
    slug: Mapped[str]
    type: Mapped[str | None] = mapped_column(server_default="workspace")
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="RESTRICT"))
    settings: Mapped[Json | None] = mapped_column(
        server_default=('{"credits_enabled": true, "notifications_enabled": true}')
    )
    description: Mapped[str | None]
    avatar_url: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    social_platforms_config: Mapped[Json | None] = mapped_column(
        server_default=(
            '{"platforms": {"whatsapp": {"enabled": false, "auto_reply": false, '
            '"tryon_enabled": false, "trigger_keywords": []}, "instagram": {"enabled": true, '
            '"auto_reply": true, "tryon_enabled": true, "trigger_keywords": ["tryon", "try '
            'on"]}, "messenger": {"enabled": false, "auto_reply": false, "tryon_enabled": '
            'false, "trigger_keywords": []}}}'
        )
    )
    parent_workspace_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.workspaces.id", ondelete="SET NULL")
    )
    is_holding_company: Mapped[bool | None] = mapped_column(server_default=FALSE)
    brand_voice: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    brand_metadata: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)


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
