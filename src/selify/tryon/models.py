"""Tables of tryon: posts, the garments bound to them, and what came of each request.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    Numeric,
    PrimaryKeyConstraint,
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


class AccountSyncMetadata(Base):
    """How often an account is synchronised. The reference has no row level security here, so no
    user role gets any privilege on it.
    """

    __tablename__ = "account_sync_metadata"
    __table_args__ = (
        Index("idx_account_sync_metadata_activity", "activity_classification", "last_sync_at"),
        Index("idx_account_sync_metadata_status", "sync_status", "last_sync_at"),
    )

    account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    last_sync_at: Mapped[datetime | None]
    posts_synced_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    sync_status: Mapped[str | None] = mapped_column(server_default="pending")
    sync_error: Mapped[str | None]
    activity_classification: Mapped[str | None]
    sync_frequency_minutes: Mapped[int | None] = mapped_column(server_default=text("5"))
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
