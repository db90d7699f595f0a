"""Cutting the garment out of its picture: transparency, plain background, or any background."""

from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Soft
from selify.tryon.engine.border import Border
from selify.tryon.engine.masks import (
    closed,
    colour_clusters,
    disc,
    distance_to,
    ellipse,
    largest_part,
    opened,
    parts_touching,
)
from selify.tryon.engine.opening import opening_of
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.segmenter import Looked, Segmenter
from selify.tryon.engine.slits import sleeve_slits
from selify.tryon.engine.vote import at_the_edges, overlap, small, vote
from selify.tryon.types import GarmentCategory, RefusalCode

_WORK_SIDE = 512
# What was voted is what was there before: its finer edge is kept.
_SAME = 0.99
# Of what seems to lie between two fronts: how much of it is cloth at most, with the inside of the back.
_CLOSED = 0.6
# A gap between legs: how much taller than wide it is where their hems touch, how far down it begins, and from which share of
# the bottom's width on it may be; in its shadow it is off the ground's colour by this much of what the palest tenth of the
# cloth is.
_LEG_GAP, _BELOW_WAIST, _MIDDLE = 2.5, 0.12, 0.25
_SHADED, _PALEST = 0.6, 10


class Backdrop(StrEnum):
    """What the garment lies on, which says how far its outline can be trusted."""

    TRANSPARENT = "transparent"
    PLAIN = "plain"
    BUSY = "busy"
    WORN = "worn"


@dataclass(frozen=True, slots=True)
class CutOut:
    """How much of each pixel is garment, and from what it was told apart.

    ``agreement``: how far those who proposed an outline are of one opinion, 0..1; 1 where only one was asked.
    ``opening``: of a top that hangs open, what lies between its fronts.
    """

    alpha: Soft
    backdrop: Backdrop
    agreement: float = 1.0
    opening: Mask | None = None


class ByColour:
    """What transparency or colours alone say of a picture; found out once, however often it is asked for."""

    def __init__(self, bgr: Bgr, alpha: Array | None) -> None:
        """``alpha``: (H, W) uint8 if the picture has one."""
        self._bgr = bgr
        self._clear = None if alpha is None or (alpha < 250).mean() <= 0.02 else alpha
        self._found: dict[bool, CutOut] = {}

    @property
    def transparent(self) -> bool:
        return self._clear is not None

    def cut(self, category: GarmentCategory) -> CutOut:
        """Raises Refused (garment_not_found)."""
        bottom = category is GarmentCategory.BOTTOM
        if bottom not in self._found:
            self._found[bottom] = (
                _from_alpha(self._clear)
                if self._clear is not None
                else _by_colour(self._bgr, bottom=bottom)
            )
        return self._found[bottom]


def cut_out(
    bgr: Bgr,
    alpha: Array | None,
    category: GarmentCategory,
    segmenter: Segmenter | None = None,
    by_colour: ByColour | None = None,
) -> CutOut:
    """``alpha``: (H, W) uint8 if the picture has one; ``by_colour``: of the same picture, where it is there already.

    Raises Refused (garment_not_found).
    """
    by_colour = by_colour or ByColour(bgr, alpha)
    if segmenter is None or by_colour.transparent:
        return _opened(by_colour.cut(category), category, by_colour)
    found, looked = _by_vote(segmenter, bgr, category, by_colour)
    if category is GarmentCategory.BOTTOM:
        return found
    slits = sleeve_slits(segmenter, bgr, (found.alpha > 0.5).astype(np.uint8), looked)
    return _opened(replace(found, alpha=found.alpha * (1 - slits)), category, by_colour)


def _opened(cut: CutOut, category: GarmentCategory, by_colour: ByColour) -> CutOut:
    """With what lies between the fronts of a top, if it is open. Colours tell a bare ground there best."""
    try:
        mask = largest_part(by_colour.cut(category).alpha > 0.5)
    except Refused:
        return cut
    opening = opening_of(mask) if category is GarmentCategory.TOP else None
    if opening is None or (cut.alpha[opening > 0] > 0.5).mean() > _CLOSED:
        return cut
    return replace(cut, opening=opening)


