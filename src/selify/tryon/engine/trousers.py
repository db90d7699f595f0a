"""Dressing a person in trousers or a skirt: one strip per leg, from waist to hem."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Mask, Point, Points, Soft
from selify.tryon.engine.body import BodyFit
from selify.tryon.engine.dress import Dressed
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.geometry import Ruled, at_length, distance, smooth, strip_field
from selify.tryon.engine.keypoints import BottomPoints, runs_in_row
from selify.tryon.engine.labels import Label
from selify.tryon.engine.masks import blur, fill_from_nearest, grown, guided, soft_polygon
from selify.tryon.engine.person import Person
from selify.tryon.engine.shading import contact, folds, volume

_CROTCH_HEIGHT = 1.17
_ROWS = 24


@dataclass(frozen=True, slots=True)
class _Plan:
    """The garment's measures beside the body's. Lengths in pixels of the photo."""

    points: BottomPoints
    mask: Mask
    waist_height: float
    to_crotch: float
    leg_length: float
    hip_width: float
    garment_hip: float
    length_share: float

    @property
    def top(self) -> float:
        return float(self.points.waist[0][1])

    @property
    def bottom(self) -> float:
        return float(self.points.box[3])

    def rows(self) -> Array:
        """Rows of the garment to map; one of them meets the crotch."""
        tall = self.bottom - self.top
        first, last = self.top + 0.004 * tall, self.top + 0.993 * tall
        if self.points.crotch is None:
            return np.linspace(first, last, _ROWS)
        crotch = float(self.points.crotch[1])
        upper = max(5, int(_ROWS * (crotch - self.top) / tall))
        lower = np.linspace(crotch, last, _ROWS - upper + 1)[1:]
        return np.asarray(np.r_[np.linspace(first, crotch, upper), lower])

    def way_down(self, row: float) -> float:
        """Distance below the waist at which a garment row belongs."""
        if self.points.crotch is None:
            share = (row - self.top) / (self.bottom - self.top)
            return share * (self.to_crotch + self.leg_length) * self.length_share
        crotch = float(self.points.crotch[1])
        if row <= crotch:
            return (row - self.top) / max(1.0, crotch - self.top) * self.to_crotch
        share = (row - crotch) / max(1.0, self.bottom - crotch)
        return self.to_crotch + share * self.leg_length * self.length_share


def dress_bottom(
    person: Person, body: BodyFit, garment: Garment, points: BottomPoints, *, light: float = 1.0
) -> Dressed:
    """``light`` 0..1: how much of the old garment's light and shade the new one takes over."""
    plan = _plan(person, body, garment, points)
    strips = [_leg(person, body, plan, k) for k in SIDES]
    image, cover = _draped(person, garment, strips)
    image, cover = _reach_out(person, image, cover)
    front = _in_front(person, body)
    cover = np.clip(cover * (1 - front) * (person.along > 0.45), 0, 1)
    shade = (1 + (folds(person, person.lower) - 1) * light) * volume(person, cover)
    shade *= contact(person, front, 0.25)
    lit = np.clip(image * shade[..., None], 0, 255)
    picture = person.bgr * (1 - cover[..., None]) + lit * cover[..., None]
    painted = np.zeros(person.shape, np.uint8)
    return Dressed(
        bgr=np.clip(picture, 0, 255).astype(np.uint8),
        cover=cover,
        painted=painted,
        worn=person.lower,
        replaced=(cover > 0.5).astype(np.uint8),
    )


