"""What is worn now: where its collar and cuffs end.

A new garment whose edge falls near the old one takes over the old edge: no strip of old cloth is
left over, and no skin need be painted.
"""

import numpy as np

from selify.tryon.engine.arrays import SIDES, Mask, Point
from selify.tryon.engine.body import BodyFit
from selify.tryon.engine.geometry import at_length, distance, lengths_along
from selify.tryon.engine.labels import Label
from selify.tryon.engine.masks import closed, distance_to, grown, opened, value_at, without_specks
from selify.tryon.engine.person import Person

SHARED_CUFF = 0.12
SHARED_COLLAR = 0.06
# Of the upper arm: armholes of vests end here, cap sleeves further down.
_NO_SLEEVE = 0.35


def worn_cloth(person: Person) -> Mask:
    """The upper garment with its rim: pixels mixed of cloth and skin belong to it too."""
    span = person.skeleton.span
    # A gleam on a sleeve is taken for skin at times: islands in cloth, far smaller than a face.
    skin = without_specks(person.skin)
    gleams = (person.skin & (1 - skin)) & closed(person.upper, 0.08 * span)
    cloth = without_specks(opened(person.upper | gleams, 0.008 * span))
    rim = grown(cloth, max(1.0, 0.012 * span)) | _like_cloth(person, cloth)
    sure_skin = opened(skin, 0.02 * span) & (1 - grown(cloth, max(1.0, 0.006 * span)))
    sure_skin &= 1 - _like_cloth(person, cloth)
    lower = ((person.label == Label.LOWER) & (person.along > 0.6)).astype(np.uint8)
    return np.asarray(rim & person.mask & (1 - sure_skin) & (1 - person.hair) & (1 - lower))


def _like_cloth(person: Person, cloth: Mask) -> Mask:
    """Near the cloth, in its colour rather than the skin's: collars' shaded edges."""
    near = (grown(cloth, 0.04 * person.skeleton.span) & (1 - cloth)).astype(bool)
    pixels = person.lab[near][None]
    like = distance_to(pixels, person.cloth_colours) < distance_to(pixels, person.skin_colours[:1])
    found = np.zeros_like(cloth)
    found[near] = like[0]
    return found


def worn_cuff(person: Person, side: int) -> float | None:
    """Length along the arm's bone at which the sleeve worn now ends.

    0: the arm is bare. None: the sleeve goes to the wrist, or the arm cannot be seen.
    """
    bone = person.skeleton.arm(side)
    total = float(lengths_along(bone)[-1])
    lengths = np.linspace(0.12, 0.97, 60) * total
    labels = np.array([value_at(person.label, p) for p in at_length(bone, lengths)])
    skin = labels == Label.SKIN
    for i in range(len(lengths) - 6):
        if skin[i : i + 6].mean() > 0.8 and skin[i]:
            return 0.0 if i == 0 else float(lengths[i])
    return None


def bare_armed(person: Person, side: int) -> bool:
    """No sleeve hangs there: what is worn on this shoulder lies on it."""
    s = person.skeleton
    cuff = worn_cuff(person, side)
    return cuff is not None and cuff < _NO_SLEEVE * distance(s.shoulders[side], s.elbows[side])


def worn_collar(person: Person, fit: BodyFit) -> float | None:
    """How far below the shoulders' middle the collar worn now lies in front, in pixels."""
    s = person.skeleton
    path = np.linspace(s.chin, fit.centre(0.5), 120)
    labels = np.array([value_at(person.label, p) for p in path])
    cloth = labels == Label.UPPER
    for i in range(len(path) - 5):
        if cloth[i : i + 5].all():
            return float(np.dot(path[i] - s.neck, s.down)) if i else None
    return None


def collar_reach(person: Person, fit: BodyFit) -> tuple[float | None, float | None]:
    """Per side: distance from the middle line at which the worn collar meets the shoulder."""
    left, right = (_collar_side(person, fit, k) for k in SIDES)
    return left, right


def _collar_side(person: Person, fit: BodyFit, side: int) -> float | None:
    s = person.skeleton
    furthest = abs(float(np.dot(fit.tips[side] - s.neck, s.across)))
    for reach in np.arange(furthest * 0.9, 0.16 * s.span, -0.01 * s.span):
        top = silhouette_above(person, side, float(reach))
        if top is None:
            return None
        if value_at(person.label, top + s.down * 0.035 * s.span) not in (
            Label.UPPER,
            Label.BACKGROUND,
        ):
            return float(reach + 0.01 * s.span)
    return None


def silhouette_above(person: Person, side: int, reach: float) -> Point | None:
    """The person's upper outline above a foot on the shoulder line; None under the head."""
    s = person.skeleton
    foot = s.neck + s.outwards[side] * reach
    for up in np.arange(0.0, 0.36, 0.008):
        point = foot - s.down * up * s.span
        if value_at(person.hair, point):
            return None
        if not value_at(person.mask, point):
            return point
    return None
