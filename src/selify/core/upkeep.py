"""What is done for all wings together: rows that go, times that are set right, invariants that are watched."""

from collections.abc import Sequence
from datetime import timedelta

from selify.core import invariants, pruning, wrong_clocks
from selify.core.clock import Clock
from selify.core.container import Container
from selify.core.invariants import Invariant
from selify.core.pruning import Rule
from selify.core.queue.worker import Routine
from selify.core.wiring import Wing
from selify.core.wrong_clocks import Bound


def pruned(wings: Sequence[Wing]) -> list[Rule]:
    return [rule for wing in wings for rule in wing.pruned]


def bounds(wings: Sequence[Wing]) -> list[Bound]:
    return [bound for wing in wings for bound in wing.bounds]


def every_invariant(wings: Sequence[Wing], clock: Clock) -> list[Invariant]:
    return [invariant for wing in wings for invariant in wing.invariants(clock)]


def routines(container: Container, wings: Sequence[Wing]) -> list[Routine]:
    database, clock = container.database, container.clock
    rules, honest = pruned(wings), bounds(wings)
    return [
        Routine("pruning", 600, lambda: pruning.prune(database, rules, now=clock.now())),
        Routine("clocks", 15, lambda: wrong_clocks.set_right(database, honest, now=clock.now())),
        *_watches(container, every_invariant(wings, clock)),
    ]


def _watches(container: Container, known: Sequence[Invariant]) -> list[Routine]:
    """The invariants: what is soon looked at every minute, the whole history hourly.

    The routines themselves come round more often, so that a restart does not put a check off.
    """
    database, clock = container.database, container.clock
    often = [invariant for invariant in known if not invariant.seldom]
    seldom = [invariant for invariant in known if invariant.seldom]
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    return [
        Routine(
            "invariants",
            60,
            lambda: invariants.watch(
                database, clock, often, every=minute, patience=timedelta(seconds=20)
            ),
        ),
        Routine(
            "invariants of all time",
            600,
            lambda: invariants.watch(
                database, clock, seldom, every=hour, patience=timedelta(minutes=10)
            ),
        ),
    ]
