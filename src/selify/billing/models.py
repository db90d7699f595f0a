"""Tables of billing: plans, credits, balances, charges and commissions.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, String, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    FALSE,
    NOW,
    RANDOM_UUID,
    TRUE,
    ZERO,
    Base,
    Json,
    JsonList,
    UserRef,
    WorkspaceRef,
)


class AffiliateCommission(Base):
    """Earned on a paid transaction, cleared after 14 days, paid as credits; a refund reverses it."""

    __tablename__ = "affiliate_commissions"
    __table_args__ = (
        Index("idx_aff_comm_affiliate", "affiliate_user_id"),
        Index("idx_aff_comm_created", desc("created_at")),
        Index("idx_aff_comm_referred", "referred_user_id"),
        Index("idx_aff_comm_source", "source_transaction_id"),
        Index("idx_aff_comm_status", "status", "clears_at"),
        Index("idx_affiliate_commissions_source_workspace", "source_workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    affiliate_user_id: Mapped[UUID] = mapped_column(
        ForeignKey("auth.users.id", ondelete="RESTRICT")
    )
    referred_user_id: Mapped[UserRef | None]
    source_workspace_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.workspaces.id", ondelete="SET NULL")
    )
    source_transaction_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.workspace_financial_transactions.id", ondelete="RESTRICT")
    )
    commission_type: Mapped[str]
    source_amount_cents: Mapped[int] = mapped_column(server_default=ZERO)
    commission_rate: Mapped[Decimal] = mapped_column(Numeric(4, 3))
    commission_cents: Mapped[int]
    status: Mapped[str | None] = mapped_column(server_default="pending")
    clears_at: Mapped[datetime | None] = mapped_column(
        server_default=text("now() + '14 days'::interval")
    )
    paid_at: Mapped[datetime | None]
    reversed_at: Mapped[datetime | None]
    reversal_reason: Mapped[str | None]
    notes: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class BillingMeter(Base):
    """Catalog of billable meters (virtual try-on, bot message, etc.)."""

    __tablename__ = "billing_meters"
    __table_args__ = (UniqueConstraint("slug", name="billing_meters_slug_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    slug: Mapped[str]
    display_name: Mapped[str]
    unit_label: Mapped[str]
    default_unit_amount_cents: Mapped[int]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class SubscriptionCancellationFeedback(Base):
    """Stores user feedback when cancelling subscriptions for product improvement analytics."""

    __tablename__ = "subscription_cancellation_feedback"
    __table_args__ = (
        Index("idx_cancellation_feedback_created_at", desc("created_at")),
        Index("idx_cancellation_feedback_tier", "subscription_tier"),
        Index("idx_cancellation_feedback_type", "cancellation_type"),
        Index("idx_cancellation_feedback_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    user_id: Mapped[UserRef | None]
    subscription_tier: Mapped[str] = mapped_column(String(50))
    stripe_subscription_id: Mapped[str | None]
    cancellation_type: Mapped[str] = mapped_column(String(20))
    cancellation_reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    user_role: Mapped[str | None] = mapped_column(String)
    cancellation_flow: Mapped[str | None] = mapped_column(String(50))
    had_payment_failures: Mapped[bool | None]
    billing_cycle: Mapped[str | None] = mapped_column(String(20))
    previous_tier: Mapped[str | None] = mapped_column(String(50))


class SubscriptionTier(Base):
    """A deactivated tier keeps the subscribers it has. weekly_credits_limit is what is enforced;
    monthly_tokens_micro is what the price list says.
    """

    __tablename__ = "subscription_tiers"
    __table_args__ = (
        UniqueConstraint("slug", name="subscription_tiers_slug_key"),
        UniqueConstraint("stripe_price_id", name="subscription_tiers_stripe_price_id_key"),
        Index(
            "idx_subscription_tiers_active", "is_active", postgresql_where=text("is_active = true")
        ),
        Index("idx_subscription_tiers_display_order", "display_order"),
        Index("idx_subscription_tiers_slug", "slug"),
        Index("idx_subscription_tiers_stripe_price_id", "stripe_price_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    slug: Mapped[str]
    display_name: Mapped[str]
    stripe_price_id: Mapped[str]
    monthly_price_cents: Mapped[int]
    monthly_tokens_micro: Mapped[int] = mapped_column(BigInteger)
    weekly_credits_limit: Mapped[int] = mapped_column(BigInteger)
    display_order: Mapped[int] = mapped_column(server_default=ZERO)
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    is_featured: Mapped[bool | None] = mapped_column(server_default=FALSE)
    description: Mapped[str | None]
    features: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class WorkspaceFinancialTransaction(Base):
    """Money that moved. shopify_order rows are the merchant's own sales, not payments to us: no
    revenue report may add the two.
    """

    __tablename__ = "workspace_financial_transactions"
    __table_args__ = (
        Index(
            "idx_financial_revenue",
            "workspace_id",
            "status",
            "transaction_type",
            desc("created_at"),
            postgresql_where=text("(status)::text = 'completed'::text"),
        ),
        Index("idx_financial_status", "status"),
        Index(
            "idx_financial_stripe_pi",
            "stripe_payment_intent_id",
            postgresql_where=text("stripe_payment_intent_id IS NOT NULL"),
        ),
        Index(
            "idx_financial_stripe_sub",
            "stripe_subscription_id",
            postgresql_where=text("stripe_subscription_id IS NOT NULL"),
        ),
        Index("idx_financial_type", "transaction_type", desc("created_at")),
        Index("idx_financial_type_workspace", "transaction_type", "workspace_id"),
        Index("idx_financial_workspace_created", "workspace_id", desc("created_at")),
        Index(
            "idx_workspace_financial_transactions_shopify_attributed",
            "workspace_id",
            text("(((metadata ->> 'attributed_to_tryon'::text))::boolean)"),
            postgresql_where=text(
                "((transaction_type)::text = 'shopify_order'::text) AND ((status)::text = 'completed'::text)"
            ),
        ),
        Index(
            "idx_workspace_financial_transactions_shopify_orders",
            "workspace_id",
            text("((metadata ->> 'account_id'::text))"),
            postgresql_where=text("(transaction_type)::text = 'shopify_order'::text"),
        ),
        Index("idx_workspace_financial_transactions_created_at", desc("created_at")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.workspaces.id", ondelete="RESTRICT")
    )
    user_id: Mapped[UserRef | None]
    transaction_type: Mapped[str] = mapped_column(String(50))
    amount_usd_cents: Mapped[int]
    amount_micro_units: Mapped[int] = mapped_column(BigInteger)
    stripe_payment_intent_id: Mapped[str | None]
    stripe_subscription_id: Mapped[str | None]
    stripe_invoice_id: Mapped[str | None]
    stripe_session_id: Mapped[str | None]
    stripe_customer_id: Mapped[str | None]
    subscription_tier: Mapped[str | None] = mapped_column(String(50))
    billing_period_start: Mapped[datetime | None]
    billing_period_end: Mapped[datetime | None]
    payg_balance_before: Mapped[int | None] = mapped_column(BigInteger)
    payg_balance_after: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(20), server_default="completed")
    description: Mapped[str]
    notes: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    completed_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]


class WorkspacePaygBalance(Base):
    """balance = purchased - used, always; grants and refunds count as purchases, chargebacks as
    use, so neither total ever falls.
    """

    __tablename__ = "workspace_payg_balance"
    __table_args__ = (
        UniqueConstraint("workspace_id", name="workspace_payg_balance_workspace_id_key"),
        Index(
            "idx_workspace_payg_balance_stripe_customer",
            "stripe_customer_id",
            postgresql_where=text("stripe_customer_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    balance_micro_units: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_purchased: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_used: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    stripe_customer_id: Mapped[str | None]


class WorkspaceQuota(Base):
    """The week's credits. Every charge passes here first: one conditional UPDATE, never below
    zero.
    """

    __tablename__ = "workspace_quotas"
    __table_args__ = (UniqueConstraint("workspace_id", name="workspace_quotas_workspace_id_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    subscription_tier: Mapped[str] = mapped_column(String(50), server_default="free")
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    weekly_credits_limit: Mapped[int] = mapped_column(server_default=text("100"))
    weekly_credits_used: Mapped[int] = mapped_column(server_default=ZERO)


class WorkspaceSubscription(Base):
    """Workspace subscription records."""

    __tablename__ = "workspace_subscriptions"
    __table_args__ = (
        UniqueConstraint(
            "stripe_subscription_id", name="workspace_subscriptions_stripe_subscription_id_key"
        ),
        UniqueConstraint("workspace_id", name="workspace_subscriptions_workspace_id_key"),
        Index(
            "idx_workspace_subscriptions_scheduled",
            "scheduled_tier",
            "scheduled_tier_effective_date",
            postgresql_where=text("scheduled_tier IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    tier: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(50), server_default="active")
    stripe_subscription_id: Mapped[str | None]
    stripe_customer_id: Mapped[str | None]
    current_period_start: Mapped[datetime | None]
    current_period_end: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool | None] = mapped_column(server_default=FALSE)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    cancelled_at: Mapped[datetime | None]
    scheduled_tier: Mapped[str | None] = mapped_column(String(50))
    scheduled_tier_effective_date: Mapped[datetime | None]
    stripe_schedule_id: Mapped[str | None]


class WorkspaceUsageEvent(Base):
    """One row per source that paid: an action paid half by the week's credits and half by pay-as-
    you-go has two. cost_credits is in credits in both.
    """

    __tablename__ = "workspace_usage_events"
    __table_args__ = (
        Index("idx_usage_events_cost_source", "cost_source", "workspace_id"),
        Index("idx_usage_events_platform_created", "source_platform", desc("created_at")),
        Index(
            "idx_usage_events_refunded",
            "refunded_at",
            postgresql_where=text("refunded_at IS NOT NULL"),
        ),
        Index("idx_usage_events_status", "status", desc("created_at")),
        Index("idx_usage_events_workspace_created", "workspace_id", desc("created_at")),
        Index("idx_usage_service_type", "service_type", desc("created_at")),
        Index(
            "idx_usage_source",
            "source_platform",
            postgresql_where=text("source_platform IS NOT NULL"),
        ),
        Index("idx_usage_status", "status"),
        Index("idx_usage_tier_time", "subscription_tier", desc("created_at")),
        Index(
            "idx_usage_user",
            "user_id",
            desc("created_at"),
            postgresql_where=text("user_id IS NOT NULL"),
        ),
        Index("idx_workspace_usage_events_created_at", desc("created_at")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.workspaces.id", ondelete="RESTRICT")
    )
    user_id: Mapped[UserRef | None]
    service_type: Mapped[str] = mapped_column(String(50))
    service_subtype: Mapped[str | None] = mapped_column(String(50))
    cost_credits: Mapped[int] = mapped_column(BigInteger)
    cost_source: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), server_default="completed")
    processing_time_ms: Mapped[int | None]
    source_platform: Mapped[str | None] = mapped_column(String(50))
    source_id: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_message: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    completed_at: Mapped[datetime | None]
    subscription_tier: Mapped[str] = mapped_column(String(20))
    refunded_at: Mapped[datetime | None]


class ProcessedWebhookEvent(Base):
    """Payment events already handled, written in the same transaction as their effect."""

    __tablename__ = "processed_webhook_events"
    __table_args__ = (
        Index("idx_webhook_events_cleanup", "processed_at"),
        Index("idx_processed_webhook_events_event", "event_id"),
    )

    event_id: Mapped[str] = mapped_column(primary_key=True)
    processed_at: Mapped[datetime] = mapped_column(server_default=NOW)


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
