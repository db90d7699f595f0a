"""Connected accounts, how they are, and what others do with them."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from selify.core.language import _
from selify.core.permissions import allows
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part
from selify.dash.rendering import by_script, fragment, insets, page, went_well
from selify.dash.view import Text, number
from selify.messaging import accounts, repository
from selify.messaging.connecting import Connector
from selify.messaging.pages import health, words
from selify.messaging.pages.health import Doctor
from selify.messaging.permissions import ACCOUNTS_DISCONNECT, ACCOUNTS_READ, MESSAGES_RETRY
from selify.messaging.send_now import send_now
from selify.messaging.tokens import AccountMissing

router = APIRouter(prefix="/accounts")


@dataclass(frozen=True, slots=True)
class View:
    """Which account."""

    account: UUID | None = None


def view_of(account: Text = "") -> View:
    return View(number(account))


Viewed = Annotated[View, Depends(view_of)]


@router.get("")
@allows(ACCOUNTS_READ)
async def show(ctx: OpenPage) -> Response:
    doctors = await ctx.once(health.examine)
    async with ctx.reading() as tx:
        known = [await repository.account(tx, one.id) for one in doctors if one.is_connected]
    return await page(
        ctx,
        "messaging/accounts.html",
        accounts=doctors,
        notes=await health.notes(ctx, doctors),
        used={one.id: await insets(ctx, "account", one) for one in known if one},
        platforms=sorted(ctx.request.app.state.gateways),
    )


@router.post("/{account_id}/send-now")
@allows(MESSAGES_RETRY)
async def send_waiting_now(ctx: OpenPage, account_id: UUID) -> Response:
    """What waits is tried at once; what it waits for is asked again."""
    async with ctx.acting() as tx:
        await accounts.access_account(tx, ctx.workspace.id, account_id)
        await send_now(tx, account_id, ctx.now)
    if not by_script(ctx.request):
        return went_well(ctx, "/accounts", "sent_now")
    return fragment(ctx, "toast.html", text=words.DONE["sent_now"], oob=True)


@router.post("/{account_id}/disconnect")
@allows(ACCOUNTS_DISCONNECT)
async def disconnect(ctx: OpenPage, account_id: UUID) -> Response:
    """Nothing more comes in or goes out. The history is kept for 90 days."""
    async with ctx.acting() as tx:
        account = await accounts.access_account(tx, ctx.workspace.id, account_id)
    state = ctx.request.app.state
    connector: Connector = state.connector
    gateway = state.gateways[account.platform]
    await connector.disconnect(gateway, account, user_id=ctx.person.id)
    return went_well(ctx, "/accounts", "disconnected")


async def find_doctor(ctx: PageContext, account_id: UUID | None) -> Doctor:
    """How one account is. Raises AccountMissing."""
    found = next((one for one in await ctx.once(health.examine) if one.id == account_id), None)
    if found is None:
        raise AccountMissing(_("There is no such account in this workspace."))
    return found


async def show_doctor(ctx: PageContext, view: View) -> dict[str, Any]:
    """Raises AccountMissing."""
    doctor = await find_doctor(ctx, view.account)
    return {"account": doctor, "notes": await health.notes(ctx, [doctor])}


DOCTOR = Part(
    name="doctor",
    template="messaging/fragments/doctor.html",
    draw=show_doctor,
    permissions=(ACCOUNTS_READ,),
    tables=health.TABLES,
    view=view_of,
)
