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
from selify.tryon.engine.conviction import FILE, counts

# Of a picture that a person called bad, mediocre, good: the share of people who would be convinced by it.
_CONVINCED = (0.0, 0.4, 1.0)
_STEPS, _RATE = 3000, 0.1
_SHRINK = 0.01
_LEAST_WEIGHT = 0.05
# Good pictures have this much of a trait without harm; bad ones that have it at all have that much.
_FREE_AT, _FULLY_AT = 75, 75
# A trait of which bad pictures often have more than this many times the most that any other has, forbids a picture.
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


def fit(names: Sequence[str], traits: Array, labels: Array) -> Weighing:
    """Logistic regression with weights that are not negative, by projected gradients."""
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
    never = np.where((traits[labels == 0] > never).sum(0) >= _OFTEN, never, np.inf)
    counted = counts(traits, free, fully)
    weights, bias = np.full(len(names), 0.5), 1.0
    for _ in range(_STEPS):
        off = 1 / (1 + np.exp(-(bias - counted @ weights))) - convinced
        bias -= _RATE * float(off.mean())
        weights = np.maximum(0, weights - _RATE * (_SHRINK * weights - counted.T @ off / len(off)))
    return Weighing(tuple(names), free, fully, never, weights, bias)


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
        scores[i] = fit(names, traits[others], labels[others]).of(traits[i : i + 1])[0]
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
    labels = np.array([said[row["name"]] for row in rows])
    names = list(rows[0]["traits"])
    scores = without_own(names, rows, labels)
    for bar in np.arange(0.2, 0.9, 0.05):
        sent = labels[scores >= bar]
        shares = [float((sent == kind).mean()) if len(sent) else 0.0 for kind in (2, 1, 0)]
        refused = float((scores[labels == 2] < bar).mean())
        print(  # noqa: T201
            f"bar {bar:.2f}: {len(sent):3d} sent, good {shares[0]:.0%}, mediocre {shares[1]:.0%}, bad {shares[2]:.0%};"
            f" {refused:.0%} of the good refused"
        )
    traits = np.array([[row["traits"][name] for name in names] for row in rows])
    whole = fit(names, traits, labels)
    lines = [f"bias = {whole.bias:.3f}"]
    for i, name in enumerate(names):
        never, weight = whole.never[i], whole.weights[i]
        if weight > _LEAST_WEIGHT or np.isfinite(never):
            values = {"free": whole.free[i], "fully": whole.fully[i], "never": never}
            numbers = [f"{key} = {value:.4f}" for key, value in values.items()]
            lines.append("\n".join([f"[{name}]", *numbers, f"weight = {weight:.3f}"]))
    print("\n".join(lines))  # noqa: T201
    if wanted.write:
        head = [line for line in FILE.read_text().splitlines() if line.startswith("#")]
        FILE.write_text("\n".join([*head, "", "\n\n".join(lines)]) + "\n")


if __name__ == "__main__":
    main()
