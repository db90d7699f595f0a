"""A holding and its brands: linked by the holding's offer and the acceptance of a brand's owner, and let go by
either. What a holding sees of a brand are numbers; it becomes no member of it.

How deep the tree may be is the database's to say (``internal.check_holding``).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from selify.auth import permissions
from selify.auth.types import Workspace
from selify.auth.workspaces import access_workspace
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import Conflict, NotFound
from selify.core.ids import WorkspaceId
from selify.core.language import _
from selify.core.wrong_clocks import Bound
from selify.notifications import outbox

OPEN_FOR = timedelta(days=7)
# How far ahead these times can honestly lie; see ``selify.core.wrong_clocks``.
BOUNDS = (Bound("internal.holding_offers", "offered_at"),)


class HoldingImpossible(Conflict):
    code = "holding_depth"
    title = _("A holding holds brands, and nothing holds a holding")


class HoldingOfferMissing(NotFound):
    code = "holding_offer_missing"
    title = _("There is no such offer")


class BrandNotHeld(NotFound):
    code = "brand_not_held"
    title = _("There is no such brand in this holding")


@dataclass(frozen=True, slots=True)
class HeldBrand:
    id: WorkspaceId
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class HoldingOffer:
    """``name`` is the holding's."""

    holding_id: WorkspaceId
    name: str
    offered_at: datetime


_HELD: Final = """
SELECT w.id, w.name, w.slug FROM public.workspaces w
 WHERE w.parent_workspace_id = $1 AND w.deleted_at IS NULL
"""


async def switch(tx: Tx, workspace_id: UUID, *, is_holding: bool, user_id: UUID) -> None:
    """Make one's workspace a holding, or no holding any more, as an owner in a system transaction. Raises
    WorkspaceNotFound, RoleTooLow, HoldingImpossible.
    """
    await access_workspace(tx, workspace_id, permissions.HOLDING_CHANGE, user_id=user_id)
    if is_holding and await _parent(tx, workspace_id):
        raise HoldingImpossible(_("It belongs to a holding itself."), hint=_("Leave that first."))
    with _in_words():
        async with tx.savepoint():
            await tx.execute(
                "UPDATE public.workspaces SET is_holding_company = $2 WHERE id = $1",
                workspace_id,
                is_holding,
            )


async def offer(tx: Tx, clock: Clock, holding_id: UUID, brand_id: UUID, *, user_id: UUID) -> None:
    """Ask a brand to belong to one's holding, as its owner in a system transaction. Whether there is such a
    brand, nobody learns here: its owners do. Raises WorkspaceNotFound, RoleTooLow, HoldingImpossible.
    """
    holding = await access_workspace(tx, holding_id, permissions.HOLDING_CHANGE, user_id=user_id)
    if holding_id == brand_id or not await _is_holding(tx, holding_id):
        raise HoldingImpossible(_("Only a holding asks brands, and none itself."))
    now = clock.now()
    made = await tx.execute(
        """
        INSERT INTO internal.holding_offers (brand_id, holding_id, offered_at)
        SELECT id, $2, $3 FROM public.workspaces
         WHERE id = $1 AND deleted_at IS NULL AND parent_workspace_id IS NULL
        ON CONFLICT (brand_id, holding_id) DO UPDATE SET offered_at = excluded.offered_at
         WHERE holding_offers.offered_at <= $4
        """,
        brand_id,
        holding_id,
        now,
        now - OPEN_FOR,
    )
    if made:
        await _tell_asked(tx, holding, brand_id, now=now)


async def list_offers(tx: Tx, clock: Clock, brand_id: UUID, *, user_id: UUID) -> list[HoldingOffer]:
    """The open ones, for the brand's owners. Raises WorkspaceNotFound, RoleTooLow."""
    await access_workspace(tx, brand_id, permissions.HOLDING_CHANGE, user_id=user_id)
    return await tx.fetch_as(
        HoldingOffer,
        """
        SELECT w.id AS holding_id, w.name, o.offered_at
          FROM internal.holding_offers o JOIN public.workspaces w ON w.id = o.holding_id
         WHERE o.brand_id = $1 AND o.offered_at > $2 AND w.deleted_at IS NULL
         ORDER BY o.offered_at, w.id
        """,
        brand_id,
        clock.now() - OPEN_FOR,
    )


