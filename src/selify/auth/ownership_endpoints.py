"""``/api/v1/workspaces/{workspace_id}/ownership``: handing a workspace over."""

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from selify.auth import ownership
from selify.auth import permissions as may
from selify.auth.authenticator import CurrentAuthenticator, CurrentSession, client_of
from selify.auth.ownership import Offer
from selify.auth.schemas import Input, WorkspaceOutput
from selify.auth.workspaces import access_workspace
from selify.core.database import Actor
from selify.core.permissions import allows
from selify.core.text import Verbatim
from selify.core.web.http import CurrentClock, CurrentUserId, OpenDatabase, SystemTx

router = APIRouter(prefix="/api/v1/workspaces/{workspace_id}/ownership", tags=["workspaces"])

ACTOR = Actor.system("hand over a workspace")
_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"
_WHEN = "2026-05-04T09:30:00Z"


class OfferInput(Input):
    user_id: UUID = Field(examples=[_ID], description="The member who is to be the owner.")
    password: Verbatim = Field(max_length=1000, description="Your own, typed again.")


class OfferOutput(BaseModel):
    offered_by: UUID = Field(examples=[_ID])
    offered_to: UUID = Field(examples=[_ID])
    offered_at: datetime = Field(examples=[_WHEN])
    ends_at: datetime = Field(examples=["2026-05-11T09:30:00Z"])

    @classmethod
    def of(cls, offer: Offer) -> Self:
        return cls(
            offered_by=offer.offered_by,
            offered_to=offer.offered_to,
            offered_at=offer.offered_at,
            ends_at=offer.ends_at,
        )


class OpenOfferOutput(BaseModel):
    """``offer`` is null where there is none, or none that concerns you."""

    offer: OfferOutput | None


@router.get("")
@allows(may.OWNERSHIP_ANSWER)
async def show(
    workspace_id: UUID, tx: SystemTx, clock: CurrentClock, user_id: CurrentUserId
) -> OpenOfferOutput:
    """The open offer, as an owner or as whom it was made."""
    found = await ownership.find_offer(tx, clock, workspace_id, user_id=user_id)
    return OpenOfferOutput(offer=OfferOutput.of(found) if found else None)


@router.post("/offer", status_code=202)
@allows(may.OWNERS_CHANGE)
async def offer(
    workspace_id: UUID,
    body: OfferInput,
    request: Request,
    session: CurrentSession,
    authenticator: CurrentAuthenticator,
    database: OpenDatabase,
    clock: CurrentClock,
) -> OfferOutput:
    """Ask a member to become the owner in your place; owners only, with the password again. Once they
    accept, you are an admin.
    """
    async with database.tx(ACTOR) as tx:
        await access_workspace(tx, workspace_id, may.OWNERS_CHANGE, user_id=session.user.id)
    await authenticator.prove(session, body.password, client_of(request), field="password")
    async with database.tx(ACTOR) as tx:
        made = await ownership.offer(
            tx, clock, workspace_id, giver_id=session.user.id, receiver_id=body.user_id
        )
    return OfferOutput.of(made)


@router.delete("/offer", status_code=204)
@allows(may.OWNERSHIP_ANSWER)
async def withdraw(
    workspace_id: UUID, tx: SystemTx, clock: CurrentClock, user_id: CurrentUserId
) -> None:
    """Take the offer back as an owner, or decline it."""
    await ownership.withdraw(tx, clock, workspace_id, user_id=user_id)


@router.post("/accept")
@allows(may.OWNERSHIP_ANSWER)
async def accept(
    workspace_id: UUID,
    request: Request,
    tx: SystemTx,
    clock: CurrentClock,
    session: CurrentSession,
) -> WorkspaceOutput:
    """Become the owner, as the offer says. Credits are not bought automatically until you switch that on
    again.
    """
    accepted = await ownership.accept(
        tx, clock, workspace_id, user=session.user, client=client_of(request)
    )
    return WorkspaceOutput.of(accepted)
