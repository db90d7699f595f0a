"""Small tools on masks and colours: shapes, components, edge-aware smoothing, colour clusters."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Lab, Mask, Point, Points, Soft

ELLIPSE = cv2.MORPH_ELLIPSE
_FAST_BLUR_FROM = 7.0
# Pixels: from this radius on a disc is faster laid row by row than pixel by pixel.
_WIDE_DISC = 14
# Of the largest part.
_SPECK = 0.02


def blur(picture: Array, sigma: float) -> Array:
    """Gaussian blur; wide ones are done on a reduced copy, which looks the same."""
    if sigma < _FAST_BLUR_FROM:
        return cv2.GaussianBlur(picture, (0, 0), sigma)
    factor = max(2, int(sigma / 3))
    height, width = picture.shape[:2]
    size = (max(1, width // factor), max(1, height // factor))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def average_inside(values: Array, weight: Soft, sigma: float) -> Array:
    """Blur that looks only at pixels of weight > 0 (normalised convolution)."""
    total = np.maximum(blur(weight, sigma), 1e-3)
    if values.ndim == 3:
        return blur(values * weight[..., None], sigma) / total[..., None]
    return blur(values * weight, sigma) / total


def guided(guide: Array, soft: Array, radius: int, eps: float = 1e-3) -> Soft:
    """Guided filter (He et al. 2010): pulls a rough mask onto the edges of the picture."""
    grey = cv2.cvtColor(guide, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
    soft = soft.astype(np.float32)
    size = (2 * radius + 1, 2 * radius + 1)

    def box(values: Array) -> Array:
        return cv2.boxFilter(values, -1, size)

    mean_grey, mean_soft = box(grey), box(soft)
    slope = (box(grey * soft) - mean_grey * mean_soft) / (
        box(grey * grey) - mean_grey * mean_grey + eps
    )
    offset = box(mean_soft - slope * mean_grey)
    return np.clip(box(slope) * grey + offset, 0, 1)


def reduced_to(bgr: Array, mask: Array, side: int) -> tuple[Array, Mask]:
    """A picture and what is cut out of it, brought to a longest side in pixels, small ones too."""
    scale = side / max(mask.shape)
    size = (max(8, round(mask.shape[1] * scale)), max(8, round(mask.shape[0] * scale)))
    cut = (mask > 0).astype(np.uint8)
    return (
        cv2.resize(bgr, size, interpolation=cv2.INTER_AREA),
        cv2.resize(cut, size, interpolation=cv2.INTER_NEAREST),
    )


def polygon(shape: tuple[int, ...], points: Points) -> Mask:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(np.asarray(points)).astype(np.int32)], (1,))
    return mask


def soft_polygon(shape: tuple[int, ...], points: Points, sigma: float = 1.0) -> Soft:
    """Polygon with sub-pixel corners and an edge of the given softness."""
    mask = np.zeros(shape[:2], np.uint8)
    corners = np.round(np.asarray(points) * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], (255,), cv2.LINE_AA, 4)
    return blur(mask.astype(np.float32) / 255, sigma)


def capsule(shape: tuple[int, ...], start: Point, end: Point, r_start: float, r_end: float) -> Mask:
    """A limb: two circles and what lies between them."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    along = end - start
    normal = np.array([-along[1], along[0]]) / (float(np.hypot(*along)) + 1e-6)
    corners = [
        start + normal * r_start,
        end + normal * r_end,
        end - normal * r_end,
        start - normal * r_start,
    ]
    mask = polygon(shape, np.array(corners))
    for centre, radius in ((start, r_start), (end, r_end)):
        cv2.circle(mask, pixel(centre), int(max(1, radius)), (1,), -1)
    return mask


def ellipse(shape: tuple[int, ...], centre: Point, half_width: float, half_height: float) -> Mask:
    mask = np.zeros(shape[:2], np.uint8)
    axes = (max(1, int(half_width)), max(1, int(half_height)))
    cv2.ellipse(mask, pixel(centre), axes, 0, 0, 360, (1,), -1)
    return mask


