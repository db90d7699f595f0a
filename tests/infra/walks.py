"""What one thing passes on its way through the product: functions, files, statements, transactions.

Python itself tells of each call (``sys.setprofile``). Counted is what lies in the product: functions and
methods, those inside others too, each once, however often it is entered. Not counted are comprehensions,
lambdas and what a dataclass writes for itself, what is computed in other threads (pictures), what the rest
of the process does meanwhile, and what keeps a lease. What speaks a language of the outside (``DOORS``) is counted by itself.
"""

import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from selify.core.database import Database, Tx
from selify.core.queue import lease

SOURCE = Path(__file__).parents[2] / "src" / "selify"
_INSIDE = f"{SOURCE}/"
# HTTP in and out, files and their formats, a platform's protocol, the engine's own process: each as long as
# what it speaks.
DOORS = ("core/web/", "core/files/", "dash/", "vendors/", "tryon/engine/")
_SENDS = frozenset(
    method.__code__
    for method in (Tx.fetch, Tx.fetch_one, Tx.fetch_value, Tx.execute, Tx.execute_many)
)
_OPENS = Database.tx.__wrapped__.__code__  # type: ignore[attr-defined]
_KEEPS_A_LEASE = lease._repeat.__code__


@dataclass(slots=True)
class Walk:
    """Each function where it was entered first, and each statement."""

    entered: dict[CodeType, None] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    transactions: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def functions(self) -> int:
        """Between the doors."""
        return sum(not _is_door(code) for code in self.entered)

    @property
    def files(self) -> int:
        return len({code.co_filename for code in self.entered if not _is_door(code)})

    def add(self, further: "Walk") -> None:
        self.entered |= further.entered
        self.statements += further.statements
        self.transactions += further.transactions
        self.lines += further.lines

    def __str__(self) -> str:
        sums = (
            f"{self.functions} functions in {self.files} files between the doors,"
            f" {len(self.entered) - self.functions} functions at them; {len(self.statements)}"
            f" statements in {self.transactions} transactions (and as many BEGIN and COMMIT)"
        )
        return "\n".join([*self.lines, sums])


_here: ContextVar[bool] = ContextVar("walking here", default=False)


@contextlib.contextmanager
def not_walking() -> Iterator[None]:
    """What is done here is the test's own."""
    token = _here.set(False)
    try:
        yield
    finally:
        _here.reset(token)


@dataclass(slots=True)
class Walker:
    """Follows what happens in a block, in the tasks begun in it: or in all there are."""

    walk: Walk = field(default_factory=Walk)
    _now: Walk = field(default_factory=Walk)
    _everywhere: bool = False
    _frames: dict[int, FrameType] = field(default_factory=dict)

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """To the end of this block, whatever ``everywhere`` and ``during`` cover counts."""
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._frames.clear()

    @contextlib.contextmanager
    def everywhere(self, what: str) -> Iterator[None]:
        """The server's own tasks too, which began before."""
        self._begin(what)
        self._everywhere = True
        try:
            yield
        finally:
            self._everywhere = False
            self.walk.add(self._now)

    async def during(self, what: str, work: Callable[[], Awaitable[int]]) -> int:
        """A queue's turn; of one that found nothing, nothing counts."""
        self._begin(what)
        token = _here.set(True)
        try:
            found = await work()
        finally:
            _here.reset(token)
        if found:
            self.walk.add(self._now)
        return found

    def _begin(self, what: str) -> None:
        self._now = Walk(lines=[f"--- {what}"])

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(_INSIDE):
            return
        if not (self._everywhere or _here.get()) or code.co_name.startswith("<"):
            return
        if id(frame) in self._frames:  # a coroutine that goes on
            return
        self._frames[id(frame)] = frame
        above = list(_callers(frame))
        if _KEEPS_A_LEASE in above or code is _KEEPS_A_LEASE:
            return
        self._note(frame, "  " * (len(above) + 1))

    def _note(self, frame: FrameType, indent: str) -> None:
        code = frame.f_code
        if code not in self.walk.entered and code not in self._now.entered:
            self._now.lines.append(f"{indent}{_name(code)}")
        self._now.entered[code] = None
        if code in _SENDS:
            statement = " ".join(str(frame.f_locals["sql"]).split())
            self._now.statements.append(statement)
            self._now.lines.append(f"{indent}» {statement[:110]}")
        elif code is _OPENS:
            self._now.transactions += 1
            self._now.lines.append(f"{indent}» BEGIN … COMMIT")


def _callers(frame: FrameType) -> Iterator[CodeType]:
    above = frame.f_back
    while above is not None:
        if above.f_code.co_filename.startswith(_INSIDE):
            yield above.f_code
        above = above.f_back


def _place(code: CodeType) -> str:
    return code.co_filename.removeprefix(_INSIDE)


def _is_door(code: CodeType) -> bool:
    return _place(code).startswith(DOORS)


def _name(code: CodeType) -> str:
    return f"{_place(code)}: {code.co_qualname}"
