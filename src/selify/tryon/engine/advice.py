"""Warnings on a picture that was made all the same."""

import numpy as np

from selify.tryon.engine.arrays import SIDES
from selify.tryon.engine.cutout import Backdrop
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.masks import capsule, grown
from selify.tryon.engine.perception import Face
from selify.tryon.engine.person import Person
from selify.tryon.engine.pipeline import TryOn
from selify.tryon.types import GarmentCategory, RenderWarning

_LOW_SPAN = 90


def warnings_for(result: TryOn, garment: Garment) -> tuple[RenderWarning, ...]:
    person, dressed = result.person, result.dressed
    found = {
        RenderWarning.SEVERAL_PEOPLE: several_people(result.faces),
        RenderWarning.ARMS_COVER_GARMENT: _arms_in_front(person, garment) > 0.22,
        RenderWarning.BULKY_CLOTHING: _beyond_body(person, dressed.worn) > 0.12,
        RenderWarning.SKIN_PAINTED: dressed.painted.sum() > 0.03 * max(1, int(dressed.worn.sum())),
        RenderWarning.LOW_RESOLUTION: person.skeleton.span < _LOW_SPAN,
        RenderWarning.GARMENT_BACKGROUND_UNCERTAIN: garment.backdrop is Backdrop.BUSY,
    }
    return tuple(warning for warning, applies in found.items() if applies)


def several_people(faces: list[Face]) -> bool:
    """Another face nearly as large as the one that was dressed; passers-by do not count."""
    return any(face.height > 0.4 * faces[0].height for face in faces[1:])


def _arms_in_front(person: Person, garment: Garment) -> float:
    """Share of the trunk (or thighs) behind bare forearms and hands."""
    bottom = garment.category is GarmentCategory.BOTTOM
    zone = person.zones.thighs if bottom else person.zones.torso_core
    arms = person.zones.lower_arms & person.skin
    return float((zone & arms).sum() / max(1, int(zone.sum())))


def _beyond_body(person: Person, worn: np.ndarray) -> float:
    """Share of the clothes worn that lies outside what the body alone would fill."""
    s = person.skeleton
    body = person.zones.arms.copy()
    for k in SIDES:
        body |= capsule(person.shape, s.shoulders[k], s.hips[k], 0.22 * s.span, 0.3 * s.span)
    body |= capsule(person.shape, s.neck, s.pelvis, 0.5 * s.span, 0.45 * s.span)
    upper = worn & (person.along < 0.9)
    outside = upper & (1 - grown(body, 0.04 * s.span))
    return float(outside.sum() / max(1, int(upper.sum())))