def value_at(mask: Array, point: Point) -> int:
    """Of the pixel under a point; 0 outside."""
    height, width = mask.shape
    x, y = int(np.floor(point[0])), int(np.floor(point[1]))
    return int(mask[y, x]) if 0 <= x < width and 0 <= y < height else 0


def pixel(point: Point) -> tuple[int, int]:
    """The pixel under a point, kept within what OpenCV's drawing can take."""
    x, y = np.clip(np.round(point), -(2**14), 2**14).astype(int)
    return int(x), int(y)


def disc(radius: float) -> Mask:
    """Structuring element of about this radius."""
    size = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(ELLIPSE, (size, size))


def grown(mask: Array, radius: float) -> Mask:
    kernel, mask = disc(radius), mask.astype(np.uint8)
    return cv2.dilate(mask, kernel) if len(kernel) < 2 * _WIDE_DISC else _spread(mask, kernel)


def shrunk(mask: Array, radius: float) -> Mask:
    """What grows is all that is not in it."""
    return np.asarray(255 - grown(255 - mask.astype(np.uint8), radius))


def opened(mask: Array, radius: float) -> Mask:
    return grown(shrunk(mask, radius), radius)


def closed(mask: Array, radius: float) -> Mask:
    return shrunk(grown(mask, radius), radius)


def _spread(mask: Mask, kernel: Mask) -> Mask:
    """``cv2.dilate`` with a disc, pixel for pixel, in time that grows with its radius instead of its area: the mask
    is widened as far as each row of the disc is wide, from the narrowest on, and laid so far above and below itself.
    """
    height, width = mask.shape
    radius = len(kernel) // 2
    wide, reach = np.pad(mask, radius), 0
    found = np.zeros_like(mask)
    for row, wanted in enumerate(kernel[: radius + 1].sum(1) // 2):
        while reach < wanted:
            step = int(min(wanted - reach, 2 * reach + 1))
            sides = np.maximum(wide[:, : -2 * step], wide[:, 2 * step :])
            wide, reach = np.maximum(sides, wide[:, step:-step]), reach + step
        columns = slice(radius - reach, radius - reach + width)
        for above in (row, 2 * radius - row):
            np.maximum(found, wide[above : above + height, columns], out=found)
    return found


def mirrored_overlap(mask: Mask) -> float:
    """Overlap of an outline with its mirror image, 0..1: of what is even nearly 1."""
    x, y, width, height = cv2.boundingRect(mask)
    part = mask[y : y + height, x : x + width] > 0
    mirrored = part[:, ::-1]
    return float((part & mirrored).sum() / max(1, (part | mirrored).sum()))


def largest_part(mask: Array) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count <= 1:
        return mask.astype(np.uint8)
    return np.asarray((labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])).astype(np.uint8))


def parts_touching(mask: Array, seed: Array) -> Mask:
    """The connected parts of ``mask`` that ``seed`` touches."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    wanted = np.unique(labels[seed > 0])
    return np.isin(labels, wanted[wanted > 0]).astype(np.uint8)


def parts_sized(mask: Array, least: float = 1, most: float = np.inf) -> Mask:
    """The connected parts of ``mask`` that have so many pixels."""
    parts, areas = _parts(mask)
    return _kept(parts, (areas >= least) & (areas <= most))


def without_specks(mask: Array) -> Mask:
    """The connected parts of ``mask`` but those that are far smaller than the largest."""
    parts, areas = _parts(mask)
    return _kept(parts, areas > _SPECK * areas[1:].max(initial=0))


def _parts(mask: Array) -> tuple[Array, Array]:
    """Number of each pixel's part, 0 outside of all, and how many pixels each has."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return parts, stats[:, cv2.CC_STAT_AREA]


def _kept(parts: Array, kept: Array) -> Mask:
    kept[0] = False
    return np.asarray(kept[parts].astype(np.uint8))


