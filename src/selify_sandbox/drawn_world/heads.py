"""Heads: faces that the engine's own detector finds, and hair."""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Mask, Points
from selify_sandbox.drawn_world.anatomy import FINER, MIDDLE, filled, mirrored, rounded
from selify_sandbox.drawn_world.canvas import Canvas, mixed, shade
from selify_sandbox.drawn_world.specs import Colour, Hair, Part, Person

_LIP = (86.0, 78.0, 176.0)


def paint_hair_behind(canvas: Canvas, person: Person) -> None:
    """What hangs down behind neck and shoulders."""
    if person.hair is Hair.LONG:
        half = [(0.0, 44.0), (58.0, 54.0), (88.0, 104.0), (100.0, 190.0), (112.0, 300.0)]
        half += [(104.0, 372.0), (40.0, 384.0)]
        _paint(canvas, mirrored(half), person.hair_colour, Part.HAIR, 40)


def paint_head(canvas: Canvas, person: Person) -> None:
    skin = person.skin
    if person.hair is not Hair.NONE:
        half = [(0.0, 42.0), (56.0, 52.0), (81.0, 98.0), (83.0, 150.0), (72.0, 172.0), (0.0, 176.0)]
        _paint(canvas, mirrored(half), person.hair_colour, Part.HAIR, 30)
    for sign in (-1, 1):
        ear = _side([(64, 138), (79, 134), (82, 164), (68, 180)], sign)
        _paint(canvas, ear, shade(skin, 0.92), Part.SKIN, 10)
    half = [(0.0, 58.0), (40.0, 62.0), (64.0, 96.0), (70.0, 150.0), (63.0, 190.0)]
    half += [(42.0, 222.0), (17.0, 237.0), (0.0, 239.0)]
    _paint(canvas, mirrored(half), skin, Part.SKIN, 48)
    _soften(canvas, [(-44, 168, 20), (44, 168, 20)], mixed(skin, (96, 96, 220), 0.5), 0.25)
    _soften(canvas, [(0, 226, 26)], shade(skin, 0.8), 0.25)
    _features(canvas, person)
    _paint_fringe(canvas, person)


def paint_hair_in_front(canvas: Canvas, person: Person) -> None:
    """Two strands over the shoulders."""
    if person.hair is not Hair.LONG:
        return
    for sign in (-1, 1):
        strand = [(58, 72), (84, 108), (94, 190), (108, 280), (116, 350), (112, 408)]
        strand += [(92, 424), (76, 400), (74, 320), (70, 240), (72, 170), (70, 116)]
        _paint(canvas, _side(strand, sign), person.hair_colour, Part.HAIR, 20)
        for k in range(4):
            line = _side([(76 + 6 * k, 150), (80 + 7 * k, 270), (84 + 7 * k, 396)], sign)
            canvas.stroke(line, shade(person.hair_colour, 1.35 if k % 2 else 0.7), 2, 0.35)


def _paint_fringe(canvas: Canvas, person: Person) -> None:
    if person.hair is Hair.NONE:
        return
    half = [(0.0, 41.0), (54.0, 51.0), (79.0, 92.0), (78.0, 138.0), (70.0, 128.0), (61.0, 98.0)]
    half += [(30.0, 84.0), (0.0, 86.0)]
    _paint(canvas, mirrored(half), person.hair_colour, Part.HAIR, 18)
    for x in range(-52, 53, 13):
        line = np.array([(MIDDLE + x * 0.7, 48 + abs(x) * 0.2), (MIDDLE + x, 84 - abs(x) * 0.02)])
        canvas.stroke(line, shade(person.hair_colour, 1.4), 2, 0.25)


def _features(canvas: Canvas, person: Person) -> None:
    skin = person.skin
    brow = person.hair_colour if person.hair is not Hair.NONE else shade(skin, 0.4)
    for sign in (-1, 1):
        _soften(canvas, [(sign * 29, 138, 17)], shade(skin, 0.72), 0.35)
        _eye(canvas, skin, sign)
        arch = _open([(sign * x, y) for x, y in ((13, 124), (30, 116), (48, 124))])
        canvas.stroke(arch, mixed(brow, skin, 0.15), 6, 0.9)
    side = _open([(-5, 146), (-9, 170), (-13, 179), (-6, 186), (4, 187), (12, 180)])
    canvas.stroke(side, shade(skin, 0.7), 3, 0.65)
    _soften(canvas, [(3, 170, 7)], shade(skin, 1.12), 0.4)
    for sign in (-1, 1):
        _soften(canvas, [(sign * 7, 184, 3)], shade(skin, 0.42), 0.9)
    _mouth(canvas, skin)


def _mouth(canvas: Canvas, skin: Colour) -> None:
    lips = [(-25, 206), (-9, 201), (0, 203), (9, 201), (25, 206), (10, 216), (0, 218), (-10, 216)]
    outline = rounded(np.array([(MIDDLE + x, y) for x, y in lips], float))
    _paint(canvas, outline, mixed(skin, _LIP, 0.6), Part.SKIN, 6)
    canvas.stroke(_open([(-24, 206), (0, 209), (24, 206)]), shade(skin, 0.42), 2, 0.9)


def _eye(canvas: Canvas, skin: Colour, sign: int) -> None:
    x, y = sign * 29, 142
    white = [(x - 15, y + 1), (x - 6, y - 7), (x + 6, y - 7), (x + 15, y + 1), (x, y + 7)]
    outline = rounded(np.array([(MIDDLE + a, b) for a, b in white], float))
    _paint(canvas, outline, (226, 229, 232), Part.SKIN, 5)
    for radius, tone in ((7, (50, 74, 98)), (3.5, (16, 16, 18))):
        canvas.tint(_disc(canvas, x, y - 1, radius), tone, 1.0)
    canvas.tint(_disc(canvas, x + 2, y - 4, 1.8), (245, 245, 245), 0.9)
    lid = _open([(x - 16, y + 1), (x - 6, y - 8), (x + 6, y - 8), (x + 16, y)])
    canvas.stroke(lid, shade(skin, 0.28), 3)


# --- Brush ----------------------------------------------------------------------------------------


def _paint(canvas: Canvas, outline: Points, tone: Colour, part: Part, round_by: float) -> None:
    mask = filled((canvas.parts.shape[0], canvas.parts.shape[1]), rounded(outline))
    canvas.paint(mask, tone, part, round_by=round_by, shadow=0.12)


def _disc(canvas: Canvas, x: float, y: float, radius: float) -> Mask:
    mask = np.zeros(canvas.parts.shape, np.uint8)
    at = (round((MIDDLE + x) * FINER), round(y * FINER))
    cv2.circle(mask, at, round(radius * FINER), (255,), -1, cv2.LINE_AA)
    return mask


def _soften(
    canvas: Canvas, spots: list[tuple[int, int, int]], tone: Colour, strength: float
) -> None:
    """Soft spots: (x from the middle, y, radius)."""
    for x, y, radius in spots:
        canvas.glow(MIDDLE + x, y, radius, tone, strength)


def _side(half: list[tuple[int, int]], sign: int) -> Points:
    return np.array([(MIDDLE + sign * x, y) for x, y in half], float)


def _open(points: list[tuple[int, int]]) -> Points:
    return rounded(np.array([(MIDDLE + x, y) for x, y in points], float), closed=False)