def _plan(person: Person, body: BodyFit, garment: Garment, points: BottomPoints) -> _Plan:
    s, mask = person.skeleton, garment.mask
    waist = 0.80 if body.hem is None or body.hem > 0.8 else max(0.6, body.hem - 0.02)
    legs = [distance(s.knees[k], s.hips[k]) + distance(s.ankles[k], s.knees[k]) for k in SIDES]
    leg = float(np.mean(legs)) - (_CROTCH_HEIGHT - 1) * s.trunk
    to_crotch = (_CROTCH_HEIGHT - waist) * s.trunk
    top, bottom = points.waist[0][1], points.box[3]
    hip_row = int(top + 0.22 * (bottom - top))
    garment_hip = float(max(1, mask[hip_row].sum()))
    hips = body.width(1.0)
    if points.crotch is None:
        share = (bottom - top) / garment_hip * hips / (to_crotch + leg)
        share = 1.0 if share > 0.88 else max(0.35, share)
    else:
        drop = (bottom - points.crotch[1]) / max(1.0, points.crotch[1] - top)
        share = max(drop * to_crotch / max(1.0, leg), _worn_length(person, leg) + 0.02)
        share = 1.0 if share > 0.7 else max(0.2, share)
    return _Plan(points, mask, waist, to_crotch, leg, hips, garment_hip, float(share))


def _worn_length(person: Person, leg: float) -> float:
    """Share of the leg below the crotch that the trousers worn now cover: never less."""
    s = person.skeleton
    covered = 0.0
    start = (_CROTCH_HEIGHT - 1) * s.trunk
    for k in SIDES:
        for share in np.linspace(0, 1, 50):
            label = _label(person, at_length(s.leg(k), start + share * leg))
            if label == Label.LOWER:
                covered = max(covered, float(share))
            elif label == Label.SKIN and share > 0.3:
                break
    return covered


def _label(person: Person, point: Point) -> int:
    height, width = person.shape
    x, y = int(point[0]), int(point[1])
    return int(person.label[y, x]) if 0 <= x < width and 0 <= y < height else 0


@dataclass(frozen=True, slots=True)
class _Strip:
    source: Ruled
    target: Ruled


def _leg(person: Person, body: BodyFit, plan: _Plan, side: int) -> _Strip:
    """Outer and inner edge of one leg, row by row."""
    edges: list[list[Points]] = [[], [], [], []]
    box = plan.points.box
    for row in plan.rows():
        runs = runs_in_row(plan.mask, round(float(row)))
        runs = [r for r in runs if r[1] - r[0] > 0.04 * (box[2] - box[0])]
        if not runs:
            continue
        outer, inner = _source_row(plan, runs, float(row), side)
        target = _target_row(person, body, plan, runs, float(row), side)
        for edge, point in zip(edges, (outer, inner, *target), strict=True):
            edge.append(point)
    so, si, to, ti = (np.array(edge, float) for edge in edges)
    to_smooth, ti_smooth = smooth(to, 1), smooth(ti, 1)
    to_smooth[0], ti_smooth[0] = to[0], ti[0] + body.skeleton.down * 0.012 * body.skeleton.trunk
    return _Strip(Ruled(so, si), Ruled(to_smooth, ti_smooth))


def _source_row(
    plan: _Plan, runs: list[tuple[int, int]], row: float, side: int
) -> tuple[Point, Point]:
    crotch = plan.points.crotch
    middle = (plan.points.waist[0][0] + plan.points.waist[1][0]) / 2
    if crotch is not None:
        middle = float(np.interp(row, [plan.top, crotch[1]], [middle, crotch[0]]))
    outer = runs[0][0] if side == 0 else runs[-1][1] - 1
    inner = middle
    if crotch is not None and row > crotch[1] and len(runs) > 1:
        inner = runs[0][1] - 1 if side == 0 else runs[-1][0]
    return np.array([outer, row]), np.array([inner, row])


def _target_row(
    person: Person,
    body: BodyFit,
    plan: _Plan,
    runs: list[tuple[int, int]],
    row: float,
    side: int,
) -> tuple[Point, Point]:
    s = person.skeleton
    out = s.outwards[side]
    way = plan.way_down(row)
    tau = plan.waist_height + way / s.trunk
    centre = body.centre(tau)
    if tau < 1.05 or plan.points.crotch is None:
        reach = body.half_width(side, tau) * 1.015
        if plan.points.crotch is None:
            run = runs[0] if side == 0 else runs[-1]
            wanted = (run[1] - run[0]) / 2 / plan.garment_hip * plan.hip_width
            reach = max(reach if tau < 1.2 else 0, wanted)
        return centre + out * reach, centre - out * 0.004 * s.span
    along_leg = max(0.0, way - (1 - plan.waist_height) * s.trunk)
    bone = at_length(s.leg(side), along_leg)
    run = runs[0] if side == 0 else runs[-1]
    wide = (run[1] - run[0]) / plan.garment_hip * plan.hip_width / 2
    outer, inner = _leg_radii(person, plan, bone, out, along_leg, wide)
    if not (row > plan.points.crotch[1] and len(runs) > 1):
        return bone + out * outer, centre - out * 0.004 * s.span
    to_middle = max(0.04 * s.span, float(np.dot(bone - centre, out)))
    return bone + out * outer, bone - out * min(inner, to_middle + 0.03 * s.span)


