"""A garment that somebody wears in its picture: cut out where it is frontal, whole and free, else refused.

The model is read as a shopper is. What she wears is the garment; where her arms hang along her body, the bones
say where sleeves end and the trunk begins, for the outline does not.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Bgr, Mask, Point, Points
from selify.tryon.engine.body import fit_body
from selify.tryon.engine.cutout import Backdrop
from selify.tryon.engine.garment import Garment, bled, read_cut_out
from selify.tryon.engine.geometry import at_length, distance, lengths_along, smooth, unit
from selify.tryon.engine.keypoints import bottom_points, points_at
from selify.tryon.engine.labels import Label
from selify.tryon.engine.masks import (
    capsule,
    closed,
    colour_clusters,
    distance_to,
    grown,
    largest_part,
    opened,
    polygon,
    shrunk,
)
from selify.tryon.engine.neckline import NO_NECKLINE, Neckline, outline_depth
from selify.tryon.engine.perception import Body, Face, Perception
from selify.tryon.engine.person import Person, read_person
from selify.tryon.engine.pipeline import crop_round
from selify.tryon.engine.points import Landmarks, TopPoints
from selify.tryon.engine.reading import WornFault
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.engine.vote import at_the_edges
from selify.tryon.engine.wearer import find_wearer, unusable
from selify.tryon.engine.worn import worn_cuff
from selify.tryon.types import GarmentCategory

# Shoulders' span against the trunk's length: from the front 0.54 to 0.85, three quarters turned 0.45.
_FRONTAL = 0.5
# Degrees: of the shoulders from level, of the trunk from upright, of an upper arm from hanging.
_LEVEL = 15.0
_UPRIGHT = 12.0
_RAISED = 48.0
_SURE_FACE = 0.8
_LARGE_FACE = 0.4
# Of the garment on the trunk.
_COVERED = 0.06
# Of the garment's width (below, above) or height (beside).
_AT_THE_EDGE = 0.12
# Of the picture.
_LEAST = 0.03
# Heights of the trunk: 0 at the shoulders, 1 at the hips.
_SHOULDERS = 0.08
_ARMPIT = 0.3
_WAIST = 0.95
# Of what is worn above, what is worn below may be and still be one dress. How far apart in Lab the colours of one
# cloth can be, and how much steeper a hem is than weave and folds.
_ONE_PIECE = 0.25
_ALIKE = 9.0
_HEM = 1.4
_OVER_THIGHS = 1.4
_FEWEST = 200
# Of the usual width.
_HALF = 0.7
# A high collar, above the shoulders' middle, in shoulder spans.
_HIGHEST = 0.42
# From the middle line, in shoulder spans.
_FREE = 0.25


def garment_in(
    perception: Perception, bgr: Bgr, alpha: Array | None, category: GarmentCategory
) -> Garment:
    """A garment in its picture, alone or worn. ``alpha``: (H, W) uint8 if the picture has one.

    Raises Refused (garment_not_found), with the reason WORN and a ``WornFault`` if somebody wears it who is no help.
    """
    faces = perception.faces(bgr)
    body = find_wearer(perception, bgr, faces)
    if body is None:
        return read_cut_out(bgr, alpha, category, perception.segmenter)
    return read_worn(bgr, body, faces, category, perception.segmenter)


def read_worn(
    bgr: Bgr,
    body: Body,
    faces: list[Face],
    category: GarmentCategory | None,
    segmenter: Segmenter | None,
) -> Garment:
    """What ``body`` wears; without a category, a dress if it is one, else the top. ``faces``: all in the picture.

    Raises Refused with the reason WORN and a ``WornFault``; always without a segmenter, for colours alone do not
    tell clothes from their wearer well enough.
    """
    if segmenter is None:
        raise unusable(WornFault.UNCLEAR)
    skeleton = Skeleton.of(body)
    refuse_others(faces)
    refuse_posture(skeleton, category)
    widest = category or GarmentCategory.DRESS
    x0, y0, x1, y1 = crop_round(body, skeleton, bgr.shape, widest)
    person = read_person(
        np.ascontiguousarray(bgr[y0:y1, x0:x1]),
        skeleton.moved(-x0, -y0),
        body.mask[y0:y1, x0:x1],
        segmenter=segmenter,
        category=GarmentCategory.DRESS,  # so that a dress is read as one piece, whatever it is called
    )
    ends = y0 == 0, y1 == bgr.shape[0], x0 == 0, x1 == bgr.shape[1]
    return garment_of(person, category or _guessed(person), ends)


def _guessed(person: Person) -> GarmentCategory:
    upper, lower = _told_apart(person)
    dress = _is_dress(person, upper, lower)
    return GarmentCategory.DRESS if dress else GarmentCategory.TOP


# --- Who is in the picture, and how they stand ----------------------------------------------------


def refuse_others(faces: list[Face]) -> None:
    """Raises Refused where another face is nearly as large as the most prominent."""
    clear = [face for face in faces if face.confidence > _SURE_FACE]
    if any(face.height > _LARGE_FACE * clear[0].height for face in clear[1:]):
        raise unusable(WornFault.SEVERAL)


def refuse_posture(s: Skeleton, category: GarmentCategory | None) -> None:
    """Raises Refused where the garment would not be seen from the front and straight."""
    if s.shoulders[1][0] < s.shoulders[0][0] or s.span < _FRONTAL * s.trunk:
        raise unusable(WornFault.TURNED)
    if abs(_degrees(s.across, (1.0, 0.0))) > _LEVEL or abs(_degrees(s.down, (0.0, 1.0))) > _UPRIGHT:
        raise unusable(WornFault.TURNED)
    if category is GarmentCategory.BOTTOM:
        return
    arms = [unit(s.elbows[k] - s.shoulders[k]) for k in SIDES]
    if max(abs(_degrees(arm, tuple(s.down))) for arm in arms) > _RAISED:
        raise unusable(WornFault.ARMS)


def _degrees(direction: Array, other: tuple[float, ...]) -> float:
    return float(np.degrees(np.arccos(np.clip(np.dot(direction, other), -1, 1))))


# --- The garment ----------------------------------------------------------------------------------


def garment_of(
    person: Person, category: GarmentCategory, ends: tuple[bool, bool, bool, bool]
) -> Garment:
    """``ends``: whether the crop's top, bottom, left and right are the picture's own. Raises Refused."""
    mask = _worn(person, category)
    _refuse_cut_off(mask, ends)
    _refuse_covered(person, mask, category)
    bgr, mask = _mended(person, mask)
    alpha = at_the_edges(person.bgr, mask)
    if category is GarmentCategory.BOTTOM:
        _refuse_without_waist(person, mask)
        bottom = bottom_points(largest_part(alpha > 0.5))
        cloth = bled(bgr, alpha)
        return Garment(category, bgr, cloth, alpha, Backdrop.WORN, None, NO_NECKLINE, bottom)
    tips = fit_body(person).tips
    _refuse_without_shoulders(person, mask, tips)
    sleeves = _sleeves(person, mask)
    alpha = alpha * (1 - _slits(person, sleeves, mask))
    mask = largest_part(alpha > 0.5)
    top = _points(person, sleeves, tips, mask)
    left, right = (np.asarray(p, float) for p in top.collar)
    neckline = Neckline((left, right), outline_depth(mask, left, right), 1.0)
    return Garment(category, bgr, bled(bgr, alpha), alpha, Backdrop.WORN, top, neckline, None)


def _worn(person: Person, category: GarmentCategory) -> Mask:
    """Raises Refused."""
    upper, lower = _told_apart(person)
    two = lower.sum() > _ONE_PIECE * upper.sum()
    dress = _is_dress(person, upper, lower)
    if (two and not dress) if category is GarmentCategory.DRESS else dress:
        raise unusable(WornFault.PIECES)
    mask = upper | lower if dress else upper
    if category is GarmentCategory.BOTTOM:
        mask = lower & (1 - _feet(person))
    span = person.skeleton.span
    # Hair beside the neck that was taken for cloth.
    mask[: max(0, int(person.skeleton.neck[1] - _HIGHEST * span))] = 0
    mask = largest_part(opened(mask, 0.01 * span))
    mask = largest_part(_without_tufts(person, mask, above=category is GarmentCategory.BOTTOM))
    if mask.mean() < _LEAST:
        raise unusable(WornFault.COVERED)
    return mask


def _told_apart(person: Person) -> tuple[Mask, Mask]:
    """Upper and lower clothes. Near the line between them, each pixel goes to those whose colours it has: a waistband
    is no hem.
    """
    s = person.skeleton
    upper, lower = (
        (person.label == label).astype(np.uint8) for label in (Label.UPPER, Label.LOWER)
    )
    near = grown(upper, 0.2 * s.span) & grown(lower, 0.2 * s.span) & (upper | lower)
    above, below = (
        colour_clusters(person.lab[(part & (1 - near)) > 0], 4) for part in (upper, lower)
    )
    if not above or not below or not near.any():
        return upper, lower
    soft = cv2.GaussianBlur(person.lab, (0, 0), max(1.0, 0.01 * s.span))
    closer = distance_to(soft, above) - distance_to(soft, below)
    closer = cv2.blur(np.clip(closer, -9, 9), (2 * round(0.03 * s.span) + 1,) * 2)
    to_lower = (near > 0) & (upper > 0) & (closer > 1)
    to_upper = (near > 0) & (lower > 0) & (closer < -1)
    moved = np.where(to_lower, 0, upper | to_upper), np.where(to_upper, 0, lower | to_lower)
    return moved[0].astype(np.uint8), moved[1].astype(np.uint8)


def _is_dress(person: Person, upper: Mask, lower: Mask) -> bool:
    """Whether what is worn above goes on over the thighs."""
    if lower.sum() > _ONE_PIECE * upper.sum():
        return _is_one_cloth(person, upper, lower)
    rows = np.flatnonzero((upper & _trunk(person, float(len(upper)))).any(1))
    s = person.skeleton
    return bool(len(rows)) and bool(rows[-1] > s.neck[1] + _OVER_THIGHS * s.trunk)


def _is_one_cloth(person: Person, upper: Mask, lower: Mask) -> bool:
    """Whether both have the same colours, and no hem lies between them. False where there are not both."""
    pixels = [person.lab[part > 0] for part in (upper, lower)]
    if min(len(part) for part in pixels) < _FEWEST:
        return False
    step = np.median(pixels[0], 0) - np.median(pixels[1], 0)
    spread = max(float(part[:, 0].std()) for part in pixels)
    light = max(0.0, abs(float(step[0])) - 0.5 * spread)
    if float(np.hypot(1.5 * step[1], 1.5 * step[2])) + 0.7 * light > _ALIKE:
        return False
    soft = cv2.GaussianBlur(person.lab, (0, 0), 1.2)
    steep = np.abs(cv2.Sobel(soft, cv2.CV_32F, 0, 1)).sum(2)
    steep = cv2.dilate(steep, np.ones((5, 1), np.uint8))
    line = (grown(upper, 2) & grown(lower, 2)) > 0
    inside = shrunk(upper | lower, 4) > 0
    return float(np.median(steep[line])) < _HEM * float(np.median(steep[inside])) + 2


def _feet(person: Person) -> Mask:
    """Where shoes are."""
    s = person.skeleton
    zone = np.zeros(person.shape, np.uint8)
    if s.ankles_seen > 0.5:
        for ankle, toe in zip(s.ankles, s.points[[32, 31]], strict=True):
            start = ankle + unit(toe - ankle) * 0.2 * s.span
            zone |= capsule(
                person.shape, start, toe + (toe - ankle) * 0.3, 0.2 * s.span, 0.2 * s.span
            )
    return zone


def _without_tufts(person: Person, mask: Mask, *, above: bool) -> Mask:
    """Cut level where less than most of the trunk's width is left: what hangs on there is of the neighbour.

    ``above``: at the upper end, else at the lower.
    """
    zone = _trunk(person, float(len(mask))) & mask
    rows = np.flatnonzero(zone.any(1))
    if len(rows) < 9:
        return mask
    wide, third = zone[rows].sum(1), len(rows) // 3
    usual = float(np.median(wide[:third] if above else wide[-third:]))
    full = rows[wide >= _HALF * usual]
    tuft = zone.copy()
    tuft[full[0] : full[-1] + 1] = 0
    tuft[full[-1] :] &= not above
    tuft[: full[0]] &= above
    return np.asarray(mask & (1 - tuft))


def _refuse_cut_off(mask: Mask, ends: tuple[bool, bool, bool, bool]) -> None:
    _, _, width, height = cv2.boundingRect(mask)
    touching = (
        mask[0].sum() / width,
        mask[-1].sum() / width,
        mask[:, 0].sum() / height,
        mask[:, -1].sum() / height,
    )
    if any(end and share > _AT_THE_EDGE for end, share in zip(ends, touching, strict=True)):
        raise unusable(WornFault.CUT_OFF)


def _refuse_without_waist(person: Person, mask: Mask) -> None:
    """Raises Refused where what is worn above hangs over the waistband."""
    waist = np.flatnonzero(mask.any(1))[0]
    s = person.skeleton
    if waist > s.neck[1] + _WAIST * s.trunk:
        raise unusable(WornFault.COVERED)


def _refuse_without_shoulders(person: Person, mask: Mask, tips: tuple[Point, Point]) -> None:
    """Raises Refused where nothing lies on the shoulders: thin straps that were not seen, or none."""
    s = person.skeleton
    middle = (tips[0] + tips[1]) / 2
    for tip in tips:
        left, right = sorted((int(tip[0]), int(middle[0])))
        rows = np.flatnonzero(mask[:, max(0, left) : right].any(1))
        if not len(rows) or rows[0] > s.neck[1] + _SHOULDERS * s.trunk:
            raise unusable(WornFault.UNCLEAR)


def _refuse_covered(person: Person, mask: Mask, category: GarmentCategory) -> None:
    """Raises Refused where hair, arms or hands lie over more than a little of the garment."""
    s = person.skeleton
    if category is GarmentCategory.BOTTOM:
        zone = _hull(mask)
        hiding = person.skin & person.zones.lower_arms
    else:
        rows = np.flatnonzero(mask.any(1))
        zone = _trunk(person, float(rows[-1])) & _hull(mask)
        hiding = (person.skin & person.zones.lower_arms) | person.hair
        if any(_value(zone, wrist) for wrist in s.wrists):
            raise unusable(WornFault.COVERED)
    whole = max(1, int((zone & (mask | hiding)).sum()))
    if (zone & hiding).sum() > _COVERED * whole:
        raise unusable(WornFault.COVERED)


def _hull(mask: Mask) -> Mask:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return polygon(mask.shape, cv2.convexHull(max(contours, key=len))[:, 0])


def _trunk(person: Person, low: float) -> Mask:
    """From the shoulders down to a row, as wide as the joints."""
    s = person.skeleton
    share = max(0.3, (low - s.neck[1]) / s.trunk)
    hips = [s.pelvis + (hip - s.pelvis) * 1.3 + s.down * (share - 1) * s.trunk for hip in s.hips]
    return polygon(person.shape, np.array([*s.shoulders, hips[1], hips[0]]))


def _mended(person: Person, mask: Mask) -> tuple[Bgr, Mask]:
    """Strands of hair and fingertips that lie over the cloth, replaced by it; holes of any kind."""
    span = person.skeleton.span
    over = (
        person.hair | (person.skin & person.zones.hands[0]) | (person.skin & person.zones.hands[1])
    )
    filled = _enclosed(closed(mask, 0.03 * span) & over & (1 - mask), mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] < 0.003 * mask.sum():
            filled[labels == part] = 1
    filled = filled & (1 - mask)
    if not filled.any():
        return person.bgr, mask
    rim = grown(filled, 2)
    bgr = cv2.inpaint(person.bgr, rim, 3, cv2.INPAINT_TELEA)
    return np.asarray(bgr), mask | filled


def _enclosed(parts: Mask, mask: Mask) -> Mask:
    """Those of the parts that lie mostly within the mask."""
    kept = np.zeros_like(mask)
    count, labels = cv2.connectedComponents(parts, connectivity=4)
    for part in range(1, count):
        here = (labels == part).astype(np.uint8)
        rim = grown(here, 2) & (1 - here)
        if (rim & mask).sum() > 0.6 * rim.sum():
            kept |= here
    return kept


# --- Sleeves --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sleeve:
    """``cuff``: length along the arm's bone; ``outer``: that end of it. ``inner``: the line between sleeve and
    trunk, from the armpit to the cuff.
    """

    outer: Point
    inner: Points


_Sleeves = tuple[_Sleeve, _Sleeve] | None


def _sleeves(person: Person, mask: Mask) -> _Sleeves:
    """None for a sleeveless one. Raises Refused where only one arm has a sleeve."""
    lengths = [_cuff_length(person, mask, side) for side in SIDES]
    left, right = lengths
    if left is None and right is None:
        return None
    if left is None or right is None:
        # An armhole's edge may lie in the way of the bone.
        cuff, side = (right, 1) if left is None else (left, 0)
        if (cuff or 0.0) < 0.7 * distance(*person.skeleton.arm(side)[:2]):
            return None
        raise unusable(WornFault.ARMS)
    return _sleeve(person, mask, 0, left), _sleeve(person, mask, 1, right)


def _sleeve(person: Person, mask: Mask, side: int, cuff: float) -> _Sleeve:
    """Raises Refused where the arm lies over the trunk."""
    s = person.skeleton
    bone = s.arm(side)
    direction = unit(s.elbows[side] - s.shoulders[side])
    start = _ARMPIT * s.trunk / max(0.4, float(np.dot(direction, s.down)))
    lengths = np.linspace(min(start, 0.9 * cuff), cuff, 24)
    inner = np.array([_inner(person, mask, bone, float(at), side) for at in lengths])
    if min(float(np.dot(p - s.neck, s.outwards[side])) for p in inner) < _FREE * s.span:
        raise unusable(WornFault.ARMS)
    at, outwards = _across(person, bone, cuff, side)
    inside, _ = _across(person, bone, 0.97 * cuff, side)
    outer = at + outwards * _march(mask, inside, outwards, 0.4 * s.span)
    return _Sleeve(outer, smooth(inner, 2))


def _slits(person: Person, sleeves: _Sleeves, mask: Mask) -> Mask:
    """Lines to be taken out of the mask: between sleeves and the trunk, where they are one in it."""
    slits = np.zeros_like(mask)
    thick = max(2, round(0.012 * person.skeleton.span))
    for sleeve in sleeves or ():
        beyond = (
            sleeve.inner[-1]
            + unit(sleeve.inner[-1] - sleeve.inner[-3]) * 0.05 * person.skeleton.span
        )
        line = np.round(np.vstack([sleeve.inner, beyond])).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(slits, [line], False, (1,), thick)
    return slits


def _cuff_length(person: Person, mask: Mask, side: int) -> float | None:
    """How far along the bone the garment goes; None for a sleeveless one."""
    s = person.skeleton
    bone = s.arm(side)
    total = float(lengths_along(bone)[-1])
    worn = worn_cuff(person, side)
    cuff = total if worn is None else worn
    if cuff < 0.22 * distance(s.shoulders[side], s.elbows[side]):
        return None
    # worn_cuff looks for skin; where the arm leaves the picture, the garment ends before.
    lengths = np.linspace(0.1, 1, 60) * total
    on = np.array([_value(mask, p) for p in at_length(bone, lengths)])
    if not on.any() or on[:20].mean() < 0.35:
        return None
    return min(cuff, float(lengths[np.flatnonzero(on)[-1]]))


def _inner(person: Person, mask: Mask, bone: Points, length: float, side: int) -> Point:
    """The sleeve's edge towards the trunk: as far from the bone as its outer edge is, within reason."""
    at, outwards = _across(person, bone, length, side)
    span = person.skeleton.span
    usual = float(np.interp(length / span, [0, 0.35, 0.9, 1.7], [0.2, 0.17, 0.14, 0.12])) * span
    outer = _march(mask, at, outwards, 0.35 * span)
    inner = _march(mask, at, -outwards, 0.35 * span)
    reach = float(np.clip(outer, 0.8 * usual, 1.3 * usual))
    return at - outwards * min(reach, inner)


