"""The body's points by name, its measures, and whether such a body can be dressed at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from selify.tryon.engine.arrays import Array, Point, Points, Soft
from selify.tryon.engine.geometry import distance, unit
from selify.tryon.engine.perception import Body, Face
from selify.tryon.engine.refusals import Refused
from selify.tryon.types import GarmentCategory, RefusalCode

_MIN_SHOULDER_SPAN = 40
# Degrees from upright. Heads of people who stand or sit lean up to 15, of photos turned by 90
# degrees 70 and more, and by 180 degrees 166 and more.
_LYING = 50
_UPSIDE_DOWN = 155
_STEP_BACK = "Please step back a little: head, shoulders and hips should be in view."
_STAND_UP = "For this garment, please send a photo in which you stand upright."
_SHOW_LEGS = "For this garment we need to see your legs: please send a photo from head to feet."


@dataclass(frozen=True)
class Skeleton:
    """33 points of the pose network with visibility, in pixels of the picture."""

    points: Points
    visibility: Array

    @classmethod
    def of(cls, body: Body) -> "Skeleton":
        return cls(body.points, body.visibility)

    def moved(self, dx: float, dy: float) -> "Skeleton":
        return replace(self, points=self.points + np.array([dx, dy]))

    def scaled(self, factor: float) -> "Skeleton":
        """In the pixels of the picture made ``factor`` times as large."""
        return replace(self, points=(self.points + 0.5) * factor - 0.5)

    def _pair(self, left: int, right: int) -> Points:
        return np.asarray(self.points[[left, right]])

    @cached_property
    def chin(self) -> Point:
        return np.asarray(self.mouth - self.face_up * self.face_length * 0.8)

    @cached_property
    def shoulders(self) -> Points:
        return self._pair(12, 11)

    @cached_property
    def elbows(self) -> Points:
        return self._pair(14, 13)

    @cached_property
    def wrists(self) -> Points:
        return self._pair(16, 15)

    @cached_property
    def hands(self) -> Points:
        return np.array([self.points[[16, 18, 20]].mean(0), self.points[[15, 17, 19]].mean(0)])

    @cached_property
    def hips(self) -> Points:
        return self._pair(24, 23)

    @cached_property
    def knees(self) -> Points:
        return self._pair(26, 25)

    @cached_property
    def ankles(self) -> Points:
        return self._pair(28, 27)

    @cached_property
    def ankles_seen(self) -> float:
        return float(self.visibility[[28, 27]].min())

    @cached_property
    def ears(self) -> Points:
        return self._pair(8, 7)

    @cached_property
    def eyes(self) -> Point:
        return np.asarray(self.points[[2, 5]].mean(0))

    @cached_property
    def mouth(self) -> Point:
        return np.asarray(self.points[[9, 10]].mean(0))

    @cached_property
    def nose(self) -> Point:
        return np.asarray(self.points[0])

    @cached_property
    def face_length(self) -> float:
        """Eyes to mouth: the unit of everything about the head."""
        return max(distance(self.mouth, self.eyes), 0.12 * self.span)

    @cached_property
    def face_up(self) -> Array:
        return np.asarray((self.eyes - self.mouth) / self.face_length)

    @cached_property
    def neck(self) -> Point:
        """Midway between the shoulders."""
        return np.asarray(self.shoulders.mean(0))

    @cached_property
    def pelvis(self) -> Point:
        return np.asarray(self.hips.mean(0))

    @cached_property
    def span(self) -> float:
        """Between the shoulder joints: the unit of everything about the body."""
        return distance(self.shoulders[0], self.shoulders[1])

    @cached_property
    def trunk(self) -> float:
        """Neck to pelvis."""
        return distance(self.pelvis, self.neck)

    @cached_property
    def across(self) -> Array:
        return unit(self.shoulders[1] - self.shoulders[0])

    @cached_property
    def down(self) -> Array:
        return unit(self.pelvis - self.neck)

    @cached_property
    def outwards(self) -> tuple[Array, Array]:
        return (-self.across, self.across)

    def along(self, shape: tuple[int, ...]) -> Soft:
        """How far down the trunk each pixel of a picture lies: 0 at the shoulders, 1 at the hips."""
        direction = (self.pelvis - self.neck) / self.trunk**2
        y, x = np.ogrid[: shape[0], : shape[1]]
        along = (x - self.neck[0]) * direction[0] + (y - self.neck[1]) * direction[1]
        return np.asarray(along, np.float32)

    def arm(self, side: int) -> Points:
        """Shoulder, elbow, wrist."""
        return np.vstack([self.shoulders[side], self.elbows[side], self.wrists[side]])

    def leg(self, side: int) -> Points:
        """Hip, knee, ankle."""
        return np.vstack([self.hips[side], self.knees[side], self.ankles[side]])


def refuse_if_undressable(
    skeleton: Skeleton,
    shape: tuple[int, ...],
    category: GarmentCategory,
    faces: Sequence[Face] | None = None,
) -> None:
    """Raises Refused with the reason. ``shape`` is that of the whole picture.

    ``faces``: those that were found in it; None where nobody looked.
    """
    _refuse_wrong_direction(skeleton, shape, faces)
    _refuse_cropped(skeleton, shape[0], shape[1])
    if skeleton.span > 1.25 * skeleton.trunk:
        raise Refused(RefusalCode.PERSON_NOT_FOUND, details={"reason": "proportions"})
    if skeleton.span < _MIN_SHOULDER_SPAN:
        details: dict[str, float | str] = {"shoulder_span": round(skeleton.span, 1)}
        raise Refused(RefusalCode.PERSON_TOO_SMALL, details=details)
    if skeleton.span < 0.36 * skeleton.trunk:
        raise Refused(RefusalCode.PERSON_TURNED)
    if category is GarmentCategory.BOTTOM:
        _refuse_without_legs(skeleton, shape[0])
    if category is not GarmentCategory.TOP:
        _refuse_seated(skeleton)


def _refuse_wrong_direction(
    skeleton: Skeleton, shape: tuple[int, ...], faces: Sequence[Face] | None
) -> None:
    """The head first: of a person lying on the side the network makes up a trunk, never a head."""
    head = _from_upright(skeleton.eyes - skeleton.mouth)
    trunk = _from_upright(skeleton.neck - skeleton.pelvis)
    if trunk <= _LYING and head > _UPSIDE_DOWN:
        # No such body exists: it was made up, as on pictures without any person.
        raise Refused(RefusalCode.PERSON_FACING_AWAY, details={"head": round(head)})
    if max(head, trunk) > _LYING:
        details: dict[str, float | str] = {"head": round(head), "trunk": round(trunk)}
        raise Refused(RefusalCode.PHOTO_SIDEWAYS, details=details)
    if skeleton.shoulders[1][0] < skeleton.shoulders[0][0]:
        if faces is not None and not _has_head(skeleton, shape, faces):
            raise Refused(RefusalCode.PERSON_CROPPED, hint=_STEP_BACK)
        raise Refused(RefusalCode.PERSON_FACING_AWAY)


def _from_upright(up: Array) -> float:
    """Degrees between a direction that should point up and the picture's own."""
    return abs(float(np.degrees(np.arctan2(up[0], -up[1]))))


