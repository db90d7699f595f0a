"""The quality gate: is this picture good enough to send?

It compares the photo, the garment's picture and the result of the embedded engine, which knows its own masks.
Pictures of unknown making are for ``hosted_gate``. Measures and bars: docs/decisions/0011-quality-gate.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from selify.tryon.engine.arrays import Mask
from selify.tryon.engine.conviction import conviction, least_convincing
from selify.tryon.engine.dress import Dressed
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.masks import ellipse, grown, shrunk
from selify.tryon.engine.measures import (
    colour_likeness,
    mean_inside,
    similarity_map,
)
from selify.tryon.engine.person import Person
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.engine.traits import old_left, traits_of
from selify.tryon.engine.worn import worn_cloth
from selify.tryon.types import GarmentCategory, QualityScores

# In shoulder spans.
_RIM = 0.05
_MANY = 2000


BARS: dict[str, float] = {
    "face": 0.999,
    "hands": 0.94,
    "background": 0.93,
    "colour": 0.6,
    "old_replaced": 0.75,
    "coverage": 0.5,
    "old_hidden": 0.96,
}
"""The least value of each measure that passes; ``conviction`` has its own."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Where to look, as masks (H, W) of the photo's size.

    ``torso`` is where the garment has to be; ``worn`` the old garment that it replaces;
    ``garment`` where the new one shows, ``replaced`` where anything but the old photo does, ``beside``
    where old cloth still shows beside the new.
    """

    face: Mask
    hands: Mask
    background: Mask
    torso: Mask
    worn: Mask
    garment: Mask
    replaced: Mask
    beside: Mask


def assess_own(person: Person, garment: Garment, dressed: Dressed) -> QualityScores:
    """Measure a picture that the embedded engine made."""
    measured = assess(person, garment, dressed, regions_of(person, garment.category, dressed))
    found = conviction(traits_of(person, garment, dressed), garment.category)
    scores = scored({**measured, "convincing": found.convincing}, _bars_for(garment.category))
    return replace(scores, doubts=found.doubts)


def assess(
    person: Person, garment: Garment, dressed: Dressed, regions: Regions
) -> dict[str, float | None]:
    """The measures by pixels, by name; None where one cannot be taken."""
    alike = similarity_map(person.bgr, dressed.bgr)
    shown = regions.garment
    look = shrunk(shown, 2) if shown.sum() > _MANY else shown
    return {
        "face": mean_inside(alike, regions.face),
        "hands": mean_inside(alike, regions.hands),
        "background": mean_inside(alike, regions.background),
        "colour": colour_likeness(garment.bgr, garment.sure, dressed.bgr, look),
        "old_replaced": mean_inside(regions.replaced.astype(np.float32), regions.worn),
        "coverage": mean_inside(shown.astype(np.float32), regions.torso),
        "old_hidden": max(0.0, 1 - float(regions.beside.sum()) / max(1, int(shown.sum()))),
    }


def _bars_for(category: GarmentCategory) -> Mapping[str, float]:
    return {**BARS, "convincing": least_convincing(category)}


def scored(scores: Mapping[str, float | None], bars: Mapping[str, float] = BARS) -> QualityScores:
    """Rounded scores with the names of the bars they miss."""
    rounded: dict[str, Any] = {
        n: None if v is None else round(float(v), 4) for n, v in scores.items()
    }
    misses = [name for name, bar in bars.items() if _misses(rounded.get(name), bar)]
    return QualityScores(**rounded, misses=tuple(misses))


def _misses(score: float | None, bar: float) -> bool:
    return score is not None and score < bar


def regions_of(person: Person, category: GarmentCategory, dressed: Dressed) -> Regions:
    """From a person that was read, and what the engine knows of its own picture."""
    span = person.skeleton.span
    bottom = category is GarmentCategory.BOTTOM
    garment = (dressed.cover > 0.5).astype(np.uint8)
    hands = (person.zones.hands[0] | person.zones.hands[1]) & person.skin
    # A window on a hand beside the garment would look at the garment.
    hands = hands & (1 - grown(garment, _RIM * span))
    worn = person.lower if bottom else worn_cloth(person)
    if not bottom:
        worn = worn & (person.along < 0.95)
    torso = person.zones.thighs & person.mask if bottom else person.zones.torso_core & person.mask
    around = grown(person.mask, max(4.0, 0.05 * span)) | grown(garment, 4)
    return Regions(
        # So would one below the chin, where a collar is.
        face=face_zone(person.skeleton, person.shape) & (1 - _collar_zone(person, garment)),
        hands=hands.astype(np.uint8),
        background=(1 - around).astype(np.uint8),
        torso=(torso & (1 - hands) & (1 - dressed.kept)).astype(np.uint8),
        worn=worn.astype(np.uint8),
        garment=garment,
        replaced=dressed.replaced,
        beside=old_left(person, category, dressed, margin=0.02, anywhere=False),
    )


def _collar_zone(person: Person, garment: Mask) -> Mask:
    """The garment and its rim, as far as they lie below the chin."""
    s = person.skeleton
    y, x = np.ogrid[: person.shape[0], : person.shape[1]]
    up = (x - s.chin[0]) * s.face_up[0] + (y - s.chin[1]) * s.face_up[1]
    return np.asarray(grown(garment, _RIM * s.span) & (up < 0), np.uint8)


def face_zone(s: Skeleton, shape: tuple[int, ...]) -> Mask:
    """From brows to chin, within cheeks and jaw also of a head that is turned or tilted: what is beside those may change."""
    centre = s.eyes + (s.mouth - s.eyes) * 0.35
    return ellipse(shape, centre, 0.85 * s.face_length, 1.15 * s.face_length)
