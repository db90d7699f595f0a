"""What one may see of a workspace's figures."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import MEMBER, Permission, rows

FIGURES_READ: Final = Permission(
    "analytics.figures.read",
    MEMBER,
    _("see how accounts and posts are doing, day by day"),
    rows("account_metrics_daily instagram_post_metrics", "SELECT"),
)

PERMISSIONS: Final = (FIGURES_READ,)