def _leg_radii(
    person: Person, plan: _Plan, bone: Point, out: Array, along: float, wide: float
) -> tuple[float, float]:
    """Half widths of the leg: what is seen, within what legs can be, and the garment's ease."""
    span = person.skeleton.span
    usual = (
        float(np.interp(along / max(1.0, plan.leg_length), [0, 0.5, 1], [0.33, 0.21, 0.15])) * span
    )
    outer = float(np.clip(_march(person, bone, out) or usual, 0.6 * usual, 1.5 * usual))
    inner = float(np.clip(_march(person, bone, -out) or usual, 0.6 * usual, 1.3 * usual))
    return max(outer * 1.03, min(wide, outer * 1.12)), max(inner * 1.03, min(wide, inner * 1.12))


def _march(person: Person, start: Point, direction: Array) -> float | None:
    span = person.skeleton.span
    height, width = person.shape
    bare_arm = person.skin & person.zones.arms
    for reach in np.arange(0.06, 0.7, 0.01):
        x, y = (int(v) for v in start + direction * reach * span)
        if not (0 <= x < width and 0 <= y < height):
            return float(reach * span)
        if not person.mask[y, x] or bare_arm[y, x]:
            return float(reach * span)
    return None


def _draped(person: Person, garment: Garment, strips: list[_Strip]) -> tuple[Array, Soft]:
    shape = person.shape
    source_wide = distance(strips[0].source.outer[0], strips[1].source.outer[0])
    target_wide = distance(strips[0].target.outer[0], strips[1].target.outer[0])
    cloth = garment.cloth_for(target_wide / max(1.0, source_wide))
    image = np.zeros((*shape, 3), np.uint8)
    cover = np.zeros(shape, np.float32)
    for strip in strips:
        source = Ruled(cloth.place(strip.source.outer), cloth.place(strip.source.inner))
        field = strip_field(source, strip.target, shape, along=23, across=6)
        outline = np.vstack([strip.target.outer, strip.target.inner[::-1]])
        soft = soft_polygon(shape, outline, max(0.7, 0.003 * person.skeleton.span))
        leg = soft * field.known(shape)
        image = np.where((leg > cover)[..., None], field.pull(cloth.bgr, shape), image)
        cover = np.maximum(cover, leg)
    return image, cover


def _reach_out(person: Person, image: Array, cover: Soft) -> tuple[Array, Soft]:
    """Cover what is left of the old trousers beside the new ones."""
    span = person.skeleton.span
    image = fill_from_nearest(image, (cover > 0.6).astype(np.uint8))
    near = grown(cover > 0.5, 0.12 * span)
    left = grown(person.lower, max(1.0, 0.01 * span)) & near & (cover < 0.6) & person.mask
    left &= 1 - person.skin
    soft = np.clip(blur(left.astype(np.float32), 1.2) * 1.5, 0, 1)
    return image, np.maximum(cover, soft * person.alpha)


def _in_front(person: Person, body: BodyFit) -> Soft:
    """Bare forearms and hands, and the upper garment where it hangs over the waist."""
    span = person.skeleton.span
    arms = person.skin_alpha * person.zones.lower_arms
    upper = guided(person.bgr, person.upper, max(2, int(0.015 * span)))
    end = body.hem + 0.012 if body.hem is not None else 1.05
    soft = np.clip((end - person.along) / 0.01 + 0.5, 0, 1)
    return np.asarray(
        np.maximum(arms, cv2.GaussianBlur((upper * soft).astype(np.float32), (0, 0), 0.8))
    )
