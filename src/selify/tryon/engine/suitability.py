"""What a garment's picture cannot give, said before anybody is to be dressed in it.

Bars were set on 35 garments photographed by shops and at home, 36 people, and drawn garments:
docs/decisions, garments that cannot work.
"""

import cv2
import numpy as np

from selify.core.language import _
from selify.tryon.engine.arrays import Array, Bgr, Mask
from selify.tryon.engine.bottom_cut import BottomCut
from selify.tryon.engine.conviction import conviction, least_convincing
from selify.tryon.engine.cutout import Backdrop, ByColour
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.geometry import distance
from selify.tryon.engine.lining import lining_shows
from selify.tryon.engine.masks import disc, largest_part, reduced_to
from selify.tryon.engine.outline import runs_in_row, two_legs
from selify.tryon.engine.points import TopPoints
from selify.tryon.engine.reading import Limit, Misfit
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.engine.standing import drawn_apart
from selify.tryon.engine.traits import evenness, garment_traits
from selify.tryon.types import GarmentCategory, RefusalCode

# How alike the colours within and around an outline are (Bhattacharyya, 1: the same). Garments on
# busy ground have 0.66 at most, noise and textures nearly 1.
_SAME_WITHIN_AND_AROUND = 0.85
# Sleeves make the upper part wider than the lower: tees 1.24 to 1.57, skirts and cropped trousers
# at most 0.78; trousers hung by a wide waist reach 1.41, and are known by their legs.
_SLEEVES_WIDER = 1.24
# Overlap of an outline with its mirror image. Well-cut ones have 0.84 and more; those with pieces
# missing, tilted or folded 0.79 and less; trousers with their legs astray 0.55, and a tee that lay doubled 0.41.
_EVEN = 0.8
_HALF_MISSING = 0.6
# Distance in colour (Lab of 8 bits) from the ground just outside. Two of three white garments on white,
# both cut wrong, have 5 and 12; black on black, cut well, 16.
_FAINT = 14.0
_INVISIBLE = 8.0
# Of one side of the picture.
_CUT_OFF = 0.1
# How far those who propose an outline agree with what was decided. 41 photographed garments, all cut out well, have
# 0.897 to 1; a dress on its own cloth, of which 60 % were found, 0.81.
_OF_ONE_OPINION = 0.83
_LOW_RESOLUTION = 300
# How much of a hem goes up or down rather than along it, in widths of the chest: it has run along sleeves that lie on the sides.
# Of 136 tops nine in ten have 0.28 at most, and all with more than this were read wrongly or had a belt hanging from them.
_CLIMBS, _STEEP = 0.35, 1.2
# Of a cuff, in widths of the chest: of the same 136 the widest that was one has 0.77, two that were not 1.02 and 2.3.
_WIDEST_CUFF = 0.95
# How far the hem lies aside of the waist, in widths of the hips: trousers laid straight have 0.17 at most.
_LEANING = 0.26
# As ``drawn_apart`` says it: of 57 bottoms that hang straight two whose legs were folded in their pictures have 1 and 1.14,
# the others 0.76 at most.
_FOLDED = 0.88
_SIDE = 512

_HALF = _("Only a part of this garment was found in its picture. Please try on another one.")
# Of tops that seem to have no sleeves, in widths of the chest. The neck: of 6 that have them, folded over the front or on the
# sides, 0.25 at most, of 8 others 0.34 at least. How far both sides step in, within so much of the height, between so far
# down: of 4 that have sleeves 0.061 at least, of those without 0.034 at most.
_CLOSED, _CUFFS, _SUDDEN, _STEPS = 0.3, 0.05, 0.04, (0.3, 0.95)
# Nobody is dressed in a garment of which one of these is true.
_NEVER = {
    Limit.PARTS_UNCLEAR: _(
        "The parts of this garment cannot be told apart in its picture. Please try on another one."
    ),
    Limit.ASLANT: _("This garment lies aslant in its picture. Please try on another one."),
    Limit.ON_HANGER: _("This garment’s picture shows its hanger. Please try on another one."),
    Limit.FOLDED: _("This garment is folded in its picture. Please try on another one."),
}


# --- No garment, or another one -------------------------------------------------------------------


def refuse_texture(bgr: Bgr, garment: Garment) -> None:
    """On busy ground an outline is found in anything, in noise too: there it means nothing when
    the same colours lie within and around it. Raises Refused.
    """
    if garment.backdrop is not Backdrop.BUSY:
        return
    small, mask = reduced_to(bgr, garment.mask, _SIDE)
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.COLOR_BGR2LAB)
    rim = np.ones((7, 7), np.uint8)
    within, around = cv2.erode(mask, rim), 1 - cv2.dilate(mask, rim)
    if within.any() and around.any() and _alike(lab, within, around) > _SAME_WITHIN_AND_AROUND:
        raise Refused(RefusalCode.GARMENT_NOT_FOUND, details={"reason": Misfit.TEXTURE})