@dataclass(frozen=True, slots=True)
class Cluster:
    """A colour and its spread, both (3,), in Lab."""

    mean: Array
    spread: Array


def colour_clusters(
    pixels: Array, count: int, floor: tuple[float, float, float] = (14.0, 4.0, 4.0)
) -> list[Cluster]:
    """The main colours of (N, 3) Lab pixels; empty when there are too few to say."""
    pixels = pixels.reshape(-1, 3).astype(np.float32)
    if len(pixels) < 40:
        return []
    if len(pixels) > 6000:
        pixels = pixels[np.random.default_rng(0).choice(len(pixels), 6000, replace=False)]
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.5)
    _, labels, _ = cv2.kmeans(pixels, count, cast("Array", None), stop, 2, cv2.KMEANS_PP_CENTERS)
    clusters = []
    for index in range(count):
        members = pixels[labels.ravel() == index]
        if len(members) >= 0.06 * len(pixels):
            spread = np.maximum(members.std(0), floor)
            clusters.append(Cluster(members.mean(0), spread))
    return clusters


def main_colours(pixels: Array, count: int, least: float = 0.02) -> list[Array]:
    """Up to ``count`` mean colours of (N, 3) Lab pixels, each of at least that share; empty for too few pixels."""
    pixels = pixels.reshape(-1, 3).astype(np.float32)
    if len(pixels) < 40:
        return []
    pixels = pixels[:: max(1, len(pixels) // 5000)]
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    none = cast("Array", None)
    _, labels, means = cv2.kmeans(pixels, count, none, stop, 1, cv2.KMEANS_PP_CENTERS)
    return [means[index] for index in range(count) if (labels == index).mean() > least]


def nearest_colour(lab: Lab, colours: list[Array], scale: tuple[float, float, float]) -> Soft:
    """Of every pixel, the distance to the nearest of the colours; ``scale`` weighs L, a and b."""
    nearest = np.full(lab.shape[:2], np.inf, np.float32)
    weights = np.array(scale, np.float32)
    for colour in colours:
        step = (lab - colour.astype(np.float32)) * weights
        np.minimum(nearest, np.einsum("ijk,ijk->ij", step, step), out=nearest)
    return np.sqrt(nearest)


def farthest_spots(mask: Mask, count: int) -> list[tuple[float, float]]:
    """Points well inside the mask and far from each other, the deepest first; none of an empty mask."""
    depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    if not depth.any():
        return []
    rows, columns = np.nonzero(depth > 0.25 * depth.max())
    spots = np.stack([columns, rows], 1).astype(np.float32)
    spots = spots[:: max(1, len(spots) // 4000)]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    found = [(float(x), float(y))]
    away = ((spots - found[0]) ** 2).sum(1)
    while len(found) < count:
        next_one = spots[int(away.argmax())]
        found.append((float(next_one[0]), float(next_one[1])))
        away = np.minimum(away, ((spots - next_one) ** 2).sum(1))
    return found


def distance_to(lab: Lab, clusters: list[Cluster]) -> Array:
    """Least squared Mahalanobis distance (diagonal) of every pixel to any of the clusters."""
    nearest = np.full(lab.shape[:2], 1e3, np.float32)
    for cluster in clusters:
        scaled = (lab - cluster.mean.astype(np.float32)) / cluster.spread.astype(np.float32)
        np.minimum(nearest, np.einsum("ijk,ijk->ij", scaled, scaled), out=nearest)
    return nearest


def fill_from_nearest(picture: Array, known: Mask) -> Array:
    """Every unknown pixel takes the colour of the nearest known one."""
    if not known.any():
        return picture
    _, labels = cv2.distanceTransformWithLabels(
        1 - known, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(known)
    table = np.zeros((int(labels.max()) + 1, picture.shape[2]), picture.dtype)
    table[labels[rows, columns]] = picture[rows, columns]
    return np.asarray(table[labels])
