"""Who is in the picture and how they stand: faces first, then one body.

The face network looks at the whole picture, and at tiles of it when no face is large. The pose
network is run on its own corrected box until that box stands still (2 to 5 times).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Points, Soft
from selify.tryon.engine.networks import Networks
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.types import RefusalCode

_FACE_SIDE = 128
_POSE_SIDE = 256
_FACE_CONFIDENCE = 0.5
# Upright faces have 0.84 to 0.97, the same ones turned at least 0.16 less.
_CLEAR_FACE = 0.8
_CLEARLY_BETTER = 0.1
_BODY_CONFIDENCE = 0.5
_WORTH_REFINING = 0.3
_SURE = 0.97


@dataclass(frozen=True, slots=True)
class Face:
    """Confidence 0..1 and a box in pixels of the picture."""

    confidence: float
    x: float
    y: float
    width: float
    height: float

    @property
    def prominence(self) -> float:
        return self.confidence * self.height


@dataclass(frozen=True, slots=True)
class Body:
    """33 points with visibility 0..1, how sure the network is, and where the body is (mask)."""

    points: Points
    visibility: Array
    confidence: float
    mask: Soft


@dataclass(frozen=True, slots=True)
class _Look:
    """One run of the pose network: 39 points (two are the next box), and its mask's placing."""

    points: Points
    visibility: Array
    confidence: float
    mask: Array
    placing: Array


