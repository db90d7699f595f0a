"""Garments drawn from nothing: flat-lays with true alpha, ours to publish.

They stock the demo wardrobe, and give tests masks that are exact. ``wardrobe()`` lists them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Mask, Points, Soft
from selify.tryon.engine.masks import blur
from selify.tryon.types import GarmentCategory

WIDTH, HEIGHT = 900, 1000
_MIDDLE = WIDTH / 2
_BACKDROP = (240.0, 242.0, 243.0)

Colour = tuple[float, float, float]
"""Blue, green, red, 0..255."""


@dataclass(frozen=True, slots=True)
class DrawnGarment:
    """``bgra``: (1000, 900, 4) uint8; its colours go on under the transparent part."""

    slug: str
    title: str
    category: GarmentCategory
    bgra: Array

    def png(self) -> bytes:
        """With its transparency."""
        return _png(self.bgra)

    def photo(self) -> bytes:
        """A PNG of ``on_backdrop``."""
        return _png(self.on_backdrop())

    def on_backdrop(self) -> Array:
        """(H, W, 3) uint8: laid on a light table, with a soft shadow, as shops photograph it."""
        alpha = self.bgra[..., 3:].astype(np.float32) / 255
        shadow = np.roll(blur(alpha[..., 0], 14), 10, 0)[..., None]
        table = np.array(_BACKDROP, np.float32) * (1 - 0.16 * shadow)
        return np.clip(self.bgra[..., :3] * alpha + table * (1 - alpha), 0, 255).astype(np.uint8)


def wardrobe() -> tuple[DrawnGarment, ...]:
    """The demo wardrobe."""
    return (
        tee("tee-forest", "Forest tee", (62, 92, 38), stamp=word("ONWARD", (226, 238, 240))),
        tee("tee-sunrise", "Sunrise tee", (226, 236, 240), stamp=sunrise),
        tee("tee-harbour", "Harbour stripe tee", (228, 233, 236), stamp=stripes((98, 52, 30))),
        tee("tee-clay", "Clay tee", (74, 98, 190)),
        tee("tee-white", "White tee", (240, 243, 244)),
        long_sleeve("longsleeve-plum", "Plum long sleeve", (84, 42, 98)),
        dress("dress-meadow", "Meadow dress", (196, 150, 84), stamp=dots((232, 240, 244))),
        trousers("trousers-ink", "Ink trousers", (92, 60, 44)),
    )


# --- Cuts -----------------------------------------------------------------------------------------


def tee(slug: str, title: str, colour: Colour, stamp: "Stamp | None" = None) -> DrawnGarment:
    left = [(95, 110), (190, 138), (255, 172), (395, 400), (278, 465), (226, 378)]
    left += [(228, 600), (234, 895)]
    seams = [((225, 380), (252, 176))]
    hems = [((395, 400), (278, 465), 16)]
    return _top(slug, title, colour, stamp, left, seams, hems, GarmentCategory.TOP)


def long_sleeve(
    slug: str, title: str, colour: Colour, stamp: "Stamp | None" = None
) -> DrawnGarment:
    left = [(95, 110), (190, 138), (255, 172), (335, 420), (425, 800), (335, 828), (262, 520)]
    left += [(226, 378), (228, 600), (234, 895)]
    seams = [((225, 380), (252, 176))]
    hems = [((425, 800), (335, 828), 30)]
    return _top(slug, title, colour, stamp, left, seams, hems, GarmentCategory.TOP)


def dress(slug: str, title: str, colour: Colour, stamp: "Stamp | None" = None) -> DrawnGarment:
    left = [(92, 60), (140, 66), (132, 130), (146, 196), (186, 232), (172, 330), (160, 420)]
    left += [(200, 560), (262, 760), (306, 950)]
    seams = [((160, 420), (-160, 420))]
    return _top(slug, title, colour, stamp, left, seams, [], GarmentCategory.DRESS, depth=105)


def trousers(slug: str, title: str, colour: Colour) -> DrawnGarment:
    half = [(150, 60), (172, 200), (186, 360), (178, 620), (162, 945), (52, 950), (22, 640)]
    left = [(_MIDDLE - x, y) for x, y in half]
    right = [(2 * _MIDDLE - x, y) for x, y in left][::-1]
    outline = np.array([*left, (_MIDDLE, 372), *right], float)
    outline = np.vstack([outline, [(_MIDDLE + 60, 66), (_MIDDLE - 60, 66)]])
    cover = _filled(outline)
    picture = _dyed(colour)
    _line(picture, [(_MIDDLE, 70), (_MIDDLE, 372)], colour, 0.72, 4)
    _band(picture, [(_MIDDLE - 160, 62), (_MIDDLE + 160, 62)], colour, 0.86, 54)
    for sign in (-1, 1):
        pocket = [
            (_MIDDLE + sign * 162, 122),
            (_MIDDLE + sign * 112, 196),
            (_MIDDLE + sign * 176, 250),
        ]
        _line(picture, pocket, colour, 0.72, 4)
        _line(picture, [(_MIDDLE + sign * 106, 300), (_MIDDLE + sign * 106, 930)], colour, 0.9, 3)
    return _finished(slug, title, GarmentCategory.BOTTOM, picture, cover, [])


Segment = tuple[tuple[float, float], tuple[float, float]]
Path = Sequence[tuple[float, float]]


def _top(
    slug: str,
    title: str,
    colour: Colour,
    stamp: "Stamp | None",
    half: Path,
    seams: Sequence[Segment],
    hems: Sequence[tuple[tuple[float, float], tuple[float, float], int]],
    category: GarmentCategory,
    depth: float = 118,
) -> DrawnGarment:
    """``half``: the outline's left half, from collar to hem, as distances from the middle."""
    left = [(_MIDDLE - x, float(y)) for x, y in half]
    collar, hem = left[0], left[-1]
    width, level = 2 * half[0][0], collar[1]
    bottom = _arc(hem, (2 * _MIDDLE - hem[0], hem[1]), 14)
    back = _arc((2 * _MIDDLE - collar[0], level), collar, 38)
    right = [(2 * _MIDDLE - x, y) for x, y in left][::-1]
    cover = _filled(np.vstack([left, bottom[1:-1], right, back[1:-1]]))
    picture = _dyed(colour)
    if stamp is not None:
        stamp(picture)
    front = _arc(collar, (collar[0] + width, level), depth)
    _inside_of_back(picture, colour, front, back)
    _band(picture, front + np.array([0, 9]), colour, 0.82, 16)
    for start, end, thick in hems:
        for sign in (-1, 1):
            ends = [(_MIDDLE + sign * start[0], start[1]), (_MIDDLE + sign * end[0], end[1])]
            _band(picture, ends, colour, 0.9, thick)
    both = [
        ((_MIDDLE + sign * a[0], a[1]), (_MIDDLE + sign * b[0], b[1]))
        for a, b in seams
        for sign in (-1, 1)
    ]
    return _finished(slug, title, category, picture, cover, both)