async def accept(tx: Tx, clock: Clock, brand_id: UUID, holding_id: UUID, *, user_id: UUID) -> None:
    """Belong to the holding that asked, as the brand's owner in a system transaction; its other offers are
    void. Raises WorkspaceNotFound, RoleTooLow, HoldingOfferMissing, HoldingImpossible.
    """
    await access_workspace(tx, brand_id, permissions.HOLDING_CHANGE, user_id=user_id)
    taken = await tx.execute(
        "DELETE FROM internal.holding_offers"
        " WHERE brand_id = $1 AND holding_id = $2 AND offered_at > $3",
        brand_id,
        holding_id,
        clock.now() - OPEN_FOR,
    )
    if not taken:
        raise HoldingOfferMissing(_("This holding has not asked you, or it is too long ago."))
    with _in_words():
        async with tx.savepoint():
            await tx.execute(
                "UPDATE public.workspaces SET parent_workspace_id = $2 WHERE id = $1",
                brand_id,
                holding_id,
            )
    await tx.execute("DELETE FROM internal.holding_offers WHERE brand_id = $1", brand_id)


async def leave(tx: Tx, brand_id: UUID, *, user_id: UUID) -> None:
    """Belong to no holding any more, as the brand's owner; harmless where it belongs to none. Raises
    WorkspaceNotFound, RoleTooLow.
    """
    await access_workspace(tx, brand_id, permissions.HOLDING_CHANGE, user_id=user_id)
    await tx.execute(
        "UPDATE public.workspaces SET parent_workspace_id = NULL WHERE id = $1", brand_id
    )


async def release(tx: Tx, holding_id: UUID, brand_id: UUID, *, user_id: UUID) -> None:
    """Let a brand go, or take the offer back, as the holding's owner. Raises WorkspaceNotFound, RoleTooLow,
    BrandNotHeld.
    """
    await access_workspace(tx, holding_id, permissions.HOLDING_CHANGE, user_id=user_id)
    offered = await tx.execute(
        "DELETE FROM internal.holding_offers WHERE brand_id = $1 AND holding_id = $2",
        brand_id,
        holding_id,
    )
    held = await tx.execute(
        "UPDATE public.workspaces SET parent_workspace_id = NULL"
        " WHERE id = $1 AND parent_workspace_id = $2",
        brand_id,
        holding_id,
    )
    if not offered and not held:
        raise _not_held()


async def list_brands(tx: Tx, holding_id: UUID, *, user_id: UUID) -> list[HeldBrand]:
    """For the holding's owners. Raises WorkspaceNotFound, RoleTooLow."""
    await access_workspace(tx, holding_id, permissions.HOLDING_READ, user_id=user_id)
    return await tx.fetch_as(HeldBrand, f"{_HELD} ORDER BY lower(w.name), w.id", holding_id)


async def access_held_brand(
    tx: Tx, holding_id: UUID, brand_id: UUID, *, user_id: UUID
) -> HeldBrand:
    """The brand, promising that the user owns the holding it belongs to now: to see its numbers, and nothing
    else. Raises WorkspaceNotFound, RoleTooLow, BrandNotHeld.
    """
    await access_workspace(tx, holding_id, permissions.HOLDING_READ, user_id=user_id)
    found = await tx.fetch_one_as(HeldBrand, f"{_HELD} AND w.id = $2", holding_id, brand_id)
    if found is None:
        raise _not_held()
    return found


async def _parent(tx: Tx, workspace_id: UUID) -> UUID | None:
    parent: UUID | None = await tx.fetch_value(
        "SELECT parent_workspace_id FROM public.workspaces WHERE id = $1 FOR UPDATE", workspace_id
    )
    return parent


async def _is_holding(tx: Tx, workspace_id: UUID) -> bool:
    return bool(
        await tx.fetch_value(
            "SELECT is_holding_company FROM public.workspaces WHERE id = $1", workspace_id
        )
    )


async def _tell_asked(tx: Tx, holding: Workspace, brand_id: UUID, *, now: datetime) -> None:
    await outbox.notify_workspace(
        tx,
        workspace_id=brand_id,
        kind="asked_to_join_holding",
        title=_("%(name)s asks you to belong to it", name=holding.name),
        body=_(
            "If an owner of yours accepts, the owners of that holding see your numbers: never"
            " messages or people, and they spend nothing of yours."
        ),
        dedupe_key=f"holding/{holding.id}/{now.isoformat()}",
        now=now,
    )


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """The trigger's refusal."""
    try:
        yield
    except asyncpg.CheckViolationError as error:
        if error.constraint_name != "workspaces_holding_depth":
            raise
        raise HoldingImpossible(
            _("A brand belongs to one holding, and a holding with brands to none."),
            hint=_("Leave the holding, or let its brands go, first."),
        ) from error


def _not_held() -> BrandNotHeld:
    return BrandNotHeld(_("It belongs to another, to none, or is not there at all."))
