"""The billing domain: what things cost, what a workspace may spend, and what it spent.

Owns ``billing_meters``, ``subscription_tiers``, ``workspace_subscriptions``, ``workspace_quotas``,
``workspace_payg_balance``, ``workspace_auto_reload_settings``, ``workspace_usage_events``,
``workspace_financial_transactions``, ``affiliate_commissions``, ``subscription_cancellation_feedback``,
``processed_webhook_events``, ``internal.price_book``, ``internal.charge_costs`` and ``internal.spend_days``.
Offers the names below: the story of a charge is in ``credits``, of the two pots it is paid from in ``accounts``, of
the prices in ``price_book``.
Needs ``dash`` for its pages.
"""

from selify.billing.accounts import balance, grant, open_account
from selify.billing.batching import ChargeBatches
from selify.billing.credits import refund, release_stale, reserve, settle
from selify.billing.errors import (
    AccountMissing,
    ChargeMissing,
    ChargeRefunded,
    CreditsExhausted,
    MeterClosed,
    MeterUnknown,
    PriceMissing,
    SourceTaken,
)
from selify.billing.explanation import explain
from selify.billing.forgetting import forget_shoppers
from selify.billing.invariants import invariants
from selify.billing.price_book import price_of, provider_cost, seed
from selify.billing.repository import status_of
from selify.billing.spending import DaySpend, count_days, spend_by_day
from selify.billing.types import (
    Balance,
    CostSource,
    Explanation,
    Grant,
    Order,
    Price,
    Refund,
    RefundTo,
    Reservation,
    Spend,
    SpendBy,
    UsageEventId,
    UsagePart,
    UsageStatus,
    Work,
)
from selify.billing.usage import After, list_usage, spend_by

__all__ = [
    "AccountMissing",
    "After",
    "Balance",
    "ChargeBatches",
    "ChargeMissing",
    "ChargeRefunded",
    "CostSource",
    "CreditsExhausted",
    "DaySpend",
    "Explanation",
    "Grant",
    "MeterClosed",
    "MeterUnknown",
    "Order",
    "Price",
    "PriceMissing",
    "Refund",
    "RefundTo",
    "Reservation",
    "SourceTaken",
    "Spend",
    "SpendBy",
    "UsageEventId",
    "UsagePart",
    "UsageStatus",
    "Work",
    "balance",
    "count_days",
    "explain",
    "forget_shoppers",
    "grant",
    "invariants",
    "list_usage",
    "open_account",
    "price_of",
    "provider_cost",
    "refund",
    "release_stale",
    "reserve",
    "seed",
    "settle",
    "spend_by",
    "spend_by_day",
    "status_of",
]