def _alike(lab: Array, one: Mask, other: Mask) -> float:
    ranges = [0.0, 256.0] * 3
    shares = [cv2.calcHist([lab], [0, 1, 2], part, [8, 21, 21], ranges) for part in (one, other)]
    first, second = (share / max(1.0, float(share.sum())) for share in shares)
    return float(np.sqrt(first * second).sum())


def refuse_other_category(by_colour: ByColour, named: GarmentCategory) -> None:
    """Two legs are no top, and sleeves are on nothing that is worn below. Whatever is less clear
    than this is left to who named it. Raises Refused.
    """
    mask = largest_part(by_colour.cut(GarmentCategory.TOP).alpha > 0.5)
    seen = _clearly(mask)
    if seen is not None and seen is not named and GarmentCategory.DRESS is not named:
        details: dict[str, float | str] = {"reason": Misfit.CATEGORY, "named": named, "seen": seen}
        raise Refused(RefusalCode.GARMENT_NOT_FOUND, details=details)


def _clearly(mask: Mask) -> GarmentCategory | None:
    x, y, width, height = cv2.boundingRect(mask)
    part = mask[y : y + height, x : x + width]
    if two_legs(part) and height > 1.05 * width:
        return GarmentCategory.BOTTOM
    upper, lower = _span(part, 0.12, 0.35), _span(part, 0.6, 0.85)
    return GarmentCategory.TOP if not two_legs(part) and upper > _SLEEVES_WIDER * lower else None


def _span(part: Mask, above: float, below: float) -> float:
    """Median distance between the outermost pixels of rows, in pixels."""
    height = part.shape[0]
    runs = (runs_in_row(part, row) for row in range(int(above * height), int(below * height)))
    return float(np.median([row[-1][1] - row[0][0] for row in runs if row] or [0]))


def refuse_unfit(garment: Garment) -> None:
    """Of a garment that would speak against every picture of it no other photo is asked for. Raises Refused."""
    for limit in _limits_below(garment):
        raise _unfit(limit, _NEVER[limit])
    if _evenness(garment) < _HALF_MISSING:
        raise _unfit(Limit.UNEVEN_OUTLINE, _HALF)
    if _parts_unclear(garment):
        raise _unfit(Limit.PARTS_UNCLEAR, _NEVER[Limit.PARTS_UNCLEAR])


def _unfit(limit: Limit, hint: str) -> Refused:
    return Refused(RefusalCode.GARMENT_NOT_FOUND, hint=hint, details={"reason": limit})


# --- What limits try-ons --------------------------------------------------------------------------


def limits_of(
    bgr: Bgr, garment: Garment, segmenter: Segmenter | None = None
) -> tuple[tuple[Limit, ...], bool]:
    """What will not come out well, and whether it is so bad that nothing will."""
    mask = largest_part(garment.alpha > 0.5)
    worn = garment.backdrop is Backdrop.WORN
    even = _evenness(garment)
    # Somebody's clothes lie on somebody, not on a ground.
    contrast = 255.0 if worn else _contrast(bgr, mask, garment.backdrop)
    found = {
        Limit.WORN: worn,
        Limit.BUSY_BACKGROUND: garment.backdrop is Backdrop.BUSY,
        Limit.LOW_RESOLUTION: max(cv2.boundingRect(mask)[2:]) < _LOW_RESOLUTION,
        Limit.CUT_OFF: garment.backdrop is not Backdrop.TRANSPARENT and _cut_off(mask),
        Limit.FAINT_OUTLINE: contrast < _FAINT,
        Limit.UNEVEN_OUTLINE: even < _EVEN,
        Limit.DOUBTFUL_OUTLINE: garment.agreement < _OF_ONE_OPINION,
        Limit.PARTS_UNCLEAR: _parts_unclear(garment),
        Limit.LINING_SHOWS: segmenter is not None and _lining_shows(garment, segmenter),
    }
    limits = (*(limit for limit, there in found.items() if there), *_limits_below(garment))
    never = any(limit in _NEVER for limit in limits)
    return limits, never or even < _HALF_MISSING or contrast < _INVISIBLE


def _lining_shows(garment: Garment, segmenter: Segmenter) -> bool:
    """Of a jacket that lies alone; one whose fronts lie apart is worn open."""
    points = garment.top
    if points is None or not points.long_sleeved or garment.opening is not None:
        return False
    alone = garment.backdrop is not Backdrop.WORN and garment.category is GarmentCategory.TOP
    return alone and lining_shows(garment.bgr, garment.mask, points, segmenter)


