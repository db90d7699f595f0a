"""The quality gate: is this picture good enough to send?

It compares the photo, the garment's picture and the result of the embedded engine, which knows its own masks.
Pictures of unknown making are for ``hosted_gate``. Measures and bars: docs/decisions/0011-quality-gate.md.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from selify.tryon.engine.appearance import pattern_of
from selify.tryon.engine.arrays import Array, Bgr, Mask, Soft
from selify.tryon.engine.dress import Dressed
from selify.tryon.engine.labels import Label
from selify.tryon.engine.masks import closed, ellipse, grown, opened, shrunk
from selify.tryon.engine.measures import (
    colour_histogram,
    colour_likeness,
    mean_inside,
    print_survival,
    similarity_map,
)
from selify.tryon.engine.person import Person
from selify.tryon.engine.reading import Pattern
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.engine.worn import worn_cloth
from selify.tryon.types import GarmentCategory, QualityScores


class EngineKind(StrEnum):
    """An embedded engine leaves every pixel it does not dress as it was; a hosted one repaints."""

    EMBEDDED = "embedded"
    HOSTED = "hosted"


_BARS: dict[str, float] = {
    "hands": 0.94,
    "background": 0.93,
    "colour": 0.6,
    "print_kept": 0.10,
    "old_replaced": 0.75,
    "coverage": 0.5,
    "old_hidden": 0.96,
}
_FACE_BAR = {EngineKind.EMBEDDED: 0.999, EngineKind.HOSTED: 0.90}


def bars(kind: EngineKind) -> dict[str, float]:
    """The least value of each measure that passes."""
    return {"face": _FACE_BAR[kind], **_BARS}


@dataclass(frozen=True, slots=True)
class Regions:
    """Where to look, as masks (H, W) of the photo's size.

    ``torso`` is where the garment has to be; ``worn`` the old garment that it replaces;
    ``garment`` where the new one shows, ``replaced`` where anything but the old photo does, ``beside``
    where old cloth still shows beside the new (None: not known; the first two are then found by change and colour).
    """

    face: Mask
    hands: Mask
    background: Mask
    torso: Mask
    worn: Mask
    garment: Mask | None = None
    replaced: Mask | None = None
    beside: Mask | None = None


def assess(
    person_bgr: Bgr,
    garment_bgr: Bgr,
    garment_alpha: Soft,
    result_bgr: Bgr,
    regions: Regions,
    kind: EngineKind,
) -> QualityScores:
    """Measure one result. A result of another size is brought to the photo's first."""
    result = _same_size(result_bgr, person_bgr)
    alike = similarity_map(person_bgr, result)
    garment_mask = (garment_alpha > 0.9).astype(np.uint8)
    changed = np.abs(person_bgr.astype(np.int16) - result).max(2) > 12
    shown = regions.garment
    if shown is None:
        # White dressed in white changes little, and is dressed all the same.
        shown = closed(changed | _coloured_like(garment_bgr, garment_mask, result), 2)
    replaced = regions.replaced if regions.replaced is not None else shown | changed
    wide = regions.garment if regions.garment is not None else regions.torso | regions.worn
    look = regions.garment if regions.garment is not None else regions.torso
    look = shrunk(look, 2) if look.sum() > 2000 else look
    printed = pattern_of(garment_bgr, garment_mask) is Pattern.PRINTED
    scores = {
        "face": mean_inside(alike, regions.face),
        "hands": mean_inside(alike, regions.hands & (1 - shown)),
        "background": mean_inside(alike, regions.background),
        "colour": colour_likeness(garment_bgr, garment_mask, result, look),
        "print_kept": print_survival(garment_bgr, garment_mask, result, wide) if printed else None,
        "old_replaced": mean_inside(replaced.astype(np.float32), regions.worn),
        "coverage": mean_inside(shown.astype(np.float32), regions.torso),
        "old_hidden": _hidden(regions),
    }
    return scored(scores, kind)


