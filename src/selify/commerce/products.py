"""What a shopper should know beside the picture: name, price, stock, where to buy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from selify.core.database import Tx
from selify.core.money import Cents

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class ProductCard:
    """Only what is known: ``None`` and empty mean "say nothing", never "zero"."""

    name: str
    price: Cents | None = None
    currency: str = "USD"
    in_stock: bool | None = None
    stock: int | None = None
    url: str = ""

    @property
    def price_text(self) -> str:
        if self.price is None:
            return ""
        symbol = SYMBOLS.get(self.currency, f"{self.currency} ")
        return f"{symbol}{self.price.value / 100:,.2f}"


@dataclass(frozen=True, slots=True)
class _Product:
    """``linked``: there is a variant in the shop. ``typed``: what somebody said of it here."""

    name: str
    price: Cents | None
    stock: int | None
    purchasable: bool | None
    linked: bool
    counted: bool
    typed: Mapping[str, Any] = field(default_factory=dict)


async def product_card(tx: Tx, garment_id: UUID) -> ProductCard | None:
    """From the shop's product where the garment is linked to one, else from what was typed in.

    A variant is purchasable if it is available and in stock, sold when out of stock, or not
    counted at all.
    """
    found = await tx.fetch_one_as(
        _Product,
        """
        SELECT coalesce(p.title, g.name, g.filename) AS name, g.metadata -> 'product' AS typed,
               v.price_cents AS price, v.inventory_quantity AS stock,
               v.available AND (v.inventory_quantity > 0 OR v.inventory_policy = 'continue'
                                OR v.inventory_management IS NULL) AS purchasable,
               v.id IS NOT NULL AS linked, v.inventory_management IS NOT NULL AS counted
          FROM public.wardrobe_garments g
          LEFT JOIN public.shopify_products p ON p.id = g.shopify_product_id
          LEFT JOIN LATERAL (
                SELECT * FROM public.shopify_product_variants
                 WHERE product_id = p.id
                 ORDER BY (id = g.shopify_variant_id) DESC NULLS LAST, position LIMIT 1) v ON true
         WHERE g.id = $1
        """,
        garment_id,
    )
    if found is None:
        return None
    return _from_shop(found) if found.linked else _as_typed(found.name, found.typed)


def _from_shop(product: _Product) -> ProductCard:
    return ProductCard(
        name=product.name,
        price=product.price,
        currency=str(product.typed.get("currency") or "USD"),
        in_stock=bool(product.purchasable),
        stock=product.stock if product.counted else None,
        url=str(product.typed.get("url") or ""),
    )


def _as_typed(name: str, typed: Mapping[str, Any]) -> ProductCard:
    price, stock = typed.get("price_cents"), typed.get("stock")
    return ProductCard(
        name=name,
        price=Cents(price) if isinstance(price, int) else None,
        currency=str(typed.get("currency") or "USD"),
        in_stock=stock > 0 if isinstance(stock, int) else None,
        stock=stock if isinstance(stock, int) else None,
        url=str(typed.get("url") or ""),
    )
