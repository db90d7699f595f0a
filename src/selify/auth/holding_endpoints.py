"""``/api/v1/workspaces/{workspace_id}/…``: what binds a holding and its brands. The numbers themselves are the
analytics' to answer.
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from selify.auth import holdings
from selify.auth import permissions as may
from selify.auth.schemas import Input
from selify.core.permissions import allows
from selify.core.web.http import CurrentClock, CurrentUserId, SystemTx

router = APIRouter(prefix="/api/v1/workspaces/{workspace_id}", tags=["workspaces"])

_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"


class HoldingInput(Input):
    is_holding: bool


class AskInput(Input):
    brand_id: UUID = Field(examples=[_ID], description="The workspace that is to belong to yours.")


class AcceptInput(Input):
    holding_id: UUID = Field(examples=[_ID])


class HeldBrandOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["Nordlicht"])
    slug: str = Field(examples=["nordlicht"])


class HeldBrandsOutput(BaseModel):
    brands: list[HeldBrandOutput]


class HoldingOfferOutput(BaseModel):
    holding_id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["Licht Holding"])
    offered_at: datetime = Field(examples=["2026-05-04T09:30:00Z"])


class HoldingOffersOutput(BaseModel):
    offers: list[HoldingOfferOutput]


@router.put("/holding", status_code=204)
@allows(may.HOLDING_CHANGE)
async def switch_holding(
    workspace_id: UUID, body: HoldingInput, tx: SystemTx, user_id: CurrentUserId
) -> None:
    """Make this workspace a holding, or none any more; owners only."""
    await holdings.switch(tx, workspace_id, is_holding=body.is_holding, user_id=user_id)


@router.get("/brands")
@allows(may.HOLDING_READ)
async def list_held_brands(
    workspace_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> HeldBrandsOutput:
    """The brands of this holding; its owners only."""
    found = await holdings.list_brands(tx, workspace_id, user_id=user_id)
    return HeldBrandsOutput(
        brands=[HeldBrandOutput(id=one.id, name=one.name, slug=one.slug) for one in found]
    )


@router.post("/brands", status_code=202)
@allows(may.HOLDING_CHANGE)
async def ask_brand(
    workspace_id: UUID, body: AskInput, tx: SystemTx, clock: CurrentClock, user_id: CurrentUserId
) -> None:
    """Ask a brand to belong to this holding. Its owners are told, and nothing changes until one accepts; the
    answer is the same whether there is such a brand or not.
    """
    await holdings.offer(tx, clock, workspace_id, body.brand_id, user_id=user_id)


@router.delete("/brands/{brand_id}", status_code=204)
@allows(may.HOLDING_CHANGE)
async def release_brand(
    workspace_id: UUID, brand_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> None:
    """Let a brand go, or take back what it was asked."""
    await holdings.release(tx, workspace_id, brand_id, user_id=user_id)


@router.get("/holding/offers")
@allows(may.HOLDING_CHANGE)
async def list_holding_offers(
    workspace_id: UUID, tx: SystemTx, clock: CurrentClock, user_id: CurrentUserId
) -> HoldingOffersOutput:
    """Which holdings ask this brand; its owners only."""
    found = await holdings.list_offers(tx, clock, workspace_id, user_id=user_id)
    return HoldingOffersOutput(
        offers=[
            HoldingOfferOutput(holding_id=one.holding_id, name=one.name, offered_at=one.offered_at)
            for one in found
        ]
    )


@router.post("/holding/accept", status_code=204)
@allows(may.HOLDING_CHANGE)
async def accept_holding(
    workspace_id: UUID,
    body: AcceptInput,
    tx: SystemTx,
    clock: CurrentClock,
    user_id: CurrentUserId,
) -> None:
    """Belong to a holding that asked: its owners see this brand's numbers from now on."""
    await holdings.accept(tx, clock, workspace_id, body.holding_id, user_id=user_id)


@router.delete("/holding", status_code=204)
@allows(may.HOLDING_CHANGE)
async def leave_holding(workspace_id: UUID, tx: SystemTx, user_id: CurrentUserId) -> None:
    """Belong to no holding any more; the brand's owner needs nobody's consent."""
    await holdings.leave(tx, workspace_id, user_id=user_id)