def _hidden(regions: Regions) -> float | None:
    """1 where no old cloth shows beside the new; it falls by the share that does, of the new garment's area."""
    if regions.beside is None or regions.garment is None:
        return None
    return max(0.0, 1 - float(regions.beside.sum()) / max(1, int(regions.garment.sum())))


def scored(scores: dict[str, float | None], kind: EngineKind) -> QualityScores:
    """Rounded scores with the names of the bars they miss."""
    rounded = {n: None if v is None else round(float(v), 4) for n, v in scores.items()}
    misses = [name for name, bar in bars(kind).items() if _misses(rounded.get(name), bar)]
    return QualityScores(**rounded, misses=tuple(misses))


def _misses(score: float | None, bar: float) -> bool:
    return score is not None and score < bar


def _same_size(result: Bgr, photo: Bgr) -> Bgr:
    if result.shape == photo.shape:
        return result
    size = (photo.shape[1], photo.shape[0])
    return cv2.resize(result, size, interpolation=cv2.INTER_AREA)


def _coloured_like(garment: Bgr, garment_mask: Mask, result: Bgr) -> Array:
    """Pixels of a colour that makes up a fair part of the garment (dressing white in white)."""
    usual = colour_histogram(garment, garment_mask)
    if usual is None:
        return np.zeros(result.shape[:2], bool)
    lab = cv2.cvtColor(result, cv2.COLOR_BGR2LAB).astype(np.int32)
    light = lab[..., 0] * 6 // 256
    a, b = (np.clip((lab[..., i] - 64) * 12 // 128, 0, 11) for i in (1, 2))
    return np.asarray(usual[light, a, b] > 0.02)


def regions_of(
    person: Person, category: GarmentCategory, dressed: Dressed | None = None
) -> Regions:
    """From a person that was read; ``dressed``: what the engine itself knows, if it was ours."""
    span = person.skeleton.span
    bottom = category is GarmentCategory.BOTTOM
    hands = (person.zones.hands[0] | person.zones.hands[1]) & person.skin
    worn = person.lower if bottom else worn_cloth(person)
    if not bottom:
        worn = worn & (person.along < 0.95)
    torso = person.zones.thighs & person.mask if bottom else person.zones.torso_core & person.mask
    around = grown(person.mask, max(4.0, 0.05 * span))
    garment = None if dressed is None else (dressed.cover > 0.5).astype(np.uint8)
    background = 1 - (around if garment is None else around | grown(garment, 4))
    return Regions(
        face=face_zone(person.skeleton, person.shape),
        hands=hands.astype(np.uint8),
        background=background.astype(np.uint8),
        torso=(torso & (1 - hands)).astype(np.uint8),
        worn=worn.astype(np.uint8),
        garment=garment,
        replaced=None if dressed is None else dressed.replaced,
        beside=None if dressed is None else _old_beside(person, category, dressed),
    )


_TAKEN_OFF = {
    GarmentCategory.TOP: (Label.UPPER,),
    GarmentCategory.BOTTOM: (Label.LOWER,),
    # A skirt that swings out beside the new dress is not hidden by it.
    GarmentCategory.DRESS: (Label.UPPER, Label.LOWER),
}


def _old_beside(person: Person, category: GarmentCategory, dressed: Dressed) -> Mask:
    """Old cloth as high as the new: beside it, not above or below, where another garment may well be seen."""
    span, cover = person.skeleton.span, (dressed.cover > 0.5).astype(np.uint8)
    old = opened(np.isin(person.label, _TAKEN_OFF[category]), 0.01 * span)
    old = old & (1 - grown(cover, 0.02 * span)) & (1 - dressed.replaced)
    rows = np.flatnonzero(cover.any(1))
    first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, 0)
    old[:first] = 0
    old[last:] = 0
    return np.asarray(old)


def face_zone(s: Skeleton, shape: tuple[int, ...]) -> Mask:
    centre = s.eyes + (s.mouth - s.eyes) * 0.35
    return ellipse(shape, centre, s.face_length, 1.35 * s.face_length)
