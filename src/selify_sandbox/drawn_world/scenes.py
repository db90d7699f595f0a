"""Somebody of this world in a garment of this world: the true picture, and how far another is off.

Lengths are measured in shoulder spans (between the shoulder joints), colours in CIEDE2000, always
against the picture that a perfect try-on gives: the same person in the same light, really wearing
the garment. Where a garment is shown in a picture is found from its pixels alone, so that any
engine can be measured.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Bgr, Mask
from selify.tryon.engine.masks import Cluster, colour_clusters, distance_to, grown, shrunk
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import people
from selify_sandbox.drawn_world.colour import difference, to_lab
from selify_sandbox.drawn_world.people import DrawnPerson
from selify_sandbox.drawn_world.specs import Front, Garment, Part, Person, Piece

_ALIKE = 10
# CIEDE2000: still the same wall.
_SAME = 6.0
# Of the person's pixels.
_ENOUGH = 0.01
# A repeat of stripes or dots, so that prints are compared as a whole; half an arm.
_CLOTH_CELL, _SKIN_CELL = 42, 14
_SPREAD = (30.0, 6.0, 6.0)


@dataclass(frozen=True)
class Scene:
    """``photo``: as the person came; ``perfect``: as they would stand there in the garment."""

    garment: Garment
    photo: DrawnPerson
    perfect: DrawnPerson

    @cached_property
    def region(self) -> Mask:
        """Where the garment has to be, and nowhere else."""
        return self.perfect.mask(self.garment.piece.cut.part)

    @cached_property
    def bared(self) -> Mask:
        """Arms, neck and legs that were covered: what an engine has to paint."""
        was_cloth = self.photo.parts >= Part.UPPER
        bared = self.perfect.mask(Part.SKIN) & was_cloth
        bared[: int(self.perfect.body.row(-0.1))] = 0
        return np.asarray(bared.astype(np.uint8))

    @cached_property
    def palettes(self) -> tuple[list[Cluster], list[Cluster]]:
        """The garment's colours, in this light and in white light, and those of everything else.

        A garment that did not take over the light is still the garment: that is the colour's error.
        """
        light = self.photo.person.light
        unlit = self.perfect.bgr / (np.array(light.cast) * light.level)
        white = np.clip(unlit, 0, 255).astype(np.uint8)
        ours = _palette(self.perfect.bgr, self.region) + _palette(white, self.region)
        theirs = [c for bgr, mask in _others(self) for c in _palette(bgr, mask)]
        return ours, theirs

    @cached_property
    def near(self) -> Array:
        """True on the person and a quarter of a shoulder span around."""
        body = self.photo.silhouette | self.perfect.silhouette
        return np.asarray(cv2.distanceTransform(1 - body, cv2.DIST_L2, 5) < 0.25 * self.span)

    def kept(self, part: Mask) -> Mask:
        """What of a part has to stay as it was; its rim may be repainted."""
        untouched = (self.photo.parts == self.perfect.parts).astype(np.uint8)
        near = grown(self.region | self.photo.mask(self.garment.piece.cut.part), 0.03 * self.span)
        return np.asarray(shrunk(part & untouched, 1) & (1 - near))

    @property
    def span(self) -> float:
        return self.photo.body.span


def scene(person: Person, garment: Garment) -> Scene:
    return Scene(garment, photo(person), people.draw(wearing(person, garment)))


@lru_cache(maxsize=16)
def photo(person: Person) -> DrawnPerson:
    """Drawn once: everybody tries on several garments."""
    return people.draw(person)


def wearing(person: Person, garment: Garment) -> Person:
    """The same person in the garment, and in what goes with it.

    A top replaces the top and what was worn over it; worn open, it goes over the top. Under a dress
    trousers stay on. Of an old dress the skirt is left under a top, the upper half over a bottom.
    """
    piece = garment.piece
    if piece.cut.waist is not None:
        upper = person.upper
        if upper is not None and upper.cut.category is GarmentCategory.DRESS:
            upper = replace(upper, cut=replace(upper.cut, hem=1.05, flare=0.0, legs=0.0))
        return replace(person, lower=piece, upper=upper)
    if piece.cut.front is Front.OPEN:
        return replace(person, outer=piece)
    return replace(person, upper=piece, outer=None, lower=_below(person, piece))


def _below(person: Person, piece: Piece) -> Piece | None:
    if piece.cut.legs:
        return None
    old = person.upper
    if person.lower is not None or old is None or piece.cut.category is GarmentCategory.DRESS:
        return person.lower
    return replace(old, cut=replace(old.cut, waist=0.86))


# --- Measures -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measures:
    """How far a picture is from the truth.

    ``overlap``: intersection over union of where the garment is shown and where it has to be.
    ``sleeve``, ``hem``, ``neck``: errors in shoulder spans; the sleeve is the worse of the two. A
    bottom has neither sleeve nor neck, an open jacket no neck: None. ``colour``: CIEDE2000 between the garment there and
    the true one, over cells, median. ``skin``: the same for skin that had to be painted and that the
    garment does not hide, None where there is next to none. ``restored``: where old clothes stood out beyond person and garment, the
    share that looks like what is behind it; None where there is next to none of that. ``face``, ``hair``, ``background``: share that stayed as it was (1 for a
    head without hair).
    """

    overlap: float
    sleeve: float | None
    hem: float
    neck: float | None
    colour: float
    skin: float | None
    restored: float | None
    face: float
    hair: float
    background: float

    @property
    def kept(self) -> float:
        """The least of what had to stay."""
        return min(self.face, self.hair, self.background)


def measure(scene: Scene, result: Bgr) -> Measures:
    """``result``: of the photo's size. Raises ValueError for another size."""
    if result.shape != scene.photo.bgr.shape:
        raise ValueError("the result has to be as large as the photo")
    shown, region = shown_in(scene, result), scene.region
    top = scene.garment.category is not GarmentCategory.BOTTOM
    whole = top and scene.garment.piece.cut.front is not Front.OPEN
    union = int((shown | region).sum())
    # Where the garment hides skin it is too long, which its hem and its cuffs tell.
    bared = scene.bared & (1 - grown(shown, 0.02 * scene.span))
    enough = bared.sum() > _ENOUGH * scene.photo.silhouette.sum()
    return Measures(
        overlap=float((shown & region).sum() / max(1, union)),
        sleeve=_sleeve_error(scene, shown) if top else None,
        hem=_edge_error(scene, shown, upper=False),
        neck=_edge_error(scene, shown, upper=True) if whole else None,
        colour=_colour_error(scene, result, region, _CLOTH_CELL),
        skin=_colour_error(scene, result, bared, _SKIN_CELL) if enough else None,
        restored=_restored(scene, result),
        face=_unchanged(scene, result, scene.photo.face),
        hair=_unchanged(scene, result, scene.photo.mask(Part.HAIR)),
        background=_unchanged(scene, result, scene.photo.mask(Part.BACKGROUND)),
    )


