"""Correcting a garment: what it is called, what it costs, whether it is offered at all.

A garment that is put away keeps its picture, its figures and its place in the books, and comes back
as it was. Nothing is ever deleted here: conversations and charges refer to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from selify.commerce.garments import Garment, GarmentMissing, find_garment
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import Invalid
from selify.core.language import _


@dataclass(frozen=True, slots=True)
class GarmentChange:
    """What is to be different; None leaves a thing as it is. ``product``: members of it, each new,
    or None to forget it (price_cents, currency, stock, url).
    """

    name: str | None = None
    product: Mapping[str, Any] | None = None
    archived: bool | None = None


async def edit_garment(
    tx: Tx, clock: Clock, workspace_id: UUID, garment_id: UUID, change: GarmentChange
) -> Garment:
    """The garment as it is then. Raises GarmentMissing; Invalid for an empty name."""
    if change.name is not None and not change.name.strip():
        raise Invalid(_("A garment needs a name."), field="name")
    row = await tx.fetch_one(
        """
        SELECT name, coalesce(metadata, '{}') AS metadata FROM public.wardrobe_garments
         WHERE id = $1 AND workspace_id = $2 FOR UPDATE
        """,
        garment_id,
        workspace_id,
    )
    if row is None:
        raise GarmentMissing(_("There is no such garment in this wardrobe."))
    await tx.execute(
        "UPDATE public.wardrobe_garments SET name = $2, metadata = $3 WHERE id = $1",
        garment_id,
        change.name.strip() if change.name is not None else row["name"],
        _metadata(row["metadata"], change, at=clock.now().isoformat()),
    )
    return await find_garment(tx, workspace_id, garment_id)


def _metadata(known: Mapping[str, Any], change: GarmentChange, *, at: str) -> dict[str, Any]:
    """The rest of it belongs to others and stays."""
    changed = dict(known)
    if change.product is not None:
        product = {**(changed.pop("product", None) or {}), **change.product}
        kept = {name: value for name, value in product.items() if value is not None}
        changed |= {"product": kept} if kept.keys() - {"currency"} else {}
    if change.archived is False:
        changed.pop("archived_at", None)
    elif change.archived:
        changed.setdefault("archived_at", at)
    return changed
