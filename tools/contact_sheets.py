"""Contact sheets of the embedded engine: people beside garments beside results, to be judged by eye.

Usage: python tools/contact_sheets.py PEOPLE GARMENTS OUT [--each N] [--only WORD …] [--models FOLDER]

PEOPLE and GARMENTS are folders of pictures. Each garment is tried on N people (4), chosen in turn, so that the
same folders give the same pairs. OUT gets ``sheet-NN.png``, each result at full size (``<person>__<garment>.png``)
and ``results.json``: what was sent or refused, with the gate's measures, by pair.
A garment's category is what the engine sees in it; a file ``categories.toml`` in GARMENTS may name it by stem.
"""

import argparse
import json
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from selify import assets
from selify.core.files.pictures import Transparency, open_picture
from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.codec import decode
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.networks import load_networks
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.pipeline import Seen, TryOn, dressed_in, see
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.traits import traits_of
from selify.tryon.engine.wardrobe import read_picture
from selify.tryon.engine.worker import refuse_half_a_dress, refuse_if_unconvincing
from selify.tryon.engine.worn_garment import garment_in
from selify.tryon.types import GarmentCategory

T = TypeVar("T")
SIDE = 1024
TILE = (230, 300)
COLUMNS, ROWS = 3, 3
KINDS = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(slots=True)
class Result:
    """One pair; ``refused`` is empty for a picture that would be sent."""

    person: str
    garment: str
    category: str
    refused: str = ""
    seconds: float = 0.0
    scores: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.person}__{self.garment}"


class Studio:
    """Sees each person once per category, and reads each garment once."""

    def __init__(self, models: Path, categories: dict[str, str]) -> None:
        self._perception = Perception(load_networks(models))
        self._categories = categories
        self._seen: dict[tuple[Path, GarmentCategory], Seen | Refused] = {}
        self._garments: dict[Path, Garment | Refused] = {}

    def try_on(self, person: Path, garment: Path) -> tuple[Result, Bgr | None]:
        """The result, and the picture even where the gate would not send it."""
        started = time.perf_counter()
        category = self.category(garment)
        result = Result(person.stem, garment.stem, category.value)
        picture: Bgr | None = None
        try:
            cloth = self._garment(garment, category)
            photo = bgr_of(person)
            done = dressed_in(cloth, photo, self._look(person, photo, category))
            picture = done.bgr
            result.traits = traits_of(done.person, cloth, done.dressed)
            refuse_half_a_dress(done.person, cloth)
            refuse_if_unconvincing(done)
            result.scores, result.refused = _judged(done, cloth)
        except Refused as refused:
            result.refused = f"{refused.code.value} {refused.details or ''}".strip()
        result.seconds = round(time.perf_counter() - started, 2)
        return result, picture

    def category(self, garment: Path) -> GarmentCategory:
        named = self._categories.get(garment.stem)
        if named:
            return GarmentCategory(named)
        picture = decode(_opened(garment), SIDE)
        try:
            garment, _ = read_picture(self._perception, picture.bgr, picture.alpha, None)
            return garment.category
        except Refused:
            return GarmentCategory.TOP

    def _garment(self, path: Path, category: GarmentCategory) -> Garment:
        if path not in self._garments:
            picture = decode(_opened(path), SIDE)
            try:
                self._garments[path] = garment_in(
                    self._perception, picture.bgr, picture.alpha, category
                )
            except Refused as refused:
                self._garments[path] = refused
        return _or_raise(self._garments[path])

    def _look(self, path: Path, photo: Bgr, category: GarmentCategory) -> Seen:
        key = path, category
        if key not in self._seen:
            try:
                self._seen[key] = see(self._perception, photo, category)
            except Refused as refused:
                self._seen[key] = refused
        return _or_raise(self._seen[key])


def _or_raise(found: T | Refused) -> T:
    if isinstance(found, Refused):
        raise found
    return found


def _judged(done: TryOn, cloth: Garment) -> tuple[dict[str, Any], str]:
    scores = assess_own(done.person, cloth, done.dressed)
    measures = {name: getattr(scores, name) for name in scores.__slots__ if name != "misses"}
    return measures, "gate: " + " ".join(scores.misses) if scores.misses else ""


def _opened(path: Path) -> bytes:
    return open_picture(path.read_bytes(), max_side=SIDE, transparency=Transparency.KEEP).data


def bgr_of(path: Path) -> Bgr:
    return decode(open_picture(path.read_bytes(), max_side=SIDE).data, SIDE).bgr


def pairs(
    people: Sequence[Path], garments: Sequence[Path], each: int
) -> Iterator[tuple[Path, Path]]:
    """Steps through the people so that all of them have their turn."""
    step = max(1, len(people) // each)
    for number, garment in enumerate(garments):
        for turn in range(each):
            yield people[(number * (each + 1) + turn * step) % len(people)], garment


def _tile(bgr: Bgr | None, size: tuple[int, int] = TILE) -> Bgr:
    tile = np.full((size[1], size[0], 3), 235, np.uint8)
    if bgr is None:
        return tile
    scale = min(size[0] / bgr.shape[1], size[1] / bgr.shape[0])
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile


def sheet(rows: Sequence[tuple[Result, Bgr, Bgr, Bgr | None]]) -> Bgr:
    """Three small pictures and a line of text for each pair."""
    cells = []
    for result, person, garment, picture in rows:
        cell = np.hstack([_tile(person, (130, 300)), _tile(garment, (130, 300)), _tile(picture)])
        colour = (0, 0, 200) if result.refused else (0, 110, 0)
        text = np.full((32, cell.shape[1], 3), 255, np.uint8)
        for line, words in enumerate((result.name[:74], (result.refused or "sent")[:74])):
            cv2.putText(text, words, (2, 12 + 15 * line), 0, 0.4, colour, 1, cv2.LINE_AA)
        cells.append(np.vstack([cell, text, np.full((6, cell.shape[1], 3), 255, np.uint8)]))
    while len(cells) % COLUMNS:
        cells.append(np.full_like(cells[0], 255))
    return np.vstack([np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)])


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in KINDS)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("people", "garments", "out"):
        options.add_argument(name, type=Path)
    options.add_argument("--each", type=int, default=4)
    options.add_argument("--only", nargs="*", default=[])
    options.add_argument("--models", type=Path, default=None)
    wanted = options.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    named = wanted.garments / "categories.toml"
    studio = Studio(
        wanted.models or assets.ensure("tryon-models"),
        tomllib.loads(named.read_text()) if named.is_file() else {},
    )
    rows, results, number = [], [], 0
    for person, garment in pairs(_pictures(wanted.people), _pictures(wanted.garments), wanted.each):
        if wanted.only and not any(
            word in f"{person.stem}__{garment.stem}" for word in wanted.only
        ):
            continue
        result, picture = studio.try_on(person, garment)
        results.append({"name": result.name, **{k: getattr(result, k) for k in Result.__slots__}})
        rows.append((result, bgr_of(person), bgr_of(garment), picture))
        if picture is not None:
            cv2.imwrite(str(wanted.out / f"{result.name}.png"), picture)
        if len(rows) == COLUMNS * ROWS:
            number += 1
            cv2.imwrite(str(wanted.out / f"sheet-{number:02d}.png"), sheet(rows))
            rows = []
    if rows:
        cv2.imwrite(str(wanted.out / f"sheet-{number + 1:02d}.png"), sheet(rows))
    (wanted.out / "results.json").write_text(json.dumps(results, indent=1))
    sent = sum(not one["refused"] for one in results)
    print(f"{sent} of {len(results)} sent, the others refused")  # noqa: T201


if __name__ == "__main__":
    main()
