"""A garment, read once: cut out, its key points found, its rim cleaned of background."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Points, Soft
from selify.tryon.engine.cutout import Backdrop, ByColour, CutOut, cut_out
from selify.tryon.engine.keypoints import bottom_points, top_points
from selify.tryon.engine.masks import blur, fill_from_nearest, largest_part, polygon
from selify.tryon.engine.neckline import NO_NECKLINE, Neckline, curve, find_neckline, open_neck
from selify.tryon.engine.outline import legs_of, runs_in_row
from selify.tryon.engine.points import BottomPoints, TopPoints
from selify.tryon.engine.reading import Limit
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.types import GarmentCategory, RefusalCode

_BLEED_SIDE = 400
# A strap is thinner, in widths of its garment.
_STRAP = 0.06
# Of a jumpsuit, in widths of both legs: the gap between them at least, how deep the crotch is at most, the same where it
# lies below this share of the height, and how far above it the waist is; of the way from there to the crotch: how far
# the upper half goes down.
_SLIT, _DEEP, _DEEP_IF_LOW, _LOW, _SEAT, _OVERLAP = 0.06, 1.75, 1.5, 0.56, 0.75, 0.6
# Of the rows below a crotch: in how many the legs are apart.
_APART = 0.8
# A hanger's neck is narrower, in widths of the trunk; how high it stands at least and at most, in heights of the garment.
_HANGER, _STANDING, _HANGER_HEIGHT = 0.2, 0.012, 0.15


@dataclass(frozen=True, slots=True)
class Garment:
    """``cloth`` is the picture with the garment's colours drawn outwards over its background. ``agreement``: as of
    its ``CutOut``. ``opening``: of a jacket that hangs open, what lies between its fronts; it counts to its outline.
    ``parts``: of a jumpsuit the trousers and the top.
    """

    category: GarmentCategory
    bgr: Bgr
    cloth: Bgr
    alpha: Soft
    backdrop: Backdrop
    top: TopPoints | None
    neckline: Neckline
    bottom: BottomPoints | None
    agreement: float = 1.0
    opening: Soft | None = None
    parts: "tuple[Garment, Garment] | None" = None

    @property
    def needs(self) -> GarmentCategory:
        """For what a photo must be fit."""
        return self.category if self.parts is None else GarmentCategory.BOTTOM

    @property
    def mask(self) -> Mask:
        return (self.alpha > 0.5).astype(np.uint8)

    @property
    def sure(self) -> Mask:
        """Pixels that show its cloth and nothing else."""
        sure = (self.alpha > 0.9).astype(np.uint8)
        return sure if self.opening is None else sure & (self.opening < 0.5)

    def cloth_for(self, scale: float) -> "Cloth":
        """The cloth, reduced for a result ``scale`` times as large, so that it does not flicker."""
        factor = min(1.0, 1.25 * scale)
        if factor > 0.9:
            return Cloth(self.cloth, 1.0, self.opening)
        height, width = self.cloth.shape[:2]
        size = (max(8, round(width * factor)), max(8, round(height * factor)))
        opening = None if self.opening is None else _reduced(self.opening, size)
        return Cloth(_reduced(self.cloth, size), size[0] / width, opening)


@dataclass(frozen=True, slots=True)
class Cloth:
    """A picture of cloth, and its size relative to the garment's points. ``opening``: where it is none, as of ``Garment``."""

    bgr: Bgr
    scale: float
    opening: Soft | None = None

    def place(self, points: Array) -> Points:
        return (np.asarray(points, float) + 0.5) * self.scale - 0.5


def _reduced(picture: Array, size: tuple[int, int]) -> Array:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def read_cut_out(
    bgr: Bgr,
    alpha: Array | None,
    category: GarmentCategory,
    segmenter: Segmenter | None = None,
    by_colour: ByColour | None = None,
) -> Garment:
    """Arguments as of ``cut_out``. Raises Refused (garment_not_found)."""
    cut = cut_out(bgr, alpha, category, segmenter, by_colour)
    mask = largest_part(cut.alpha > 0.5)
    halves = _halves(mask) if category is GarmentCategory.DRESS else None
    if halves is not None:
        return _one_piece(_read(bgr, cut, mask, category), cut, halves, segmenter)
    return _read(bgr, cut, mask, category, segmenter)


