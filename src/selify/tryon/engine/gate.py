"""The quality gate: is this picture good enough to send?

It compares the photo, the garment's picture and the result; it serves the embedded engine (which
knows its own masks) and hosted engines (of which only the result is known, and which may repaint
a face). Measures and bars: docs/decisions/0011-quality-gate.md.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from selify.tryon.engine.appearance import pattern_of
from selify.tryon.engine.arrays import Array, Bgr, Mask, Soft
from selify.tryon.engine.dress import Dressed
from selify.tryon.engine.masks import closed, ellipse, grown, shrunk
from selify.tryon.engine.measures import (
    colour_histogram,
    colour_likeness,
    mean_inside,
    print_survival,
    similarity_map,
)
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.person import Person, read_person
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
}
_FACE_BAR = {EngineKind.EMBEDDED: 0.999, EngineKind.HOSTED: 0.90}


def bars(kind: EngineKind) -> dict[str, float]:
    """The least value of each measure that passes."""
    return {"face": _FACE_BAR[kind], **_BARS}


@dataclass(frozen=True, slots=True)
class Regions:
    """Where to look, as masks (H, W) of the photo's size.

    ``torso`` is where the garment has to be; ``worn`` the old garment that it replaces;
    ``garment`` where the new one shows, ``replaced`` where anything but the old photo does (None:
    not known, then found by change and colour).
    """

    face: Mask
    hands: Mask
    background: Mask
    torso: Mask
    worn: Mask
    garment: Mask | None = None
    replaced: Mask | None = None


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
    }
    return scored(scores, kind)


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
    )


def face_zone(s: Skeleton, shape: tuple[int, ...]) -> Mask:
    centre = s.eyes + (s.mouth - s.eyes) * 0.35
    return ellipse(shape, centre, s.face_length, 1.35 * s.face_length)


def assess_hosted(
    perception: Perception,
    person_bgr: Bgr,
    garment_bgr: Bgr,
    garment_alpha: Soft,
    result_bgr: Bgr,
    category: GarmentCategory,
) -> QualityScores:
    """Measure a result of which nothing else is known. Raises Refused if no person is seen."""
    body = perception.body(person_bgr, perception.faces(person_bgr))
    person = read_person(
        person_bgr, Skeleton.of(body), body.mask, segmenter=perception.segmenter, category=category
    )
    regions = regions_of(person, category)
    return assess(person_bgr, garment_bgr, garment_alpha, result_bgr, regions, EngineKind.HOSTED)
