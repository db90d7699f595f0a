"""The commerce domain: the catalogue and the wardrobe, garments, what they look like, what they cost and
whether they can be bought.

Owns ``wardrobe_garments``, ``wardrobe_collections``, ``wardrobe_usage_events``, ``shopify_products``,
``shopify_product_variants``, ``shopify_collections``, ``shopify_inventory_history``, ``imported_products``,
``product_import_batches``, ``amazon_connected_accounts`` and ``pending_shopify_installations``.
Offers the names below, what a try-on and the pages need of a garment, and ``ports``.
Needs ``auth``, ``dash`` for its pages, and somebody who reads a garment's picture (the port ``GarmentReader``).
"""

from selify.commerce.editing import GarmentChange, edit_garment
from selify.commerce.garments import (
    Garment,
    GarmentPicture,
    NewGarment,
    add_garment,
    confirm_category,
    file_beside,
    find_garment,
    garment_picture,
    garments_by_id,
    list_garments,
    record_use,
    refresh_usage,
)
from selify.commerce.leffa import DOUBTFUL, LOW_CONFIDENCE, SHOWS_PERSON, LeffaMetadata, Readiness
from selify.commerce.products import ProductCard, product_card
from selify.commerce.search import FoundGarments, search_garments

__all__ = [
    "DOUBTFUL",
    "LOW_CONFIDENCE",
    "SHOWS_PERSON",
    "FoundGarments",
    "Garment",
    "GarmentChange",
    "GarmentPicture",
    "LeffaMetadata",
    "NewGarment",
    "ProductCard",
    "Readiness",
    "add_garment",
    "confirm_category",
    "edit_garment",
    "file_beside",
    "find_garment",
    "garment_picture",
    "garments_by_id",
    "list_garments",
    "product_card",
    "record_use",
    "refresh_usage",
    "search_garments",
]
