"""``/api/v1/workspaces/{workspace_id}/brands``: a holding reads the numbers of its brands."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from selify.analytics import holding_numbers
from selify.auth import holdings
from selify.auth.permissions import HOLDING_READ
from selify.core.permissions import allows
from selify.core.web.http import CurrentClock, CurrentUserId, SystemTx

router = APIRouter(prefix="/api/v1/workspaces/{workspace_id}", tags=["analytics"])


class BrandNumbersOutput(BaseModel):
    brand_id: UUID = Field(examples=["01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"])
    name: str = Field(examples=["Nordlicht"])
    days: int = Field(examples=[30])
    triggers: int = Field(description="Comments and messages that began a try-on.", examples=[120])
    answered: int = Field(examples=[118])
    photos: int = Field(examples=[80])
    tried_on: int = Field(examples=[74])
    liked: int = Field(examples=[41])
    spent_credits: int = Field(examples=[28342])


@router.get("/brands/{brand_id}/numbers")
@allows(HOLDING_READ)
async def read_brand_numbers(
    workspace_id: UUID,
    brand_id: UUID,
    tx: SystemTx,
    clock: CurrentClock,
    user_id: CurrentUserId,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> BrandNumbersOutput:
    """How a brand of this holding is doing; the holding's owners only. Numbers, and nobody's name or words."""
    brand = await holdings.access_held_brand(tx, workspace_id, brand_id, user_id=user_id)
    found = await holding_numbers.numbers_of(tx, clock, brand_id, days=days)
    return BrandNumbersOutput(
        brand_id=brand.id,
        name=brand.name,
        days=found.days,
        triggers=found.triggers,
        answered=found.answered,
        photos=found.photos,
        tried_on=found.tried_on,
        liked=found.liked,
        spent_credits=found.spent.value,
    )
