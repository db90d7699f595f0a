"""Draws a garment as a shop's picture, with its true outline and measures."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Point, Soft
from selify.tryon.engine.masks import blur
from selify_sandbox.drawn_world.anatomy import MIDDLE, Body
from selify_sandbox.drawn_world.canvas import Canvas, finished
from selify_sandbox.drawn_world.sewing import Sewn
from selify_sandbox.drawn_world.specs import Arm, Garment, Neck, Pose, Shape, Shot

WIDTH, HEIGHT = 900, 1000
_FILLED = 0.84
_GROUNDS = {
    Shot.FLAT: (240.0, 242.0, 243.0),
    Shot.HANGER: (214.0, 218.0, 222.0),
    Shot.GHOST: (255.0, 255.0, 255.0),
    Shot.CRUMPLED: (226.0, 230.0, 232.0),
    Shot.WHITE: (252.0, 252.0, 252.0),
    Shot.BUSY: (120.0, 150.0, 180.0),
}
_SHADOWS = {Shot.FLAT: 0.16, Shot.HANGER: 0.22, Shot.CRUMPLED: 0.3, Shot.BUSY: 0.4}
_CREASES = {Shot.CRUMPLED: 0.13, Shot.GHOST: 0.06, Shot.HANGER: 0.06}
_LAID = Shape(shoulders=1.06, hips=1.08)


@dataclass(frozen=True, slots=True)
class DrawnGarment:
    """``bgr``: (1000, 900, 3) uint8; ``alpha``: (1000, 900), 0..1, the garment's true share.

    ``cuffs``: where the sleeves end (the shoulder joints where there are none); ``hem``: the row of
    trunk or skirt, or of the legs' ends; both in pixels of the picture.
    """

    garment: Garment
    bgr: Bgr
    alpha: Soft
    cuffs: tuple[Point, Point]
    hem: float

    @property
    def mask(self) -> Mask:
        return (self.alpha > 0.5).astype(np.uint8)

    @property
    def sleeve(self) -> float:
        """Share of the arm."""
        return self.garment.piece.cut.sleeve

    @property
    def neck(self) -> Neck:
        return self.garment.piece.cut.neck

    def png(self) -> bytes:
        return bytes(cv2.imencode(".png", self.bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1])


def draw(garment: Garment) -> DrawnGarment:
    body = Body.of(_LAID, _pose(garment.shot))
    canvas = Canvas.blank(side=-0.3)
    creases = _CREASES.get(garment.shot, 0.04)
    sewn = Sewn.of(garment.piece, body, seed=garment.seed, creases=creases)
    sewn.paint_inside(canvas)
    for side in (0, 1):
        sewn.paint_sleeve(canvas, side)
    sewn.paint_trunk(canvas)
    place = _placing(canvas)
    alpha = _placed((canvas.parts > 0).astype(np.float32), place)
    cloth = _placed(canvas.bled(), place)
    shot = finished(_photographed(garment, cloth, alpha), garment.seed, grain=1.2)
    return DrawnGarment(garment, shot, alpha, *_measures(garment, body, place))


def _pose(shot: Shot) -> Pose:
    """On a hanger and on a ghost the sleeves hang; laid flat they lie beside the body."""
    arm = Arm(16, 10) if shot in (Shot.HANGER, Shot.GHOST) else Arm(36, 28)
    return Pose(arm, arm)


def _placing(canvas: Canvas) -> Array:
    """(2, 3): from the canvas to the picture, which the garment fills."""
    x, y, width, height = cv2.boundingRect(canvas.parts)
    scale = _FILLED * min(WIDTH / width, HEIGHT / height)
    shift_x = WIDTH / 2 - scale * (x + width / 2)
    shift_y = HEIGHT * 0.51 - scale * (y + height / 2)
    return np.array([[scale, 0, shift_x], [0, scale, shift_y]])


def _placed(picture: Array, place: Array) -> Array:
    # Twice too large and then halved: no edge is ragged.
    large = cv2.warpAffine(picture, place * 2, (WIDTH * 2, HEIGHT * 2), flags=cv2.INTER_LINEAR)
    return cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def _measures(garment: Garment, body: Body, place: Array) -> tuple[tuple[Point, Point], float]:
    cut = garment.piece.cut
    left, right = (_at(place, arm.until(cut.sleeve).path[-1]) for arm in body.arms)
    low = body.row(cut.hem)
    if cut.legs:
        low = float(body.legs[0].until(cut.legs).path[-1][1])
    return (left, right), float(_at(place, np.array([MIDDLE, low]))[1])


def _at(place: Array, point: Point) -> Point:
    fine = Canvas.fine(point)
    return np.asarray(place[:, :2] @ fine + place[:, 2])


# --- The picture ----------------------------------------------------------------------------------


def _photographed(garment: Garment, cloth: Array, alpha: Soft) -> Array:
    ground = _ground(garment)
    shadow = np.roll(blur(alpha, 12), 9, 0) * _SHADOWS.get(garment.shot, 0.0)
    ground *= (1 - shadow)[..., None]
    if garment.shot is Shot.HANGER and garment.piece.cut.waist is None:
        _hang(ground, alpha)
    share = alpha[..., None]
    return np.asarray(cloth * share + ground * (1 - share))


def _ground(garment: Garment) -> Array:
    ground = np.empty((HEIGHT, WIDTH, 3), np.float32)
    ground[:] = _GROUNDS[garment.shot]
    if garment.shot is Shot.BUSY:
        _lay_boards(ground, garment.seed)
    return ground


def _lay_boards(ground: Array, seed: int) -> None:
    """A wooden floor with a patterned rug."""
    random = np.random.default_rng(seed)
    grain = random.standard_normal((HEIGHT, WIDTH // 6), dtype=np.float32)
    lines = cv2.resize(cv2.GaussianBlur(grain, (0, 0), 3, sigmaY=40), (WIDTH, HEIGHT))
    ground *= (1 + 0.12 * lines / float(lines.std()))[..., None]
    for x in range(0, WIDTH, 110):
        ground[:, x : x + 110] *= float(random.uniform(0.8, 1.12))
        ground[:, x : x + 4] *= 0.55
    rows, columns = np.mgrid[560:HEIGHT, :WIDTH]
    tiles = ((rows // 36 + columns // 36) % 2).astype(bool)
    ground[560:][tiles] = (70.0, 60.0, 150.0)
    ground[560:][~tiles] = (150.0, 170.0, 190.0)


def _hang(ground: Array, alpha: Soft) -> None:
    """A wooden hanger: its hook above the collar, its arms under the shoulders."""
    top = int(np.flatnonzero((alpha > 0.5).any(1))[0])
    middle = WIDTH // 2
    hook = (120.0, 124.0, 128.0)
    cv2.line(ground, (middle, top + 60), (middle, top - 16), hook, 6, cv2.LINE_AA)
    cv2.ellipse(ground, (middle, top - 38), (22, 22), 0, 90, 360, hook, 6, cv2.LINE_AA)
    for sign in (-1, 1):
        end = (middle + sign * 150, top + 92)
        cv2.line(ground, (middle, top + 22), end, (86.0, 126.0, 168.0), 18, cv2.LINE_AA)
