"""Draws a person as a phone's picture, with what is where in it."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Bgr, Mask, Point
from selify_sandbox.drawn_world.anatomy import (
    CHIN,
    FINER,
    HEIGHT,
    MIDDLE,
    WIDTH,
    Body,
    Limb,
    filled,
    rounded,
)
from selify_sandbox.drawn_world.canvas import Canvas, finished, mixed, shade
from selify_sandbox.drawn_world.heads import paint_hair_behind, paint_hair_in_front, paint_head
from selify_sandbox.drawn_world.sewing import Sewn
from selify_sandbox.drawn_world.specs import Backdrop, Light, Part, Person, Piece


@dataclass(frozen=True, slots=True)
class DrawnPerson:
    """``bgr``: (H, 720, 3) uint8. ``parts``: (H, 720) uint8 of ``Part``, exact to the pixel."""

    person: Person
    body: Body
    bgr: Bgr
    parts: Array

    @property
    def silhouette(self) -> Mask:
        return np.asarray((self.parts > Part.BACKGROUND).astype(np.uint8))

    @property
    def face(self) -> Mask:
        """Skin above the chin."""
        face = self.mask(Part.SKIN)
        face[int(CHIN) :] = 0
        return face

    def mask(self, part: Part) -> Mask:
        return np.asarray((self.parts == part).astype(np.uint8))

    @property
    def shoulder_tips(self) -> tuple[Point, Point]:
        return self.body.shoulder_tip(0), self.body.shoulder_tip(1)

    def cuffs(self, piece: Piece) -> tuple[Point, Point]:
        """The middles of the sleeves' ends; of a sleeveless piece the shoulder joints."""
        left, right = (arm.until(piece.cut.sleeve).path[-1] for arm in self.body.arms)
        return left, right

    def hem_row(self, piece: Piece) -> float:
        """Of trunk or skirt, or of the legs where it has any."""
        if piece.cut.legs:
            return float(self.body.legs[0].until(piece.cut.legs).path[-1][1])
        return self.body.row(piece.cut.hem)

    def png(self) -> bytes:
        return bytes(cv2.imencode(".png", self.bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1])


def draw(person: Person) -> DrawnPerson:
    body = Body.of(person.shape, person.pose)
    canvas = Canvas.on(_backdrop(person), person.light.side)
    _Figure(canvas, person, body).paint()
    picture = _lit(canvas.picture(), person.light)[: person.height]
    parts = canvas.labels()[: person.height]
    return DrawnPerson(person, body, _taken(picture, person), np.ascontiguousarray(parts))


