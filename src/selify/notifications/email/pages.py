"""``/mailbox``: the mails of a machine that has no mail server. Whoever may not look at it sees nothing."""

import re
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from selify.core.database import Actor
from selify.core.errors import NotFound, Unauthenticated
from selify.core.language import _
from selify.core.permissions import EVERYONE, allows
from selify.core.settings import Settings
from selify.core.web.http import OpenDatabase
from selify.dash.context import people_of
from selify.dash.rendering import plain
from selify.notifications.email.local_mailbox import (
    find_mail,
    is_from_this_machine,
    list_mails,
)
from selify.notifications.email.settings import EmailSettings

router = APIRouter(prefix="/mailbox")

ACTOR = Actor.system("the local mailbox")
SHOWN = 50


@router.get("")
@allows(EVERYONE)
async def show(
    request: Request, database: OpenDatabase, before: Annotated[UUID | None, Query()] = None
) -> Response:
    """The newest first."""
    settings = await _demand_reader(request)
    async with database.tx(ACTOR) as tx:
        found = await list_mails(tx, settings.secret_box, before=before, limit=SHOWN + 1)
    mails = found[:SHOWN]
    earlier = mails[-1].id if len(found) > SHOWN else None
    answer = plain(request, "notifications/mailbox.html", mails=mails, earlier=earlier)
    return _without_referrer(answer)


@router.get("/{mail_id}")
@allows(EVERYONE)
async def show_mail(request: Request, mail_id: UUID, database: OpenDatabase) -> Response:
    settings = await _demand_reader(request)
    async with database.tx(ACTOR) as tx:
        mail = await find_mail(tx, settings.secret_box, mail_id)
    if mail is None:
        raise _nothing()
    parts = list(linkified(mail.letter.plain(), public_url=settings.public_url))
    return _without_referrer(plain(request, "notifications/mail.html", mail=mail, parts=parts))


async def _demand_reader(request: Request) -> EmailSettings:
    """Raises NotFound for everybody else, and for everybody where mails go to a mail server."""
    settings: Settings = request.app.state.settings
    mails = settings.of(EmailSettings)
    if mails.has_mail_server:
        raise _nothing()
    if not is_from_this_machine(request, public_url=mails.public_url):
        await _demand_team(request)
    return mails


async def _demand_team(request: Request) -> None:
    try:
        person = await people_of(request).person(request)
    except Unauthenticated:
        raise _nothing() from None
    if not person.is_team:
        raise _nothing()


def _nothing() -> NotFound:
    return NotFound(_("There is nothing at this address."))


def linkified(text: str, *, public_url: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and whether each is an address of our own, to be followed."""
    own = re.compile(rf"({re.escape(public_url)}/[!-~]*)")
    for number, piece in enumerate(own.split(text)):
        if piece:
            yield piece, number % 2 == 1


def _without_referrer(answer: Response) -> Response:
    """The links in a mail are secrets; so is, a little, where they were found."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
