"""What one may do with the wardrobe, products and stores."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import MEMBER, Permission, rows

GARMENTS_READ: Final = Permission(
    "commerce.garments.read",
    MEMBER,
    _("see the wardrobe and what was worn how often"),
    rows("wardrobe_garments wardrobe_usage_events", "SELECT"),
    scope="wardrobe:read",
)
GARMENTS_ADD: Final = Permission(
    "commerce.garments.add", MEMBER, _("add garments"), scope="wardrobe:write"
)
GARMENTS_CHANGE: Final = Permission(
    "commerce.garments.change",
    MEMBER,
    _("correct garments and put them away"),
    scope="wardrobe:write",
)
COLLECTIONS_READ: Final = Permission(
    "commerce.collections.read",
    MEMBER,
    _("see collections of garments"),
    rows("wardrobe_collections", "SELECT"),
)
COLLECTIONS_CHANGE: Final = Permission(
    "commerce.collections.change",
    MEMBER,
    _("make, change and delete collections of garments"),
    rows("wardrobe_collections", "INSERT UPDATE DELETE"),
)
PRODUCTS_READ: Final = Permission(
    "commerce.products.read",
    MEMBER,
    _("see products, their stock and how they were imported"),
    rows(
        "imported_products product_import_batches shopify_products shopify_product_variants shopify_collections shopify_inventory_history",
        "SELECT",
    ),
)
PRODUCTS_CHANGE: Final = Permission(
    "commerce.products.change",
    MEMBER,
    _("add, change and delete products"),
    rows(
        "imported_products shopify_products shopify_product_variants shopify_collections",
        "INSERT UPDATE DELETE",
    ),
)
PRODUCTS_IMPORT: Final = Permission(
    "commerce.products.import",
    MEMBER,
    _("import products"),
    rows("product_import_batches", "INSERT"),
)
STORES_READ: Final = Permission(
    "commerce.stores.read",
    MEMBER,
    _("see connected stores"),
    rows("amazon_connected_accounts pending_shopify_installations", "SELECT"),
)
STORES_CHANGE: Final = Permission(
    "commerce.stores.change",
    MEMBER,
    _("say how a connected store is used"),
    rows("amazon_connected_accounts", "UPDATE"),
)

PERMISSIONS: Final = (
    GARMENTS_READ,
    GARMENTS_ADD,
    GARMENTS_CHANGE,
    COLLECTIONS_READ,
    COLLECTIONS_CHANGE,
    PRODUCTS_READ,
    PRODUCTS_CHANGE,
    PRODUCTS_IMPORT,
    STORES_READ,
    STORES_CHANGE,
)
