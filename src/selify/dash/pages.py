"""What a wing shows. It brings ``Pages`` (``Wing.brings``), and the shell knows no more of it than that.

A page is an endpoint with a ``PageContext`` (``OpenPage``) that ends with ``rendering.page``. A part is a piece of a
page that stays open: drawn with the page, and fetched again from ``/fragments/<name>`` when its tables
change. An inset is what a wing shows at a named place of somebody else's page.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.types import Scope

from selify.core.permissions import BRAND_READ, Permission
from selify.dash.context import PageContext

Draw = Callable[[PageContext, Any], Awaitable[Mapping[str, Any]]]
"""What a template is drawn from: for a part by its view, for an inset by what the place is about."""

Lead = Callable[[Scope, Mapping[str, Any], bool], str]
"""Where a refusal (a problem document) leads instead of being shown; empty where it is enough to say what
is wrong. The last argument: whether a script asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A number beside a room's name, counted again when ``tables`` change. ``means``: what it counts."""

    means: str
    count: Callable[[PageContext], Awaitable[int]]
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A place in the navigation, for who holds the permission. Rooms stand in their order, those of one
    ``section`` (a title, or none) below each other. ``also``: how other addresses begin that belong to it.
    """

    path: str
    title: str
    icon: str
    order: int
    permission: Permission
    section: str = ""
    also: tuple[str, ...] = ()
    badge: Badge | None = None

    def is_at(self, path: str) -> bool:
        inside = path == "/" if self.path == "/" else path.startswith(self.path)
        return inside or path.startswith(self.also)


def no_view() -> None:
    """Of a part that is drawn in one way only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """``view``: reads from the address what of it is looked at, as FastAPI's dependencies do."""

    name: str
    template: str
    draw: Draw
    permissions: tuple[Permission, ...]
    tables: tuple[str, ...] = ()
    view: Callable[..., object] = no_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Inset:
    """Shown in its order among others at the place, to who holds the permission. Where the place is a
    part, that is drawn again when ``tables`` change.
    """

    place: str
    order: int
    template: str
    draw: Draw
    permission: Permission = BRAND_READ
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something that was found: where it is to be seen. ``picture``: where it is stored, of what has one."""

    title: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    picture: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """How a wing's things are found by their words, for who holds the permission: the best few, fast
    however many there are. ``title``: what they are called together.
    """

    title: str
    icon: str
    order: int
    permission: Permission
    find: Callable[[PageContext, str], Awaitable[Sequence[Hit]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """``templates``: the folder of what is called ``<wing>/….html``. ``style``: the rules of what only its
    pages show. ``words``: what templates find as ``words.<wing>``. ``confirmations`` and ``refusals``: what
    ``?done=…`` and ``?refused=…`` say. ``fields``: what fields of forms are called where it is not their own
    name; those in ``chosen`` are chosen from a list and never typed.
    """

    routers: Sequence[APIRouter] = ()
    templates: Path | None = None
    style: Path | None = None
    rooms: Sequence[Room] = ()
    parts: Sequence[Part] = ()
    insets: Sequence[Inset] = ()
    finders: Sequence[Finder] = ()
    words: object = None
    confirmations: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()
    leads: Sequence[Lead] = ()