# --- Prints ---------------------------------------------------------------------------------------

Stamp = Callable[[Array], None]
"""Draws on the (H, W, 3) float32 picture of the cloth."""


def word(text: str, colour: Colour) -> Stamp:
    def draw(picture: Array) -> None:
        for top, low in ((430, 466), (486, 504)):
            picture[top:low] = colour
        size = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 2.5, 9)[0]
        at = (int(_MIDDLE - size[0] / 2), 640)
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_DUPLEX, 2.5, colour, 9, cv2.LINE_AA)

    return draw


def stripes(colour: Colour, pitch: int = 52, thick: int = 20) -> Stamp:
    def draw(picture: Array) -> None:
        for top in range(190, HEIGHT, pitch):
            picture[top : top + thick] = colour

    return draw


def dots(colour: Colour, pitch: int = 46) -> Stamp:
    def draw(picture: Array) -> None:
        for row, y in enumerate(range(20, HEIGHT, pitch)):
            for x in range(20 + (row % 2) * pitch // 2, WIDTH, pitch):
                cv2.circle(picture, (x, y), 8, colour, -1, cv2.LINE_AA)

    return draw


def sunrise(picture: Array) -> None:
    """A sun with rays over three waves."""
    centre = (int(_MIDDLE), 470)
    for angle in np.linspace(np.pi, 2 * np.pi, 13):
        reach = np.array([np.cos(angle), np.sin(angle)])
        start, end = (np.array(centre) + reach * r for r in (108, 150))
        cv2.line(picture, _pixel(start), _pixel(end), (40, 130, 235), 9, cv2.LINE_AA)
    cv2.ellipse(picture, centre, (88, 88), 0, 180, 360, (58, 176, 246), -1, cv2.LINE_AA)
    x = np.linspace(-150, 150, 80)
    for step, colour in enumerate(((150, 96, 32), (176, 128, 60), (110, 62, 22))):
        wave = 500 + 46 * step + 12 * np.sin(x / 26 + step)
        points = np.stack([x + _MIDDLE, wave], 1).round().astype(np.int32)
        cv2.polylines(picture, [points], False, colour, 17, cv2.LINE_AA)


# --- Cloth ----------------------------------------------------------------------------------------


def _dyed(colour: Colour) -> Array:
    return np.ones((HEIGHT, WIDTH, 3), np.float32) * np.array(colour, np.float32)


def _arc(start: tuple[float, float], end: tuple[float, float], depth: float) -> Points:
    t = np.linspace(0, 1, 40)[:, None]
    points = np.array(start) * (1 - t) + np.array(end) * t
    return points + np.array([0, depth]) * 4 * t * (1 - t)


def _filled(outline: Points) -> Soft:
    """Anti-aliased, with rounded corners."""
    large = np.zeros((HEIGHT * 2, WIDTH * 2), np.uint8)
    cv2.fillPoly(large, [np.round(outline * 2).astype(np.int32)], (255,))
    mask = cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(mask, (0, 0), 3).astype(np.float32)
    return np.clip((soft - 100) * 4, 0, 255) / 255


def _inside_of_back(picture: Array, colour: Colour, front: Points, back: Points) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.round(np.vstack([front, back])).astype(np.int32)], (1,))
    picture[mask > 0] = np.array(colour, np.float32) * 0.55