def _limits_below(garment: Garment) -> tuple[Limit, ...]:
    """Of a bottom, or of the trousers of a jumpsuit: how it lies or hangs in its picture."""
    below = garment if garment.parts is None else garment.parts[0]
    if below.bottom is None:
        return ()
    cut = BottomCut.of(below, below.bottom)
    found = {
        Limit.ASLANT: cut.lean > _LEANING,
        Limit.ON_HANGER: cut.on_hanger,
        Limit.FOLDED: drawn_apart(below, below.bottom) > _FOLDED,
    }
    return tuple(limit for limit, there in found.items() if there)


def _evenness(garment: Garment) -> float:
    """Of somebody's clothes it says nothing about how well they were cut out: the parse goes by more than colours."""
    return 1.0 if garment.backdrop is Backdrop.WORN else evenness(garment)


def _parts_unclear(garment: Garment) -> bool:
    """Nothing shows where arms come out of it, or what it brings to every picture already speaks against them all."""
    points = garment.top
    if points is not None and (not points.arms_seen or _side_missing(garment)):
        return True
    top = garment.category is GarmentCategory.TOP
    if points is not None and top and (_misread(points) or _sleeves_hidden(garment.mask, points)):
        return True
    return conviction(garment_traits(garment), garment.category).convincing < least_convincing(
        garment.category
    )


def _misread(points: TopPoints) -> bool:
    """Its hem runs up its sleeves, or a cuff is as wide as the chest."""
    return _climbs(points) > _CLIMBS or _widest_cuff(points) > _WIDEST_CUFF


def _sleeves_hidden(mask: Mask, points: TopPoints) -> bool:
    """It seems to have none, and yet is closed round the neck as what has sleeves is, or steps inwards on both sides: there
    cuffs end.
    """
    if points.sleeves is not None:
        return False
    return points.neck_width < _CLOSED * points.chest_width or _steps_in(mask, points) > _CUFFS


def _steps_in(mask: Mask, points: TopPoints) -> float:
    """How much narrower the outline suddenly gets further down, in widths of the chest; of the side where it does so less."""
    rows = np.flatnonzero(mask.any(1))
    tall = float(np.ptp(rows))
    low, high = rows[0] + int(_STEPS[0] * tall), rows[0] + int(_STEPS[1] * tall)
    part, step = mask[low:high], max(2, int(_SUDDEN * tall))
    left = points.axis - part.argmax(1)
    right = part.shape[1] - part[:, ::-1].argmax(1) - points.axis
    inwards = [float((half[:-step] - half[step:]).max(initial=0)) for half in (left, right)]
    return min(inwards) / max(1.0, points.chest_width)


def _climbs(points: TopPoints) -> float:
    steps = np.abs(np.diff(np.asarray(points.hem, float), axis=0))
    steep = steps[:, 1] > _STEEP * steps[:, 0]
    return float(np.hypot(*steps[steep].T).sum()) / max(1.0, points.chest_width)


def _widest_cuff(points: TopPoints) -> float:
    widths = [distance(s.upper[-1], s.lower[-1]) for s in points.sleeves or ()]
    return max(widths, default=0.0) / max(1.0, points.chest_width)


def _side_missing(garment: Garment) -> bool:
    """A top without sleeves that ends at the picture's side: they may lie beyond it."""
    if garment.top is None or garment.top.sleeves is not None:
        return False
    mask = largest_part(garment.alpha > 0.5)
    return max(float((mask[:, side] > 0).mean()) for side in (0, -1)) > _CUT_OFF


def _contrast(bgr: Bgr, mask: Mask, backdrop: Backdrop) -> float:
    """Median over the outline: distance of the cloth's colour from that of the ground beside it."""
    if backdrop is Backdrop.TRANSPARENT:
        return 255.0
    small, cloth = reduced_to(bgr, mask, _SIDE)
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.COLOR_BGR2LAB).astype(np.float32)
    framed = cv2.copyMakeBorder(cloth, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    core, rim = (cv2.erode(framed, disc(r))[1:-1, 1:-1] for r in (6, 2))
    inside = (rim > 0) & (core == 0)
    outside = ((cv2.dilate(cloth, disc(8)) > 0) & (cv2.dilate(cloth, disc(3)) == 0)).astype(
        np.float32
    )
    near = cv2.blur(outside, (31, 31))
    ground = cv2.blur(lab * outside[..., None], (31, 31)) / np.maximum(near, 1e-4)[..., None]
    off = np.sqrt(((lab - ground) ** 2).sum(2))[inside & (near > 0.01)]
    return float(np.median(off)) if off.size else 255.0


def _cut_off(mask: Mask) -> bool:
    sides = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    return max(float((side > 0).mean()) for side in sides) > _CUT_OFF
