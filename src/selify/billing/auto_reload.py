"""Buying credits by card when the balance falls: whether, when and how much.

A card belongs to whoever owns the workspace. ``created_by`` says who confirmed that it may be charged; where
the workspace has another owner since, the database has switched this off (``internal.stop_auto_reload``), and
it stays off until the new owner switches it on.
"""

from dataclasses import dataclass
from uuid import UUID

from selify.billing.errors import AccountMissing
from selify.core.database import Tx
from selify.core.errors import Conflict
from selify.core.language import _


class CardUnconfirmed(Conflict):
    code = "card_unconfirmed"
    title = _("The owner has not confirmed the card yet")


@dataclass(frozen=True, slots=True)
class AutoReload:
    """``confirmed``: the present owner has said that the card may be charged."""

    enabled: bool
    threshold_cents: int
    reload_amount_cents: int
    confirmed: bool


async def read(tx: Tx, workspace_id: UUID) -> AutoReload:
    """Raises AccountMissing, also for a user who may not see it."""
    found = await tx.fetch_one_as(
        AutoReload,
        """
        SELECT s.enabled, s.threshold_cents, s.reload_amount_cents,
               s.created_by IS NOT DISTINCT FROM w.owner_id AS confirmed
          FROM public.workspace_auto_reload_settings s
          JOIN public.workspaces w ON w.id = s.workspace_id
         WHERE s.workspace_id = $1
        """,
        workspace_id,
    )
    if found is None:
        raise AccountMissing(_("There is no such workspace, or you are not a member of it."))
    return found


async def change(
    tx: Tx,
    workspace_id: UUID,
    *,
    enabled: bool,
    threshold_cents: int,
    reload_amount_cents: int,
    user_id: UUID,
) -> None:
    """In a system transaction, for somebody who may (``RELOAD_CHANGE``). The owner of the workspace confirms
    the card with it. Raises CardUnconfirmed for anybody else who switches it on before.
    """
    # Its row is locked: nobody becomes the owner in between.
    owner = await tx.fetch_value(
        "SELECT owner_id FROM public.workspaces WHERE id = $1 FOR SHARE", workspace_id
    )
    changed = await tx.execute(
        """
        UPDATE public.workspace_auto_reload_settings
           SET enabled = $2, threshold_cents = $3, reload_amount_cents = $4,
               created_by = CASE WHEN $2 AND $5::uuid = $6::uuid THEN $5 ELSE created_by END
         WHERE workspace_id = $1 AND (NOT $2 OR $6::uuid IN ($5::uuid, created_by))
        """,
        workspace_id,
        enabled,
        threshold_cents,
        reload_amount_cents,
        user_id,
        owner,
    )
    if not changed:
        raise CardUnconfirmed(
            _("The workspace has a new owner, who has not said yet that this card may be charged."),
            hint=_("Ask the owner to switch it on."),
        )
