"""Fit how the traits of a picture are weighed to what people said of such pictures.

Usage: python tools/fit_conviction.py LABELS RESULTS… [--write]

RESULTS are ``results.json`` files of tools/contact_sheets.py; LABELS is a JSON file of the pairs' names with 0 for bad,
1 for mediocre and 2 for good. Prints what would have been sent at each bar, each pair judged by weights that were
fitted without its person and without its garment. ``--write`` puts the weights into the engine's conviction.toml.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selify.tryon.engine.arrays import Array
from selify.tryon.engine.conviction import FILE, counts, group_of
from selify.tryon.types import GarmentCategory

# Of a picture that a person called bad, mediocre, good: the share of people who would be convinced by it.
_CONVINCED = (0.0, 0.4, 1.0)
_STEPS, _RATE = 3000, 0.1
_SHRINK = 0.01
_LEAST_WEIGHT = 0.05
# Good pictures have this much of a trait without harm; bad ones that have it at all have that much.
_FREE_AT, _FULLY_AT = 75, 75
# A trait of which bad pictures of so many people and garments have more than this many times the most that any other has, forbids a picture.
_NEVER, _OFTEN = 1.25, 3
# However few good pictures have them: a plain top with long sleeves is no coat.
_HARMLESS = {"outerwear": 1.36}


@dataclass(frozen=True, slots=True)
class Weighing:
    """Each trait counts from ``free`` on, and fully at ``fully``; with more than ``never`` of one a picture is bad.

    Nothing makes a picture better.
    """

    names: tuple[str, ...]
    free: Array
    fully: Array
    never: Array
    weights: Array
    bias: float

    def of(self, traits: Array) -> Array:
        """How convincing pictures are, 0..1, by their traits (N, len(names))."""
        counted = counts(traits, self.free, self.fully)
        score = 1 / (1 + np.exp(-(self.bias - counted @ self.weights)))
        return np.where((traits > self.never).any(1), 0.0, score)


def fit(names: Sequence[str], rows: Sequence[dict[str, Any]], labels: Array) -> Weighing:
    """Logistic regression with weights that are not negative, by projected gradients."""
    traits = np.array([[row["traits"][name] for name in names] for row in rows])
    convinced = np.array(_CONVINCED)[labels]
    harmless = np.array([_HARMLESS.get(name, -np.inf) for name in names])
    free = np.maximum(np.percentile(traits[labels == 2], _FREE_AT, axis=0), harmless)
    fully = np.array(
        [
            np.percentile(above, _FULLY_AT) if len(above := bad[bad > least]) else np.inf
            for bad, least in zip(traits[labels == 0].T, free, strict=True)
        ]
    )
    never = np.maximum(_NEVER * traits[labels == 2].max(0), (free + fully) / 2)
    never = np.where(_often(rows, (traits > never) & (labels == 0)[:, None]), never, np.inf)
    counted = counts(traits, free, fully)
    weights, bias = np.full(len(names), 0.5), 1.0
    for _ in range(_STEPS):
        off = 1 / (1 + np.exp(-(bias - counted @ weights))) - convinced
        bias -= _RATE * float(off.mean())
        weights = np.maximum(0, weights - _RATE * (_SHRINK * weights - counted.T @ off / len(off)))
    return Weighing(tuple(names), free, fully, never, weights, bias)


def _often(rows: Sequence[dict[str, Any]], there: Array) -> Array:
    """Of each column, whether it is so with several people and with several garments: one alone says nothing."""
    found = np.ones(there.shape[1], bool)
    for kind in ("person", "garment"):
        several = [
            {row[kind] for row, one in zip(rows, column, strict=True) if one} for column in there.T
        ]
        found &= np.array([len(one) for one in several]) >= _OFTEN
    return found


def without_own(names: Sequence[str], rows: Sequence[dict[str, Any]], labels: Array) -> Array:
    """Each picture's score by weights that saw neither its person nor its garment."""
    traits = np.array([[row["traits"][name] for name in names] for row in rows])
    scores = np.zeros(len(rows))
    for i, row in enumerate(rows):
        others = [
            j
            for j, other in enumerate(rows)
            if other["person"] != row["person"] and other["garment"] != row["garment"]
        ]
        own = fit(names, [rows[j] for j in others], labels[others])
        scores[i] = own.of(traits[i : i + 1])[0]
    return scores


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("labels", type=Path)
    options.add_argument("results", type=Path, nargs="+")
    options.add_argument("--write", action="store_true")
    wanted = options.parse_args()
    said = json.loads(wanted.labels.read_text())
    found = [row for path in wanted.results for row in json.loads(path.read_text())]
    rows = [row for row in found if row["name"] in said and row.get("traits")]
    tables = []
    for group in ("tops", "bottoms"):
        own = [row for row in rows if group_of(GarmentCategory(row["category"])) == group]
        tables.append(_table(group, own, np.array([said[row["name"]] for row in own])))
    print("\n\n".join(tables))  # noqa: T201
    if wanted.write:
        head = [line for line in FILE.read_text().splitlines() if line.startswith("#")]
        FILE.write_text("\n\n".join(["\n".join(head), *tables]) + "\n")


def _table(group: str, rows: Sequence[dict[str, Any]], labels: Array) -> str:
    """Of conviction.toml; prints what its weights would have sent of pictures they had not seen."""
    names = [name for name in rows[0]["traits"] if any(row["traits"][name] for row in rows)]
    _print_sent(group, without_own(names, rows, labels), labels)
    whole = fit(names, rows, labels)
    parts = [f"[{group}]\nbias = {whole.bias:.3f}"]
    for i, name in enumerate(names):
        never, weight = whole.never[i], whole.weights[i]
        if weight > _LEAST_WEIGHT or np.isfinite(never):
            values = {"free": whole.free[i], "fully": whole.fully[i], "never": never}
            numbers = [f"{key} = {value:.4f}" for key, value in values.items()]
            parts.append("\n".join([f"[{group}.{name}]", *numbers, f"weight = {weight:.3f}"]))
    return "\n\n".join(parts)


def _print_sent(group: str, scores: Array, labels: Array) -> None:
    for bar in np.arange(0.2, 0.9, 0.05):
        sent = labels[scores >= bar]
        shares = [float((sent == kind).mean()) if len(sent) else 0.0 for kind in (2, 1, 0)]
        refused = float((scores[labels == 2] < bar).mean())
        print(  # noqa: T201
            f"{group}, bar {bar:.2f}: {len(sent):3d} sent, good {shares[0]:.0%}, mediocre {shares[1]:.0%},"
            f" bad {shares[2]:.0%}; {refused:.0%} of the good refused"
        )


if __name__ == "__main__":
    main()
