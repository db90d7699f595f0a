"""What of a page is looked at, as its address says it. Each part of a page is drawn from the same
words when it is drawn again.

An address that says nonsense shows what one that says nothing shows: nobody types these by hand.
"""

import contextlib
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from selify.core.cursor import Cursor
from selify.messaging.queries import ConversationFilter

PERIODS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class View:
    """``conversation``: none is the latest one, whichever that is; ``held``: the one somebody is
    reading just now, which nobody takes away from them. ``wanted`` and ``people``: which
    conversations, and where their page begins. ``before``: messages before this one. ``after``: where
    a page of posts, garments or charges begins. ``archived``: garments that were put away.
    """

    conversation: UUID | None = None
    held: UUID | None = None
    days: int = PERIODS[0]
    wanted: ConversationFilter = ConversationFilter.ALL
    people: Cursor | None = None
    before: Cursor | None = None
    after: Cursor | None = None
    account: UUID | None = None
    archived: bool = False


Text = Annotated[str, Query(max_length=100)]


def view(
    conversation: Text = "",
    held: Text = "",
    days: Text = "",
    wanted: Text = "",
    people: Text = "",
    before: Text = "",
    after: Text = "",
    account: Text = "",
    archived: Text = "",
) -> View:
    return View(
        conversation=number(conversation),
        held=number(held),
        days=next((period for period in PERIODS if str(period) == days), PERIODS[0]),
        wanted=next((one for one in ConversationFilter if one == wanted), ConversationFilter.ALL),
        people=Cursor.parse(people),
        before=Cursor.parse(before),
        after=Cursor.parse(after),
        account=number(account),
        archived=archived == "true",
    )


Viewed = Annotated[View, Depends(view)]


def number(text: str) -> UUID | None:
    """None for what is none."""
    with contextlib.suppress(ValueError):
        return UUID(text)
    return None