def _by_vote(
    segmenter: Segmenter, bgr: Bgr, category: GarmentCategory, by_colour: ByColour
) -> tuple[CutOut, Looked | None]:
    """And what the segmenter has seen, if it had to look. Raises Refused (garment_not_found)."""
    try:
        classic = by_colour.cut(category)
    except Refused:
        classic = None
    mask = None if classic is None else small(largest_part(classic.alpha > 0.5))
    voted = vote(segmenter, bgr, category, mask)
    if voted is None:
        raise Refused(RefusalCode.GARMENT_NOT_FOUND)
    if classic is not None and mask is not None and overlap(voted.mask, mask) > _SAME:
        return replace(classic, agreement=voted.agreement), voted.looked
    backdrop = Backdrop.BUSY if classic is None else classic.backdrop
    decided = cv2.resize(voted.mask.astype(np.float32), (bgr.shape[1], bgr.shape[0]))
    alpha = at_the_edges(bgr, (decided > 0.5).astype(np.uint8))
    return CutOut(alpha, backdrop, voted.agreement), voted.looked


def _by_colour(bgr: Bgr, *, bottom: bool) -> CutOut:
    """Raises Refused (garment_not_found)."""
    height, width = bgr.shape[:2]
    scale = min(1.0, _WORK_SIDE / max(height, width))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    border = Border.of(lab)
    on_ground = _on_plain if border.plain else _on_busy
    mask = on_ground(small, lab, border, bottom)
    if not mask.any():
        raise Refused(RefusalCode.GARMENT_NOT_FOUND)
    mask = _tidy(mask, busy=not border.plain, bottom=bottom)
    if not 0.03 <= mask.mean() <= 0.97:
        raise Refused(RefusalCode.GARMENT_NOT_FOUND)
    soft = _full_size(mask, (width, height))
    return CutOut(soft, Backdrop.PLAIN if border.plain else Backdrop.BUSY)


def _from_alpha(alpha: Array) -> CutOut:
    soft = alpha.astype(np.float32) / 255
    if not (soft > 0.5).mean() > 0.01:
        raise Refused(RefusalCode.GARMENT_NOT_FOUND)
    return CutOut(soft, Backdrop.TRANSPARENT)


def _full_size(mask: Mask, size: tuple[int, int]) -> Soft:
    """Soft outline pulled slightly inwards, so that no background shows at the rim."""
    soft = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), max(0.8, 0.0016 * max(size)))
    return np.asarray(np.clip((soft - 0.5) * 2.2 + 0.38, 0, 1))


def _on_plain(bgr: Bgr, lab: Array, border: Border, bottom: bool) -> Mask:
    """Flood the background from the rim: as far as it looks like the rim's fitted colour."""
    background, noise = _background(lab, border)
    off = np.sqrt((((lab - background) * np.array([0.8, 2, 2], np.float32)) ** 2).sum(2))
    same = max(3.2, 2.2 * noise)
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    edge = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    wall = ((off > same) | (edge > 26)).astype(np.uint8)
    wall = cv2.morphologyEx(wall, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    outside = _flooded(wall)
    if outside.all():
        return np.zeros_like(wall)
    holes = (off < same) & (edge < 26) & ~outside
    if (off[~outside] < same).mean() < 0.35:
        same_hole = 1.7 * max(0.8, noise * 0.6)
        outside |= _background_holes(holes, off, outside, same_hole, bottom=bottom)
    mask = largest_part(opened(~outside, 1))
    mask = _without_shadow(mask, lab, background, edge)
    if bottom:
        mask &= 1 - _between_legs(mask, off, same)
    return _tightened(largest_part(mask), off)


def _between_legs(mask: Mask, off: Array, same: float) -> Mask:
    """The upper end of the gap between two legs lies in their shadow: nearer to the ground than to any of the cloth."""
    x, y, width, height = cv2.boundingRect(mask)
    core = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=max(1, int(0.02 * width)))
    if not core.any():
        return np.zeros_like(mask)
    like_ground = off < max(same, _SHADED * float(np.percentile(off[core > 0], _PALEST)))
    middle = np.zeros(mask.shape, bool)
    aside = int(_MIDDLE * width)
    middle[y + int(_BELOW_WAIST * height) : y + height, x + aside : x + width - aside] = True
    gap = opened(like_ground & middle & (mask > 0), 1)
    ground = ((mask == 0) & middle).astype(np.uint8)
    return parts_touching(gap, cv2.dilate(ground, np.ones((3, 3), np.uint8)))