# --- The figure, from behind to the front ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Figure:
    canvas: Canvas
    person: Person
    body: Body

    def paint(self) -> None:
        upper, lower, outer = (self._sewn(p) for p in self._worn())
        self._limbs(self.body.legs, 40)
        self._feet()
        paint_hair_behind(self.canvas, self.person)
        self._trunk()
        self._limbs(self.body.arms, 26)
        shirts = [piece for piece in (upper, outer) if piece is not None]
        for side in SIDES:
            if shirts:
                shirts[-1].paint_sleeve(self.canvas, side)
        if lower is not None:
            lower.paint_trunk(self.canvas, only=self._below(upper))
        for piece in shirts:
            piece.paint_trunk(self.canvas)
        for side in SIDES:
            self._forearm(side, shirts)
        paint_head(self.canvas, self.person)
        paint_hair_in_front(self.canvas, self.person)

    def _worn(self) -> tuple[Piece | None, Piece | None, Piece | None]:
        return self.person.upper, self.person.lower, self.person.outer

    def _sewn(self, piece: Piece | None) -> Sewn | None:
        return None if piece is None else Sewn.of(piece, self.body, seed=self.person.seed + 7)

    def _below(self, upper: Sewn | None) -> Mask | None:
        """What a top does not hide, also where it is narrower than what is worn under it."""
        if upper is None:
            return None
        mask = np.ones(self._shape, np.uint8)
        mask[: round((self.body.row(upper.piece.cut.hem) - 6) * FINER)] = 0
        return mask

    def _trunk(self) -> None:
        skin = filled(self._shape, self.body.skin_trunk())
        self.canvas.paint(skin, self.person.skin, Part.SKIN, round_by=46)
        self.canvas.glow(MIDDLE, 244, 30, shade(self.person.skin, 0.62), 0.6)

    def _limbs(self, limbs: tuple[Limb, Limb], round_by: float) -> None:
        for limb in limbs:
            mask = limb.mask(self._shape)
            self.canvas.paint(mask, self.person.skin, Part.SKIN, round_by=round_by, shadow=0.1)

    def _feet(self) -> None:
        for side, leg in zip(SIDES, self.body.legs, strict=True):
            x, y = leg.path[-1]
            sign = 2 * side - 1
            half = [(-26, -14), (26, -14), (34, 26), (26, 46), (-24, 46), (-30, 22)]
            shoe = np.array([(x + sign * (a + 4), y + b) for a, b in half], float)
            mask = filled(self._shape, rounded(shoe))
            self.canvas.paint(mask, (52.0, 50.0, 54.0), Part.SHOES, round_by=22)

    def _forearm(self, side: int, shirts: list[Sewn]) -> None:
        """The lower arm lies before the trunk; the hand at its end."""
        arm, canvas, skin = self.body.arms[side], self.canvas, self.person.skin
        front = arm.after(0.55, more=14).mask(self._shape)
        hand = self._hand(arm)
        # The arm above must not be shadowed by its own lower half.
        canvas.cast(arm.after(0.72).mask(self._shape), 0.25)
        whole = arm.mask(self._shape)
        canvas.paint(whole, skin, Part.SKIN, round_by=26, shadow=0, only=front)
        canvas.paint(hand, skin, Part.SKIN, round_by=18, shadow=0.1)
        self._fingers(arm)
        if shirts:
            shirts[-1].paint_sleeve(canvas, side, front)

    def _hand(self, arm: Limb) -> Mask:
        return filled(self._shape, rounded(self._along(arm, _HAND)))

    def _fingers(self, arm: Limb) -> None:
        for across in (-7, 0, 7):
            line = self._along(arm, [(44, across), (70, across * 0.9)])
            self.canvas.stroke(line, shade(self.person.skin, 0.75), 2, 0.7)

    def _along(self, arm: Limb, points: list[tuple[float, float]]) -> Array:
        """Points (onwards, across) from the wrist."""
        onwards = (arm.path[-1] - arm.path[-8]) / np.hypot(*(arm.path[-1] - arm.path[-8]))
        # The thumb points to the middle.
        sign = 1 if arm.path[0][0] < MIDDLE else -1
        across = np.array([onwards[1], -onwards[0]]) * sign
        return np.array([arm.path[-1] + onwards * a + across * b for a, b in points])

    @property
    def _shape(self) -> tuple[int, int]:
        return HEIGHT * FINER, WIDTH * FINER


_HAND: list[tuple[float, float]] = [
    (-14, -16), (-14, 16), (8, 20), (26, 32), (44, 30), (42, 20), (60, 17), (78, 11), (82, -4),
    (72, -17), (40, -21), (10, -19),
]  # fmt: skip


# --- The picture ----------------------------------------------------------------------------------

_FLOOR = 1128


def _backdrop(person: Person) -> Array:
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
    columns = np.arange(WIDTH, dtype=np.float32)[None]
    wall = np.empty((HEIGHT, WIDTH, 3), np.float32)
    wall[:] = person.wall
    if person.backdrop is Backdrop.ROOM:
        _furnish(wall, person.seed)
    boards = shade(person.wall, 0.62)
    planks = (0.9 + 0.1 * (np.sin(columns / 9) > 0))[..., None]
    wall[_FLOOR:] = np.array(boards, np.float32) * planks
    wall[_FLOOR : _FLOOR + 8] *= 0.9
    fall = 1 - 0.12 * np.hypot((columns - MIDDLE) / WIDTH, (rows - 0.4 * HEIGHT) / HEIGHT)
    return wall * fall[..., None]


def _furnish(wall: Array, seed: int) -> None:
    """Shelves, frames and a window, out of focus."""
    random = np.random.default_rng(seed)
    for _ in range(26):
        x, y = int(random.integers(-40, WIDTH)), int(random.integers(-40, 1080))
        width, height = (int(v) for v in random.integers(40, 190, 2))
        blue, green, red = (float(v) for v in random.uniform(40, 215, 3))
        grey = (blue + green + red) / 3
        tone = mixed((blue, green, red), (grey, grey, grey), 0.55)
        cv2.rectangle(wall, (x, y), (x + width, y + height), tone, -1)
        cv2.rectangle(wall, (x, y), (x + width, y + height), shade(tone, 0.6), 6)
    wall[:] = cv2.GaussianBlur(wall, (0, 0), 5)


def _lit(picture: Array, light: Light) -> Array:
    """Light that falls off from one side, its colour, and its level."""
    x = (np.arange(WIDTH, dtype=np.float32) - MIDDLE) / MIDDLE
    across = (1 + 0.22 * light.side * x)[None, :, None]
    return np.asarray(picture * across * np.array(light.cast, np.float32) * light.level)


def _taken(picture: Array, person: Person) -> Bgr:
    if person.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), person.blur)
    bgr = finished(picture, person.seed)
    if person.jpeg is None:
        return bgr
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, person.jpeg])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
