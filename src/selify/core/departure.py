"""What becomes of a wing's part of a workspace that was deleted, said by the wing.

A wing offers a ``Departure`` when it opens (``Container.offer``); ``auth/workspace_deletion.py`` asks all of them. What
nobody says anything about is deleted with the workspace.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

StillDeleted = Callable[[], Awaitable[bool]]


async def _nothing(*_: object) -> None:
    """Nothing that rows alone would not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """``kept``: tables of which a workspace's rows stay, and why. ``nameless``: statements that take people out
    of them, some of a workspace's rows ($1, at most $2) at a time. ``leave`` says goodbye outside as soon as it is
    deleted, as long as it still is; ``forget`` goes before its rows do. Both come again after a crash.
    """

    kept: Mapping[str, str] = field(default_factory=dict)
    nameless: Sequence[str] = ()
    leave: Callable[[UUID, StillDeleted], Awaitable[None]] = _nothing
    forget: Callable[[UUID], Awaitable[None]] = _nothing
