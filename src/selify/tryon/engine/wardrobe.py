"""Reading a garment for the wardrobe: what kind, what colours, what cut, how sure."""

from dataclasses import replace

import cv2
import numpy as np

from selify.tryon.engine.appearance import main_colours, pattern_of
from selify.tryon.engine.arrays import Array, Bgr, Mask
from selify.tryon.engine.cutout import Backdrop, ByColour
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.geometry import distance
from selify.tryon.engine.masks import largest_part
from selify.tryon.engine.outline import runs_in_row, two_legs
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.points import BottomPoints, TopPoints
from selify.tryon.engine.reading import GarmentReading, Limit, NecklineShape, SleeveLength
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.engine.suitability import (
    limits_of,
    refuse_other_category,
    refuse_texture,
)
from selify.tryon.engine.wearer import find_wearer, perhaps_somebody
from selify.tryon.engine.worn_garment import read_worn
from selify.tryon.types import GarmentCategory, RenderWarning

_TRUST = {Backdrop.TRANSPARENT: 0.95, Backdrop.PLAIN: 0.9, Backdrop.BUSY: 0.6, Backdrop.WORN: 0.8}
_WARNINGS = {
    Limit.BUSY_BACKGROUND: RenderWarning.GARMENT_BACKGROUND_UNCERTAIN,
    Limit.LOW_RESOLUTION: RenderWarning.LOW_RESOLUTION,
}


def read_picture(
    perception: Perception, bgr: Bgr, alpha: Array | None, category: GarmentCategory | None
) -> tuple[Garment, GarmentReading]:
    """A garment in its picture, alone or worn, and what there is to say about it. Raises Refused (garment_not_found)."""
    faces = perception.faces(bgr)
    body = find_wearer(perception, bgr, faces)
    if body is not None:
        garment = read_worn(bgr, body, faces, category, perception.segmenter)
        return garment, reading_of(garment, perception.segmenter, guessed=category is None)
    garment = _alone(bgr, alpha, category, perception.segmenter)
    reading = reading_of(garment, perception.segmenter, guessed=category is None)
    if perhaps_somebody(faces, bgr):
        warnings = (RenderWarning.GARMENT_SHOWS_PERSON, *reading.warnings)
        reading = replace(reading, warnings=warnings)
    return garment, reading


def read_garment(
    bgr: Bgr,
    alpha: Array | None,
    category: GarmentCategory | None,
    segmenter: Segmenter | None = None,
) -> GarmentReading:
    """In a picture without anybody. Without a category it is guessed, and marked so. Raises Refused
    (garment_not_found).
    """
    garment = _alone(bgr, alpha, category, segmenter)
    return reading_of(garment, segmenter, guessed=category is None)


def _alone(
    bgr: Bgr, alpha: Array | None, category: GarmentCategory | None, segmenter: Segmenter | None
) -> Garment:
    by_colour = ByColour(bgr, alpha)
    if category is not None:
        refuse_other_category(by_colour, category)
    known = category or _guess_category(by_colour)
    garment = read_cut_out(bgr, alpha, known, segmenter, by_colour)
    refuse_texture(bgr, garment)
    return garment


def reading_of(garment: Garment, segmenter: Segmenter | None, *, guessed: bool) -> GarmentReading:
    """``guessed``: nobody said of what category it is."""
    bgr = garment.bgr
    limits, unfit = limits_of(bgr, garment, segmenter)
    mask = garment.sure
    length, fit = _cut_of(garment)
    return GarmentReading(
        category=garment.category,
        category_guessed=guessed,
        confidence=_confidence(garment, guessed=guessed),
        colours=tuple(main_colours(bgr, mask)),
        pattern=pattern_of(bgr, mask),
        sleeve=_sleeve(garment.top) if garment.top else None,
        neckline=_neckline(garment, garment.top) if garment.top else None,
        length=length,
        fit=fit,
        warnings=tuple(_WARNINGS[limit] for limit in limits if limit in _WARNINGS),
        limits=limits,
        unfit=unfit,
    )


def _guess_category(by_colour: ByColour) -> GarmentCategory:
    """By outline: two legs, or much taller than wide, or a top."""
    cut = by_colour.cut(GarmentCategory.TOP)
    mask = largest_part(cut.alpha > 0.5)
    x, y, width, height = cv2.boundingRect(mask)
    part = mask[y : y + height, x : x + width]
    if two_legs(part) and height > 1.05 * width and _top_share(part) > 0.3:
        return GarmentCategory.BOTTOM
    return GarmentCategory.DRESS if height > 1.45 * width else GarmentCategory.TOP


def _top_share(part: Mask) -> float:
    height, width = part.shape
    return float(float(np.median(part[int(0.03 * height) : int(0.09 * height) + 1].sum(1))) / width)


def _confidence(garment: Garment, *, guessed: bool) -> float:
    trust = _TRUST[garment.backdrop]
    if garment.top is not None:
        trust *= _evenness(garment.top)
    return round(trust * (0.7 if guessed else 1.0), 2)


def _evenness(points: TopPoints) -> float:
    """Garments are symmetric: an outline that is not was cut badly, or lies in folds."""
    halves = [abs(points.axis - pit[0]) for pit in points.armpits]
    ratio = min(halves) / max(1.0, *halves)
    return float(np.clip(0.5 + 0.6 * ratio, 0.5, 1.0))


def _sleeve(points: TopPoints) -> SleeveLength:
    if points.sleeves is None:
        return SleeveLength.NONE
    return SleeveLength.LONG if points.long_sleeved else SleeveLength.SHORT


def _neckline(garment: Garment, points: TopPoints) -> NecklineShape:
    width = max(1.0, points.neck_width)
    depth = garment.neckline.depth / width
    if garment.neckline.confidence < 0.25 and depth < 0.1:
        return NecklineShape.UNKNOWN
    if width > 0.72 * points.shoulder_width and depth < 0.3:
        return NecklineShape.BOAT
    if depth < 0.12:
        return NecklineShape.HIGH
    if depth < 0.52:
        return NecklineShape.CREW
    return NecklineShape.SCOOP if depth < 0.75 else NecklineShape.V


def _cut_of(garment: Garment) -> tuple[str, str]:
    """Length and fit in everyday words."""
    if garment.bottom is not None:
        return _bottom_cut(garment.bottom, garment.mask)
    points = garment.top
    if points is None:
        return "regular", "regular"
    ratio = points.length / max(1.0, points.chest_width)
    if garment.category is GarmentCategory.DRESS:
        length = "mini" if ratio < 2.0 else "midi" if ratio < 2.7 else "maxi"
    else:
        length = "cropped" if ratio < 1.0 else "regular" if ratio < 1.75 else "long"
    hem = distance(points.hem[0], points.hem[-1]) / max(1.0, points.chest_width)
    fit = "slim" if hem < 0.86 else "regular" if hem < 1.15 else "loose"
    return length, fit


def _bottom_cut(points: BottomPoints, mask: Mask) -> tuple[str, str]:
    width = max(1.0, points.waist[1][0] - points.waist[0][0])
    tall = points.box[3] - points.waist[0][1]
    ratio = tall / width
    length = "short" if ratio < 1.5 else "cropped" if ratio < 2.2 else "full"
    row = int(points.waist[0][1] + 0.85 * tall)
    hem = sum(end - start for start, end in runs_in_row(mask, row)) / width
    return length, "slim" if hem < 0.75 else "regular" if hem < 1.15 else "loose"
