"""The machine's own mailbox: ``internal.local_mails``, for whoever runs Selify without a mail server.

A mail is kept sealed for two weeks. It is shown to who sits at the machine, and to our team.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Request

from selify.core.database import Tx
from selify.core.pruning import Rule
from selify.core.secrets import SecretBox
from selify.core.web.origins import Origin
from selify.notifications import keys
from selify.notifications.email.letter import Letter

KEPT = timedelta(days=14)
PRUNED = Rule("internal.local_mails", "id", KEPT)
KEYS_IN_USE = "SELECT DISTINCT split_part(sealed, '.', 2) FROM internal.local_mails"
# Whoever sends one of these speaks for somebody else.
_FORWARDING = (
    *("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
    *("x-forwarded-port", "x-forwarded-server", "x-real-ip", "x-client-ip", "true-client-ip"),
    *("cf-connecting-ip", "x-original-forwarded-for", "x-cluster-client-ip"),
)


@dataclass(frozen=True, slots=True)
class LocalMail:
    id: UUID
    arrived_at: datetime
    letter: Letter


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    arrived_at: datetime
    sealed: str


async def keep(tx: Tx, box: SecretBox, letter: Letter, *, mail_id: UUID, at: datetime) -> None:
    """Once: a second time changes nothing."""
    await tx.execute(
        """
        INSERT INTO internal.local_mails (id, arrived_at, sealed) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO NOTHING
        """,
        mail_id,
        at,
        box.seal(letter.model_dump_json(), about=keys.local_mail(mail_id)),
    )


async def list_mails(
    tx: Tx, box: SecretBox, *, before: UUID | None = None, limit: int = 50
) -> list[LocalMail]:
    """The newest first."""
    rows = await tx.fetch_as(
        _Row,
        """
        SELECT id, arrived_at, sealed FROM internal.local_mails
         WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
        """,
        before,
        limit,
    )
    return [_opened(box, row) for row in rows]


async def find_mail(tx: Tx, box: SecretBox, mail_id: UUID) -> LocalMail | None:
    rows = await tx.fetch_as(
        _Row, "SELECT id, arrived_at, sealed FROM internal.local_mails WHERE id = $1", mail_id
    )
    return _opened(box, rows[0]) if rows else None


def _opened(box: SecretBox, row: _Row) -> LocalMail:
    """Raises SecretUnreadable."""
    text = box.open(row.sealed, about=keys.local_mail(row.id))
    return LocalMail(row.id, row.arrived_at, Letter.model_validate_json(text))


async def reseal(tx: Tx, box: SecretBox) -> int:
    """Seal every mail with the current key; how many were not yet."""
    rows = await tx.fetch_as(
        _Row, "SELECT id, arrived_at, sealed FROM internal.local_mails ORDER BY id FOR UPDATE"
    )
    old = [row for row in rows if not box.is_current(row.sealed)]
    for row in old:
        await tx.execute(
            "UPDATE internal.local_mails SET sealed = $2 WHERE id = $1",
            row.id,
            box.reseal(row.sealed, about=keys.local_mail(row.id)),
        )
    return len(old)


def is_from_this_machine(request: Request, *, public_url: str) -> bool:
    """From a program here that speaks for itself, to a name of this machine: a website whose name was bent
    to it is none, nor is a proxy before us. Where the world reaches us by https there is one, and whether it says
    so is up to whoever set it up.
    """
    forwarded = any(name in request.headers for name in _FORWARDING)
    if forwarded or not request.client or public_url.startswith("https:"):
        return False
    try:
        here = ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:  # a unix socket: somebody's proxy
        return False
    asked = Origin.of(f"http://{request.headers.get('host', '')}")
    return here and asked is not None and (asked.is_this_machine or asked == Origin.of(public_url))
