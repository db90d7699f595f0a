"""What the wardrobe's API says, in JSON."""

from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from selify.commerce.garments import Garment


class GarmentOutput(BaseModel):
    id: UUID
    name: str
    picture: str = Field(description="A signed link, good for an hour.")
    leffa: dict[str, Any]
    product: dict[str, Any]
    usage_count: int

    @classmethod
    def of(cls, garment: Garment, picture: str) -> Self:
        return cls(
            id=garment.id,
            name=garment.name,
            picture=picture,
            leffa=dict(garment.leffa),
            product=dict(garment.product),
            usage_count=garment.usage_count,
        )
