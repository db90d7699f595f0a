"""What was tried for a try-on, as its charge remembers it (``workspace_usage_events.metadata``).

One entry for each attempt, in order: the engine, the attempt's number, how it ended, its seconds, of an outfit the
piece that it was for, and why where it brought no picture to send. What it cost us is not among it: a charge is the brand's to read, our costs are not.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from selify.tryon.routing import Attempt, Outcome

KEY: Final = "tries"
# An engine's own words about its trouble are for the log; these say who stood in the way.
_OWN_WORDS: Final = frozenset({Outcome.UNAVAILABLE, Outcome.COOLING_DOWN, Outcome.CRASHED})


def as_metadata(attempts: Sequence[Attempt]) -> Mapping[str, Any]:
    """Nothing where nothing was tried."""
    return {KEY: [_entry(attempt) for attempt in attempts]} if attempts else {}


def _entry(attempt: Attempt) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "engine": attempt.engine,
        "number": attempt.number,
        "outcome": attempt.outcome.value,
        "seconds": round(attempt.seconds, 2),
    }
    if attempt.piece:
        entry["piece"] = attempt.piece
    if attempt.scores is not None and attempt.scores.misses:
        entry["missed"] = list(attempt.scores.misses)
    elif attempt.reason and attempt.outcome not in (*_OWN_WORDS, Outcome.PASSED):
        entry["why"] = attempt.reason
    return entry
