"""Tables of messaging: connected accounts, conversations and their messages.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, String, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    FALSE,
    NOW,
    RANDOM_UUID,
    TRUE,
    ZERO,
    AccountRef,
    Base,
    Json,
    JsonList,
    UserRef,
    WorkspaceRef,
)


class ConnectedSocialAccount(Base):
    """One account is live in at most one workspace of the whole system (the partial unique key); a
    disconnected one is kept 90 days and then purged.
    """

    __tablename__ = "connected_social_accounts"
    __table_args__ = (
        UniqueConstraint(
            "workspace_id",
            "platform",
            "platform_account_id",
            name="connected_social_accounts_workspace_platform_account_key",
        ),
        Index(
            "connected_social_accounts_active_platform_account_unique",
            "platform",
            "platform_account_id",
            unique=True,
            postgresql_where=text("status = ANY (ARRAY['active'::text, 'pending'::text])"),
        ),
        Index("idx_connected_social_accounts_platform_id", "platform", "platform_account_id"),
        Index(
            "idx_connected_social_accounts_shopify",
            "workspace_id",
            "status",
            postgresql_where=text("platform = 'shopify'::text"),
        ),
        Index(
            "idx_connected_social_accounts_status",
            "workspace_id",
            "status",
            postgresql_where=text("status = 'active'::text"),
        ),
        Index("idx_connected_social_accounts_workspace", "workspace_id", "platform"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef | None]
    user_id: Mapped[UserRef | None]
    platform: Mapped[str]
    platform_account_id: Mapped[str]
    platform_username: Mapped[str | None]
    platform_profile_picture: Mapped[str | None]
    access_token: Mapped[str]
    token_expires_at: Mapped[datetime | None]
    token_last_refreshed_at: Mapped[datetime | None]
    refresh_token: Mapped[str | None]
    platform_data: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    settings: Mapped[Json | None] = mapped_column(
        server_default=(
            '{"tryon_enabled": true, "trigger_keywords": [], "message_templates": {}, '
            '"auto_reply_enabled": true, "notifications_enabled": true, '
            '"business_hours_enabled": false}'
        )
    )
    status: Mapped[str | None] = mapped_column(server_default="active")
    last_sync_at: Mapped[datetime | None]
    error_message: Mapped[str | None]
    stats: Mapped[Json | None] = mapped_column(
        server_default=('{"last_message_at": null, "messages_handled": 0, "tryons_completed": 0}')
    )
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    disconnected_at: Mapped[datetime | None]


class InstagramAccountHealth(Base):
    """How well the platform answers for one account."""

    __tablename__ = "instagram_account_health"
    __table_args__ = (
        Index(
            "idx_account_health_status",
            "account_id",
            "health_status",
            postgresql_where=text("(health_status)::text <> 'healthy'::text"),
        ),
    )

    account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    health_status: Mapped[str | None] = mapped_column(String(20), server_default="healthy")
    token_valid: Mapped[bool | None] = mapped_column(server_default=TRUE)
    last_successful_api_call: Mapped[datetime | None]
    last_failed_api_call: Mapped[datetime | None]
    consecutive_failures: Mapped[int | None] = mapped_column(server_default=ZERO)
    error_types: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    webhook_delivery_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=text("100.00")
    )
    avg_response_time_ms: Mapped[int | None]
    messages_processed_today: Mapped[int | None] = mapped_column(server_default=ZERO)
    messages_failed_today: Mapped[int | None] = mapped_column(server_default=ZERO)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class InstagramMessageQueue(Base):
    """Raw entries that cannot be split or attributed yet wait here; webhook_events is where they
    go.
    """

    __tablename__ = "instagram_message_queue"
    __table_args__ = (
        Index(
            "idx_message_queue_status_created",
            "status",
            "created_at",
            postgresql_where=text(
                "(status)::text = ANY (ARRAY[('pending'::character varying)::text, ('processing'::character varying)::text])"
            ),
        ),
        Index("idx_instagram_message_queue_account_id", "account_id"),
        Index(
            "idx_instagram_message_queue_status",
            "status",
            postgresql_where=text("(status)::text = 'pending'::text"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    account_id: Mapped[AccountRef | None]
    entry_id: Mapped[str]
    webhook_payload: Mapped[Json]
    status: Mapped[str | None] = mapped_column(String(20), server_default="pending")
    attempts: Mapped[int | None] = mapped_column(server_default=ZERO)
    max_attempts: Mapped[int | None] = mapped_column(server_default=text("3"))
    last_error: Mapped[str | None]
    processed_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class InstagramRateLimit(Base):
    """Counted and refused in one UPDATE; a refused message waits, it is never dropped."""

    __tablename__ = "instagram_rate_limits"
    __table_args__ = (Index("idx_rate_limits_account_message", "account_id", "last_message_at"),)

    account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    messages_sent_today: Mapped[int | None] = mapped_column(server_default=ZERO)
    messages_sent_this_hour: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_message_at: Mapped[datetime | None]
    daily_limit: Mapped[int | None] = mapped_column(server_default=text("1000"))
    hourly_limit: Mapped[int | None] = mapped_column(server_default=text("200"))
    reset_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class InstagramWebhookSubscription(Base):
    """Which events the platform sends us for one account."""

    __tablename__ = "instagram_webhook_subscriptions"
    __table_args__ = (
        UniqueConstraint(
            "connected_account_id", name="instagram_webhook_subscriptions_connected_account_id_key"
        ),
        Index(
            "idx_webhook_subs_account_status",
            "connected_account_id",
            "subscription_status",
            postgresql_where=text("(subscription_status)::text = 'active'::text"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    connected_account_id: Mapped[AccountRef]
    webhook_id: Mapped[str | None]
    subscribed_fields: Mapped[list[str] | None] = mapped_column(
        server_default=text(
            "ARRAY[ 'messages', 'messaging_postbacks', 'messaging_seen', 'messaging_referral', 'message_reactions', 'message_edit', 'comments', 'live_comments' ]"
        )
    )
    subscription_status: Mapped[str | None] = mapped_column(String(20), server_default="active")
    last_verified_at: Mapped[datetime | None]
    error_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class SocialConversation(Base):
    """Multi-platform social media conversations (Instagram, Messenger, WhatsApp, etc.)."""

    __tablename__ = "social_conversations"
    __table_args__ = (
        UniqueConstraint(
            "connected_account_id",
            "platform_user_id",
            name="social_conversations_unique_per_account",
        ),
        Index("idx_social_conversations_account", "connected_account_id", desc("last_message_at")),
        Index(
            "idx_social_conversations_account_category",
            "connected_account_id",
            "category",
            desc("last_message_at"),
        ),
        Index(
            "idx_social_conversations_active",
            "workspace_id",
            "status",
            postgresql_where=text("status = 'active'::text"),
        ),
        Index("idx_social_conversations_connected_account", "connected_account_id"),
        Index("idx_social_conversations_platform", "workspace_id", "platform", "status"),
        Index("idx_social_conversations_workspace", "workspace_id", desc("last_message_at")),
        Index(
            "idx_social_conversations_status",
            "status",
            postgresql_where=text("status <> 'closed'::text"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef | None]
    platform: Mapped[str]
    platform_user_id: Mapped[str]
    platform_username: Mapped[str | None]
    platform_profile_url: Mapped[str | None]
    last_message_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    last_message_text: Mapped[str | None]
    unread_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    conversation_state: Mapped[Json | None] = mapped_column(
        server_default=('{"stage": "initial", "awaiting": null}')
    )
    status: Mapped[str | None] = mapped_column(server_default="active")
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    connected_account_id: Mapped[AccountRef | None]
    category: Mapped[str | None] = mapped_column(server_default="general")
    is_accepted: Mapped[bool | None] = mapped_column(server_default=FALSE)
    message_count: Mapped[int | None] = mapped_column(server_default=ZERO)


class SocialMessage(Base):
    """Direction is not a column: a message is ours when its sender is the account itself."""

    __tablename__ = "social_messages"
    __table_args__ = (
        UniqueConstraint("platform_message_id", name="social_messages_platform_message_id_unique"),
        Index(
            "idx_social_messages_platform_message_id",
            "platform_message_id",
            postgresql_where=text("platform_message_id IS NOT NULL"),
        ),
        Index(
            "idx_social_messages_reactions",
            "reactions",
            postgresql_using="gin",
            postgresql_where=text("(reactions IS NOT NULL) AND (reactions <> '[]'::jsonb)"),
        ),
        Index("idx_social_messages_type", "conversation_id", "message_type"),
        Index(
            "idx_social_messages_unread",
            "conversation_id",
            postgresql_where=text("read_at IS NULL"),
        ),
        Index("idx_social_messages_created_at", desc("created_at")),
        Index("idx_social_messages_conversation_created", "conversation_id", desc("created_at")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    conversation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.social_conversations.id", ondelete="CASCADE")
    )
    platform_message_id: Mapped[str | None]
    sender_platform_id: Mapped[str]
    message_text: Mapped[str | None]
    message_type: Mapped[str | None] = mapped_column(server_default="text")
    attachments: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    reactions: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
