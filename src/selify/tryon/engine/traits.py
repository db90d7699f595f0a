"""What can be told of a picture of ours about how it will look to a stranger, in numbers.

Each is 0 where nothing is amiss and grows with what is; none alone says that a picture is bad. Areas are shares of
the new garment's unless another is named.
"""

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Mask
from selify.tryon.engine.dress import Dressed
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.geometry import at_length, distance, lengths_along, unit
from selify.tryon.engine.labels import WORN_AS, Label
from selify.tryon.engine.masks import (
    distance_to,
    grown,
    mirrored_overlap,
    opened,
    polygon,
    shrunk,
    value_at,
)
from selify.tryon.engine.person import Person
from selify.tryon.engine.worn import worn_cuff
from selify.tryon.types import GarmentCategory

# Old cloth within this of the new, in shoulder spans, is its rim.
_RIM = 0.015
# Of a forearm, that it counts as in a sleeve.
_CLAD = 0.3
# Pixels of bare arm that tell its colour.
_ENOUGH = 60


def traits_of(person: Person, garment: Garment, dressed: Dressed) -> dict[str, float]:
    """By name; see each function. A bottom has none of those of tops and dresses, and the other way round."""
    own = _traits_of_bottom if garment.category is GarmentCategory.BOTTOM else _traits_of_top
    cover = (dressed.cover > 0.5).astype(np.uint8)
    return {
        **own(person, garment, dressed, cover),
        "hidden": _hidden(person, cover | dressed.kept),
        "turned": person.skeleton.trunk / person.skeleton.span,
        "small": float(np.log(200 / person.skeleton.span)),
        **garment_traits(garment),
    }


def _traits_of_top(
    person: Person, garment: Garment, dressed: Dressed, cover: Mask
) -> dict[str, float]:
    area, flared = max(1, int(cover.sum())), garment.category is GarmentCategory.DRESS
    left = old_left(person, garment.category, dressed, margin=_RIM, anywhere=not flared)
    return {
        "limbs_painted": _share(dressed.limbs, int(person.mask.sum())),
        "chest_painted": _share(_less(dressed.painted, dressed.limbs), area),
        "restored": _share(dressed.restored, area),
        "restored_busy": _busy(person, dressed.restored, area),
        "reached": _share(dressed.reached, area),
        "old_left": _share(left, area),
        "strange_neck": _strange_neck(person, dressed, cover),
        "sleeves_across": _sleeves_across(person),
        "bent": _bent(person, cover),
        "stray": _share(dressed.stray, area),
        "unlike_skin": _unlike_skin(person, dressed, cover),
        "beyond": float((cover & (1 - person.mask)).sum()) / area * (not flared),
        "outerwear": _outerwear(person),
        "strain": dressed.strain,
        "distortion": dressed.distortion,
    }


def _traits_of_bottom(
    person: Person, garment: Garment, dressed: Dressed, cover: Mask
) -> dict[str, float]:
    area = max(1, int(cover.sum()))
    left = old_left(person, garment.category, dressed, margin=_RIM, anywhere=False)
    return {
        "legs_painted": _share(dressed.limbs, int(person.mask.sum())),
        "restored_below": _share(dressed.restored, area),
        "reached_below": _share(dressed.reached, area),
        "old_left": _share(left, area),
        "strain_below": dressed.strain,
        "distortion_below": dressed.distortion,
    }


def garment_traits(garment: Garment) -> dict[str, float]:
    """Those that a garment brings to every picture: how it was cut out, and how its parts were told apart."""
    return {
        "uneven": 1 - evenness(garment),
        "points_unlike": _points_unlike(garment),
        "deep_armpits": _deep_armpits(garment),
        "narrow_hem": _narrow_hem(garment),
        "uncertain": float(garment.backdrop.value == "busy"),
    }


def evenness(garment: Garment) -> float:
    """Overlap of the outline with its mirror image; of one of which a half counts for both, as if it were even."""
    if garment.top is not None and garment.top.one_half:
        return 1.0
    return mirrored_overlap(garment.mask)


def _share(mask: Mask | None, of: int) -> float:
    return 0.0 if mask is None else float(mask.sum()) / max(1, of)


def _less(mask: Mask, part: Mask | None) -> Mask:
    return mask if part is None else mask & (1 - part)


def _busy(person: Person, restored: Mask | None, area: int) -> float:
    """Background made up where the one around it is not plain: its spread of light times its area."""
    if restored is None or not restored.any():
        return 0.0
    around = grown(restored, 0.15 * person.skeleton.span) & (1 - grown(person.mask, 3))
    light = person.lab[..., 0][around > 0]
    return float(light.std()) / 10 * float(restored.sum()) / area if light.size > 50 else 0.0


