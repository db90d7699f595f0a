"""From two pictures to one: see, check, crop to the person, dress, put back."""

from dataclasses import dataclass

import numpy as np

from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.blur import refuse_if_blurred
from selify.tryon.engine.body import BodyFit, fit_body
from selify.tryon.engine.dress import Dressed, dress
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.one_piece import dress_one_piece
from selify.tryon.engine.perception import Body, Face, Perception
from selify.tryon.engine.person import Person, read_person
from selify.tryon.engine.skeleton import Skeleton, refuse_if_undressable
from selify.tryon.engine.trousers import dress_bottom
from selify.tryon.types import GarmentCategory

LIGHTS = (1.0, 0.5, 0.0)
"""How much of the old garment's light the new one takes over: all first; where its folds disturb, less."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The person to dress, in the part of the photo that ``crop`` says: x0, y0, x1, y1."""

    person: Person
    fit: BodyFit
    crop: tuple[int, int, int, int]
    faces: list[Face]


@dataclass(frozen=True, slots=True)
class TryOn:
    """A finished picture of the photo's size, with what the gate wants to know about it."""

    bgr: Bgr
    person: Person
    dressed: Dressed
    crop: tuple[int, int, int, int]
    faces: list[Face]


def try_on(perception: Perception, photo: Bgr, garment: Garment) -> TryOn:
    """Raises Refused. ``photo`` is upright and at working size."""
    return dressed_in(garment, photo, see(perception, photo, garment.needs))


def see(perception: Perception, photo: Bgr, category: GarmentCategory) -> Seen:
    """Who is to wear a garment of this category. Raises Refused."""
    faces = perception.upright_faces(photo)
    body = perception.body(photo, faces)
    skeleton = Skeleton.of(body)
    refuse_if_undressable(skeleton, photo.shape, category, faces)
    refuse_if_blurred(photo, skeleton)
    x0, y0, x1, y1 = crop = crop_round(body, skeleton, photo.shape, category)
    part = np.ascontiguousarray(photo[y0:y1, x0:x1])
    person = read_person(
        part,
        skeleton.moved(-x0, -y0),
        body.mask[y0:y1, x0:x1],
        segmenter=perception.segmenter,
        category=category,
    )
    return Seen(person, fit_body(person), crop, faces)


def dressed_in(garment: Garment, photo: Bgr, seen: Seen, *, light: float = LIGHTS[0]) -> TryOn:
    """``seen`` in ``photo``, and for what the garment needs; ``light`` as in ``LIGHTS``."""
    dressed = _dress(seen, garment, light=light)
    x0, y0, x1, y1 = seen.crop
    picture = photo.copy()
    picture[y0:y1, x0:x1] = dressed.bgr
    return TryOn(picture, seen.person, dressed, seen.crop, seen.faces)


def _dress(seen: Seen, garment: Garment, *, light: float) -> Dressed:
    if garment.parts is not None:
        return dress_one_piece(seen.person, seen.fit, garment.parts, light=light)
    if garment.bottom is not None:
        return dress_bottom(seen.person, seen.fit, garment, garment.bottom, light=light)
    if garment.top is None:
        raise ValueError("a garment has points of a top or of a bottom")
    return dress(seen.person, seen.fit, garment, garment.top, light=light)


def crop_round(
    body: Body, skeleton: Skeleton, shape: tuple[int, ...], category: GarmentCategory
) -> tuple[int, int, int, int]:
    """The person with a margin; a dress or a skirt may swing out, so theirs is wider."""
    margin = skeleton.span * (0.4 if category is GarmentCategory.TOP else 0.9)
    points = [skeleton.points]
    rows, columns = np.nonzero(body.mask > 0.3)
    if len(rows):
        points.append(np.array([[columns.min(), rows.min()], [columns.max(), rows.max()]]))
    everything = np.vstack(points)
    x0, y0 = np.maximum(everything.min(0) - margin, 0).astype(int)
    x1, y1 = np.minimum(everything.max(0) + margin, (shape[1], shape[0])).astype(int)
    return int(x0), int(y0), int(x1), int(y1)
