"""What one may see of a workspace's money."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import ADMIN, MEMBER, Permission, rows

USAGE_READ: Final = Permission(
    "billing.usage.read",
    MEMBER,
    _("see what there is to spend, every charge, and why it is what it is"),
    rows("workspace_usage_events workspace_payg_balance workspace_quotas", "SELECT"),
    scope="billing:read",
)
INVOICES_READ: Final = Permission(
    "billing.invoices.read",
    MEMBER,
    _("see the subscription, payments and when credits are bought"),
    rows(
        "workspace_subscriptions workspace_financial_transactions workspace_auto_reload_settings",
        "SELECT",
    ),
)
RELOAD_CHANGE: Final = Permission(
    "billing.reload.change", ADMIN, _("say whether and when credits are bought automatically")
)
FEEDBACK_WRITE: Final = Permission(
    "billing.feedback.write",
    MEMBER,
    _("say why the subscription was cancelled"),
    rows("subscription_cancellation_feedback", "SELECT INSERT"),
)

PERMISSIONS: Final = (USAGE_READ, INVOICES_READ, RELOAD_CHANGE, FEEDBACK_WRITE)
