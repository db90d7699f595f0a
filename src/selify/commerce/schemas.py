"""What the wardrobe's API says, in JSON."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from selify.commerce.editing import GarmentChange
from selify.commerce.garments import Garment
from selify.commerce.leffa import Readiness
from selify.core.text import OneLine

_PRODUCT = {"price_cents", "currency", "stock", "url"}


class GarmentInput(BaseModel):
    """What is to be different. ``name``, ``currency`` and ``archived`` cannot be null."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[OneLine, Field(min_length=1, max_length=200)] = ""
    price_cents: Annotated[int | None, Field(ge=0, le=100_000_000)] = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    stock: Annotated[int | None, Field(ge=0, le=10_000_000)] = None
    url: Annotated[OneLine, Field(pattern="^https?://", max_length=200)] | None = None
    archived: bool = False

    def as_change(self) -> GarmentChange:
        """Only what was said."""
        said = self.model_dump(exclude_unset=True)
        product = {key: value for key, value in said.items() if key in _PRODUCT}
        return GarmentChange(
            name=said.get("name"), product=product or None, archived=said.get("archived")
        )


class GarmentOutput(BaseModel):
    id: UUID
    name: str
    picture: str = Field(description="A signed link, good for an hour.")
    leffa: dict[str, Any]
    readiness: Readiness | None = Field(
        description="How good try-ons of it will be, and why. Null if its picture was never read for it."
    )
    product: dict[str, Any]
    usage_count: int
    archived: bool

    @classmethod
    def of(cls, garment: Garment, picture: str) -> Self:
        return cls(
            id=garment.id,
            name=garment.name,
            picture=picture,
            leffa=dict(garment.leffa),
            readiness=garment.readiness,
            product=dict(garment.product),
            usage_count=garment.usage_count,
            archived=garment.archived,
        )
