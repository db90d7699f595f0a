"""How a stranger would take a picture of ours: its traits, weighed as people judged such pictures.

The weights are in conviction.toml, with what they were fitted to; tools/fit_conviction.py fits them anew. Bottoms have
their own, for what goes wrong with them is something else.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from selify.tryon.engine.arrays import Array
from selify.tryon.types import GarmentCategory

FILE = Path(__file__).with_name("conviction.toml")
# However much there is of a trait, it counts no more than this many times.
_MOST = 2.0
# The least that passes. By weights that had seen neither person nor garment (tools/fit_conviction.py) three of five good tops
# would be refused at 0.55; at a half one of six bottoms that are sent would be bad, at 0.6 one of ten.
_LEAST = {"tops": 0.5, "bottoms": 0.6}
# A trait that takes away this much (in log odds) is named as a reason.
_NAMED = 0.5


@dataclass(frozen=True, slots=True)
class Conviction:
    """``convincing`` 0..1; ``doubts``: the traits that speak most against the picture, the worst first."""

    convincing: float
    doubts: tuple[str, ...]


def group_of(category: GarmentCategory) -> str:
    """Of whose weights a garment's are part: the name of a table in conviction.toml."""
    return "bottoms" if category is GarmentCategory.BOTTOM else "tops"


def least_convincing(category: GarmentCategory) -> float:
    """Of a picture that may be sent."""
    return _LEAST[group_of(category)]


def conviction(traits: Mapping[str, float], category: GarmentCategory) -> Conviction:
    """``traits`` as in traits.py. One that is missing speaks against nothing, one without a weight does not count."""
    bias, weighed = _weights(group_of(category))
    against = {
        name: one.weight * float(counts(traits.get(name, 0.0), one.free, one.fully))
        for name, one in weighed.items()
    }
    never = [name for name, one in weighed.items() if traits.get(name, 0.0) > one.never]
    worst = sorted(against, key=lambda name: (name not in never, -against[name]))
    doubts = tuple(name for name in worst if name in never or against[name] >= _NAMED)
    score = 0.0 if never else float(1 / (1 + np.exp(sum(against.values()) - bias)))
    return Conviction(score, doubts)


def counts(trait: Array | float, free: Array | float, fully: Array | float) -> Array:
    """0 up to ``free``, 1 at ``fully``, and on in a straight line to ``_MOST``."""
    return np.clip((np.asarray(trait) - free) / (np.asarray(fully) - free), 0.0, _MOST)


@dataclass(frozen=True, slots=True)
class _Weight:
    free: float
    fully: float
    never: float
    weight: float


@cache
def _weights(group: str) -> tuple[float, dict[str, _Weight]]:
    found = tomllib.loads(FILE.read_text("utf-8"))[group]
    bias = float(found.pop("bias"))
    return bias, {name: _Weight(**one) for name, one in found.items()}
