"""What all wings show, collected."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from fastapi import Request
from jinja2 import Environment

from selify.core.wiring import Wing, brought, joined
from selify.dash import environment
from selify.dash.pages import Finder, Inset, Lead, Pages, Part, Room

STYLE = "/static/wings.css"
ROOM_LIST = "room-list"


@dataclass(frozen=True, slots=True)
class Shell:
    """``parts`` by name, ``insets`` by place. ``style``: the sheets of all wings, one after the other."""

    rooms: tuple[Room, ...]
    parts: Mapping[str, Part]
    finders: tuple[Finder, ...]
    insets: Mapping[str, tuple[Inset, ...]]
    confirmations: Mapping[str, str]
    refusals: Mapping[str, str]
    fields: Mapping[str, str]
    chosen: frozenset[str]
    leads: tuple[Lead, ...]
    style: str
    templates: Environment

    @classmethod
    def of(cls, wings: Sequence[Wing]) -> Self:
        """Raises ValueError where two wings bring something under one name."""
        pages = brought(wings, Pages)
        all_of = list(pages.values())
        insets = sorted((one for of in all_of for one in of.insets), key=lambda one: one.order)
        found = cls(
            rooms=tuple(
                sorted((room for of in all_of for room in of.rooms), key=lambda room: room.order)
            ),
            parts=joined([{part.name: part} for of in all_of for part in of.parts]),
            finders=tuple(
                sorted((one for of in all_of for one in of.finders), key=lambda one: one.order)
            ),
            insets={
                place: tuple(one for one in insets if one.place == place)
                for place in {one.place for one in insets}
            },
            confirmations=joined([of.confirmations for of in all_of]),
            refusals=joined([of.refusals for of in all_of]),
            fields=joined([of.fields for of in all_of]),
            chosen=frozenset(name for of in all_of for name in of.chosen),
            leads=tuple(lead for of in all_of for lead in of.leads),
            style="\n".join(of.style.read_text() for of in all_of if of.style),
            templates=environment.made(
                {wing: of.templates for wing, of in pages.items() if of.templates},
                words={wing: of.words for wing, of in pages.items()},
                permissions=[one for wing in wings for one in wing.permissions],
            ),
        )
        found.templates.globals.update(
            tables_of=found.tables_of,
            field_name=found.field_name,
            styles_of_wings=found.style_address,
        )
        return found

    @property
    def style_address(self) -> str:
        """Changes with the style."""
        return f"{STYLE}?v={hashlib.sha256(self.style.encode()).hexdigest()[:10]}"

    def tables_of(self, part: str) -> list[str]:
        """Whose changes draw a part again."""
        shown = (table for one in self.insets.get(part, ()) for table in one.tables)
        counted = (
            table
            for room in self.rooms
            if part == ROOM_LIST and room.badge
            for table in room.badge.tables
        )
        return list(dict.fromkeys((*self.parts[part].tables, *shown, *counted)))

    def field_name(self, name: str) -> str:
        """What a field of a form is called."""
        return self.fields.get(name) or name.replace("_", " ").capitalize()


def shell_of(request: Request) -> Shell:
    shell: Shell = request.app.state.shell
    return shell
