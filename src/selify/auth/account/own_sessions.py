"""Where somebody is signed in, and ending that."""

from datetime import datetime
from uuid import UUID

from selify.auth import repository
from selify.auth.sign_in_audit import SignInEvent, record
from selify.auth.types import ClientInfo, Session, SessionOverview
from selify.core.database import Tx
from selify.core.errors import NotFound
from selify.core.language import _

# What a browser calls itself says others' names too: the first of these that is in it is meant.
_BROWSERS = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox/", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome")),
    *(("Safari/", "Safari"), ("curl/", "curl"), ("python-httpx", "httpx")),
)
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


class SessionMissing(NotFound):
    code = "session_missing"
    title = _("There is no such session")


async def list_own(tx: Tx, user_id: UUID, *, now: datetime) -> list[SessionOverview]:
    """Of those that have not ended the newest first."""
    return await repository.list_sessions(tx, user_id, now=now)


async def revoke(
    tx: Tx, session: Session, session_id: UUID, *, now: datetime, client: ClientInfo
) -> None:
    """End one of the user's sessions; this one, too. Raises SessionMissing for one that is not theirs."""
    if not await repository.delete_session_of(tx, session.user.id, session_id):
        raise SessionMissing(_("It is not one of yours, or it has ended."))
    await record(
        tx,
        SignInEvent.SESSION_REVOKED,
        now=now,
        user=session.user,
        metadata={"session": str(session_id)},
        client=client,
    )


async def end_all(tx: Tx, session: Session, *, now: datetime, client: ClientInfo) -> int:
    """Sign out everywhere, here too; how many sessions that were. Access tokens name theirs, and end with it."""
    ended = await repository.delete_sessions_of(tx, session.user.id)
    await record(tx, SignInEvent.SIGNED_OUT_EVERYWHERE, now=now, user=session.user, client=client)
    return ended


def browser_of(user_agent: str | None) -> str:
    """“Firefox, Windows”; empty where it says nothing that is known."""
    said = user_agent or ""
    known = [
        next((name for sign, name in names if sign in said), "") for names in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, known))
