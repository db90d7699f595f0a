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

Text = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class ListView:
    """``after``: where a page of a list begins."""

    after: Cursor | None = None


def list_view(after: Text = "") -> ListView:
    return ListView(Cursor.parse(after))


ListViewed = Annotated[ListView, Depends(list_view)]


def number(text: str) -> UUID | None:
    """None for what is none."""
    with contextlib.suppress(ValueError):
        return UUID(text)
    return None
