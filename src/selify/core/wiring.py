"""How a wing plugs in. Its ``wiring.py`` has one ``WING``; the composition root collects them.

What a wing is without a database (routes, permissions, what goes) stands in it as it is; what needs one
is made by functions of the ``Container``, in the process that needs it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self, TypeVar

from fastapi import APIRouter

from selify.core.clock import Clock
from selify.core.container import Container
from selify.core.database import Actor, Tx
from selify.core.invariants import Invariant
from selify.core.permissions import Permission
from selify.core.pruning import Rule
from selify.core.queue.inbox import DeadLetterHandler, EventHandler
from selify.core.queue.jobs import JobKind
from selify.core.queue.outbox import Channel
from selify.core.queue.payload import Payload
from selify.core.queue.personal import PersonalRows
from selify.core.queue.worker import Routine
from selify.core.secrets import SecretBox
from selify.core.settings import Settings
from selify.core.web.health import Check
from selify.core.web.middleware import PlainPost
from selify.core.wrong_clocks import Bound

T = TypeVar("T")
ROUTINES = Actor.system("routine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a worker does for a wing. ``handlers``, and ``dead_letters`` for dead letters, by platform; ``channels``
    and ``jobs`` by name.
    """

    handlers: Mapping[str, EventHandler] = field(default_factory=dict)
    dead_letters: Mapping[str, DeadLetterHandler] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    jobs: Mapping[str, JobKind] = field(default_factory=dict)
    routines: Sequence[Routine] = ()

    @classmethod
    def of(cls, works: Sequence[Self]) -> Self:
        """All of them in one. Raises ValueError where two do the same."""
        return cls(
            handlers=joined([work.handlers for work in works]),
            dead_letters=joined([work.dead_letters for work in works]),
            channels=joined([work.channels for work in works]),
            jobs=joined([work.jobs for work in works]),
            routines=[routine for work in works for routine in work.routines],
        )


def joined(parts: Sequence[Mapping[str, T]]) -> dict[str, T]:
    """Raises ValueError for a name that stands in two of them."""
    found: dict[str, T] = {}
    for part in parts:
        twice = found.keys() & part.keys()
        if twice:
            raise ValueError(f"two wings plug in {', '.join(sorted(twice))}")
        found |= part
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the server needs of a wing once it is open. ``state``: what its routes find on ``app.state``.
    ``plain_posts``: paths answered beside the framework.
    """

    state: Mapping[str, object] = field(default_factory=dict)
    routers: Sequence[APIRouter] = ()
    plain_posts: Mapping[str, PlainPost] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Something that is stored sealed. ``reseal`` seals it with the current key and says how often it had to;
    ``keys_in_use`` is a statement that gives the ids of the keys it is sealed with.
    """

    reseal: Callable[[Tx, SecretBox], Awaitable[int]]
    keys_in_use: str


@asynccontextmanager
async def _nothing(_: Container) -> AsyncIterator[None]:
    yield


async def _no_work(_: Container) -> Work:
    return Work()


@asynccontextmanager
async def _no_service(_: Container) -> AsyncIterator[Service]:
    yield Service()


def _no_invariants(_: Clock) -> Sequence[Invariant]:
    return ()


def _no_time(_: Settings) -> timedelta:
    return timedelta()


def _no_hosts(_: Settings) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wing:
    """``body_limits``: bytes by path; ``request_costs``: what a request below a path counts. ``pruned``,
    ``bounds`` and ``invariants``: what must go, how far ahead its times can lie, and what must be true.
    ``payloads`` (of jobs, by kind) and ``personal``: where something is said of a person; ``personal_for``:
    how long it needs that. ``sealed``: what is encrypted. ``media_hosts``: from where files may be fetched.
    ``opens``: what it offers others (``Container.offer``), for as long as the process runs. ``brings``:
    what another wing collects by its type (``brought``), such as the pages it shows.
    """

    name: str
    routers: Sequence[APIRouter] = ()
    permissions: Sequence[Permission] = ()
    body_limits: Mapping[str, int] = field(default_factory=dict)
    request_costs: Mapping[str, float] = field(default_factory=dict)
    pruned: Sequence[Rule] = ()
    bounds: Sequence[Bound] = ()
    payloads: Mapping[str, type[Payload]] = field(default_factory=dict)
    personal: Sequence[PersonalRows] = ()
    personal_for: Callable[[Settings], timedelta] = _no_time
    sealed: Sequence[Sealed] = ()
    invariants: Callable[[Clock], Sequence[Invariant]] = _no_invariants
    media_hosts: Callable[[Settings], Sequence[str]] = _no_hosts
    brings: Sequence[object] = ()
    opens: Callable[[Container], AbstractAsyncContextManager[None]] = _nothing
    serve: Callable[[Container], AbstractAsyncContextManager[Service]] = _no_service
    work: Callable[[Container], Awaitable[Work]] = _no_work


def brought(wings: Sequence[Wing], kind: type[T]) -> dict[str, T]:
    """What wings bring of a kind, by the wing's name. Raises ValueError where one brings two."""
    return joined(
        [{wing.name: one} for wing in wings for one in wing.brings if isinstance(one, kind)]
    )


def as_system(
    container: Container, work: Callable[[Tx], Awaitable[object]]
) -> Callable[[], Awaitable[object]]:
    """A routine that is one transaction."""

    async def run() -> object:
        async with container.database.tx(ROUTINES) as tx:
            return await work(tx)

    return run
