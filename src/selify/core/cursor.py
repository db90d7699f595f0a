"""Where a page of a list ends: as a value in SQL, and as text in an address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, Self
from uuid import UUID

from selify.core.clock import LAST_MOMENT
from selify.core.errors import NotFound
from selify.core.ids import LAST_ID
from selify.core.language import _


class Listed(Protocol):
    """What stands in a list: it has an id, and the time that the list is in the order of."""

    @property
    def id(self) -> UUID: ...


class CursorMissing(NotFound):
    code = "page_missing"
    title = _("There is no such page of this list")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page of a list ends: the next one begins after it. ``at`` is None where the list is
    ordered by a time that not every row has. As text it fits into an address.
    """

    at: datetime | None
    id: UUID

    @classmethod
    def after(cls, rows: Sequence[Listed], limit: int, *, by: str) -> Self | None:
        """Of ``limit`` + 1 rows asked for: the cursor of the last one shown, None on the last page."""
        if len(rows) <= limit:
            return None
        last = rows[limit - 1]
        return cls(getattr(last, by), last.id)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no cursor: then a list begins at its beginning."""
        at, _sep, number = text.partition("_")
        try:
            when = datetime.fromisoformat(at) if at else None
            if when and not when.tzinfo:
                return None
            return cls(when.astimezone(UTC) if when else None, UUID(number))
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"{self.at.isoformat() if self.at else ''}_{self.id}"


def place(after: Cursor | None) -> tuple[datetime, UUID]:
    """Where a list goes on, or its beginning: one index serves both. As values: under row level security
    a ``coalesce($2, …)`` keeps the index from the plan that a connection keeps for any values.
    """
    return (after.at or LAST_MOMENT, after.id) if after else (LAST_MOMENT, LAST_ID)


def found_cursor(cursor: Cursor | None) -> Cursor:
    """Raises CursorMissing where there was no row to go on after."""
    if cursor is None:
        raise CursorMissing(_("What the page should go on after is not in this list."))
    return cursor
