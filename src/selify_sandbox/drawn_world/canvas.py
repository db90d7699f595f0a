"""Paint and light: masks filled with cloth or skin that look round, folded and in front."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Point, Points
from selify.tryon.engine.masks import blur
from selify_sandbox.drawn_world.anatomy import FINER, HEIGHT, WIDTH
from selify_sandbox.drawn_world.specs import Cloth, Colour, Part, Print


@dataclass(slots=True)
class Canvas:
    """``colour``: (H, W, 3) float32 and ``parts``: (H, W) uint8, both finer than the picture.

    ``side``: where the light comes from, -1 left to 1 right.
    """

    colour: Array
    parts: Array
    side: float = -0.2

    @classmethod
    def on(cls, backdrop: Array, side: float) -> "Canvas":
        """``backdrop``: (1240, 720, 3)."""
        size = (WIDTH * FINER, HEIGHT * FINER)
        large = cv2.resize(backdrop.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        return cls(large, np.zeros(size[::-1], np.uint8), side)

    @classmethod
    def blank(cls, side: float) -> "Canvas":
        """Nothing on it yet."""
        shape = (HEIGHT * FINER, WIDTH * FINER)
        return cls(np.zeros((*shape, 3), np.float32), np.zeros(shape, np.uint8), side)

    @staticmethod
    def fine(point: Point) -> Point:
        """A point of the picture, here."""
        return point * FINER

    def bled(self) -> Array:
        """The colours, a few pixels beyond what was painted."""
        bled = self.colour.copy()
        here = _around(self.parts, 4)
        if here is not None:
            near = cv2.dilate(self.colour[here], np.ones((9, 9), np.uint8))
            bled[here] = np.where(self.parts[here][..., None] > 0, self.colour[here], near)
        return bled

    def paint(
        self,
        mask: Mask,
        tone: Array | Colour,
        part: Part | None,
        *,
        round_by: float,
        folds: Array | None = None,
        shadow: float = 0.22,
        only: Mask | None = None,
    ) -> None:
        """Fill a mask, as if it bulged towards us within ``round_by`` pixels of its rim.

        ``tone``: a colour, or a picture of the canvas's size. ``part`` None leaves the labels.
        ``folds``: factors on the light, of the canvas's size. ``shadow``: how dark it makes what
        lies close behind it. ``only``: the part of the mask that is not hidden.
        """
        here = _around(mask, 40)
        if here is None:
            return
        light = _bulge(mask[here], round_by, self.side)
        if folds is not None:
            light *= folds[here]
        shown = mask[here] if only is None else mask[here] & only[here]
        if shadow:
            self._cast(shown, here, shadow)
        inside, place = self._places(here, shown)
        lit = light.reshape(-1)[inside, None]
        if isinstance(tone, np.ndarray):
            self.colour.reshape(-1, 3)[place] = tone.reshape(-1, 3)[place] * lit
        else:
            self.colour.reshape(-1, 3)[place] = np.array(tone, np.float32) * lit
        if part is not None:
            self.parts.reshape(-1)[place] = part

    def cast(self, mask: Mask, strength: float) -> None:
        """The shadow alone of what will be painted."""
        here = _around(mask, 40)
        if here is not None:
            self._cast(mask[here], here, strength)

    def _cast(self, shown: Mask, here: "_Window", strength: float) -> None:
        """The shadow of what is about to be painted on what is painted already."""
        cast = np.roll(blur(shown.astype(np.float32), 9.0 * FINER), 5 * FINER, 0)
        hit = (cast > 0.02) & (self.parts[here] > 0)
        inside, place = self._places(here, hit)
        self.colour.reshape(-1, 3)[place] *= 1 - strength * cast.reshape(-1)[inside, None]

    def _places(self, here: "_Window", mask: Array) -> tuple[Array, Array]:
        """Indices of a window's pixels, into the flat window and the flat canvas: much faster than masks."""
        inside, width = np.flatnonzero(mask), self.parts.shape[1]
        row = inside // mask.shape[1]
        start = here[0].start * width + here[1].start
        return inside, inside + row * (width - mask.shape[1]) + start

    def stroke(self, path: Points, tone: Colour, thick: float, strength: float = 1.0) -> None:
        """A soft line, ``thick`` pixels of the picture wide."""
        line = np.zeros(self.parts.shape, np.uint8)
        points = np.round(path * FINER * 16).astype(np.int32)
        cv2.polylines(line, [points], False, (255,), max(1, round(thick * FINER)), cv2.LINE_AA, 4)
        self.tint(line, tone, strength)

    def tint(self, cover: Mask, tone: Colour, strength: float) -> None:
        """``cover``: 0..255."""
        here = _around(cover, 2)
        if here is None:
            return
        share = (cover[here].astype(np.float32) * (strength / 255))[..., None]
        self.colour[here] = self.colour[here] * (1 - share) + np.array(tone, np.float32) * share

    def glow(self, x: float, y: float, radius: float, tone: Colour, strength: float) -> None:
        """A soft spot, its middle and radius in pixels of the picture."""
        reach = 2.5 * radius
        left, top = (max(0, round((v - reach) * FINER)) for v in (x, y))
        here = np.s_[top : round((y + reach) * FINER), left : round((x + reach) * FINER)]
        rows, columns = np.ogrid[here]
        away = ((columns / FINER - x) ** 2 + (rows / FINER - y) ** 2) / radius**2
        share = (strength * np.exp(-away)).astype(np.float32)[..., None]
        self.colour[here] = self.colour[here] * (1 - share) + np.array(tone, np.float32) * share

    def picture(self) -> Array:
        """(1240, 720, 3) float32."""
        return cv2.resize(self.colour, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)

    def labels(self) -> Array:
        """(1240, 720) uint8 of ``Part``."""
        return np.ascontiguousarray(self.parts[FINER // 2 :: FINER, FINER // 2 :: FINER])


_Window = tuple[slice, slice]


def _around(mask: Array, margin: int) -> _Window | None:
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return None
    margin *= FINER
    return np.s_[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]


def _bulge(mask: Mask, round_by: float, side: float) -> Array:
    """Light 0.6..1.15 on a pillow of this outline; worked out at the picture's own size."""
    height, width = mask.shape
    size = (max(1, width // FINER), max(1, height // FINER))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    # What reaches the picture's edge goes on beyond it.
    padded = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    share = np.clip(depth / round_by, 0, 1)
    rise = blur(np.sqrt(1 - (1 - share) ** 2) * round_by, max(1.5, round_by * 0.14))
    across, down = cv2.Sobel(rise, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(rise, cv2.CV_32F, 0, 1) / 8
    facing = 1 / np.sqrt(1 + across**2 + down**2)
    light = 0.66 + 0.36 * facing + (0.10 * down - 0.22 * side * across) * facing
    return cv2.resize(light.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)


# --- Surfaces -------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def folds(seed: int, strength: float) -> Array:
    """Factors about 1: long soft folds and the weave, of the canvas's size. Not to be written to."""
    random = np.random.default_rng(seed)
    found = np.zeros((HEIGHT, WIDTH), np.float32)
    for across, down, weight in ((5, 26, 0.5), (20, 8, 0.35), (3, 9, 0.15)):
        raw = random.standard_normal((HEIGHT // 4, WIDTH // 4), dtype=np.float32)
        noise = cv2.GaussianBlur(raw, (0, 0), across / 2, sigmaY=down / 2)
        noise = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        found += noise * (weight / float(noise.std()))
    weave = random.standard_normal((HEIGHT, WIDTH), dtype=np.float32)
    light = 1 + strength * found / float(found.std()) + 0.012 * weave
    size = (WIDTH * FINER, HEIGHT * FINER)
    return cv2.resize(light, size, interpolation=cv2.INTER_LINEAR)


def dyed(cloth: Cloth, origin: tuple[float, float], unit: float) -> Array | Colour:
    """Cloth as large as the canvas, or its colour where it has no print.

    ``origin``: where collar and middle meet, in pixels of the picture; ``unit``: pixels that the
    print takes for 100.
    """
    if cloth.print is Print.PLAIN:
        return cloth.colour
    height, width = HEIGHT * FINER, WIDTH * FINER
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = cloth.colour
    scale = 100 / (unit * FINER)
    x = ((np.arange(width, dtype=np.float32) - origin[0] * FINER) * scale)[None]
    y = ((np.arange(height, dtype=np.float32) - origin[1] * FINER) * scale)[:, None]
    picture[_printed(cloth.print, x, y)] = cloth.second
    return picture


def _printed(pattern: Print, x: Array, y: Array) -> Array:
    """Where the print is, by place on the garment: 100 units are the half width of its chest."""
    if pattern is Print.STRIPES:
        return np.broadcast_to(y % 34 < 13, (y.shape[0], x.shape[1]))
    if pattern is Print.BLOCKS:
        return np.broadcast_to(y > 118, (y.shape[0], x.shape[1]))
    if pattern is Print.DOTS:
        shifted = x + 15 * ((y // 30) % 2)
        return np.asarray(np.hypot(shifted % 30 - 15, y % 30 - 15) < 6)
    sun = np.hypot(x, y - 115) < 40
    hole = np.hypot(x - 13, y - 104) < 22
    bar = (np.abs(x) < 58) & (np.abs(y - 172) < 7)
    return np.asarray((sun & ~hole) | bar)


def shade(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    a, b, c = (x * (1 - share) + y * share for x, y in zip(first, second, strict=True))
    return (a, b, c)


def finished(picture: Array, seed: int, grain: float = 1.6) -> Bgr:
    """uint8, with a camera's grain."""
    noise = np.random.default_rng(seed).standard_normal((*picture.shape[:2], 1), dtype=np.float32)
    return np.asarray(np.clip(picture + grain * noise, 0, 255).round().astype(np.uint8))
