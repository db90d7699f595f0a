"""Jumpsuits: trousers and a top of one cloth, put on one after the other."""

from dataclasses import replace

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Mask, Soft
from selify.tryon.engine.body import BodyFit, fit_body
from selify.tryon.engine.dress import Dressed, dress
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.labels import Label
from selify.tryon.engine.masks import opened
from selify.tryon.engine.person import Person
from selify.tryon.engine.trousers import dress_bottom

# In tau: how far above the lowest point of the top's hem only the trousers show, and how softly the one becomes the other.
_SEAM, _FADES = 0.06, 0.15


def dress_one_piece(
    person: Person, body: BodyFit, parts: tuple[Garment, Garment], *, light: float = 1.0
) -> Dressed:
    """``parts`` and ``light`` as of ``Garment`` and ``dress``. Raises Refused."""
    trousers, top = parts
    if trousers.bottom is None or top.top is None:
        raise ValueError("a jumpsuit has points of trousers and of a top")
    below = dress_bottom(person, body, trousers, trousers.bottom, light=light, alone=False)
    clad = in_new_trousers(person, below)
    above = dress(clad, fit_body(clad), top, top.top, light=light)
    wall = person.mask & (1 - clad.mask)
    return _together(below, above, _share_of_top(clad, below, above), wall)


def in_new_trousers(person: Person, dressed: Dressed) -> Person:
    """The person as the picture now shows them."""
    cloth = dressed.cover > 0.5
    wall = (dressed.replaced > 0) & ~cloth & (dressed.painted == 0)
    label: Array = person.label.copy()
    label[cloth] = Label.LOWER
    label[dressed.painted > 0] = Label.SKIN
    label[wall] = Label.BACKGROUND
    alpha = np.where(wall, 0, np.maximum(person.alpha, dressed.cover)).astype(np.float32)
    radius = max(1.0, 0.0175 * person.skeleton.span)
    return replace(
        person,
        bgr=dressed.bgr,
        lab=cv2.cvtColor(dressed.bgr, cv2.COLOR_BGR2LAB).astype(np.float32),
        alpha=alpha,
        label=label,
        skin=opened(label == Label.SKIN, radius),
    )


def _share_of_top(clad: Person, below: Dressed, above: Dressed) -> Soft:
    """1 on the top, fading to 0 at its hem, for it has none: over the trousers, and beside the body."""
    rows = clad.along[above.cover > 0.5]
    hem = float(np.percentile(rows, 99)) if rows.size else 0.0
    share = np.clip((hem - _SEAM - clad.along) / _FADES, 0, 1)
    sleeves = (clad.zones.arms > 0) & (above.cover > 0.5)
    fades = ((below.cover > 0.5) | (clad.mask == 0)) & ~sleeves
    return np.where(fades, share, 1.0).astype(np.float32)


def _together(below: Dressed, above: Dressed, share: Soft, wall: Mask) -> Dressed:
    """What is seen of both: the top goes over into the trousers. ``wall``: restored where the old trousers were wider."""
    bgr = above.bgr * share[..., None] + below.bgr * (1 - share[..., None])
    over: Mask = (above.cover > 0.5).astype(np.uint8)
    beside = 1 - over
    return replace(
        above,
        bgr=np.clip(bgr, 0, 255).astype(np.uint8),
        cover=np.maximum(above.cover, below.cover * (1 - above.cover)),
        painted=above.painted | (below.painted & beside),
        worn=above.worn | below.worn,
        limbs=(below.painted & beside)
        | (np.zeros_like(over) if above.limbs is None else above.limbs),
        replaced=above.replaced | below.replaced,
        restored=(wall & beside)
        | (np.zeros_like(over) if above.restored is None else above.restored),
    )
