"""The commerce domain. Owns the catalogue and the wardrobe: garments, what they look like, what they
cost and whether they can be bought.

Public door: what a try-on and the pages need of a garment.
"""

from selify.commerce.editing import GarmentChange, edit_garment
from selify.commerce.garments import (
    Garment,
    GarmentPicture,
    NewGarment,
    add_garment,
    confirm_category,
    find_garment,
    garment_picture,
    garments_by_id,
    list_garments,
    record_use,
    refresh_usage,
)
from selify.commerce.leffa import DOUBTFUL, LOW_CONFIDENCE, SHOWS_PERSON, LeffaMetadata
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
    "add_garment",
    "confirm_category",
    "edit_garment",
    "find_garment",
    "garment_picture",
    "garments_by_id",
    "list_garments",
    "product_card",
    "record_use",
    "refresh_usage",
    "search_garments",
]