def _read(
    bgr: Bgr, cut: CutOut, mask: Mask, category: GarmentCategory, segmenter: Segmenter | None = None
) -> Garment:
    if category is not GarmentCategory.BOTTOM:
        mask = without_back_straps(without_hanger(mask))
    top = bottom = None
    outside, opening = np.zeros_like(mask), None
    if cut.opening is not None:
        upper = int(mask.any(1).argmax())
        outside[upper:], opening = cut.opening[upper:], cut.opening.astype(np.float32)
    alpha, neckline = np.maximum(cut.alpha, outside), NO_NECKLINE
    if category is GarmentCategory.BOTTOM:
        bottom = bottom_points(mask)
    else:
        mask = mask | outside
        top = _points_of_top(mask, category)
        closed = opening is None
        neckline = find_neckline(bgr, mask, top, segmenter) if closed else open_neck(top)
        top = top.with_collar(neckline.ends)
        outside = outside | _inside_of_back(top, neckline, mask.shape)
    cloth = bled(bgr, np.where(outside > 0, 0, cut.alpha))
    rim = alpha * mask_edge(mask)
    return Garment(
        category, bgr, cloth, rim, cut.backdrop, top, neckline, bottom, cut.agreement, opening
    )


def _points_of_top(mask: Mask, category: GarmentCategory) -> TopPoints:
    """Raises Refused of an outline in which there is no room for them."""
    try:
        return top_points(mask, dress=category is GarmentCategory.DRESS)
    except (IndexError, ValueError) as error:
        details: dict[str, float | str] = {"reason": Limit.PARTS_UNCLEAR}
        raise Refused(RefusalCode.GARMENT_NOT_FOUND, details=details) from error


def _one_piece(
    whole: Garment, cut: CutOut, halves: tuple[Mask, Mask], segmenter: Segmenter | None
) -> Garment:
    kinds = GarmentCategory.BOTTOM, GarmentCategory.TOP
    trousers, top = (
        _read(whole.bgr, cut, half, kind, segmenter)
        for half, kind in zip(halves, kinds, strict=True)
    )
    return replace(whole, parts=(trousers, top))


def _halves(mask: Mask) -> tuple[Mask, Mask] | None:
    """Trousers and top of what has two legs, told apart at the waist; the top goes on down to the hips."""
    x0, y0, width, height = cv2.boundingRect(mask)
    part = mask[y0 : y0 + height, x0 : x0 + width]
    found = legs_of(part)
    if found is None:
        return None
    low, (left, right) = found
    gap = (left[1] + right[0]) // 2
    crotch = _above_gap(part[:low, gap] > 0)
    hips = _width_at(part, crotch, gap)
    # A skirt may have a slit: it is narrow, or begins further down than legs do.
    slit = right[0] - left[1] < _SLIT * hips
    deep = crotch > _DEEP * hips or (crotch > _LOW * height and crotch > _DEEP_IF_LOW * hips)
    waist = max(int(0.2 * height), crotch - int(_SEAT * hips))
    if slit or deep or waist >= crotch:
        return None
    lower, upper = mask.copy(), mask.copy()
    lower[: y0 + waist] = 0
    upper[y0 + waist + int(_OVERLAP * (crotch - waist)) :] = 0
    return largest_part(lower), largest_part(upper)


def _above_gap(cloth: Array) -> int:
    """The last row of cloth above a gap that goes on nearly whole to the end; legs may touch here and there."""
    empty = np.cumsum(~cloth[::-1])[::-1] / np.arange(len(cloth), 0, -1)
    whole = np.flatnonzero((empty > _APART) & ~cloth)
    return max(0, int(whole[0]) - 1) if len(whole) else len(cloth)


