"""``/api/v1/admin``: what our own people do. Who that is, is read from the account at each request; everybody
else is told that there is nothing.
"""

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from selify.auth import bans, owners
from selify.auth.authenticator import CurrentAuthenticator, client_of
from selify.auth.bans import Ban
from selify.auth.schemas import Input
from selify.auth.types import Session
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import TEAM, allows
from selify.core.text import OneLine
from selify.core.web.http import AnyActor, CurrentClock, SystemTx

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])

_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"
_WHEN = "2026-05-04T09:30:00Z"
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


async def team_session(
    request: Request, authenticator: CurrentAuthenticator, _actor: AnyActor
) -> Session:
    """Raises NotFound for everybody who is not of our team."""
    session = await authenticator.identify(request)
    if session is None or not session.user.is_team:
        raise NotFound(_("Not found"))
    return session


TeamSession = Annotated[Session, Depends(team_session)]


def _not_for_ever(until: datetime) -> datetime:
    if until > _LATEST:
        raise ValueError(_("lies too far ahead"))
    return until


class BanInput(Input):
    until: Annotated[AwareDatetime, AfterValidator(_not_for_ever), Field(examples=[_WHEN])]
    reason: Annotated[OneLine, Field(min_length=1, max_length=500, examples=["Spam"])]


class OwnerlessOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["Nordlicht"])


class BanOutput(BaseModel):
    user_id: UUID = Field(examples=[_ID])
    until: datetime = Field(examples=[_WHEN])
    reason: str = Field(examples=["Spam"])
    ended_sessions: int = Field(examples=[2])
    ownerless: list[OwnerlessOutput] = Field(
        description="Workspaces in which no owner can act as long as the ban lasts."
    )

    @classmethod
    def of(cls, ban: Ban) -> Self:
        return cls(
            user_id=ban.user_id,
            until=ban.until,
            reason=ban.reason,
            ended_sessions=ban.ended_sessions,
            ownerless=[OwnerlessOutput(id=one.id, name=one.name) for one in ban.ownerless],
        )


class AppointInput(Input):
    user_id: UUID = Field(examples=[_ID])


class AppointedOutput(BaseModel):
    workspace_id: UUID = Field(examples=[_ID])
    owner_id: UUID = Field(examples=[_ID])


@router.put("/users/{user_id}/ban")
@allows(TEAM)
async def ban(
    user_id: UUID,
    body: BanInput,
    request: Request,
    team: TeamSession,
    tx: SystemTx,
    clock: CurrentClock,
) -> BanOutput:
    """Keep somebody out until then: every session and token of theirs ends at once. Ends by itself."""
    made = await bans.ban(
        tx,
        clock,
        user_id,
        until=body.until,
        reason=body.reason,
        by=team.user.id,
        client=client_of(request),
    )
    return BanOutput.of(made)


@router.delete("/users/{user_id}/ban", status_code=204)
@allows(TEAM)
async def lift_ban(
    user_id: UUID, request: Request, team: TeamSession, tx: SystemTx, clock: CurrentClock
) -> None:
    """Let somebody in again before the time. Sessions that were ended stay ended."""
    await bans.lift(tx, clock, user_id, by=team.user.id, client=client_of(request))


@router.put("/workspaces/{workspace_id}/owner")
@allows(TEAM)
async def appoint_owner(
    workspace_id: UUID,
    body: AppointInput,
    request: Request,
    team: TeamSession,
    tx: SystemTx,
    clock: CurrentClock,
) -> AppointedOutput:
    """Make a member the owner of a workspace in which no owner can act."""
    await owners.appoint(
        tx, clock, workspace_id, body.user_id, by=team.user.id, client=client_of(request)
    )
    return AppointedOutput(workspace_id=workspace_id, owner_id=body.user_id)
