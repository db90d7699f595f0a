"""``/api/v1/auth/profile`` and ``/api/v1/profiles``."""

from uuid import UUID

from fastapi import APIRouter

from selify.auth import profile_schemas as schemas
from selify.auth import profiles
from selify.core.permissions import EVERYONE, SIGNED_IN, allows
from selify.core.web.http import UserTx, VisitorTx

router = APIRouter(prefix="/api/v1", tags=["profiles"])


@router.get("/auth/profile")
@allows(SIGNED_IN)
async def own_profile(tx: UserTx) -> schemas.OwnProfileOutput:
    """What you said of yourself."""
    return schemas.OwnProfileOutput.of_mine(await profiles.own(tx))


@router.patch("/auth/profile")
@allows(SIGNED_IN)
async def change_profile(body: schemas.ProfileInput, tx: UserTx) -> schemas.OwnProfileOutput:
    """Say something else of yourself. What is left out stays; null removes it."""
    return schemas.OwnProfileOutput.of_mine(await profiles.change(tx, body.changes()))


@router.get("/profiles/{user_id}")
@allows(EVERYONE)
async def public_profile(user_id: UUID, tx: VisitorTx) -> schemas.PublicProfileOutput:
    """What everyone may see of somebody: name, user name and picture."""
    return schemas.PublicProfileOutput.of(await profiles.access_public(tx, user_id))