def _width_at(part: Mask, row: int, column: int) -> int:
    """Of the cloth that goes through a pixel, along its row."""
    runs = runs_in_row(part, row)
    return next((end - start for start, end in runs if start <= column < end), 1)


def without_hanger(mask: Mask) -> Mask:
    """What stands up in the middle narrower than any neck is no garment."""
    x0, y0, width, height = cv2.boundingRect(mask)
    trunk, row = _trunk_width(mask[y0 : y0 + height]), y0
    while row < y0 + _HANGER_HEIGHT * height:
        columns = np.flatnonzero(mask[row])
        off_middle = abs(columns.mean() - (x0 + width / 2)) if len(columns) else 0.0
        if len(columns) and max(np.ptp(columns), off_middle) > _HANGER * trunk:
            break
        row += 1
    kept = mask.copy()
    if row - y0 > _STANDING * height:
        kept[:row] = 0
    return kept


def _trunk_width(part: Mask) -> float:
    """Where it is narrowest; sleeves that hang beside it do not count, nor does a hem."""
    rows = range(int(0.25 * len(part)), int(0.85 * len(part)))
    longest = [max((b - a for a, b in runs_in_row(part, row)), default=0) for row in rows]
    return float(np.percentile(longest, 10)) if longest else 0.0


def without_back_straps(mask: Mask) -> Mask:
    """A thin strap that goes over to the back leaves a loop open, and lies further out than the front's own."""
    x0, y0, width, height = cv2.boundingRect(mask)
    count, loops, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    kept = mask.copy()
    for loop in range(1, count):
        left, top, wide, tall, area = (int(v) for v in stats[loop])
        if not (area > 0.0005 * mask.sum() and top > y0 and top + tall < y0 + 0.5 * height):
            continue
        on_left = left + wide / 2 < x0 + width / 2
        for row in range(top, top + tall):
            columns = np.flatnonzero(loops[row] == loop)
            beyond = slice(0, columns[-1] + 1) if on_left else slice(columns[0], None)
            if mask[row, beyond].sum() < _STRAP * width:
                kept[row, beyond] = 0
    return largest_part(kept)


def _inside_of_back(top: TopPoints, neckline: Neckline, shape: tuple[int, ...]) -> Mask:
    """Above the front neckline one sees the inside of the back, with its label: no cloth of ours."""
    front = neckline.front(30)
    above = curve(*neckline.ends, -0.2 * top.neck_width, np.linspace(1, 0, 30))
    return polygon(shape, np.vstack([front, above]))


def mask_edge(mask: Mask) -> Soft:
    """The mask, one pixel wider: keeps the soft rim and drops everything apart from it."""
    return cv2.dilate(mask, np.ones((5, 5), np.uint8)).astype(np.float32)


def bled(bgr: Bgr, alpha: Soft) -> Bgr:
    """Colours of the garment extended outwards, so that no background shows at the rim."""
    height, width = alpha.shape
    sure = _without_pinholes((alpha > 0.9).astype(np.uint8))
    inset = max(1, int(0.003 * max(height, width)))
    sure = cv2.erode(sure, np.ones((3, 3), np.uint8), iterations=inset)
    scale = min(1.0, _BLEED_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    known = cv2.resize(sure, size, interpolation=cv2.INTER_NEAREST)
    spread = cv2.GaussianBlur(fill_from_nearest(small, known), (0, 0), 1.2)
    spread = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)
    keep = blur(sure.astype(np.float32), 1.0)[..., None]
    return np.asarray(np.clip(bgr * keep + spread * (1 - keep), 0, 255).astype(np.uint8))


def _without_pinholes(mask: Mask) -> Mask:
    """Holes under 0.3 % of the picture are cloth that the cut-out missed."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    filled = mask.copy()
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] < 0.003 * mask.size:
            filled[labels == part] = 1
    return filled
