-- Domain billing: foreign keys and what must hold within a row.
-- ON DELETE: CASCADE where a row means nothing without the other, SET NULL where only the link is lost,
-- RESTRICT where money is remembered. "(x IN (...)) IS TRUE" also refuses null: a state is never unknown.

-- What is owed to someone keeps their account from being deleted.
ALTER TABLE public.affiliate_commissions
    ADD CONSTRAINT affiliate_commissions_affiliate_user_id_fkey
        FOREIGN KEY (affiliate_user_id) REFERENCES auth.users (id) ON DELETE RESTRICT,
    ADD CONSTRAINT affiliate_commissions_referred_user_id_fkey
        FOREIGN KEY (referred_user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT affiliate_commissions_source_workspace_id_fkey
        FOREIGN KEY (source_workspace_id) REFERENCES public.workspaces (id) ON DELETE SET NULL,
    ADD CONSTRAINT affiliate_commissions_source_transaction_id_fkey
        FOREIGN KEY (source_transaction_id) REFERENCES public.workspace_financial_transactions (id) ON DELETE RESTRICT,
    ADD CONSTRAINT affiliate_commissions_status_check
        CHECK ((status IN ('pending', 'cleared', 'paid', 'reversed')) IS TRUE),
    ADD CONSTRAINT affiliate_commissions_rate_check CHECK (commission_rate BETWEEN 0 AND 1),
    ADD CONSTRAINT affiliate_commissions_paid_check CHECK (status <> 'paid' OR paid_at IS NOT NULL),
    ADD CONSTRAINT affiliate_commissions_reversed_check
        CHECK (status <> 'reversed' OR reversed_at IS NOT NULL),
    ADD CONSTRAINT affiliate_commissions_self_referral_check
        CHECK (affiliate_user_id <> referred_user_id);

ALTER TABLE public.billing_meters
    ADD CONSTRAINT billing_meters_slug_check CHECK (slug <> ''),
    ADD CONSTRAINT billing_meters_amount_check CHECK (default_unit_amount_cents >= 0);

ALTER TABLE public.subscription_cancellation_feedback
    ADD CONSTRAINT subscription_cancellation_feedback_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT subscription_cancellation_feedback_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT subscription_cancellation_feedback_type_check
        CHECK ((cancellation_type IN ('end_of_period', 'immediate')) IS TRUE),
    ADD CONSTRAINT subscription_cancellation_feedback_billing_cycle_check
        CHECK (billing_cycle IN ('monthly', 'annual')),
    ADD CONSTRAINT subscription_cancellation_feedback_user_role_check
        CHECK (user_role IN ('owner', 'admin', 'member'));

ALTER TABLE public.subscription_tiers
    ADD CONSTRAINT subscription_tiers_slug_check CHECK (slug <> ''),
    ADD CONSTRAINT subscription_tiers_amounts_check CHECK (monthly_price_cents >= 0
            AND monthly_tokens_micro >= 0 AND weekly_credits_limit >= 0);

ALTER TABLE public.workspace_financial_transactions
    ADD CONSTRAINT workspace_financial_transactions_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE RESTRICT,
    ADD CONSTRAINT workspace_financial_transactions_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT workspace_financial_transactions_type_check CHECK ((transaction_type IN (
            'subscription_payment', 'subscription_renewal', 'payg_purchase', 'auto_reload',
            'credit_grant', 'refund', 'chargeback', 'affiliate_payout', 'adjustment',
            'shopify_order', 'shopify_refund'
        )) IS TRUE),
    ADD CONSTRAINT workspace_financial_transactions_status_check CHECK ((status IN (
            'pending', 'completed', 'failed', 'cancelled', 'refunded', 'partially_refunded',
            'disputed'
        )) IS TRUE),
    -- The merchant's own sales buy no credits.
    ADD CONSTRAINT workspace_financial_transactions_order_check
        CHECK (amount_micro_units = 0 OR transaction_type NOT IN ('shopify_order', 'shopify_refund')),
    ADD CONSTRAINT workspace_financial_transactions_balance_check
        CHECK (payg_balance_before >= 0 AND payg_balance_after >= 0),
    ADD CONSTRAINT workspace_financial_transactions_period_check
        CHECK (billing_period_end > billing_period_start),
    ADD CONSTRAINT workspace_financial_transactions_refunded_check
        CHECK (status <> 'refunded' OR refunded_at IS NOT NULL);

ALTER TABLE public.workspace_payg_balance
    ADD CONSTRAINT workspace_payg_balance_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_payg_balance_not_negative_check
        CHECK (balance_micro_units >= 0 AND total_purchased >= 0 AND total_used >= 0),
    -- Refunds and grants count as purchases, chargebacks as use.
    ADD CONSTRAINT workspace_payg_balance_sum_check
        CHECK (balance_micro_units = total_purchased - total_used);

ALTER TABLE public.workspace_quotas
    ADD CONSTRAINT workspace_quotas_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    -- used may exceed limit: a tier can be lowered in the middle of a week.
    ADD CONSTRAINT workspace_quotas_credits_check
        CHECK (weekly_credits_limit >= 0 AND weekly_credits_used >= 0),
    ADD CONSTRAINT workspace_quotas_period_check CHECK (period_end > period_start);

ALTER TABLE public.workspace_subscriptions
    ADD CONSTRAINT workspace_subscriptions_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_subscriptions_status_check CHECK ((status IN (
            'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid',
            'paused', 'canceled'
        )) IS TRUE),
    ADD CONSTRAINT workspace_subscriptions_period_check
        CHECK (current_period_end > current_period_start),
    -- A pending change of tier is known wholly or not at all.
    ADD CONSTRAINT workspace_subscriptions_schedule_check
        CHECK (num_nonnulls(scheduled_tier, scheduled_tier_effective_date, stripe_schedule_id) IN (0, 3));

-- What was charged outlives the wish to delete the workspace: workspaces with a history are closed with
-- deleted_at instead.
ALTER TABLE public.workspace_usage_events
    ADD CONSTRAINT workspace_usage_events_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE RESTRICT,
    ADD CONSTRAINT workspace_usage_events_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT workspace_usage_events_status_check
        CHECK ((status IN ('reserved', 'completed', 'failed', 'refunded', 'cancelled')) IS TRUE),
    ADD CONSTRAINT workspace_usage_events_cost_source_check
        CHECK ((cost_source IN ('subscription', 'payg_balance')) IS TRUE),
    ADD CONSTRAINT workspace_usage_events_cost_check CHECK (cost_credits >= 0),
    ADD CONSTRAINT workspace_usage_events_refunded_check
        CHECK (status <> 'refunded' OR refunded_at IS NOT NULL);
