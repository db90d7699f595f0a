"""What one may do with shops to walk into."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import MEMBER, Permission, rows

SHOPS_READ: Final = Permission(
    "vr.shops.read",
    MEMBER,
    _("see VR shops and what hangs in them"),
    rows("vr_shops vr_garments", "SELECT"),
)
SHOPS_CHANGE: Final = Permission(
    "vr.shops.change",
    MEMBER,
    _("open, furnish and close VR shops"),
    rows("vr_shops vr_garments", "INSERT UPDATE DELETE"),
)
TOKENS_READ: Final = Permission(
    "vr.tokens.read",
    MEMBER,
    _("see who may show a VR shop elsewhere"),
    rows("vr_shop_tokens", "SELECT"),
)
TOKENS_CHANGE: Final = Permission(
    "vr.tokens.change",
    MEMBER,
    _("let others show a VR shop, and end it"),
    rows("vr_shop_tokens", "INSERT UPDATE"),
)

PERMISSIONS: Final = (SHOPS_READ, SHOPS_CHANGE, TOKENS_READ, TOKENS_CHANGE)
