"""A piece of clothing painted on a canvas: the same on a body and laid flat."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Mask
from selify_sandbox.drawn_world.anatomy import CROTCH, FINER, MIDDLE, Body, Limb, Panels, panels
from selify_sandbox.drawn_world.canvas import Canvas, dyed, folds, shade
from selify_sandbox.drawn_world.specs import Colour, Front, Neck, Part, Piece

_SEAM, _RIB = 0.72, 0.84
_WITH_STRAPS = (Neck.STRAPS, Neck.THIN_STRAPS)


@dataclass(frozen=True, slots=True)
class Sewn:
    """A piece that is ready to be painted, panel by panel, in whatever order the body asks for."""

    piece: Piece
    body: Body
    panels: Panels
    tone: Array | Colour
    folds: Array

    @classmethod
    def of(cls, piece: Piece, body: Body, *, seed: int, creases: float = 0.045) -> "Sewn":
        cut = piece.cut
        top = body.row(0) - 14 if cut.waist is None else body.row(cut.waist)
        tone = dyed(piece.cloth, (MIDDLE, top), body.half_width(0.33))
        return cls(piece, body, panels(body, cut), tone, folds(seed, creases))

    @property
    def part(self) -> Part:
        return self.piece.cut.part

    def paint_trunk(self, canvas: Canvas, only: Mask | None = None) -> None:
        """With its legs. ``only``: as in ``Canvas.paint``."""
        cut, trunk = self.piece.cut, self.panels.trunk
        round_by = 52 if cut.legs else 78
        canvas.paint(
            trunk, self.tone, self.part, round_by=round_by, folds=self.folds, shadow=0.3, only=only
        )
        trunk = trunk if only is None else trunk & only
        if cut.waist is not None:
            self._band(canvas, trunk, cut.waist, 20)
        elif cut.front is Front.WHOLE:
            self._collar(canvas, trunk)
        else:
            self._buttons(canvas, trunk)
        if cut.legs:
            self._legs(canvas, trunk)
        else:
            self._band(canvas, trunk, cut.hem - 0.035, 3)

    def paint_sleeve(self, canvas: Canvas, side: int, only: Mask | None = None) -> None:
        """``only``: as in ``Canvas.paint``."""
        if self.panels.sleeves is None:
            return
        sleeve = self.panels.sleeves[side]
        shadow = 0.2 if only is None else 0.0
        canvas.paint(
            sleeve,
            self.tone,
            self.part,
            round_by=34,
            folds=self.folds,
            shadow=shadow,
            only=only,
        )
        shown = sleeve if only is None else sleeve & only
        self._hem(canvas, self.body.arms[side], self.piece.cut.sleeve, shown)

    def paint_inside(self, canvas: Canvas) -> None:
        """The inside of the back, of a garment that nobody wears."""
        if self.panels.inside is not None:
            dark = shade(self.piece.cloth.colour, 0.62)
            canvas.paint(self.panels.inside, dark, self.part, round_by=30, shadow=0)

    def _hem(self, canvas: Canvas, limb: Limb, share: float, mask: Mask) -> None:
        """A seam a little before a limb's end, following its cuff."""
        before = limb.until(share * 0.965, self.piece.cut.ease, self.piece.cut.flare)
        end, onwards = before.path[-1], before.path[-1] - before.path[-5]
        aside = np.array([-onwards[1], onwards[0]]) / max(1e-6, float(np.hypot(*onwards)))
        reach = aside * before.radii[-1] * 1.3
        self._line(canvas, np.array([end - reach, end + reach]), 3, mask)

    def _band(self, canvas: Canvas, trunk: Mask, level: float, thick: float) -> None:
        y = self.body.row(level) + thick / 2
        line = np.array([(MIDDLE - 300, y), (MIDDLE + 300, y)])
        self._line(canvas, line, thick, trunk, 0.35 if thick > 5 else 0.5)

    def _legs(self, canvas: Canvas, trunk: Mask) -> None:
        """Fly, the line between the legs, and their hems."""
        body, cut = self.body, self.piece.cut
        low = float(body.legs[0].until(cut.legs).path[-1][1])
        inseam = np.array([(MIDDLE, body.row(0.96)), (MIDDLE, body.row(CROTCH)), (MIDDLE, low)])
        self._line(canvas, inseam, 4, trunk, 0.7)
        for leg in body.legs:
            self._hem(canvas, leg, cut.legs, trunk)

    def _collar(self, canvas: Canvas, trunk: Mask) -> None:
        """A rib along the neckline: what of the trunk lies near the opening."""
        inside = self.panels.inside
        if inside is None:
            top = self.body.row(0) - 40
            self._line(canvas, np.array([(MIDDLE - 70, top), (MIDDLE + 70, top)]), 4, trunk)
            return
        width = (6 if self.piece.cut.neck in _WITH_STRAPS else 12) * FINER
        near = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
        self._tint(canvas, near & trunk, 0.35)

    def _buttons(self, canvas: Canvas, trunk: Mask) -> None:
        cut, body = self.piece.cut, self.body
        dark = shade(self.piece.cloth.colour, _SEAM)
        self._lapels(canvas, trunk)
        if cut.front is Front.CLOSED:
            line = np.array([(MIDDLE, body.row(0.3)), (MIDDLE, body.row(cut.hem))])
            canvas.stroke(line, dark, 3, 0.8)
        offset = 12 if cut.front is Front.CLOSED else 66
        for level in (0.42, 0.62, 0.82, 1.02):
            spot = np.array(
                [(MIDDLE + offset, body.row(level)), (MIDDLE + offset, body.row(level) + 1)]
            )
            canvas.stroke(spot, shade(dark, 0.6), 9)

    def _lapels(self, canvas: Canvas, trunk: Mask) -> None:
        for sign in (-1, 1):
            points = [(62, 270), (96, 318), (78, 352), (14, 412)]
            path = np.array([(MIDDLE + sign * x, y) for x, y in points], float)
            self._line(canvas, path, 3, trunk, 0.9)

    def _line(
        self, canvas: Canvas, path: Array, thick: float, inside: Mask, strength: float = 0.5
    ) -> None:
        line = np.zeros_like(inside)
        points = np.round(path * FINER * 16).astype(np.int32)
        cv2.polylines(line, [points], False, (1,), round(thick * FINER), cv2.LINE_8, 4)
        self._tint(canvas, line & inside, strength)

    def _tint(self, canvas: Canvas, mask: Mask, strength: float) -> None:
        canvas.tint(mask * 255, shade(self.piece.cloth.colour, _SEAM), strength)