def shown_in(scene: Scene, result: Bgr) -> Mask:
    """Where the result shows the garment: it changed there, into the garment's own colours.

    A colour is the garment's if none of the rest of the perfect picture, nor of the old clothes, is
    nearer.
    """
    changed = (_change(scene.photo.bgr, result) > _ALIKE) & scene.near
    shown = np.zeros_like(scene.region)
    if not changed.any():
        return shown
    ours, theirs = scene.palettes
    lab = cv2.cvtColor(cv2.GaussianBlur(result, (0, 0), 1.0), cv2.COLOR_BGR2LAB)
    pixels = lab[changed].astype(np.float32)[None]
    shown[changed] = (distance_to(pixels, ours) < distance_to(pixels, theirs))[0]
    return _solid(shown, scene.span)


def _others(scene: Scene) -> list[tuple[Bgr, Mask]]:
    """Everything a pixel could show instead of the garment."""
    elsewhere = 1 - grown(scene.region, 2)
    perfect = [(scene.perfect.bgr, scene.perfect.mask(part) & elsewhere) for part in Part]
    worn = (Part.UPPER, Part.LOWER, Part.OUTER)
    return perfect + [(scene.photo.bgr, scene.photo.mask(part)) for part in worn]


def _palette(bgr: Bgr, mask: Mask) -> list[Cluster]:
    """Main colours, all with the same spread: only their distance counts."""
    inner = shrunk(mask, 1)
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
    spread = np.array(_SPREAD)
    return [Cluster(found.mean, spread) for found in colour_clusters(lab[inner > 0], 3)]


def _solid(mask: Mask, span: float) -> Mask:
    """Without specks and pinholes."""
    size = max(3, int(0.03 * span)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    mask = _without_holes(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), 0.02 * span**2)
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)


