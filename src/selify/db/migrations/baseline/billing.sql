-- Domain billing: plans, the week's credits, pay-as-you-go, and one row for everything ever charged.
-- Units: cents (100 = $1), micro-units (100,000 = $1), credits (10,000 = $0.60: 1 is 6 micro-units).
-- Keys and indexes stand in the order in which the reference prints them, the order of their making;
-- where an index or another key comes before the primary key, that one is added after the table.
-- Foreign keys and checks are in constraints.sql, triggers in triggers.sql.

-- Earned on a paid transaction, cleared after 14 days, paid as credits; a refund reverses it.
CREATE TABLE public.affiliate_commissions (
    id                    uuid NOT NULL DEFAULT gen_random_uuid(),
    affiliate_user_id     uuid NOT NULL,
    referred_user_id      uuid,
    source_workspace_id   uuid,
    source_transaction_id uuid,
    commission_type       text NOT NULL,
    source_amount_cents   integer NOT NULL DEFAULT 0,
    commission_rate       numeric(4,3) NOT NULL,
    commission_cents      integer NOT NULL,
    status                text DEFAULT 'pending',
    clears_at             timestamptz DEFAULT now() + '14 days'::interval,
    paid_at               timestamptz,
    reversed_at           timestamptz,
    reversal_reason       text,
    notes                 text,
    created_at            timestamptz DEFAULT now(),
    updated_at            timestamptz DEFAULT now(),
    CONSTRAINT affiliate_commissions_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.affiliate_commissions IS
    'Affiliate commission records.
SECURITY: INSERT/UPDATE/DELETE restricted to service_role only.
SELECT allowed for authenticated users (own records only via affiliate_user_id = auth.uid()).
Created: Dec 11, 2025. Security fix: Dec 12, 2025.';
CREATE INDEX idx_aff_comm_affiliate ON public.affiliate_commissions (affiliate_user_id);
CREATE INDEX idx_aff_comm_created ON public.affiliate_commissions (created_at DESC);
CREATE INDEX idx_aff_comm_referred ON public.affiliate_commissions (referred_user_id);
CREATE INDEX idx_aff_comm_source ON public.affiliate_commissions (source_transaction_id);
CREATE INDEX idx_aff_comm_status ON public.affiliate_commissions (status, clears_at);
CREATE INDEX idx_affiliate_commissions_source_workspace
    ON public.affiliate_commissions (source_workspace_id);
ALTER TABLE public.affiliate_commissions ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.billing_meters (
    id                        uuid NOT NULL DEFAULT gen_random_uuid(),
    slug                      text NOT NULL,
    display_name              text NOT NULL,
    unit_label                text NOT NULL,
    default_unit_amount_cents integer NOT NULL,
    metadata                  jsonb DEFAULT '{}',
    is_active                 boolean DEFAULT true,
    created_at                timestamptz DEFAULT now(),
    updated_at                timestamptz DEFAULT now(),
    CONSTRAINT billing_meters_pkey PRIMARY KEY (id),
    CONSTRAINT billing_meters_slug_key UNIQUE (slug)
);
COMMENT ON TABLE public.billing_meters IS
    'Catalog of billable meters (virtual try-on, bot message, etc.)';
ALTER TABLE public.billing_meters ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.subscription_cancellation_feedback (
    id                     uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id           uuid NOT NULL,
    user_id                uuid,
    subscription_tier      varchar(50) NOT NULL,
    stripe_subscription_id text,
    cancellation_type      varchar(20) NOT NULL,
    cancellation_reason    text NOT NULL,
    created_at             timestamptz NOT NULL DEFAULT now(),
    user_role              varchar,
    cancellation_flow      varchar(50),
    had_payment_failures   boolean,
    billing_cycle          varchar(20),
    previous_tier          varchar(50),
    CONSTRAINT subscription_cancellation_feedback_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.subscription_cancellation_feedback IS
    'Stores user feedback when cancelling subscriptions for product improvement analytics';
COMMENT ON COLUMN public.subscription_cancellation_feedback.cancellation_type IS
    'Type of cancellation: end_of_period (keeps access) or immediate (loses access now)';
COMMENT ON COLUMN public.subscription_cancellation_feedback.cancellation_reason IS
    'User-provided reason for cancelling their subscription';
COMMENT ON COLUMN public.subscription_cancellation_feedback.user_role IS
    'Role of user who cancelled (owner, admin, member) - helps identify if cancellations are from decision-makers';
COMMENT ON COLUMN public.subscription_cancellation_feedback.cancellation_flow IS
    'UI flow where cancellation was initiated (settings_page, billing_page) - helps identify UX friction points';
COMMENT ON COLUMN public.subscription_cancellation_feedback.had_payment_failures IS
    'Whether workspace had recent payment failures - helps distinguish billing issues from product dissatisfaction';
COMMENT ON COLUMN public.subscription_cancellation_feedback.billing_cycle IS
    'Billing cycle type (monthly, annual) - helps analyze retention by payment frequency';
COMMENT ON COLUMN public.subscription_cancellation_feedback.previous_tier IS
    'Previous tier if user downgraded before cancelling - helps identify tier transition patterns';
CREATE INDEX idx_cancellation_feedback_created_at
    ON public.subscription_cancellation_feedback (created_at DESC);
CREATE INDEX idx_cancellation_feedback_tier
    ON public.subscription_cancellation_feedback (subscription_tier);
CREATE INDEX idx_cancellation_feedback_type
    ON public.subscription_cancellation_feedback (cancellation_type);
CREATE INDEX idx_cancellation_feedback_workspace
    ON public.subscription_cancellation_feedback (workspace_id);
ALTER TABLE public.subscription_cancellation_feedback ENABLE ROW LEVEL SECURITY;

-- A deactivated tier keeps the subscribers it has. weekly_credits_limit is what is enforced;
-- monthly_tokens_micro is what the price list says.
CREATE TABLE public.subscription_tiers (
    id                   uuid NOT NULL DEFAULT gen_random_uuid(),
    slug                 text NOT NULL,
    display_name         text NOT NULL,
    stripe_price_id      text NOT NULL,
    monthly_price_cents  integer NOT NULL,
    monthly_tokens_micro bigint NOT NULL,
    weekly_credits_limit bigint NOT NULL,
    display_order        integer NOT NULL DEFAULT 0,
    is_active            boolean DEFAULT true,
    is_featured          boolean DEFAULT false,
    description          text,
    features             jsonb DEFAULT '[]',
    metadata             jsonb DEFAULT '{}',
    created_at           timestamptz DEFAULT now(),
    updated_at           timestamptz DEFAULT now(),
    CONSTRAINT subscription_tiers_pkey PRIMARY KEY (id),
    CONSTRAINT subscription_tiers_slug_key UNIQUE (slug),
    CONSTRAINT subscription_tiers_stripe_price_id_key UNIQUE (stripe_price_id)
);
COMMENT ON TABLE public.subscription_tiers IS
    'Configurable subscription tier definitions with Stripe price mappings';
COMMENT ON COLUMN public.subscription_tiers.slug IS
    'URL-friendly identifier (starter, pro, enterprise)';
COMMENT ON COLUMN public.subscription_tiers.stripe_price_id IS
    'Stripe price ID from Stripe Dashboard';
COMMENT ON COLUMN public.subscription_tiers.monthly_tokens_micro IS
    'Monthly token grant in micro-units (1 dollar = 100,000)';
COMMENT ON COLUMN public.subscription_tiers.display_order IS
    'Sort order for displaying tiers (lower = first)';
COMMENT ON COLUMN public.subscription_tiers.features IS
    'JSON array of feature strings for display';
CREATE INDEX idx_subscription_tiers_active
    ON public.subscription_tiers (is_active) WHERE (is_active = true);
CREATE INDEX idx_subscription_tiers_display_order ON public.subscription_tiers (display_order);
CREATE INDEX idx_subscription_tiers_slug ON public.subscription_tiers (slug);
CREATE INDEX idx_subscription_tiers_stripe_price_id ON public.subscription_tiers (stripe_price_id);
ALTER TABLE public.subscription_tiers ENABLE ROW LEVEL SECURITY;

-- Money that moved. shopify_order rows are the merchant's own sales, not payments to us: no
-- revenue report may add the two.
CREATE TABLE public.workspace_financial_transactions (
    id                       uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id             uuid NOT NULL,
    user_id                  uuid,
    transaction_type         varchar(50) NOT NULL,
    amount_usd_cents         integer NOT NULL,
    amount_micro_units       bigint NOT NULL,
    stripe_payment_intent_id text,
    stripe_subscription_id   text,
    stripe_invoice_id        text,
    stripe_session_id        text,
    stripe_customer_id       text,
    subscription_tier        varchar(50),
    billing_period_start     timestamptz,
    billing_period_end       timestamptz,
    payg_balance_before      bigint,
    payg_balance_after       bigint,
    status                   varchar(20) NOT NULL DEFAULT 'completed',
    description              text NOT NULL,
    notes                    text,
    metadata                 jsonb DEFAULT '{}',
    created_at               timestamptz NOT NULL DEFAULT now(),
    completed_at             timestamptz,
    refunded_at              timestamptz,
    CONSTRAINT workspace_financial_transactions_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.workspace_financial_transactions IS
    'Financial audit trail. REPLICA IDENTITY FULL for realtime transaction tracking.';
COMMENT ON COLUMN public.workspace_financial_transactions.transaction_type IS
    'subscription_payment: Initial subscription purchase, subscription_renewal: Monthly renewal, payg_purchase: One-time credit purchase';
COMMENT ON COLUMN public.workspace_financial_transactions.amount_usd_cents IS
    'Actual money amount in cents (e.g., 2900 for $29.00)';
COMMENT ON COLUMN public.workspace_financial_transactions.amount_micro_units IS
    'Equivalent in micro-units (e.g., 3,500,000 for $35.00 worth of credits)';
CREATE INDEX idx_financial_revenue
    ON public.workspace_financial_transactions (workspace_id, status, transaction_type, created_at DESC)
    WHERE ((status)::text = 'completed'::text);
CREATE INDEX idx_financial_status ON public.workspace_financial_transactions (status);
CREATE INDEX idx_financial_stripe_pi
    ON public.workspace_financial_transactions (stripe_payment_intent_id)
    WHERE (stripe_payment_intent_id IS NOT NULL);
CREATE INDEX idx_financial_stripe_sub
    ON public.workspace_financial_transactions (stripe_subscription_id)
    WHERE (stripe_subscription_id IS NOT NULL);
CREATE INDEX idx_financial_type
    ON public.workspace_financial_transactions (transaction_type, created_at DESC);
CREATE INDEX idx_financial_type_workspace
    ON public.workspace_financial_transactions (transaction_type, workspace_id);
CREATE INDEX idx_financial_workspace_created
    ON public.workspace_financial_transactions (workspace_id, created_at DESC);
CREATE INDEX idx_workspace_financial_transactions_shopify_attributed
    ON public.workspace_financial_transactions (workspace_id, (((metadata ->> 'attributed_to_tryon'::text))::boolean))
    WHERE (((transaction_type)::text = 'shopify_order'::text) AND ((status)::text = 'completed'::text));
CREATE INDEX idx_workspace_financial_transactions_shopify_orders
    ON public.workspace_financial_transactions (workspace_id, ((metadata ->> 'account_id'::text)))
    WHERE ((transaction_type)::text = 'shopify_order'::text);
CREATE INDEX idx_workspace_financial_transactions_created_at
    ON public.workspace_financial_transactions (created_at DESC);
ALTER TABLE public.workspace_financial_transactions ENABLE ROW LEVEL SECURITY;

-- balance = purchased - used, always; grants and refunds count as purchases, chargebacks as use,
-- so neither total ever falls.
CREATE TABLE public.workspace_payg_balance (
    id                  uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id        uuid NOT NULL,
    balance_micro_units bigint NOT NULL DEFAULT 0,
    total_purchased     bigint NOT NULL DEFAULT 0,
    total_used          bigint NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    stripe_customer_id  text,
    CONSTRAINT workspace_payg_balance_pkey PRIMARY KEY (id),
    CONSTRAINT workspace_payg_balance_workspace_id_key UNIQUE (workspace_id)
);
COMMENT ON TABLE public.workspace_payg_balance IS
    'Pay-As-You-Go (PAYG) balance for workspaces. Tracks micro-units purchased via one-time payments. Separate from subscription credits (tracked in workspace_quotas). All values in micro-units (1 micro-unit = $0.00001).';
COMMENT ON COLUMN public.workspace_payg_balance.balance_micro_units IS
    'Current PAYG balance in micro-units. Users can buy credits and use them anytime. Does not expire. Example: 1,000,000 micro-units = $10.00 worth.';
COMMENT ON COLUMN public.workspace_payg_balance.total_purchased IS
    'Lifetime total micro-units purchased via PAYG. Includes all purchases and grants. Never decreases.';
COMMENT ON COLUMN public.workspace_payg_balance.total_used IS
    'Lifetime total micro-units consumed from PAYG balance. Never decreases. Used when subscription credits are exhausted.';
CREATE INDEX idx_workspace_payg_balance_stripe_customer
    ON public.workspace_payg_balance (stripe_customer_id) WHERE (stripe_customer_id IS NOT NULL);
ALTER TABLE public.workspace_payg_balance ENABLE ROW LEVEL SECURITY;

-- The week's credits. Every charge passes here first: one conditional UPDATE, never below zero.
CREATE TABLE public.workspace_quotas (
    id                   uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id         uuid NOT NULL,
    subscription_tier    varchar(50) NOT NULL DEFAULT 'free',
    period_start         timestamptz NOT NULL,
    period_end           timestamptz NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    -- The limit always comes from the tier's row; this default buys nothing (one try-on is 383).
    weekly_credits_limit integer NOT NULL DEFAULT 100,
    weekly_credits_used  integer NOT NULL DEFAULT 0,
    CONSTRAINT workspace_quotas_pkey PRIMARY KEY (id),
    CONSTRAINT workspace_quotas_workspace_id_key UNIQUE (workspace_id)
);
COMMENT ON COLUMN public.workspace_quotas.weekly_credits_limit IS
    'Weekly credit allocation (10k = free tier baseline of $0.60/week)';
COMMENT ON COLUMN public.workspace_quotas.weekly_credits_used IS
    'Credits consumed this week (383 per generation, 17 per message)';
ALTER TABLE public.workspace_quotas ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.workspace_subscriptions (
    id                            uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id                  uuid NOT NULL,
    tier                          varchar(50) NOT NULL,
    status                        varchar(50) NOT NULL DEFAULT 'active',
    stripe_subscription_id        text,
    stripe_customer_id            text,
    current_period_start          timestamptz,
    current_period_end            timestamptz,
    cancel_at_period_end          boolean DEFAULT false,
    created_at                    timestamptz NOT NULL DEFAULT now(),
    updated_at                    timestamptz NOT NULL DEFAULT now(),
    cancelled_at                  timestamptz,
    scheduled_tier                varchar(50),
    scheduled_tier_effective_date timestamptz,
    stripe_schedule_id            text,
    CONSTRAINT workspace_subscriptions_pkey PRIMARY KEY (id),
    CONSTRAINT workspace_subscriptions_stripe_subscription_id_key UNIQUE (stripe_subscription_id),
    CONSTRAINT workspace_subscriptions_workspace_id_key UNIQUE (workspace_id)
);
COMMENT ON TABLE public.workspace_subscriptions IS
    'Workspace subscription records. Removed metadata column (2025-11-04) as it contained redundant data (tier, workspace_id) already available as separate columns.';
COMMENT ON COLUMN public.workspace_subscriptions.cancelled_at IS
    'when sub. cancellation was done';
COMMENT ON COLUMN public.workspace_subscriptions.scheduled_tier IS
    'Pending tier change scheduled for future (e.g., user on "enterprise" scheduled to downgrade to "pro" at end of billing period)';
COMMENT ON COLUMN public.workspace_subscriptions.scheduled_tier_effective_date IS
    'When the scheduled tier change will take effect (typically end of current billing period)';
COMMENT ON COLUMN public.workspace_subscriptions.stripe_schedule_id IS
    'Stripe subscription schedule ID for tracking scheduled changes';
CREATE INDEX idx_workspace_subscriptions_scheduled
    ON public.workspace_subscriptions (scheduled_tier, scheduled_tier_effective_date)
    WHERE (scheduled_tier IS NOT NULL);
ALTER TABLE public.workspace_subscriptions ENABLE ROW LEVEL SECURITY;

-- One row per source that paid: an action paid half by the week's credits and half by pay-as-you-
-- go has two. cost_credits is in credits in both.
CREATE TABLE public.workspace_usage_events (
    id                 uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id       uuid NOT NULL,
    user_id            uuid,
    service_type       varchar(50) NOT NULL,
    service_subtype    varchar(50),
    cost_credits       bigint NOT NULL,
    cost_source        varchar(20) NOT NULL,
    status             varchar(20) NOT NULL DEFAULT 'completed',
    processing_time_ms integer,
    source_platform    varchar(50),
    source_id          text,
    metadata           jsonb DEFAULT '{}',
    error_code         varchar(50),
    error_message      text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    completed_at       timestamptz,
    subscription_tier  varchar(20) NOT NULL,
    refunded_at        timestamptz,
    CONSTRAINT workspace_usage_events_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.workspace_usage_events IS
    'Unified event log for all paid actions (generations, messages, photo shoots, etc). Single source of truth for usage analytics.';
COMMENT ON COLUMN public.workspace_usage_events.service_type IS
    'Type of service: generation, message, photo_shoot, etc.';
COMMENT ON COLUMN public.workspace_usage_events.cost_source IS
    'Where credits were charged from: "subscription" (weekly allowance) or "payg_balance" (pay-as-you-go credits). Renamed from "payg" to match workspace_payg_balance table.';
COMMENT ON COLUMN public.workspace_usage_events.source_platform IS
    'Platform that initiated the usage: "website", "mobile_ios", "mobile_android", "api", "bot", etc. Should be passed in metadata from frontend/client. Defaults to "unknown" if not provided.';
COMMENT ON COLUMN public.workspace_usage_events.metadata IS
    'Service-specific details in JSONB format. For generations: image URLs, AI model info. For messages: message text, recipient info.';
COMMENT ON COLUMN public.workspace_usage_events.subscription_tier IS
    'Subscription tier at time of usage (free, starter, pro). Critical for analytics and debugging. Captured at usage time so historical data remains accurate even if tier changes.';
CREATE INDEX idx_usage_events_cost_source
    ON public.workspace_usage_events (cost_source, workspace_id);
CREATE INDEX idx_usage_events_platform_created
    ON public.workspace_usage_events (source_platform, created_at DESC);
CREATE INDEX idx_usage_events_refunded
    ON public.workspace_usage_events (refunded_at) WHERE (refunded_at IS NOT NULL);
CREATE INDEX idx_usage_events_status ON public.workspace_usage_events (status, created_at DESC);
CREATE INDEX idx_usage_events_workspace_created
    ON public.workspace_usage_events (workspace_id, created_at DESC);
CREATE INDEX idx_usage_service_type
    ON public.workspace_usage_events (service_type, created_at DESC);
CREATE INDEX idx_usage_source
    ON public.workspace_usage_events (source_platform) WHERE (source_platform IS NOT NULL);
CREATE INDEX idx_usage_status ON public.workspace_usage_events (status);
CREATE INDEX idx_usage_tier_time
    ON public.workspace_usage_events (subscription_tier, created_at DESC);
CREATE INDEX idx_usage_user
    ON public.workspace_usage_events (user_id, created_at DESC) WHERE (user_id IS NOT NULL);
CREATE INDEX idx_workspace_usage_events_created_at
    ON public.workspace_usage_events (created_at DESC);
ALTER TABLE public.workspace_usage_events ENABLE ROW LEVEL SECURITY;