def _background(lab: Array, border: Border) -> tuple[Array, float]:
    """A plane fitted to the rim's colour (gentle vignettes), and how far the rim strays from it."""
    y, x = np.nonzero(border.zone)
    design = np.stack([x, y, np.ones_like(x)], 1)[border.near].astype(np.float64)
    samples = lab[border.zone][border.near].astype(np.float64)
    plane = np.linalg.lstsq(design, samples, rcond=None)[0]
    rows, columns = np.mgrid[: lab.shape[0], : lab.shape[1]].astype(np.float32)
    fitted = np.stack([columns, rows, np.ones_like(rows)], 2) @ plane.astype(np.float32)
    residual = np.sqrt(((samples - design @ plane) ** 2).sum(1))
    return fitted, max(1.2, float(np.percentile(residual, 95)))


def _without_shadow(mask: Mask, lab: Array, background: Array, edge: Array) -> Mask:
    """A garment's shadow has the background's hue, less light, and no edges.

    Light cloth on a light table looks the same, so the shadow is only followed up to the first
    edge; if that lets it into the garment, a finer edge is tried, and at last nothing is taken away.
    """
    hue_off = np.abs(lab[..., 1:] - background[..., 1:]).max(2)
    light = lab[..., 0] / np.maximum(background[..., 0], 1)
    shadow = (hue_off < 5) & (light > 0.6) & (light < 1.02) & (mask > 0)
    core = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=int(0.03 * max(mask.shape)))
    for limit in (60, 36, 26, 18):
        cast = _reached_from(1 - mask, shadow, closed(edge >= limit, 1))
        if cast[core > 0].mean() < 0.02:
            return largest_part(opened((mask > 0) & ~cast, 1))
    return mask


def _reached_from(outside: Mask, allowed: Array, wall: Mask) -> Array:
    """Connected parts of what is allowed, up to the wall, that touch the outside."""
    way = (allowed & (wall == 0)).astype(np.uint8)
    _, labels = cv2.connectedComponents(way, connectivity=4)
    rim = (cv2.dilate(outside, np.ones((3, 3), np.uint8)) > 0) & (way > 0)
    touching = np.unique(labels[rim])
    return np.isin(labels, touching[touching > 0])


def _flooded(wall: Mask) -> Array:
    """True where the rim of the picture can be reached without crossing a wall."""
    count, labels = cv2.connectedComponents((wall == 0).astype(np.uint8), connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reached = np.zeros(count, bool)
    reached[rim] = True
    reached[0] = False
    return reached[labels]


def _background_holes(
    holes: Array, off: Array, outside: Array, same: float, *, bottom: bool
) -> Array:
    """Enclosed patches of true background: between sleeve and body, in the neck, or between legs whose hems touch."""
    inside = ~outside
    columns = np.flatnonzero(inside.any(0))
    top = np.flatnonzero(inside.any(1))[0]
    middle, width = (columns[0] + columns[-1]) / 2, max(1, columns[-1] - columns[0])
    count, labels, stats, centres = cv2.connectedComponentsWithStats(
        holes.astype(np.uint8), connectivity=4
    )
    found = np.zeros(holes.shape, bool)
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] <= 0.0012 * holes.size:
            continue
        region = labels == part
        beside = abs(centres[part][0] - middle) / width > 0.17
        in_neck = centres[part][1] < top + 0.12 * holes.shape[0]
        _, y, wide, tall, _ = (int(v) for v in stats[part])
        legs = bottom and tall > _LEG_GAP * wide and y > top + _BELOW_WAIST * holes.shape[0]
        if off[region].mean() < same and (beside or in_neck or legs):
            found |= region
    return found


