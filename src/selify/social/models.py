"""Tables of domain social: accounts, conversations, posts, the bot, and e-mail accounts.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    desc,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    FALSE,
    NOW,
    RANDOM_UUID,
    TRUE,
    UTC_NOW,
    UUID_V4,
    ZERO,
    AccountRef,
    Base,
    Json,
    JsonList,
    UserRef,
    WorkspaceRef,
)


class BotInteraction(Base):
    """One row per person and trigger, followed through the funnel."""

    __tablename__ = "bot_interactions"
    __table_args__ = (
        Index("idx_bot_interactions_account", "account_id"),
        Index("idx_bot_interactions_conversation", "conversation_id"),
        Index("idx_bot_interactions_post", "post_id"),
        Index("idx_bot_interactions_user", "instagram_user_id"),
        Index("idx_bot_interactions_binding_id", "binding_id"),
        Index("idx_bot_interactions_created_at", desc("created_at")),
        Index("idx_bot_interactions_account_created", "account_id", desc("created_at")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    account_id: Mapped[AccountRef | None]
    post_id: Mapped[str | None]
    binding_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.social_posts_garment_bindings.id", ondelete="SET NULL")
    )
    instagram_user_id: Mapped[str]
    instagram_username: Mapped[str | None]
    user_demographics: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    interaction_type: Mapped[str]
    interaction_source: Mapped[str | None]
    trigger_word: Mapped[str | None]
    original_message: Mapped[str | None]
    conversation_id: Mapped[str | None]
    message_count: Mapped[int | None] = mapped_column(server_default=text("1"))
    bot_responded: Mapped[bool | None] = mapped_column(server_default=FALSE)
    response_type: Mapped[str | None]
    response_time_ms: Mapped[int | None]
    user_sent_photo: Mapped[bool | None] = mapped_column(server_default=FALSE)
    photo_quality_score: Mapped[int | None]
    generation_attempted: Mapped[bool | None] = mapped_column(server_default=FALSE)
    generation_successful: Mapped[bool | None] = mapped_column(server_default=FALSE)
    user_satisfied: Mapped[bool | None]
    user_shared_result: Mapped[bool | None] = mapped_column(server_default=FALSE)
    user_made_purchase: Mapped[bool | None] = mapped_column(server_default=FALSE)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    photo_received_at: Mapped[datetime | None]
    generation_started_at: Mapped[datetime | None]
    generation_completed_at: Mapped[datetime | None]
    conversation_ended_at: Mapped[datetime | None]


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


class InstagramPostMetrics(Base):
    """One cumulative snapshot per hour, in UTC; differences are taken when reading."""

    __tablename__ = "instagram_post_metrics"
    __table_args__ = (
        UniqueConstraint(
            "post_id",
            "account_id",
            "metric_date",
            "metric_hour",
            name="instagram_post_metrics_post_id_account_id_metric_date_metri_key",
        ),
        Index("idx_post_metrics_account", "account_id"),
        Index("idx_post_metrics_binding", "binding_id"),
        Index("idx_post_metrics_date", desc("metric_date")),
        Index("idx_post_metrics_post", "post_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    post_id: Mapped[str]
    account_id: Mapped[AccountRef | None]
    binding_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.social_posts_garment_bindings.id", ondelete="SET NULL")
    )
    impressions: Mapped[int | None] = mapped_column(server_default=ZERO)
    reach: Mapped[int | None] = mapped_column(server_default=ZERO)
    likes: Mapped[int | None] = mapped_column(server_default=ZERO)
    comments: Mapped[int | None] = mapped_column(server_default=ZERO)
    shares: Mapped[int | None] = mapped_column(server_default=ZERO)
    saves: Mapped[int | None] = mapped_column(server_default=ZERO)
    engagement_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    bot_comments: Mapped[int | None] = mapped_column(server_default=ZERO)
    bot_dms: Mapped[int | None] = mapped_column(server_default=ZERO)
    bot_conversations: Mapped[int | None] = mapped_column(server_default=ZERO)
    viewers_to_commenters: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=ZERO
    )
    commenters_to_triggers: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=ZERO
    )
    triggers_to_tryons: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    tryons_to_shares: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    estimated_sales: Mapped[int | None] = mapped_column(server_default=ZERO)
    estimated_revenue: Mapped[Decimal | None] = mapped_column(Numeric(10, 2), server_default=ZERO)
    cost_per_tryon: Mapped[Decimal | None] = mapped_column(
        Numeric(6, 4), server_default=text("0.023")
    )
    revenue_per_tryon: Mapped[Decimal | None] = mapped_column(
        Numeric(6, 4), server_default=text("0.115")
    )
    total_profit: Mapped[Decimal | None] = mapped_column(Numeric(10, 2), server_default=ZERO)
    roi_percentage: Mapped[Decimal | None] = mapped_column(Numeric(8, 2), server_default=ZERO)
    peak_engagement_hour: Mapped[int | None]
    avg_time_to_dm: Mapped[int | None]
    avg_time_to_tryon: Mapped[int | None]
    metric_date: Mapped[date | None] = mapped_column(server_default=text("CURRENT_DATE"))
    metric_hour: Mapped[int | None] = mapped_column(server_default=text("EXTRACT(hour FROM now())"))
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


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


class SocialAccountSyncMetadata(Base):
    """The lease and the API budget of an account's synchronisation; how often it should run is
    account_sync_metadata's.
    """

    __tablename__ = "social_account_sync_metadata"
    __table_args__ = (
        Index("idx_sync_metadata_next_sync", "next_allowed_sync", "sync_in_progress"),
    )

    connected_account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    last_sync_started_at: Mapped[datetime | None]
    last_sync_completed_at: Mapped[datetime | None]
    sync_in_progress: Mapped[bool | None] = mapped_column(server_default=FALSE)
    api_calls_this_hour: Mapped[int | None] = mapped_column(server_default=ZERO)
    hour_window_start: Mapped[datetime | None] = mapped_column(server_default=UTC_NOW)
    total_posts_synced: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_post_id: Mapped[str | None]
    last_post_timestamp: Mapped[datetime | None]
    consecutive_errors: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
    next_allowed_sync: Mapped[datetime | None] = mapped_column(server_default=UTC_NOW)
    created_at: Mapped[datetime] = mapped_column(server_default=UTC_NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=UTC_NOW)


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


class SocialPost(Base):
    """A post of a connected account, as last synchronised."""

    __tablename__ = "social_posts"
    __table_args__ = (
        UniqueConstraint(
            "connected_account_id",
            "platform_post_id",
            name="social_posts_connected_account_id_platform_post_id_key",
        ),
        Index("idx_social_posts_bot_config", "bot_config", postgresql_using="gin"),
        Index("idx_social_posts_last_synced", "connected_account_id", "last_synced_at"),
        Index("idx_social_posts_platform", "platform"),
        Index("idx_social_posts_shopify_product", "shopify_product_id"),
        Index("idx_social_posts_workspace", "workspace_id", desc("posted_at")),
        Index("idx_social_posts_shopify_variant_id", "shopify_variant_id"),
        Index("idx_social_posts_account_posted", "connected_account_id", desc("posted_at")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    connected_account_id: Mapped[AccountRef]
    workspace_id: Mapped[WorkspaceRef]
    platform: Mapped[str]
    platform_post_id: Mapped[str]
    platform_url: Mapped[str | None]
    caption: Mapped[str | None]
    media_type: Mapped[str | None]
    media_urls: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    thumbnail_url: Mapped[str | None]
    like_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    comment_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    view_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    posted_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=UTC_NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=UTC_NOW)
    last_synced_at: Mapped[datetime] = mapped_column(server_default=UTC_NOW)
    shopify_product_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.shopify_products.id", ondelete="SET NULL")
    )
    shopify_variant_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.shopify_product_variants.id", ondelete="SET NULL")
    )
    bot_config: Mapped[Json | None]


class SocialPostGarmentBinding(Base):
    """Counters are projections of bot_interactions and can be recomputed from it at any time."""

    __tablename__ = "social_posts_garment_bindings"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="garment_bindings_pkey"),
        UniqueConstraint("post_id", "account_id", name="garment_bindings_post_id_account_id_key"),
        Index("idx_garment_bindings_account", "account_id"),
        Index(
            "idx_garment_bindings_active", "is_active", postgresql_where=text("is_active = true")
        ),
        Index("idx_garment_bindings_post", "post_id"),
        Index("idx_garment_bindings_workspace", "workspace_id"),
        Index("idx_social_posts_garment_bindings_wardrobe_garment_id", "wardrobe_garment_id"),
    )

    id: Mapped[UUID] = mapped_column(server_default=RANDOM_UUID)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("public.social_posts.id", ondelete="CASCADE"))
    account_id: Mapped[AccountRef]
    workspace_id: Mapped[WorkspaceRef | None]
    user_id: Mapped[UserRef | None]
    garment_url: Mapped[str | None]
    garment_name: Mapped[str | None]
    garment_description: Mapped[str | None]
    garment_metadata: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    trigger_keywords: Mapped[list[str] | None] = mapped_column(
        server_default=text("ARRAY['tryon', 'try on', 'try-on', 'try it on']")
    )
    use_global_keywords: Mapped[bool | None] = mapped_column(server_default=TRUE)
    total_triggers: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_dm_conversations: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_photo_requests: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_photos_received: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_generations: Mapped[int | None] = mapped_column(server_default=ZERO)
    successful_generations: Mapped[int | None] = mapped_column(server_default=ZERO)
    trigger_to_dm_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    dm_to_photo_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    photo_to_success_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=ZERO
    )
    overall_conversion_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=ZERO
    )
    avg_response_time_ms: Mapped[int | None]
    avg_generation_time_ms: Mapped[int | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    wardrobe_garment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.wardrobe_garments.id", ondelete="SET NULL")
    )


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