def _has_head(skeleton: Skeleton, shape: tuple[int, ...], faces: Sequence[Face]) -> bool:
    """False where no face holds the nose and it lies at the picture's edge: a head cut off."""
    x, y = skeleton.nose
    inside = 0.03 < x / shape[1] < 0.97 and 0.03 < y / shape[0] < 0.97
    return inside or any(
        abs(x - face.x - face.width / 2) < 0.6 * face.width
        and abs(y - face.y - face.height / 2) < 0.6 * face.height
        for face in faces
    )


def _refuse_cropped(skeleton: Skeleton, height: int, width: int) -> None:
    x, y = skeleton.shoulders.T
    outside = x.min() < -0.02 * width or x.max() > 1.02 * width or y.min() < -0.02 * height
    unseen = skeleton.visibility[[12, 11]].min() < 0.5
    if outside or unseen or y.max() > height or skeleton.neck[1] > 0.8 * height:
        raise Refused(RefusalCode.PERSON_CROPPED, hint=_STEP_BACK)


def _refuse_seated(skeleton: Skeleton) -> None:
    """Skirts and trousers are laid along straight legs."""
    thighs = [unit(knee - hip) for knee, hip in zip(skeleton.knees, skeleton.hips, strict=True)]
    short = min(distance(k, h) for k, h in zip(skeleton.knees, skeleton.hips, strict=True))
    seen = skeleton.visibility[[26, 25]] > 0.5
    # Of somebody who sits, one knee is often cut off by the picture's edge.
    bent = any(
        s and float(np.dot(thigh, skeleton.down)) < 0.64
        for s, thigh in zip(seen, thighs, strict=True)
    )
    if bent or (seen.all() and short < 0.35 * skeleton.trunk):
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=_STAND_UP, details={"reason": "seated"})


def _refuse_without_legs(skeleton: Skeleton, height: int) -> None:
    thighs = skeleton.hips * 0.6 + skeleton.knees * 0.4
    if thighs[:, 1].max() > height:
        raise Refused(RefusalCode.PERSON_CROPPED, hint=_SHOW_LEGS, details={"reason": "legs"})