def _band(
    picture: Array,
    path: Points | Path,
    colour: Colour,
    shade: float,
    thick: int,
) -> None:
    """A hem or a rib: the same cloth, a little darker."""
    tone = tuple(float(v * shade) for v in colour)
    points = np.round(np.asarray(path)).astype(np.int32)
    cv2.polylines(picture, [points], False, tone, thick, cv2.LINE_AA)


_line = _band


def _pixel(point: Points) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _finished(
    slug: str,
    title: str,
    category: GarmentCategory,
    picture: Array,
    cover: Soft,
    seams: Sequence[Segment],
) -> DrawnGarment:
    lit = np.clip(picture * _light(cover, seams)[..., None], 0, 255)
    bgra = np.dstack([lit, cover * 255]).round().astype(np.uint8)
    return DrawnGarment(slug, title, category, bgra)


def _light(cover: Soft, seams: Sequence[Segment]) -> Array:
    """Folds, weave, a rounded rim, and seams."""
    random = np.random.default_rng(3)
    folds = np.zeros((HEIGHT, WIDTH), np.float32)
    for step, across, down, weight in ((4, 6, 26, 0.55), (4, 22, 7, 0.35), (2, 3, 14, 0.12)):
        raw = random.standard_normal((HEIGHT // step, WIDTH // step), dtype=np.float32)
        noise = cv2.GaussianBlur(raw, (0, 0), across, sigmaY=down)
        noise = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        folds += noise * (weight / float(noise.std()))
    weave = random.standard_normal((HEIGHT, WIDTH), dtype=np.float32)
    inside: Mask = (cover > 0.5).astype(np.uint8)
    rim = np.clip(cv2.distanceTransform(inside, cv2.DIST_L2, 5) / 40, 0, 1)
    light = (1 + 0.05 * folds / float(folds.std()) + 0.016 * weave) * (0.82 + 0.18 * rim)
    for start, end in seams:
        line = np.zeros((HEIGHT, WIDTH), np.float32)
        cv2.line(line, _pixel(np.array(start)), _pixel(np.array(end)), (1.0,), 5, cv2.LINE_AA)
        light *= 1 - 0.2 * cv2.GaussianBlur(line, (0, 0), 3)
    return light


def _png(picture: Array) -> bytes:
    # A seventh more bytes than the densest, in a thirtieth of its time.
    _, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    return bytes(data)