def old_left(
    person: Person, category: GarmentCategory, dressed: Dressed, *, margin: float, anywhere: bool
) -> Mask:
    """Old cloth that still shows, further than ``margin`` shoulder spans from the new; not ``anywhere``: only as high as
    the new, for above and below it another garment may well be seen.
    """
    span, cover = person.skeleton.span, (dressed.cover > 0.5).astype(np.uint8)
    old = opened(np.isin(person.label, WORN_AS[category]), 0.01 * span)
    old = old & (1 - grown(cover, margin * span)) & (1 - dressed.replaced)
    if not anywhere:
        rows = np.flatnonzero(cover.any(1))
        old[: int(rows[0]) if len(rows) else 0] = 0
        old[int(rows[-1]) if len(rows) else 0 :] = 0
    return np.asarray(old)


def _strange_neck(person: Person, dressed: Dressed, cover: Mask) -> float:
    """Share of neck and chest above the new garment that is no skin: a tie, a scarf, an old collar."""
    s = person.skeleton
    side = s.across * 0.3 * s.span
    zone = polygon(
        person.shape, np.array([s.chin - side, s.chin + side, s.neck + side, s.neck - side])
    )
    zone &= person.mask & (1 - grown(cover, 0.02 * s.span)) & (1 - person.hair)
    zone &= 1 - dressed.kept
    zone &= np.isin(person.label, (Label.SKIN, Label.UPPER)).astype(np.uint8)
    if zone.sum() < 30:
        return 0.0
    lab = cv2.cvtColor(dressed.bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    off = distance_to(lab[zone > 0][None], person.skin_colours) > 9
    return float(off.mean())


def _sleeves_across(person: Person) -> float:
    """How much of the covered forearms lies in front of the trunk: they cannot be told from it."""
    s = person.skeleton
    trunk = np.array([*s.shoulders, *s.hips[::-1]])
    zone = shrunk(polygon(person.shape, trunk), 0.05 * s.span)
    across = 0.0
    for k in SIDES:
        arm = s.arm(k)
        lengths = lengths_along(arm)
        covered = worn_cuff(person, k)
        end = lengths[-1] if covered is None else covered
        along = np.linspace(lengths[1] * 0.8, lengths[-1], 20)
        spots = at_length(arm, along)
        inside = [value_at(zone, p) and a <= end for p, a in zip(spots, along, strict=True)]
        across = max(across, float(np.mean(inside)))
    return across


def _bent(person: Person, cover: Mask) -> float:
    """Of the arms in new sleeves, how far the elbow is bent: 0 straight, 1 folded back on itself."""
    bent = 0.0
    for k in SIDES:
        shoulder, elbow, wrist = person.skeleton.arm(k)[:3]
        forearm = person.zones.forearms[k]
        if (forearm & cover).sum() > _CLAD * forearm.sum():
            upper, lower = unit(elbow - shoulder), unit(wrist - elbow)
            bent = max(bent, float(np.arccos(np.clip(upper @ lower, -1, 1))) / np.pi)
    return bent


def _unlike_skin(person: Person, dressed: Dressed, cover: Mask) -> float:
    """Of the arms that the picture shows bare, the share whose hue is not the face's: old cloth taken for skin, or paint."""
    bare = person.zones.arms & person.mask & (1 - cover) & (1 - person.hair)
    bare &= np.isin(person.label, (Label.SKIN, Label.UPPER)).astype(np.uint8) | dressed.painted
    lab = cv2.cvtColor(dressed.bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    return float(person.unlike_face(lab)[bare > 0].mean()) if bare.sum() > _ENOUGH else 0.0


def _outerwear(person: Person) -> float:
    """Area of what is worn above, in shoulder spans times trunks: tees have 0.7, coats and capes 1.7 and more."""
    return float(person.upper.sum()) / (person.skeleton.span * person.skeleton.trunk)


def _hidden(person: Person, cover: Mask) -> float:
    """Arms, hands and hair in front of the trunk where the garment would be."""
    core = person.zones.torso_core & person.mask
    return float((core & (1 - cover)).sum()) / max(1, int(core.sum()))


def _points_unlike(garment: Garment) -> float:
    """Distance of the right armpit, shoulder and hem corner from where the left ones' mirror image is, in chests."""
    points = garment.top
    if points is None:
        return 0.0
    pairs = [points.armpits, points.shoulders, (points.hem[0], points.hem[-1])]
    off = []
    for left, right in pairs:
        mirrored = np.array([2 * points.axis - left[0], left[1]])
        off.append(distance(mirrored, right) / max(1.0, points.chest_width))
    return float(max(off))


def _deep_armpits(garment: Garment) -> float:
    """How far below their usual place the armpits of a sleeved garment are: its sleeves lie on its sides."""
    points = garment.top
    if points is None or points.sleeves is None:
        return 0.0
    down = (points.armpits[0][1] + points.armpits[1][1]) / 2 - points.shoulders[0][1]
    usual = 0.3 if garment.category is GarmentCategory.DRESS else 0.42
    return max(0.0, float(down) / max(1.0, points.length) - usual)


def _narrow_hem(garment: Garment) -> float:
    """How much narrower than seven tenths of the chest: legs of a body, or something cut off."""
    points = garment.top
    if points is None:
        return 0.0
    return max(0.0, 0.7 - distance(points.hem[0], points.hem[-1]) / max(1.0, points.chest_width))
