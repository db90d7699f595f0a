"""A drawn person: an illustrated figure for demo pages and tests, ours to publish.

Parts are drawn as outlines and lit as if they were round; the engine's own detectors accept it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Points
from selify.tryon.engine.masks import blur

WIDTH, HEIGHT = 720, 1080
_X = 360.0

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """Colours are blue, green, red. ``sleeves``: short or long, of the top that is worn."""

    skin: Colour = (132, 168, 214)
    hair: Colour = (34, 42, 58)
    top: Colour = (150, 146, 142)
    trousers: Colour = (86, 66, 52)
    long_sleeves: bool = False


LOOKS: dict[str, Look] = {
    "alex": Look(),
    "sam": Look(skin=(72, 104, 158), hair=(22, 24, 28), top=(88, 128, 62), trousers=(60, 60, 66)),
    "kim": Look(skin=(150, 186, 228), hair=(36, 84, 132), top=(206, 208, 210), long_sleeves=True),
}


def draw_person(look: Look | None = None) -> Bgr:
    """(1080, 720, 3) uint8: standing, from the front, head to below the knees."""
    look = look or Look()
    canvas = _backdrop()
    _legs(canvas, look)
    _arms(canvas, look)
    _neck(canvas, look)
    _torso(canvas, look)
    _sleeves(canvas, look)
    _head(canvas, look)
    grain = np.random.default_rng(5).standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32)
    return np.asarray(np.clip(canvas + 1.6 * grain, 0, 255).astype(np.uint8))


def _backdrop() -> Array:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    fall = 1 - 0.10 * np.hypot((x - _X) / WIDTH, (y - 0.4 * HEIGHT) / HEIGHT)
    return np.asarray(np.ones((HEIGHT, WIDTH, 3), np.float32) * (222, 219, 214) * fall[..., None])


# --- Parts ----------------------------------------------------------------------------------------


def _legs(canvas: Array, look: Look) -> None:
    for sign in (-1, 1):
        leg = [(4, 640), (112, 640), (122, 720), (112, 880), (92, 1080), (24, 1080), (14, 860)]
        _part(canvas, _side(leg, sign), look.trousers, 60, folds=0.05)
    _part(
        canvas, _both([(0, 600), (102, 600), (116, 680), (112, 730), (6, 740)]), look.trousers, 70
    )


def _arms(canvas: Array, look: Look) -> None:
    for sign in (-1, 1):
        arm = [(118, 330), (160, 318), (196, 360), (206, 470), (212, 520), (214, 590), (206, 660)]
        arm += [(178, 662), (172, 590), (164, 520), (150, 440)]
        _part(canvas, _side(arm, sign), look.skin, 26)
        hand = [(178, 650), (206, 650), (216, 688), (210, 728), (196, 748), (184, 742), (178, 716)]
        hand += [(168, 704), (166, 680)]
        _part(canvas, _side(hand, sign), look.skin, 18)
        for step in (188, 196, 204):
            line = _side([(step, 706), (step - 3, 738)], sign)
            _stroke(canvas, line, _shade(look.skin, 0.78), 2)


def _neck(canvas: Array, look: Look) -> None:
    neck = _both([(0, 196), (44, 200), (46, 258), (74, 284), (60, 320), (0, 340)])
    _part(canvas, neck, _shade(look.skin, 0.92), 30)


def _torso(canvas: Array, look: Look) -> None:
    half = [(58, 272), (112, 290), (150, 306), (160, 350), (134, 430), (122, 520), (120, 600)]
    half += [(124, 652), (0, 660)]
    body = _both([(0, 318), (34, 306), *half])
    _part(canvas, body, look.top, 80, folds=0.06)
    collar = np.array(
        [(_X + x, y) for x, y in ((-58, 273), (-34, 306), (0, 319), (34, 306), (58, 273))]
    )
    _stroke(canvas, _rounded(collar, closed=False), _shade(look.top, 0.84), 9)


def _sleeves(canvas: Array, look: Look) -> None:
    for sign in (-1, 1):
        if look.long_sleeves:
            sleeve = [(112, 292), (152, 302), (190, 338), (214, 470), (222, 560), (222, 656)]
            sleeve += [(170, 660), (164, 560), (154, 480), (130, 400)]
        else:
            sleeve = [(112, 292), (152, 302), (190, 338), (216, 462), (152, 476), (130, 400)]
        _part(canvas, _side(sleeve, sign), look.top, 34, folds=0.05)


def _head(canvas: Array, look: Look) -> None:
    hair = _both([(0, 46), (56, 56), (80, 100), (82, 150), (72, 170), (0, 176)])
    _part(canvas, hair, look.hair, 30)
    for sign in (-1, 1):
        ear = _side([(66, 140), (80, 136), (82, 164), (70, 178)], sign)
        _part(canvas, ear, _shade(look.skin, 0.9), 10)
    face = _both(
        [(0, 74), (44, 80), (66, 110), (69, 150), (62, 190), (40, 222), (16, 236), (0, 238)]
    )
    _part(canvas, face, look.skin, 46)
    fringe = _both([(0, 44), (52, 54), (76, 92), (72, 122), (58, 98), (30, 88), (0, 90)])
    _part(canvas, fringe, look.hair, 16)
    _features(canvas, look)


def _features(canvas: Array, look: Look) -> None:
    for sign in (-1, 1):
        _eye(canvas, look, _X + sign * 29, 142)
        brow = np.array([(_X + sign * x, y) for x, y in ((14, 124), (30, 117), (47, 123))])
        _stroke(canvas, _rounded(brow, closed=False), _shade(look.hair, 1.0), 6)
        cheek = np.zeros((HEIGHT, WIDTH), np.float32)
        cv2.circle(cheek, (int(_X + sign * 38), 182), 14, (1.0,), -1)
        _tint(canvas, blur(cheek, 9), (110, 110, 214), 0.22)
    dark = _shade(look.skin, 0.72)
    nose = np.array([(_X - 5, 146), (_X - 9, 172), (_X - 12, 180), (_X - 4, 185), (_X + 6, 184)])
    _stroke(canvas, _rounded(nose, closed=False), dark, 3)
    for sign in (-1, 1):
        cv2.ellipse(
            canvas,
            (int(_X + sign * 7), 183),
            (4, 2),
            0,
            0,
            360,
            _shade(look.skin, 0.5),
            -1,
            cv2.LINE_AA,
        )
    mouth = np.array(
        [(_X + x, y) for x, y in ((-24, 205), (-8, 201), (0, 203), (8, 201), (24, 205), (0, 217))]
    )
    _part(canvas, _rounded(mouth), _mixed(look.skin, (86, 78, 176), 0.6), 6)
    line = np.array([(_X - 24, 205), (_X, 208), (_X + 24, 205)])
    _stroke(canvas, _rounded(line, closed=False), _shade(look.skin, 0.45), 2)


def _eye(canvas: Array, look: Look, x: float, y: float) -> None:
    white = np.array([(x - 15, y + 1), (x - 6, y - 7), (x + 6, y - 7), (x + 15, y + 1), (x, y + 7)])
    _part(canvas, _rounded(white), (236, 238, 240), 5)
    for radius, tone in ((7, (52, 78, 104)), (3, (18, 18, 20))):
        cv2.circle(canvas, (round(x), round(y - 1)), radius, tone, -1, cv2.LINE_AA)
    cv2.circle(canvas, (round(x + 2), round(y - 4)), 2, (245, 245, 245), -1, cv2.LINE_AA)
    lid = np.array([(x - 16, y + 1), (x - 6, y - 8), (x + 6, y - 8), (x + 16, y)])
    _stroke(canvas, _rounded(lid, closed=False), _shade(look.skin, 0.3), 3)


# --- Brush ----------------------------------------------------------------------------------------


def _side(half: Sequence[tuple[float, float]], sign: int) -> Points:
    return _rounded(np.array([(_X + sign * x, y) for x, y in half], float))


def _both(half: Sequence[tuple[float, float]]) -> Points:
    left = [(_X - x, y) for x, y in half]
    right = [(_X + x, y) for x, y in half[::-1]]
    return _rounded(np.array(left + right, float))


def _rounded(points: Points, *, closed: bool = True) -> Points:
    """Two rounds of corner cutting (Chaikin 1974)."""
    for _ in range(2):
        following = np.roll(points, -1, 0) if closed else points[1:]
        first = points if closed else points[:-1]
        cut = np.empty((2 * len(first), 2))
        cut[0::2], cut[1::2] = first * 0.75 + following * 0.25, first * 0.25 + following * 0.75
        points = cut if closed else np.vstack([points[:1], cut, points[-1:]])
    return points


def _part(
    canvas: Array, outline: Points, colour: Colour, roundness: float, folds: float = 0.0
) -> None:
    """Fill an outline with a colour, lit from above left as if it bulged towards us."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    # Further away than its blur reaches, the part changes nothing.
    x, y, width, height = cv2.boundingRect(mask)
    reach = round(roundness) + 8
    here = np.s_[max(0, y - reach) : y + height + reach, max(0, x - reach) : x + width + reach]
    light = _bulge(mask[here], roundness)
    if folds:
        light = light * (1 + folds * _noise(int(roundness))[here])
    cover = (mask[here].astype(np.float32) / 255)[..., None]
    lit = np.array(colour, np.float32) * light[..., None] * cover
    canvas[here] = canvas[here] * (1 - cover) + lit