def _across(person: Person, bone: Points, length: float, side: int) -> tuple[Point, Array]:
    s = person.skeleton
    step = 0.08 * s.span
    along = unit(at_length(bone, length + step) - at_length(bone, max(0.0, length - step)))
    normal = np.array([-along[1], along[0]])
    away = float(np.dot(normal, s.outwards[side]))
    return at_length(bone, length), normal if away > 0 else -normal


def _march(mask: Mask, start: Point, direction: Array, most: float) -> float:
    for reach in np.arange(0.0, most, 1.0):
        if not _value(mask, start + direction * reach):
            return float(reach)
    return most


def _value(mask: Array, point: Point) -> int:
    height, width = mask.shape
    x, y = int(point[0]), int(point[1])
    return int(mask[y, x]) if 0 <= x < width and 0 <= y < height else 0


# --- Key points -----------------------------------------------------------------------------------


def _points(person: Person, sleeves: _Sleeves, tips: tuple[Point, Point], mask: Mask) -> TopPoints:
    """From the skeleton, each laid on the outline of ``mask``. ``tips``: outer ends of the shoulders. Raises Refused."""
    if sleeves is None:
        marks = Landmarks((_side_at(person, mask, 0), _side_at(person, mask, 1)), tips, None)
    else:
        left, right = sleeves
        cuffs = (left.outer, left.inner[-1]), (right.outer, right.inner[-1])
        marks = Landmarks((left.inner[0], right.inner[0]), tips, cuffs)
    try:
        return points_at(mask, marks)
    except ValueError as error:
        raise unusable(WornFault.UNCLEAR) from error


def _side_at(person: Person, mask: Mask, side: int) -> Point:
    """Of a sleeveless one: its end in the armpits' row."""
    s = person.skeleton
    row = int(np.clip(s.neck[1] + _ARMPIT * s.trunk, 0, len(mask) - 1))
    columns = np.flatnonzero(mask[row])
    if not len(columns):
        return np.asarray(s.neck + s.down * _ARMPIT * s.trunk + s.outwards[side] * 0.5 * s.span)
    return np.array([float(columns[-1] if side else columns[0]), float(row)])