def _tightened(mask: Mask, off: Array) -> Mask:
    """Near the rim a pixel is garment only if it is clearly nearer to the garment's own colour."""
    depth = max(2, int(0.012 * max(mask.shape)))
    core = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=depth)
    weight = cv2.blur(core.astype(np.float32), (31, 31))
    usual = cv2.blur(np.where(core > 0, off, 0).astype(np.float32), (31, 31))
    usual = np.minimum(usual / np.maximum(weight, 1e-3), 90)
    mask = mask.copy()
    mask[(mask > 0) & (core == 0) & (off < 0.38 * usual)] = 0
    return mask


def _on_busy(bgr: Bgr, lab: Array, border: Border, bottom: bool) -> Mask:
    """GrabCut: far from all the rim's colours is likely garment, the middle surely."""
    height, width = lab.shape[:2]
    trimap = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    trimap[border.zone] = cv2.GC_BGD
    rim = colour_clusters(lab[border.zone], 4, (7, 3, 3))
    off = distance_to(cv2.GaussianBlur(lab, (0, 0), 1.5), rim)
    trimap[(off > 12) & ~border.zone] = cv2.GC_PR_FGD
    centre = np.array([width // 2, int(0.28 * height) if bottom else height // 2])
    likely = (0.22, 0.16) if bottom else (0.34, 0.38)
    sure = (0.16, 0.10 if bottom else 0.22)
    zone = ellipse(lab.shape, centre, width * likely[0], height * likely[1])
    core = ellipse(lab.shape, centre, width * sure[0], height * sure[1])
    trimap[(zone > 0) & (trimap == cv2.GC_PR_BGD)] = cv2.GC_PR_FGD
    trimap[core > 0] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(bgr, trimap, (0, 0, 1, 1), *models, 5, cv2.GC_INIT_WITH_MASK)
    return np.asarray(((trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)).astype(np.uint8))


def _tidy(mask: Mask, *, busy: bool, bottom: bool) -> Mask:
    mask = opened(mask, 4 if busy else 2)
    if busy:
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(2))
    mask = largest_part(mask)
    return _mended_holes(mask, 0.02 if busy and not bottom else 0.004) if mask.any() else mask


def _mended_holes(mask: Mask, fill_up_to: float) -> Mask:
    """Fill small holes; open slits between sleeve and body that are closed at the bottom."""
    mask = mask.copy()
    height, width = mask.shape
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    middle = (columns[0] + columns[-1]) / 2
    count, labels, stats, centres = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    for part in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[part])
        if x == 0 or y == 0 or x + w == width or y + h == height:
            continue
        slit = h > 0.09 * tall and h > 1.6 * w and abs(centres[part][0] - middle) > 0.12 * wide
        if slit and area > 0.0008 * mask.size:
            _open_downwards(mask, labels == part, int(0.3 * tall))
        elif area < fill_up_to * mask.size:
            mask[labels == part] = 1
    return mask


def _open_downwards(mask: Mask, slit: Array, reach: int) -> None:
    """Cut from the slit's lowest point to the background below: the armpit joins the outline."""
    rows, columns = np.nonzero(slit)
    lowest = rows.argmax()
    x, y = int(columns[lowest]), int(rows[lowest])
    free = np.flatnonzero(mask[y + 1 : y + reach, x] == 0)
    if len(free):
        cv2.line(mask, (x, y), (x, y + 1 + int(free[0])), (0,), 3)
