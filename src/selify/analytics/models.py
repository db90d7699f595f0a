"""Tables of analytics: roll-ups and how often each account is synchronised.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    NOW,
    RANDOM_UUID,
    ZERO,
    AccountRef,
    Base,
    Json,
    JsonList,
    WorkspaceRef,
)


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


class AccountMetricsDaily(Base):
    """One row per account and day, written again whenever late facts arrive."""

    __tablename__ = "account_metrics_daily"
    __table_args__ = (
        UniqueConstraint(
            "account_id", "metric_date", name="account_metrics_daily_account_id_metric_date_key"
        ),
        Index("idx_account_metrics_account", "account_id"),
        Index("idx_account_metrics_date", desc("metric_date")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    account_id: Mapped[AccountRef | None]
    metric_date: Mapped[date]
    total_posts: Mapped[int | None] = mapped_column(server_default=ZERO)
    posts_with_garments: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_impressions: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_reach: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_likes: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_comments: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_shares: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_bot_triggers: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_dm_conversations: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_photos_received: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_generations: Mapped[int | None] = mapped_column(server_default=ZERO)
    successful_generations: Mapped[int | None] = mapped_column(server_default=ZERO)
    overall_trigger_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    overall_dm_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    overall_photo_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    overall_success_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=ZERO)
    total_cost_cents: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_revenue_cents: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_profit_cents: Mapped[int | None] = mapped_column(server_default=ZERO)
    roi_percentage: Mapped[Decimal | None] = mapped_column(Numeric(8, 2), server_default=ZERO)
    avg_response_time_ms: Mapped[int | None]
    avg_generation_time_ms: Mapped[int | None]
    uptime_percentage: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=text("100")
    )
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class CrossBrandAnalytics(Base):
    """Append-only snapshots for workspaces that are holding companies."""

    __tablename__ = "cross_brand_analytics"
    __table_args__ = (
        Index("idx_cross_brand_holding", "holding_workspace_id", desc("computed_at")),
        Index("idx_cross_brand_analytics_top_brand", "top_performing_brand"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    holding_workspace_id: Mapped[WorkspaceRef]
    total_skus: Mapped[int | None]
    total_revenue_30d: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    top_performing_brand: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.workspaces.id", ondelete="SET NULL")
    )
    shared_customer_segments: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    brand_cannibalization_risk: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    cross_sell_opportunities: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    portfolio_trends: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    recommended_actions: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    computed_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
