"""Curves and warps: resampling, thin-plate splines, ruled strips."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Mask, Points

_GRID_STEP = 8
_SPARSE = 4


def lengths_along(path: Points) -> Array:
    """Length from the start of the path to each of its points."""
    return np.asarray(np.r_[0.0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))])


def resample(path: Points, count: int) -> Points:
    """``count`` points at equal distances along the path."""
    path = np.asarray(path, float)
    if len(path) == 1:
        return np.repeat(path, count, 0)
    along = lengths_along(path)
    return at_length(path, np.linspace(0, along[-1], count))


def at_length(path: Points, distance: Array | float) -> Points:
    """The point(s) at a distance along the path; ends are not overrun."""
    along = lengths_along(path)
    x = np.interp(distance, along, path[:, 0])
    y = np.interp(distance, along, path[:, 1])
    return np.stack([x, y], -1)


def smooth(path: Points, radius: int) -> Points:
    """Running mean over 2 * radius + 1 points; the ends stay where they are, nearly."""
    path = np.asarray(path, float)
    if len(path) < 5:
        return path
    radius = max(1, min(radius, len(path) // 3))
    padded = np.vstack([np.repeat(path[:1], radius, 0), path, np.repeat(path[-1:], radius, 0)])
    kernel = np.ones(2 * radius + 1) / (2 * radius + 1)
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], 1)


def between(start: Array, end: Array, share: Array | float) -> Points:
    """Points on the straight line from start to end, ``share`` of the way."""
    share = np.asarray(share, float)[..., None]
    return np.asarray(np.asarray(start) * (1 - share) + np.asarray(end) * share)


def distance(a: Array, b: Array) -> float:
    return float(np.hypot(*(np.asarray(a, float) - np.asarray(b, float))))


def unit(vector: Array) -> Array:
    return np.asarray(vector / max(1e-6, float(np.hypot(*vector))))


class ThinPlate:
    """Smooth map of the plane that takes each source point to its target (Bookstein 1989)."""

    def __init__(self, source: Points, target: Points, stiffness: float = 1e-3) -> None:
        source, target = np.asarray(source, float), np.asarray(target, float)
        self._mean, self._scale = source.mean(0), float(source.std()) + 1e-6
        self._knots = (source - self._mean) / self._scale
        count = len(source)
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = self._kernel(self._knots) + np.eye(count) * stiffness
        system[:count, -3:] = np.c_[np.ones(count), self._knots]
        system[-3:, :count] = system[:count, -3:].T
        right = np.vstack([target, np.zeros((3, 2))])
        self._weights = np.linalg.lstsq(system, right, rcond=None)[0]

    def __call__(self, points: Points) -> Points:
        scaled = (np.asarray(points, float) - self._mean) / self._scale
        bend = self._kernel(scaled) @ self._weights[:-3]
        return np.asarray(bend + np.c_[np.ones(len(scaled)), scaled] @ self._weights[-3:])

    def _kernel(self, points: Points) -> Array:
        squared = ((points[:, None] - self._knots[None]) ** 2).sum(2)
        return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))


@dataclass(frozen=True, slots=True)
class Field:
    """Where each pixel of a rectangle of the result comes from in the source picture."""

    x0: int
    y0: int
    columns: Array
    rows: Array

    def pull(self, picture: Array, shape: tuple[int, ...], *, edge: bool = True) -> Array:
        """Sample the source; a full-size picture, zero outside the rectangle.

        ``edge`` repeats the source's rim beyond it; without, outside is zero.
        """
        border = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
        part = cv2.remap(picture, self.columns, self.rows, cv2.INTER_LINEAR, borderMode=border)
        whole = np.zeros((*shape[:2], *picture.shape[2:]), picture.dtype)
        height, width = self.columns.shape
        whole[self.y0 : self.y0 + height, self.x0 : self.x0 + width] = part
        return whole

    def known(self, shape: tuple[int, ...]) -> Mask:
        """Pixels of the result for which a source is known."""
        whole = np.zeros(shape[:2], np.uint8)
        height, width = self.columns.shape
        whole[self.y0 : self.y0 + height, self.x0 : self.x0 + width] = self.columns > -1e5
        return whole


def distortion(field: Field, where: Mask) -> float:
    """How unlike lengths change in different directions: mean natural logarithm of their ratio. 0: only sizes change."""
    height, width = field.columns.shape
    inside = (
        where[field.y0 : field.y0 + height : _SPARSE, field.x0 : field.x0 + width : _SPARSE] > 0
    )
    if not inside.any():
        return 0.0
    cy, cx = np.gradient(field.columns[::_SPARSE, ::_SPARSE])
    ry, rx = np.gradient(field.rows[::_SPARSE, ::_SPARSE])
    return float(_unlike(cx, cy, rx, ry)[inside].mean())


def grid_distortion(froms: Array, tos: Array) -> float:
    """As ``distortion``, of the cells of one grid of points (rows, columns, 2) that become those of the other."""
    (down, across), (tall, wide) = (
        (np.diff(grid, axis=0)[:, :-1], np.diff(grid, axis=1)[:-1]) for grid in (froms, tos)
    )
    area = wide[..., 0] * tall[..., 1] - wide[..., 1] * tall[..., 0]
    safe = np.where(np.abs(area) < 1e-6, 1e-6, area)
    along_x = (across * tall[..., 1:] - down * wide[..., 1:]) / safe[..., None]
    along_y = (down * wide[..., :1] - across * tall[..., :1]) / safe[..., None]
    unlike = _unlike(along_x[..., 0], along_y[..., 0], along_x[..., 1], along_y[..., 1])
    return float(np.average(unlike, weights=np.abs(safe)))


def _unlike(cx: Array, cy: Array, rx: Array, ry: Array) -> Array:
    """Of columns and rows of the source by x and y of the target: logarithm of the larger singular value by the smaller."""
    total, less = np.hypot(cx + ry, rx - cy), np.hypot(cx - ry, rx + cy)
    large, small = (total + less) / 2, np.abs(total - less) / 2
    ratio = np.log(np.maximum(large, 1e-6) / np.maximum(small, 1e-6))
    return np.asarray(np.clip(ratio, 0, 3))


def thin_plate_field(
    source: Points, target: Points, shape: tuple[int, ...], margin: float = 30
) -> Field | None:
    """Field that puts ``source`` on ``target`` within the targets' box; None if off the picture."""
    height, width = shape[:2]
    x0, y0 = np.maximum(np.floor(target.min(0) - margin).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(target.max(0) + margin).astype(int), (width, height))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return None
    spline = ThinPlate(target, source)
    xs = np.linspace(x0, x1 - 1, max(2, (x1 - x0) // _GRID_STEP))
    ys = np.linspace(y0, y1 - 1, max(2, (y1 - y0) // _GRID_STEP))
    grid = np.stack(np.meshgrid(xs, ys), -1)
    coarse = spline(grid.reshape(-1, 2)).reshape(grid.shape).astype(np.float32)
    u = np.linspace(0, len(xs) - 1, x1 - x0, dtype=np.float32)
    v = np.linspace(0, len(ys) - 1, y1 - y0, dtype=np.float32)
    fine = cv2.remap(coarse, *np.meshgrid(u, v), cv2.INTER_LINEAR)
    return Field(int(x0), int(y0), fine[..., 0].copy(), fine[..., 1].copy())


@dataclass(frozen=True, slots=True)
class Ruled:
    """A strip between two curves, ruled by straight lines from one to the other."""

    outer: Points
    inner: Points

    def nodes(self, along: int, across: int) -> Array:
        """(along, across, 2) points."""
        outer, inner = resample(self.outer, along), resample(self.inner, along)
        return between(outer[:, None], inner[:, None], np.linspace(0, 1, across)[None])


def strip_field(
    source: Ruled, target: Ruled, shape: tuple[int, ...], along: int = 15, across: int = 7
) -> Field:
    """Field that maps strip to strip, cell by cell, so that it cannot fold over."""
    return grid_field(source.nodes(along, across), target.nodes(along, across), shape)


def grid_field(froms: Array, tos: Array, shape: tuple[int, ...]) -> Field:
    """Field that takes the cells of one grid of points (rows, columns, 2) to those of the other."""
    height, width = shape[:2]
    columns = np.full((height, width), -1e6, np.float32)
    rows = np.full((height, width), -1e6, np.float32)
    for i in range(froms.shape[0] - 1):
        for j in range(froms.shape[1] - 1):
            for corners in (
                ((i, j), (i + 1, j), (i, j + 1)),
                ((i + 1, j), (i + 1, j + 1), (i, j + 1)),
            ):
                index = tuple(np.array(corners).T)
                _map_triangle(tos[index], froms[index], columns, rows)
    return Field(0, 0, columns, rows)


def _map_triangle(target: Points, source: Points, columns: Array, rows: Array) -> None:
    """Write the source coordinates of one triangle (grown a little, against gaps)."""
    height, width = columns.shape
    x0, y0 = np.maximum(np.floor(target.min(0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(target.max(0)).astype(int) + 2, (width, height))
    (ax, ay), (bx, by) = target[1] - target[0], target[2] - target[0]
    if x1 <= x0 or y1 <= y0 or abs(ax * by - ay * bx) < 0.5:
        return
    inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
    outwards = target - target.mean(0)
    grown = target + outwards / np.maximum(np.hypot(*outwards.T)[:, None], 1e-3) * 1.2
    corners = np.round((grown - (x0, y0)) * 16).astype(np.int32)
    cv2.fillConvexPoly(inside, corners, (1,), cv2.LINE_8, 4)
    affine = cv2.getAffineTransform(target.astype(np.float32), source.astype(np.float32))
    y, x = np.nonzero(inside)
    x, y = x + x0, y + y0
    columns[y, x] = affine[0, 0] * x + affine[0, 1] * y + affine[0, 2]
    rows[y, x] = affine[1, 0] * x + affine[1, 1] * y + affine[1, 2]
