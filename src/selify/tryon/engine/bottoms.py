"""Where trousers and skirts go: as wide and as long as they are themselves, on the body beneath the clothes."""

from dataclasses import dataclass, replace

import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Point, Points
from selify.tryon.engine.bottom_cut import BottomCut
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.geometry import between, smooth
from selify.tryon.engine.points import BottomPoints
from selify.tryon.engine.undressing import LowerBody

_ROWS = 30
_ACROSS = 7
# Laid flat a garment shows half of its girth, which is more than the width of the hips in it.
_FLAT_HIPS = 1.12
_EASE = 1.03
_FLAT_LEGS = 0.86
# Of the way from crotch to ankle: trousers nearly as long as the leg are meant to be as long.
_FULL_LENGTH = 0.75
# Between legs that stand close, at shares of the way from crotch to ankle: how far, in shoulder spans, each side of wide
# trousers goes beyond the middle. Further down a gap tells them from a skirt.
_GAP = (0.0, 0.25, 0.5, 1.0), (0.015, 0.0, -0.025, -0.035)
# Down from the crotch, in shoulder spans: there the legs part little by little, however far apart they lay.
_PARTING = 0.45
_OVER_THE_SHOE = 0.05
# Legs of shorts are drawn out lengthwise by so much at most, where their crotch may hang lower than the body's by so many
# shoulder spans.
_DRAWN_OUT, _HANGS_LOW = 1.5, 0.25
_SHARED_HEM = 0.08
_LEVEL_FEET = 0.2
# How far out the old edge may be that is shared, in shoulder spans: at the hips, and down the legs.
_SHARED_EDGE, _SHARED_LEG = 0.12, 0.06
# Of the rows from waist to thigh, where the old bottom goes on further out: a skirt or a coat does in more.
_LOOSE = 0.2


@dataclass(frozen=True, slots=True)
class Strip:
    """Half of the garment, from waist to hem: grids of points (rows, columns, 2), the first column outside.

    ``crotch``: the first row of the target that belongs to the leg; None of a skirt.
    """

    source: Array
    target: Array
    crotch: int | None

    @property
    def outline(self) -> Points:
        """Of the target: down its outer edge, along the hem, and up the inner."""
        outer, hem, inner = self.target[:, 0], self.target[-1], self.target[:, -1]
        return np.vstack([outer, hem[1:-1], inner[::-1]])


@dataclass(frozen=True, slots=True)
class BottomFit:
    """``end``: per side, how far along the leg the garment reaches, in pixels from the hip joint.

    ``scale``: pixels of the photo for one of the garment's picture, across.
    """

    strips: tuple[Strip, Strip]
    end: tuple[float, float]
    scale: float

    @property
    def strain(self) -> float:
        """How far any third of it is stretched or shrunk lengthwise, as the largest natural logarithm of a ratio."""
        ratios = [
            fitted / max(1.0, flat * self.scale)
            for strip in self.strips
            for flat, fitted in zip(_thirds(strip.source), _thirds(strip.target), strict=True)
        ]
        return float(np.abs(np.log(np.maximum(ratios, 1e-3))).max())