def _without_holes(mask: Mask, largest: float) -> Mask:
    """A print's spots may have the colour of something else."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    small = np.flatnonzero(stats[:count, cv2.CC_STAT_AREA] < largest)
    return np.asarray(mask | np.isin(labels, small[small > 0]))


def _change(before: Bgr, after: Bgr) -> Array:
    """By how much the channel that differs most does."""
    soft = [cv2.GaussianBlur(picture, (0, 0), 0.8) for picture in (before, after)]
    blue, green, red = cv2.split(cv2.absdiff(soft[0], soft[1]))
    return cv2.max(cv2.max(blue, green), red)


def _unchanged(scene: Scene, result: Bgr, part: Mask) -> float:
    look = scene.kept(part) > 0
    if not look.any():
        return 1.0
    return float((_change(scene.photo.bgr, result)[look] <= _ALIKE).mean())


def _restored(scene: Scene, result: Bgr) -> float | None:
    behind = scene.photo.silhouette & scene.perfect.mask(Part.BACKGROUND)
    look = shrunk(behind, 2) > 0
    if look.sum() < _ENOUGH * scene.photo.silhouette.sum():
        return None
    soft = [cv2.GaussianBlur(picture, (0, 0), 1.5)[look] for picture in (result, scene.perfect.bgr)]
    return float((difference(to_lab(soft[0]), to_lab(soft[1])) < _SAME).mean())


def _sleeve_error(scene: Scene, shown: Mask) -> float:
    pairs = ((_covered(scene, side, shown), _covered(scene, side, scene.region)) for side in SIDES)
    return max(abs(found - true) for found, true in pairs) / scene.span


def _covered(scene: Scene, side: int, mask: Mask) -> float:
    """Pixels of an arm's length, from its shoulder on, that lie under the garment."""
    arm = scene.photo.body.arms[side].until(1.0)
    path, radii = arm.path[:-1], arm.radii[:-1]
    onwards = np.diff(arm.path, axis=0)
    steps = np.hypot(*onwards.T)
    aside = np.stack([-onwards[:, 1], onwards[:, 0]], 1) / steps[:, None]
    across = np.linspace(-0.6, 0.6, 7)[None, :, None] * radii[:, None, None]
    points = (path[:, None] + aside[:, None] * across).astype(int)
    x = np.clip(points[..., 0], 0, mask.shape[1] - 1)
    y = np.clip(points[..., 1], 0, mask.shape[0] - 1)
    return float(steps[mask[y, x].mean(1) > 0.5].sum())


def _edge_error(scene: Scene, shown: Mask, *, upper: bool) -> float:
    """Median over columns: how far the mask's first or last row is from the true one.

    The neckline is looked at in the middle of the trunk, the hem over three quarters of its width.
    """
    true = scene.region
    columns = _columns(scene, 0.12) if upper else _columns(scene, 0.42)
    columns = columns[true[:, columns].any(0)]
    if not len(columns):
        return 0.0
    ends = [_ends(mask[:, columns], upper=upper) for mask in (true, shown)]
    # Where nothing is shown, the whole length is missing.
    missing = _ends(true[:, columns], upper=not upper)
    found = np.where(shown[:, columns].any(0), ends[1], missing)
    return float(np.median(np.abs(found - ends[0])) / scene.span)


def _columns(scene: Scene, reach: float) -> Array:
    """Columns about the middle, without those that a forearm crosses."""
    middle = scene.photo.body.arms[0].path[0][0] + scene.span / 2
    columns = np.unique(np.linspace(-reach, reach, 31) * scene.span + middle).astype(int)
    free = np.ones(len(columns), bool)
    for arm in scene.photo.body.arms:
        x = arm.after(0.5).path[:, 0]
        # A hand is about half as long as a forearm.
        x = np.r_[x, x[-1] + 0.5 * (x[-1] - x[0])]
        free &= (columns < x.min() - arm.radii.max()) | (columns > x.max() + arm.radii.max())
    return columns[free] if free.sum() > 4 else columns


def _ends(mask: Mask, *, upper: bool) -> Array:
    ends = mask.argmax(0) if upper else len(mask) - 1 - mask[::-1].argmax(0)
    return np.asarray(ends)


def _colour_error(scene: Scene, result: Bgr, region: Mask, cell: int) -> float:
    """Median over cells of the difference between their mean colours."""
    weight = shrunk(region, 2).astype(np.float32)
    cells = [_cells(picture, weight, cell) for picture in (result, scene.perfect.bgr)]
    full = cv2.resize(weight, cells[0].shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    if not full.any():
        return 0.0
    return float(np.median(difference(to_lab(cells[0][full]), to_lab(cells[1][full]))))


def _cells(picture: Bgr, weight: Array, cell: int) -> Array:
    """Mean colour of each cell of so many pixels, by weight."""
    size = (max(1, picture.shape[1] // cell), max(1, picture.shape[0] // cell))
    total = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    summed = cv2.resize(picture * weight[..., None], size, interpolation=cv2.INTER_AREA)
    return np.asarray(summed / np.maximum(total, 1e-3)[..., None])
