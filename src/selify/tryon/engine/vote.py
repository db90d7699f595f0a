"""Cutting a garment out by vote, where the classical cut-out may be wrong.

Several ways propose a mask: the classical one, the saliency network, and the segmenter asked with several prompts,
in the picture itself and in a copy in which differences from a plain backdrop are made larger (that alone solves
white on white). Where all agree nothing is decided anew; every contested patch is judged as one, by the votes for
it and by whose colours it has. Choosing one proposal as a whole would be worse: prompts of one network fail together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Lab, Mask, Soft
from selify.tryon.engine.border import Border
from selify.tryon.engine.masks import (
    disc,
    farthest_spots,
    largest_part,
    main_colours,
    nearest_colour,
    opened,
)
from selify.tryon.engine.segmenter import Box, Looked, Question, Segmenter, reduced
from selify.tryon.types import GarmentCategory

SIDE = 512
# Two that look quite differently see the same: there is nothing to vote about.
_AGREED = 0.985
_POINTS = 8
# Of the distances of a garment's pixels from its backdrop's colour: the percentile that is its palest cloth, and how much
# of that a shadow on the backdrop may have.
_PALEST = 15
_SHADE = 0.5
_STRETCH = 5.0
# Levels of Lab, of 255, by which even white on white differs somewhere from what it lies on.
_BARELY_SEEN = 2.5
# Where cloth lies in nearly every product picture, as shares of the picture's sides.
_USUALLY_CLOTH = {
    GarmentCategory.TOP: [
        (0.5, 0.5),
        (0.5, 0.65),
        (0.38, 0.42),
        (0.62, 0.42),
        (0.4, 0.65),
        (0.6, 0.65),
    ],
    GarmentCategory.DRESS: [(0.5, 0.35), (0.5, 0.5), (0.5, 0.7), (0.44, 0.42), (0.56, 0.42)],
    GarmentCategory.BOTTOM: [(0.5, 0.2), (0.42, 0.3), (0.58, 0.3), (0.4, 0.55), (0.6, 0.55)],
}
_CORNERS = [(x, y) for x in (0.01, 0.99) for y in (0.01, 0.99)]
# Prompts of one network fail together: they count less than a way that looks differently.
_WEIGHTS = {"classic": 1.0, "salient": 1.0, "salient stretched": 0.8}
_PROMPT_WEIGHT = 0.5

_Proposals = Mapping[str, Mask]


@dataclass(frozen=True, slots=True)
class Voted:
    """``mask``: of the picture reduced to ``SIDE``. ``agreement``: of those whose vote counted with it, the mean
    overlap, 0..1. ``looked``: what the segmenter saw of the picture, None where it was not needed.
    """

    mask: Mask
    agreement: float
    looked: Looked | None = None


def vote(
    segmenter: Segmenter, bgr: Bgr, category: GarmentCategory, classic: Mask | None
) -> Voted | None:
    """``classic``: what was cut out without the networks, None where nothing was. None: nobody finds anything.

    All masks, the result too, are of the picture reduced to ``SIDE``: no network sees more.
    """
    picture, bgr = bgr, small(bgr)
    rim = Border.of(_lab(bgr))
    salient = _tidy(segmenter.salient(bgr) > 0.5)
    if classic is not None and rim.plain and overlap(salient, classic) > _AGREED:
        return Voted(classic, overlap(salient, classic))
    found, looked = _proposals(segmenter, picture, category, classic, salient, rim)
    proposals: _Proposals = {
        name: mask for name, mask in found.items() if 0.03 <= mask.mean() <= 0.95
    }
    if not proposals:
        return None
    proposals = _without_strangers(proposals)
    mask = _decided(bgr, proposals, rim)
    if not _shows(bgr, mask, rim):
        return None
    if rim.plain and classic is not None:
        mask = _whole(mask, salient)
        mask = largest_part(mask & (1 - _gaps(bgr, mask, classic, rim, category)))
    agreement = float(np.mean([overlap(proposal, mask) for proposal in proposals.values()]))
    return Voted(mask, agreement, looked)


def _shows(bgr: Bgr, mask: Mask, rim: Border) -> bool:
    """Something is always the most salient: of a bare wall, a piece of the wall. ``plain`` rims only."""
    off = np.abs(_lab(cv2.GaussianBlur(bgr, (0, 0), 1.0)) - rim.colour).max(2)
    return not rim.plain or bool(np.percentile(off[mask > 0], 90) > _BARELY_SEEN)


def small(picture: Array) -> Array:
    """A picture or a mask, reduced to ``SIDE``."""
    height, width = reduced(picture.shape, SIDE)
    how = cv2.INTER_AREA if picture.ndim == 3 else cv2.INTER_NEAREST
    return cv2.resize(picture, (width, height), interpolation=how)


def overlap(first: Mask, second: Mask) -> float:
    """Intersection over union, 0..1."""
    return float((first & second).sum() / max(1, int((first | second).sum())))


def _lab(bgr: Bgr) -> Lab:
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)


def _stretched(bgr: Bgr, rim: Border) -> Bgr:
    """Differences from the backdrop, five times as large."""
    off = _lab(bgr) - rim.colour
    scaled = np.clip(off * (_STRETCH, 2, 2), -118, 118) + 128
    return cv2.cvtColor(scaled.astype(np.uint8), cv2.COLOR_LAB2BGR)


def _proposals(
    segmenter: Segmenter,
    bgr: Bgr,
    category: GarmentCategory,
    classic: Mask | None,
    salient: Mask,
    rim: Border,
) -> tuple[dict[str, Mask], Looked]:
    """What each proposes, by name, and what the segmenter saw of the picture itself."""
    found = {"salient": salient}
    looks = {"": segmenter.look(bgr, SIDE)}
    if classic is not None:
        found["classic"] = classic
    if rim.plain:
        stretched = _stretched(bgr, rim)
        looks[" stretched"] = segmenter.look(stretched, SIDE)
        found["salient stretched"] = _tidy(segmenter.salient(small(stretched)) > 0.5)
    seeds = list(found.values())
    either = np.maximum.reduce(seeds)
    both = (np.add.reduce(seeds) >= min(2, len(seeds))).astype(np.uint8)
    prompts = dict(_prompts(either, both, category, classic, salient))
    free = [spot for spot in _placed(_CORNERS, either) if not either[int(spot[1]), int(spot[0])]]
    asked = {name: Question(inside, free, box) for name, (inside, box) in prompts.items() if inside}
    for view, looked in looks.items():
        for name, answer in looked.ask_all(asked).items():
            found[name + view] = _tidy(answer.odds > 0)
    return found, looks[""]


def _prompts(
    either: Mask, both: Mask, category: GarmentCategory, classic: Mask | None, salient: Mask
) -> Iterator[tuple[str, tuple[list[tuple[float, float]], Box | None]]]:
    """Points inside, and a box where one is known."""
    yield "agreed", (farthest_spots(both, _POINTS), None)
    yield "box", (farthest_spots(both, _POINTS // 2), _box(either))
    yield "usual", (_placed(_USUALLY_CLOTH[category], either), None)
    if classic is not None and overlap(either, classic) < 0.9:
        yield "of classic", (farthest_spots(classic, _POINTS), None)
    if overlap(either, salient) < 0.9:
        yield "of salient", (farthest_spots(salient, _POINTS), None)


def _placed(shares: Sequence[tuple[float, float]], picture: Array) -> list[tuple[float, float]]:
    height, width = picture.shape[:2]
    return [(x * width, y * height) for x, y in shares]


def _box(mask: Mask) -> Box | None:
    if not mask.any():
        return None
    x, y, width, height = cv2.boundingRect(mask)
    return x, y, x + width, y + height


def _weight(name: str) -> float:
    return _WEIGHTS.get(name, _PROMPT_WEIGHT)


def _without_strangers(proposals: _Proposals) -> _Proposals:
    """Drop what hardly anybody agrees with: a print taken for the garment, a whole bed."""
    kept = dict(proposals)
    while len(kept) > 3:
        alike = {name: _support(name, kept) for name in kept}
        largest = max(int(mask.sum()) for mask in kept.values())
        minor = {name: kept[name].sum() < 0.5 * largest for name in kept}
        # A part of the garment is likelier than more than the garment: small ones go first.
        worst = min(alike, key=lambda name: alike[name] - 0.15 * minor[name])
        if alike[worst] > (0.75 if minor[worst] else 0.6):
            break
        del kept[worst]
    return kept


def _support(name: str, proposals: _Proposals) -> float:
    others = [other for other in proposals if other != name]
    return float(
        np.average(
            [overlap(proposals[name], proposals[other]) for other in others],
            weights=[_weight(other) for other in others],
        )
    )


def _decided(bgr: Bgr, proposals: _Proposals, rim: Border) -> Mask:
    """Each contested patch is in or out, by votes and colours."""
    weights = {name: _weight(name) for name in proposals}
    share = sum(weights[name] * mask.astype(np.float32) for name, mask in proposals.items())
    share = np.asarray(share / sum(weights.values()))
    sure, never = share > 0.999, share < 0.001
    if sure.mean() < 0.01:
        sure = share > 0.7
    lab = _lab(cv2.GaussianBlur(bgr, (0, 0), 1.0))
    lean = _colour_lean(lab, sure, never)
    classic = proposals.get("classic") if rim.plain else None
    mask = (share >= 0.5).astype(np.uint8)
    for window, here in _patches(proposals, ~sure & ~never):
        inside = 2 * float(share[window][here][0]) - 1 + float(np.median(lean[window][here])) > 0
        if classic is not None and classic[window][here].mean() > 0.9:
            # A strap that the networks leave out: nothing of a plain backdrop looks like that.
            off = np.abs(lab[window][here] - rim.colour).max(1)
            inside |= bool(np.median(off) > 25)
        mask[window][here] = inside
    return _tidy(mask)


def _whole(mask: Mask, salient: Mask) -> Mask:
    """Stripes, lace and cloth in the backdrop's own colour are voted out, and leave holes or an outline in shreds. If
    the saliency network, which knows nothing of colours, sees all of what was decided and more, within an outline
    that is hardly longer, it sees the garment. (Gaps that it fills are taken out again.)
    """
    missed = (mask & (1 - salient)).sum() > 0.015 * mask.sum()
    if missed or _outline(salient) > 1.05 * _outline(mask):
        return mask
    return _tidy(mask | salient)


def _outline(mask: Mask) -> float:
    """Length of all its contours, in pixels."""
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return float(sum(cv2.arcLength(contour, True) for contour in contours))


def _patches(
    proposals: _Proposals, contested: Array
) -> Iterator[tuple[tuple[slice, slice], Array]]:
    """Connected parts over which the same proposals agree: a window, and what of it is the patch."""
    pattern = np.zeros(contested.shape, np.int32)
    for bit, mask in enumerate(proposals.values()):
        pattern |= mask.astype(np.int32) << bit
    for value in np.unique(pattern[contested]):
        here = ((pattern == value) & contested).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(here, connectivity=8)
        for part in range(1, count):
            x, y, w, h = (int(v) for v in stats[part][:4])
            window = slice(y, y + h), slice(x, x + w)
            yield window, labels[window] == part


def _colour_lean(lab: Lab, sure: Array, never: Array) -> Soft:
    """From -1 (surely the background's colour) to 1 (surely the garment's); near 0: either."""
    cloth, behind = main_colours(lab[sure], 6), main_colours(lab[never], 6)
    if not cloth or not behind:
        return np.zeros(lab.shape[:2], np.float32)
    scale = (0.7, 1.4, 1.4)
    to_cloth, to_behind = (nearest_colour(lab, means, scale) for means in (cloth, behind))
    return np.clip(1.3 * (to_behind - to_cloth) / (to_cloth + to_behind + 6.0), -1, 1)


def _gaps(bgr: Bgr, mask: Mask, classic: Mask, rim: Border, category: GarmentCategory) -> Mask:
    """Between sleeve and body, between legs: pieces of the very backdrop, which networks fill.

    White cloth before white differs from the backdrop by a shade or by its folds; a gap does not.
    """
    lab = _lab(cv2.GaussianBlur(bgr, (0, 0), 1.2))
    far = cv2.erode((mask == 0).astype(np.uint8), np.ones((5, 5), np.uint8))
    weight = cv2.blur(far.astype(np.float32), (121, 121))[..., None]
    local = cv2.blur(lab * far[..., None], (121, 121)) / np.maximum(weight, 1e-4)
    local = np.where(weight > 0.01, local, rim.colour)
    off = np.sqrt((((lab - local) * (0.8, 2, 2)) ** 2).sum(2))
    noise = float(np.percentile(off[far > 0], 90)) if far.any() else 2.0
    exact, left_out = max(2.0, 1.3 * noise), (classic == 0) & (mask > 0)
    same = (off < exact) & left_out
    # Its ends lie in the garment's shadow: nearer to the backdrop's colour than to any of the cloth.
    cloth = float(np.percentile(off[classic > 0], _PALEST)) if classic.any() else 0.0
    _, shaded = cv2.connectedComponents(
        ((off < max(exact, _SHADE * cloth)) & left_out).astype(np.uint8), connectivity=4
    )
    radius = max(1, round(0.003 * max(mask.shape)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened(same, radius), connectivity=4)
    left, top, wide, tall = cv2.boundingRect(mask)
    middle, below_arms = left + wide / 2, top + 0.2 * tall
    gaps = np.zeros_like(mask)
    for part in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[part])
        beside = abs(x + w / 2 - middle) > 0.13 * wide and y > below_arms
        if (
            (beside or category is GarmentCategory.BOTTOM)
            and area > 0.0006 * mask.size
            and h > 1.3 * w
        ):
            gap = labels == part
            gaps[gap] = 1
            gaps[shaded == np.bincount(shaded[gap]).argmax()] = 1
    return np.asarray(cv2.dilate(gaps, disc(radius)) & (classic == 0))


def _tidy(mask: Array) -> Mask:
    """One piece; without what hangs on by a thread (hangers, cords) and without pinholes."""
    found = mask.astype(np.uint8)
    if not found.any():
        return found
    radius = max(1, round(0.0025 * max(found.shape)))
    found = largest_part(opened(found, radius))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - found, connectivity=4)
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] < 0.002 * found.size:
            found[labels == part] = 1
    return found


def at_the_edges(bgr: Bgr, mask: Mask) -> Soft:
    """The mask, soft, with its rim drawn anew along the picture's edges at full size."""
    height, width = mask.shape
    band = max(2, round(0.012 * max(height, width)))
    sure = cv2.erode(mask, disc(band))
    trimap = np.where(mask > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[cv2.dilate(mask, disc(band)) == 0] = cv2.GC_BGD
    trimap[sure > 0] = cv2.GC_FGD
    cut = mask
    if sure.any() and (trimap == cv2.GC_BGD).any():
        cv2.setRNGSeed(1)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(bgr, trimap, (0, 0, 1, 1), *models, 2, cv2.GC_INIT_WITH_MASK)
        cut = ((trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)).astype(np.uint8)
        # Where colours cannot tell (white on white), the line that was decided stays.
        if overlap(cut, mask) < 0.93:
            cut = mask
    cut = largest_part(opened(cut, 1))
    soft = cv2.GaussianBlur(cut.astype(np.float32), (0, 0), max(0.8, 0.0016 * max(height, width)))
    return np.asarray(np.clip((soft - 0.5) * 2.2 + 0.38, 0, 1))