def _thirds(grid: Array) -> list[float]:
    """How long each third of a grid's middle column is."""
    steps = np.hypot(*np.diff(grid[:, _ACROSS // 2], axis=0).T)
    return [float(third.sum()) for third in np.array_split(steps, 3)]


def fit_bottom(lower: LowerBody, garment: Garment, points: BottomPoints) -> BottomFit:
    """Whether it hangs straight down in its picture is for ``suitability`` to say."""
    cut = BottomCut.of(garment, points)
    if cut.crotch is None:
        return _Skirt(lower, cut).fit()
    return _Trousers(lower, cut).fit()


@dataclass(frozen=True, slots=True)
class _Trousers:
    """Rows of the garment beside rows of the body: waist to crotch, and crotch to hem."""

    lower: LowerBody
    cut: BottomCut

    def fit(self) -> BottomFit:
        left, right = self._ends()
        hung = replace(self, lower=replace(self.lower, crotch=self._crotch(max(left, right))))
        strips = hung.strip(0, left), hung.strip(1, right)
        return BottomFit(strips, (left, right), self._scale)

    @property
    def _scale(self) -> float:
        return self.lower.hips * _EASE / self.cut.hips

    def _crotch(self, end: float) -> float:
        """As tau: that of the body, or lower, for a short leg that began there would be drawn out."""
        start = end - _DRAWN_OUT * (self.cut.length - self._seat) * self._scale
        lowest = self.lower.crotch_along + _HANGS_LOW * self.lower.span
        start = max(self.lower.crotch_along, min(start, lowest))
        return 1 + start / self.lower.body.skeleton.trunk

    @property
    def _seat(self) -> float:
        """Rows of the garment from waist to crotch."""
        crotch = self.cut.crotch
        return self.cut.bottom - self.cut.top if crotch is None else float(crotch[1]) - self.cut.top

    def _ends(self) -> tuple[float, float]:
        """Both legs of trousers are of one length; of somebody who stands on both feet their hems are level."""
        legs, down = self.lower.legs, self.lower.body.skeleton.down
        share = max(self._end(side) / legs[side].length for side in SIDES)
        left, right = (share * leg.length for leg in legs)
        low = [float(np.dot(leg.middle[-1], down)) for leg in legs]
        uneven = low[1] - low[0]
        if abs(uneven) < _LEVEL_FEET * self.lower.span:
            return left + max(0.0, uneven) * share, right + max(0.0, -uneven) * share
        return left, right

    def _end(self, side: int) -> float:
        """By the garment's own length for its width; a hem worn now that is near is shared."""
        leg, start, span = self.lower.legs[side], self.lower.crotch_along, self.lower.span
        above = (1 - self.lower.waist.height) * self.lower.body.skeleton.trunk
        end = self.cut.length * _FLAT_HIPS * self.lower.hips / self.cut.hips - above
        end = max(end, start + 0.06 * (leg.length - start))
        if end - start > _FULL_LENGTH * (leg.length - start):
            return leg.length + _OVER_THE_SHOE * span
        if leg.worn_end and abs(end - leg.worn_end) < _SHARED_HEM * span:
            return leg.worn_end + 0.01 * span
        return end

    def strip(self, side: int, end: float) -> Strip:
        upper = _ROWS // 3
        down = np.r_[np.linspace(0, 1, upper), np.linspace(1, 2, _ROWS - upper + 1)[1:]]
        edges = [self._row(side, float(share), end) for share in down]
        source = np.array([edge[0] for edge in edges])
        outer, inner = np.array([edge[1] for edge in edges]), np.array([edge[2] for edge in edges])
        high = upper + (_ROWS - upper) // 3
        out = np.repeat(self.lower.body.skeleton.outwards[side][None], len(outer), 0)
        outer[:high] = _to_old_edge(self.lower, outer[:high], out[:high], _SHARED_EDGE)
        outer[high:] = _to_old_edge(self.lower, outer[high:], out[high:], _SHARED_LEG)
        outer[1:-1] = smooth(outer, 2)[1:-1]
        inner[upper + 1 : -1] = smooth(inner[upper:], 1)[1:-1]
        return _hung(
            self.lower,
            self.cut,
            side,
            np.clip(1 - down, 0, 1),
            _grid(source[:, 0], source[:, 1]),
            _grid(outer, inner),
            upper,
        )

    def _row(self, side: int, down: float, end: float) -> tuple[Points, Point, Point]:
        """``down``: 0 at the waist, 1 at the crotch, 2 at the hem. The source's ends; the target's outer and inner."""
        crotch = self.cut.top + self._seat
        row = crotch - max(0.0, 1 - down) * (self._seat - 1)
        row += max(0.0, down - 1) * (self.cut.hems[side] - crotch)
        outer, inner = self.cut.ends(row, side)
        source = np.array([[outer, row], [inner, row]])
        wide = abs(outer - inner) * self._scale
        if down <= 1:
            return source, *self._seat_row(side, down, wide)
        start = self.lower.crotch_along
        along = start + (down - 1) * (end - start)
        outside, inside = self._leg_row(side, along, wide * _FLAT_LEGS)
        share = (along - start) / min(_PARTING * self.lower.span, max(1.0, 0.7 * (end - start)))
        return source, outside, self._parted(side, along, inside, min(1.0, share))

    def _parted(self, side: int, along: float, inner: Point, share: float) -> Point:
        """``inner`` edge of a leg, at ``share`` 0 on the middle line, where the other leg's is too."""
        body = self.lower.body
        centre = body.centre(1 + along / body.skeleton.trunk)
        out = body.skeleton.outwards[side]
        apart = max(0.0, float(np.dot(inner - centre, out)))
        return np.asarray(inner - out * apart * (1 - share**1.5))

    def _seat_row(self, side: int, down: float, wide: float) -> tuple[Point, Point]:
        out = self.lower.body.skeleton.outwards[side]
        tau = self.lower.waist.height + down * (self.lower.crotch - self.lower.waist.height)
        centre = self.lower.body.centre(tau)
        reach = _hip_reach(self.lower, side, tau)
        reach = max(reach, min(wide, 1.06 * reach))
        if tau > 1:
            leg = self._leg_row(
                side, self.lower.crotch_along * (tau - 1) / (self.lower.crotch - 1), wide
            )[0]
            share = (tau - 1) / (self.lower.crotch - 1)
            reach = (1 - share) * reach + share * max(0.0, float(np.dot(leg - centre, out)))
        return centre + out * reach, centre - out * 0.004 * self.lower.span

    def _leg_row(self, side: int, along: float, wide: float) -> tuple[Point, Point]:
        """At least the leg, and as wide as the garment is; beyond the middle between the legs it goes outwards."""
        span = self.lower.span
        middle, aside, outer, inner = self.lower.legs[side].at(along)
        spare = max(0.0, wide - 1.03 * (outer + inner))
        outer, inner = 1.03 * outer + 0.52 * spare, 1.03 * inner + 0.48 * spare
        other = self.lower.legs[1 - side].at(along)[0]
        start = self.lower.crotch_along
        down = max(0.0, along - start) / max(1.0, self.lower.legs[side].length - start)
        half = float(np.dot(middle - other, aside)) / 2 + float(np.interp(down, *_GAP)) * span
        if half > 0.05 * span and inner > half:
            outer, inner = outer + 0.6 * (inner - half), half
        return middle + aside * outer, middle - aside * inner


@dataclass(frozen=True, slots=True)
class _Skirt:
    """Hangs from the hips as wide as it is, over both legs."""

    lower: LowerBody
    cut: BottomCut

    def fit(self) -> BottomFit:
        ends = [
            self._length - (1 - self.lower.waist.height) * self.lower.body.skeleton.trunk
            for __ in SIDES
        ]
        strips = self._strip(0), self._strip(1)
        return BottomFit(strips, (ends[0], ends[1]), self._scale)

    @property
    def _scale(self) -> float:
        return self.lower.hips * _EASE / self.cut.hips

    @property
    def _length(self) -> float:
        """From waist to hem, in pixels; a hem worn now that is near is shared."""
        s = self.lower.body.skeleton
        length = (self.cut.bottom - self.cut.top) * _FLAT_HIPS * self.lower.hips / self.cut.hips
        above = (1 - self.lower.waist.height) * s.trunk
        longest = above + min(leg.length for leg in self.lower.legs)
        length = float(np.clip(length, above + 0.3 * s.trunk, longest))
        worn = [leg.worn_end for leg in self.lower.legs if leg.worn_end]
        if worn and abs(above + max(worn) - length) < _SHARED_HEM * s.span:
            return above + max(worn) + 0.01 * s.span
        return length

    def _strip(self, side: int) -> Strip:
        """Sides and middle each at their own pace: the hem of a flare is bowed."""
        cut, s = self.cut, self.lower.body.skeleton
        corner = self._corner(side)
        down = np.linspace(0, 1, _ROWS)
        source_outer, source_inner, outer, inner = [], [], [], []
        tall = max(1.0, cut.bottom - cut.top - 3)
        for share in down:
            row = cut.top + 1 + share * (corner - cut.top - 1)
            at, _ = cut.ends(row, side)
            source_outer.append((at, row))
            source_inner.append((cut.middle, cut.top + 1 + share * tall))
            way = share * (corner - cut.top) / (cut.bottom - cut.top) * self._length
            outer.append(self._side(side, way, abs(at - cut.middle) * self._scale))
            tau = self.lower.waist.height + share * self._length / s.trunk
            inner.append(self.lower.body.centre(tau) - s.outwards[side] * 0.004 * s.span)
        edge = np.array(outer)
        edge[1:-1] = smooth(edge, 3)[1:-1]
        return _hung(
            self.lower,
            self.cut,
            side,
            np.clip(1 - 2 * down, 0, 1),
            _grid(np.array(source_outer), np.array(source_inner)),
            _grid(edge, np.array(inner)),
            None,
        )

    def _corner(self, side: int) -> float:
        """Row of the hem's corner: the outermost lowest point of the garment on this side."""
        rows = np.arange(
            int(self.cut.top + 0.5 * (self.cut.bottom - self.cut.top)), int(self.cut.bottom) - 2
        )
        ends = np.array([self.cut.ends(float(row), side)[0] for row in rows])
        away = (self.cut.middle - ends) if side == 0 else (ends - self.cut.middle)
        return float(rows[int((away + 1.0 * (rows - self.cut.top)).argmax())])

    def _side(self, side: int, way: float, wide: float) -> Point:
        s = self.lower.body.skeleton
        out, tau = s.outwards[side], self.lower.waist.height + way / s.trunk
        centre = self.lower.body.centre(tau)
        reach = _hip_reach(self.lower, side, min(tau, 1.0))
        if tau < 1:
            reach = max(reach, min(wide, 1.06 * reach))
        else:
            reach = max(wide, self._over_leg(side, (tau - 1) * s.trunk, centre))
        return np.asarray(centre + out * reach)

    def _over_leg(self, side: int, along: float, centre: Point) -> float:
        """What it takes to cover the leg beneath."""
        leg, out = self.lower.legs[side], self.lower.body.skeleton.outwards[side]
        middle, aside, outer, _ = leg.at(along)
        return float(np.dot(middle + aside * outer - centre, out)) + 0.02 * self.lower.span


def _hip_reach(lower: LowerBody, side: int, tau: float) -> float:
    """Half width of the body at waist and hips, a little ease included; old cloth does not count."""
    return min(lower.body.half_width(side, min(tau, 1.0)), 0.56 * lower.hips) * 1.015


def _to_old_edge(lower: LowerBody, edge: Points, directions: Points, most: float) -> Points:
    """The outer edge moved out to that of the old bottom where it is close-fitting: nothing of it is left over."""
    steps = np.arange(-0.02, most, 0.005) * lower.span
    points = edge[:, None] + directions[:, None] * steps[None, :, None]
    height, width = lower.old.shape
    x = np.clip(points[..., 0].astype(int), 0, width - 1)
    y = np.clip(points[..., 1].astype(int), 0, height - 1)
    on = lower.old[y, x] > 0
    last = on.shape[1] - 1 - on[:, ::-1].argmax(1)
    near = on.any(1) & (last < on.shape[1] - 1)
    if (on.any(1) & ~near).mean() > _LOOSE:
        return edge
    more = np.where(near, np.maximum(steps[last] + 0.01 * lower.span, 0), 0)
    even = np.convolve(np.pad(more, 2, "edge"), np.ones(5) / 5, "valid")
    return np.asarray(edge + directions * even[:, None])


def _hung(
    lower: LowerBody,
    cut: BottomCut,
    side: int,
    fade: Array,
    source: Array,
    target: Array,
    crotch: int | None,
) -> Strip:
    """From the garment's waistband to the line of the one worn now."""
    across, s = _across(side), lower.body.skeleton
    source = _bowed(source, cut.sag * (1 - across**2), np.array([0.0, 1.0]), fade)
    target = _bowed(target, lower.waist.bow(across) * s.trunk, s.down, fade)
    return Strip(source, target, crotch)


def _grid(outer: Points, inner: Points) -> Array:
    share = np.linspace(0, 1, _ACROSS)
    return between(np.asarray(outer)[:, None], np.asarray(inner)[:, None], share[None])


def _across(side: int) -> Array:
    """Of a grid's columns: -1 at the left side of the garment, 0 in its middle, 1 at the right."""
    return (2 * side - 1) * (1 - np.linspace(0, 1, _ACROSS))


def _bowed(grid: Array, bow: Array, down: Array, fade: Array) -> Array:
    """Each column moved down by ``bow``, the rows less and less."""
    return np.asarray(grid + fade[:, None, None] * bow[None, :, None] * down)
