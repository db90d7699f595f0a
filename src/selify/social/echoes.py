"""Whose words an echo carries: ours, or those of a person who writes for the brand.

A platform repeats to us everything the account sends. An echo whose message we recorded is ours; so
is one that says what a send of ours says of which we do not know whether it arrived. That echo is
the proof: the send is settled by it. Only what nobody of us wrote was written by a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from selify.core import outbox
from selify.core.database import Tx
from selify.social import messages, sending
from selify.social.ports import Action
from selify.social.types import Account, AttachmentKind, MessageWritten

# No send of ours is in doubt for longer: a private reply lives seven days.
OLDEST = timedelta(days=8)
# A platform may name a message differently in its answer and in its echo.
SAME_WORDS = timedelta(minutes=10)
# A text that was cut to a platform's length is known by its beginning.
LONG_TEXT = 200


class Origin(StrEnum):
    OURS = "ours"
    MAYBE_OURS = "maybe ours"
    A_PERSON = "a person"


@dataclass(frozen=True, slots=True)
class _Send:
    """A delivery that says what the echo says. ``for_them``: surely to the echo's person."""

    id: UUID
    state: str
    payload: Mapping[str, Any]
    for_them: bool


async def recognise(tx: Tx, account: Account, echo: MessageWritten, *, now: datetime) -> Origin:
    """Whose message it is. A send of ours in doubt is settled by it, with all that follows."""
    sends = [send for send in await _candidates(tx, account, echo, now) if _same(send, echo)]
    theirs = [send for send in sends if send.for_them]
    others = [send for send in sends if not send.for_them and send.state != "sent"]
    for group in (theirs, others):
        doubtful = [send for send in group if send.state not in ("sending", "sent")]
        if group is others and any(send.state == "sending" for send in group):
            return Origin.MAYBE_OURS
        if doubtful:
            await _settle(tx, doubtful[0], echo, now=now, sure=len(doubtful) == 1)
            return Origin.OURS
        if group:
            in_the_air = any(send.state == "sending" for send in group)
            return Origin.MAYBE_OURS if in_the_air else Origin.OURS
    return Origin.A_PERSON


async def _candidates(tx: Tx, account: Account, echo: MessageWritten, now: datetime) -> list[_Send]:
    """Sends to this person, and private replies, whose reader is known only by their echo."""
    rows = await tx.fetch(
        """
        SELECT id, state, payload, result FROM internal.outbox
         WHERE account_id = $1 AND channel = $2 AND created_at > $4::timestamptz - $5::interval
           AND (payload ->> 'person_ref' = $3 OR payload ->> 'kind' = 'private_reply')
           AND (state IN ('sending', 'unknown')
                OR (state = 'queued' AND attempts > 0)
                OR (state = 'failed' AND result ->> 'code' = ANY ($6))
                OR (state = 'sent' AND sent_at > $4::timestamptz - $7::interval))
         ORDER BY id LIMIT 200
        """,
        account.id,
        messages.CHANNEL,
        echo.person_ref,
        now,
        OLDEST,
        [Action.ALREADY_DONE.value, sending.UNCONFIRMED],
        SAME_WORDS,
    )
    return [_send(row, echo.person_ref) for row in rows]


def _send(row: asyncpg.Record, person_ref: str) -> _Send:
    payload, result = row["payload"], row["result"] or {}
    reader = payload.get("person_ref") or result.get("person_ref") or payload.get("commenter_ref")
    return _Send(row["id"], row["state"], payload, for_them=reader == person_ref)


def _same(send: _Send, echo: MessageWritten) -> bool:
    """Pictures cannot be compared: one that was sent and settled says nothing about the next."""
    match send.payload["kind"]:
        case "image":
            pictures = [a for a in echo.attachments if a.kind is AttachmentKind.IMAGE]
            return bool(pictures) and not echo.text and send.state != "sent"
        case "text" | "private_reply":
            ours, seen = _words(send.payload["text"]), _words(echo.text)
            return ours == seen or (len(seen) >= LONG_TEXT and ours.startswith(seen))
        case _:
            return False


def _words(text: str) -> str:
    return " ".join(text.split())


async def _settle(tx: Tx, send: _Send, echo: MessageWritten, *, now: datetime, sure: bool) -> None:
    """``sure``: no other send could be meant. Of several private replies with the same words any
    garment is as likely, but a name would be a guess.
    """
    said = {"message_ref": echo.message_ref, "person_ref": echo.person_ref}
    delivery = await outbox.confirm(tx, send.id, result=said, at=now)
    if delivery is None:
        return
    if not (sure or send.for_them):
        delivery.payload.pop("username", None)
    await sending.settle_sent(tx, delivery, said, now=now, at=echo.at)