@dataclass(frozen=True, slots=True)
class _Box:
    """A square the pose network looks at, turned by ``angle`` (radians)."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    def close_to(self, other: "_Box") -> bool:
        moved = math.hypot(self.x - other.x, self.y - other.y)
        return abs(self.side - other.side) < 0.04 * self.side and moved < 0.03 * self.side


def _anchors() -> Array:
    """Centres of the short-range detector's SSD anchors: 16 x 16 x 2, then 8 x 8 x 6."""
    centres = [
        ((x + 0.5) / cells, (y + 0.5) / cells)
        for cells, per_cell in ((_FACE_SIDE // 8, 2), (_FACE_SIDE // 16, 6))
        for y in range(cells)
        for x in range(cells)
        for _ in range(per_cell)
    ]
    return np.array(centres, np.float32)


class Perception:
    """Sees faces and bodies. Not thread-safe: the networks keep their input."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._anchors = _anchors()

    @property
    def segmenter(self) -> Segmenter | None:
        """None where memory is short."""
        return self._networks.segmenter

    def faces(self, picture: Bgr) -> list[Face]:
        """All faces, the most prominent first; tiles are searched only if the whole shows none."""
        found = self._faces_in(picture, 0, 0, max(picture.shape[:2]))
        if not found:
            for x, y, side in _tiles(picture):
                found += self._faces_in(picture, x, y, side)
        if not found:
            return []
        boxes = [[face.x, face.y, face.width, face.height] for face in found]
        kept = cv2.dnn.NMSBoxes(boxes, [f.confidence for f in found], _FACE_CONFIDENCE, 0.3)
        faces = [found[int(index)] for index in np.array(kept).reshape(-1)]
        return sorted(faces, key=lambda face: -face.prominence)

    def upright_faces(self, picture: Bgr) -> list[Face]:
        """``faces``. Raises Refused where the picture lies on its side or upside down."""
        faces = self.faces(picture)
        if self._turned(picture, faces):
            raise Refused(RefusalCode.PHOTO_SIDEWAYS)
        return faces

    def _turned(self, picture: Bgr, faces: list[Face]) -> bool:
        """Is a face seen clearly better when the picture is turned? Then it lies on its side or
        upside down, whatever body the pose network makes up in it. ``faces``: those seen in it.
        """
        best = max((face.confidence for face in faces), default=0.0)
        enough = max(_CLEAR_FACE, best + _CLEARLY_BETTER)
        if enough >= 1:
            return False
        turns = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
        seen = (
            self._faces_in(cv2.rotate(picture, turn), 0, 0, max(picture.shape[:2]))
            for turn in turns
        )
        return any(face.confidence > enough for found in seen for face in found)

    def _faces_in(self, picture: Bgr, x0: int, y0: int, side: int) -> list[Face]:
        part = picture[y0 : y0 + side, x0 : x0 + side]
        square = np.zeros((side, side, 3), np.uint8)
        square[: part.shape[0], : part.shape[1]] = part
        size = (_FACE_SIDE, _FACE_SIDE)
        blob = cv2.dnn.blobFromImage(square, 1 / 127.5, size, (127.5,) * 3, swapRB=True)
        self._networks.face.setInput(blob)
        logits, boxes = self._networks.face.forward(["classificators", "regressors"])
        confidence = _sigmoid(np.asarray(logits).reshape(-1))
        boxes = np.asarray(boxes).reshape(-1, 16) / _FACE_SIDE
        faces = []
        for i in np.flatnonzero(confidence > _FACE_CONFIDENCE):
            centre = self._anchors[i] + boxes[i, :2]
            width, height = boxes[i, 2:4] * side
            x, y = centre * side + (x0, y0) - (width / 2, height / 2)
            faces.append(
                Face(float(confidence[i]), float(x), float(y), float(width), float(height))
            )
        return faces

    def body(self, picture: Bgr, faces: list[Face]) -> Body:
        """The body under the most prominent face. Raises Refused (person_not_found)."""
        looks = self._first_looks(picture, faces)
        best: _Look | None = None
        for look in sorted(looks, key=lambda look: -look.confidence)[:2]:
            if look.confidence < _WORTH_REFINING:
                continue
            refined = self._refined(picture, look)
            if best is None or refined.confidence > best.confidence:
                best = refined
            if best.confidence > 0.8:
                break
        if best is None or best.confidence < _BODY_CONFIDENCE:
            raise Refused(RefusalCode.PERSON_NOT_FOUND)
        size = (picture.shape[1], picture.shape[0])
        mask = cv2.warpAffine(_sigmoid(best.mask).astype(np.float32), best.placing, size)
        return Body(best.points[:33], best.visibility[:33], best.confidence, mask)

    def _first_looks(self, picture: Bgr, faces: list[Face]) -> list[_Look]:
        looks = []
        for box in _starting_boxes(picture, faces):
            looks.append(self._look(picture, box))
            if looks[-1].confidence > _SURE:
                break
        return looks

    def _refined(self, picture: Bgr, look: _Look) -> _Look:
        last: _Box | None = None
        for _ in range(5):
            box = _next_box(look)
            if last is not None and box.close_to(last):
                break
            closer = self._look(picture, box)
            if closer.confidence < _WORTH_REFINING:
                break
            look, last = closer, box
        return look

    def _look(self, picture: Bgr, box: _Box) -> _Look:
        centre = (_POSE_SIDE / 2, _POSE_SIDE / 2)
        turn = cv2.getRotationMatrix2D(
            (box.x, box.y), math.degrees(box.angle), _POSE_SIDE / box.side
        )
        turn = turn + np.array([[0, 0, centre[0] - box.x], [0, 0, centre[1] - box.y]])
        size = (_POSE_SIDE, _POSE_SIDE)
        how = cv2.INTER_AREA if box.side > 2 * _POSE_SIDE else cv2.INTER_LINEAR
        crop = cv2.warpAffine(picture, turn, size, flags=how)
        self._networks.pose.setInput(cv2.dnn.blobFromImage(crop, 1 / 255, size, swapRB=True))
        marks, score, mask = self._networks.pose.forward(["Identity", "Identity_1", "Identity_2"])
        marks = np.asarray(marks).reshape(39, 5).astype(float)
        back = cv2.invertAffineTransform(turn)
        points = marks[:, :2] @ back[:, :2].T + back[:, 2]
        confidence = float(np.asarray(score).reshape(-1)[0])
        mask = np.asarray(mask).reshape(size).copy()
        return _Look(points, _sigmoid(marks[:, 3]), confidence, mask, back)


def _sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))))


def _tiles(picture: Bgr) -> list[tuple[int, int, int]]:
    """Overlapping squares of a half and a third of the picture: (x, y, side)."""
    height, width = picture.shape[:2]
    tiles = []
    for share in (0.5, 0.33):
        side = int(max(height, width) * share)
        if side < 96:
            continue
        step = side // 2
        for y in range(0, max(1, height - step), step):
            tiles += [(x, y, side) for x in range(0, max(1, width - step), step)]
    return tiles


def _starting_boxes(picture: Bgr, faces: list[Face]) -> list[_Box]:
    height, width = picture.shape[:2]
    boxes = []
    if faces:
        face = faces[0]
        x, y = face.x + face.width / 2, face.y + face.height / 2
        for below, side in ((2.0, 6.0), (2.6, 7.5), (3.2, 11.0)):
            boxes.append(_Box(x, y + below * face.height, side * face.height))
    boxes.append(_Box(width / 2, height / 2, max(width, height) * 1.05))
    return boxes


def _next_box(look: _Look) -> _Box:
    """Points 33 and 34 are the body's middle and a point on the circle round it."""
    (x, y), (px, py) = look.points[33], look.points[34]
    side = max(16.0, 2.5 * math.hypot(px - x, py - y))
    return _Box(x, y, side, math.atan2(py - y, px - x) + math.pi / 2)
