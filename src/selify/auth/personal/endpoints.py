"""``/api/v1/auth/export`` and ``/api/v1/auth/erasure``: about oneself, for people alone."""

from datetime import datetime

from fastapi import APIRouter, Request

from selify.auth.authenticator import CurrentAuthenticator, CurrentSession, client_of
from selify.auth.personal import erasure, export, schemas
from selify.auth.personal.export import Export, ExportState
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import EVERYONE, SIGNED_IN, allows
from selify.core.web.http import CurrentClock, CurrentUserId, OpenDatabase, SystemTx
from selify.core.web.links import FileLinks

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


class NoExport(NotFound):
    code = "no_export"


@router.post("/export", status_code=202)
@allows(SIGNED_IN)
async def ask_for_export(
    request: Request,
    user_id: CurrentUserId,
    database: OpenDatabase,
    authenticator: CurrentAuthenticator,
    clock: CurrentClock,
) -> schemas.ExportOutput:
    """Have everything about you collected: a ZIP of JSON files, kept for seven days."""
    now = clock.now()
    await authenticator.count(export.export_limits(user_id), now)
    async with database.tx(export.ACTOR) as tx:
        made = await export.ask(tx, user_id, now=now)
    return _output(request, made, now)


@router.get("/export")
@allows(SIGNED_IN)
async def find_export(
    request: Request, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock
) -> schemas.ExportOutput:
    """How far it is, and a link to the file."""
    now = clock.now()
    found = await export.find_latest(tx, user_id, now=now)
    if found is None:
        raise NoExport(_("You asked for none, or its time is over."), hint=_("Ask for a new one."))
    return _output(request, found, now)


def _output(request: Request, found: Export, now: datetime) -> schemas.ExportOutput:
    link = None
    if found.state is ExportState.READY and found.file_key is not None:
        links: FileLinks = request.app.state.links
        lasts = min(export.LINK_LIFE, found.expires_at - now)
        link = links.make(found.file_key, now=now, lasts=lasts)
    return schemas.ExportOutput(
        state=found.state, asked_at=found.asked_at, link=link, expires_at=found.expires_at
    )


@router.post("/erasure", status_code=202)
@allows(SIGNED_IN)
async def ask_for_erasure(
    body: schemas.ErasureInput,
    request: Request,
    session: CurrentSession,
    authenticator: CurrentAuthenticator,
    database: OpenDatabase,
    clock: CurrentClock,
) -> schemas.ErasureOutput:
    """Delete your account. At once nobody signs in with it; for 14 days you can keep it after all. Then your name,
    address and memberships are gone; invoices and trails stay without them.
    """
    user = await authenticator.check_password(
        email=session.user.email, password=body.password, client=client_of(request)
    )
    async with database.tx(erasure.ACTOR) as tx:
        due_at = await erasure.ask(tx, user.id, now=clock.now())
    authenticator.take_cookie(request)
    return schemas.ErasureOutput(due_at=due_at)


@router.post("/erasure/keep")
@allows(EVERYONE)
async def keep_after_all(
    body: schemas.KeepInput,
    request: Request,
    authenticator: CurrentAuthenticator,
    database: OpenDatabase,
    clock: CurrentClock,
) -> schemas.KeptOutput:
    """Within the 14 days: you can sign in again, and nothing is deleted."""
    authenticator.demand_same_origin(request)
    user = await authenticator.check_password(
        email=body.email, password=body.password, client=client_of(request)
    )
    async with database.tx(erasure.ACTOR) as tx:
        await erasure.keep(tx, user.id, now=clock.now())
    return schemas.KeptOutput()
