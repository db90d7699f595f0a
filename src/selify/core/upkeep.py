"""What is done for all wings together: rows that go, what is said of people, times that are set right,
invariants that are watched.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from selify.core import invariants, pruning, wrong_clocks
from selify.core.clock import Clock
from selify.core.container import Container
from selify.core.invariants import Invariant
from selify.core.pruning import Rule
from selify.core.queue import personal
from selify.core.queue.payload import Payload
from selify.core.queue.worker import Routine
from selify.core.wiring import Wing
from selify.core.wrong_clocks import Bound


def pruned(wings: Sequence[Wing]) -> list[Rule]:
    return [rule for wing in wings for rule in wing.pruned]


def bounds(wings: Sequence[Wing]) -> list[Bound]:
    return [bound for wing in wings for bound in wing.bounds]


def payloads(wings: Sequence[Wing]) -> dict[str, type[Payload]]:
    return {kind: payload for wing in wings for kind, payload in wing.payloads.items()}


def every_invariant(wings: Sequence[Wing], clock: Clock) -> list[Invariant]:
    return [invariant for wing in wings for invariant in wing.invariants(clock)]


def routines(container: Container, wings: Sequence[Wing]) -> list[Routine]:
    database, clock = container.database, container.clock
    rules, honest = pruned(wings), bounds(wings)
    return [
        Routine(
            "pruning",
            pruning.EVERY.total_seconds(),
            lambda: pruning.prune(database, rules, now=clock.now()),
        ),
        Routine(
            "clocks",
            wrong_clocks.EVERY.total_seconds(),
            lambda: wrong_clocks.set_right(database, honest, now=clock.now()),
        ),
        _forgetting(container, wings),
        *(_watch(container, invariant) for invariant in every_invariant(wings, clock)),
    ]


def _forgetting(container: Container, wings: Sequence[Wing]) -> Routine:
    declared = payloads(wings)
    others = [rows for wing in wings for rows in wing.personal]
    keep = max(wing.personal_for(container.settings) for wing in wings)
    return Routine(
        "personal data",
        60,
        lambda: personal.forget_old(
            container.database, declared, others, now=container.clock.now(), keep=keep
        ),
    )


def _watch(container: Container, invariant: Invariant) -> Routine:
    """What is soon looked at every minute, the whole history hourly."""
    every, patience = (
        (3600, timedelta(minutes=10)) if invariant.seldom else (60, timedelta(seconds=20))
    )
    watch = partial(
        invariants.watch, container.database, container.clock, invariant, patience=patience
    )
    return Routine(f"invariant {invariant.name}", every, watch)