def _noise(seed: int) -> Array:
    raw = np.random.default_rng(seed).standard_normal((HEIGHT // 4, WIDTH // 4), dtype=np.float32)
    noise = cv2.GaussianBlur(raw, (0, 0), 5, sigmaY=18)
    return cv2.resize(
        noise * (1.0 / float(noise.std())), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
    )


def _bulge(mask: Mask, roundness: float) -> Array:
    depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(depth / roundness, 0, 1)
    height = blur(np.sqrt(1 - (1 - share) ** 2) * roundness, max(1.5, roundness * 0.12))
    across, down = cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
    facing = 1 / np.sqrt(1 + across**2 + down**2)
    return 0.66 + 0.40 * facing + 0.10 * (-across - down) * facing


def _stroke(canvas: Array, path: Points, colour: Colour, thick: int) -> None:
    points = np.round(path * 16).astype(np.int32)
    cv2.polylines(canvas, [points], False, colour, thick, cv2.LINE_AA, 4)


def _tint(canvas: Array, cover: Array, colour: Colour, strength: float) -> None:
    share = (cover * strength)[..., None]
    canvas[:] = canvas * (1 - share) + np.array(colour, np.float32) * share


def _shade(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def _mixed(first: Colour, second: Colour, share: float) -> Colour:
    a, b, c = (x * (1 - share) + y * share for x, y in zip(first, second, strict=True))
    return (a, b, c)
