"""What must be settled before an account may be deleted."""

from uuid import UUID

from selify.auth import owners
from selify.auth.workspaces import LastOwner
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.language import Listed, _


async def check_leaves_no_workspace_alone(tx: Tx, clock: Clock, user_id: UUID) -> None:
    """Whether each of their workspaces has another owner who can act; it stays so until the transaction
    ends, which is the one to delete the account in. A system transaction. Raises LastOwner, with the
    workspaces in question.
    """
    alone = await owners.owned_alone(tx, user_id, now=clock.now())
    if alone:
        raise LastOwner(
            _(
                "You are the only owner of %(names)s.",
                names=Listed(tuple(one.name for one in alone)),
            ),
            hint=_("Hand over or delete what is yours alone first."),
            workspaces=[{"id": str(one.id), "name": one.name} for one in alone],
        )
