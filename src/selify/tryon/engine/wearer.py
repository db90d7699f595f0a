"""Whether somebody is in a garment's picture, also where the picture ends at the chin.

A clear face is enough. Without one the pose network alone says nothing: it sees a body in a tee laid flat as
surely as in a model without a head. But in a model there is skin where throat and hands have to be, and the body
stays where it is when the picture is looked at in another frame.
"""

import math
from dataclasses import replace

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Bgr, Mask
from selify.tryon.engine.masks import capsule
from selify.tryon.engine.perception import Body, Face, Perception
from selify.tryon.engine.reading import Misfit, WornFault
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.types import RefusalCode

# Worn garments 0.94 to 0.97; of 150 pictures without anybody, faces in prints among them, at most 0.84.
_SOMEBODY = 0.9
_PERHAPS_SOMEBODY = 0.85
# Of the picture's height. Smaller ones are part of a print.
_SMALL_FACE = 0.05
# Of throat and two hands, the share of skin at the second best. Models cut off at the chin have 0.5 and more, unless
# their hands are hidden; pictures without anybody 0.4 at most.
_SKIN_SEEN = 0.47
# Of the picture. Models have a hundredth of it and more, turned or cut off; a quarter of garments alone have less than
# this, and the pose network need not look.
_LEAST_SKIN = 0.003
# Of the shoulders' span: to the hips, and to the picture's width.
_PROPORTIONS = (0.36, 1.25)
_USUAL = 0.7
_LEAST_SPAN = 0.12
# Room above and beside, of the picture's height: the network looks for a head, and sees the same body otherwise in
# other frames. In these four none of 40 garments alone was somebody once, 17 of 28 headless models twice; in two
# more frames, three garments once.
_FRAMES = ((0.0, 0.0), (0.3, 0.0), (0.3, 0.25), (0.5, 0.5))
_WITNESSES = 2
# In Lab: degrees of hue and distance from grey that skin of any tone has, and how dark it may be.
_SKIN_HUE = (15.0, 80.0)
_SKIN_CHROMA = (7.0, 45.0)
_SKIN_LIGHT = 25.0
_UNLIKE_GROUND = 14.0


def perhaps_somebody(faces: list[Face], picture: Bgr) -> bool:
    """Not to be acted upon, but worth a human's look."""
    return _surest(faces, picture) >= _PERHAPS_SOMEBODY


def _surest(faces: list[Face], picture: Bgr) -> float:
    large = (face for face in faces if face.height > _SMALL_FACE * picture.shape[0])
    return max((face.confidence for face in large), default=0.0)


def find_wearer(perception: Perception, picture: Bgr, faces: list[Face]) -> Body | None:
    """The body of whoever is in a garment's picture, None where nobody is. ``faces``: those found in it.

    Raises Refused where somebody is there, but no body can be made out.
    """
    if _surest(faces, picture) >= _SOMEBODY:
        try:
            return perception.body(picture, faces)
        except Refused as refused:
            raise unusable(WornFault.UNCLEAR) from refused
    skin = _like_skin(picture)
    if skin.mean() < _LEAST_SKIN:
        return None
    found: list[Body] = []
    for looks, frame in enumerate(_FRAMES, 1):
        body = _body_within(perception, picture, faces, frame)
        if body is not None and _is_somebody(skin, Skeleton.of(body)):
            found.append(body)
        if len(found) == _WITNESSES:
            return min(found, key=_unusual)
        if len(found) + len(_FRAMES) - looks < _WITNESSES:
            break
    return None


def _unusual(body: Body) -> float:
    """Without a head in view trunks come out too long or too short."""
    skeleton = Skeleton.of(body)
    return abs(math.log(skeleton.span / (_USUAL * skeleton.trunk)))


def unusable(fault: WornFault) -> Refused:
    """What to raise for a garment that somebody wears, and that cannot be cut out."""
    details: dict[str, float | str] = {"reason": Misfit.WORN, "fault": fault}
    return Refused(RefusalCode.GARMENT_NOT_FOUND, details=details)


def _body_within(
    perception: Perception, picture: Bgr, faces: list[Face], frame: tuple[float, float]
) -> Body | None:
    """As seen in the picture with grey around it: ``frame`` as in ``_FRAMES``."""
    height, grey = picture.shape[0], (128.0, 128.0, 128.0)
    above, beside = (round(share * height) for share in frame)
    framed = cv2.copyMakeBorder(picture, above, 0, beside, beside, cv2.BORDER_CONSTANT, value=grey)
    try:
        body = perception.body(framed, [] if above else faces)
    except Refused:
        return None
    points = body.points - np.array([beside, above])
    mask = body.mask[above:, beside : beside + picture.shape[1]]
    return replace(body, points=points, mask=np.ascontiguousarray(mask))


def _is_somebody(skin: Mask, skeleton: Skeleton) -> bool:
    """``skin``: where the picture has its colour."""
    low, high = _PROPORTIONS
    if not low < skeleton.span / max(1.0, skeleton.trunk) < high:
        return False
    if skeleton.span < _LEAST_SPAN * skin.shape[1]:
        return False
    return sorted(_skin_shares(skin, skeleton))[-2] > _SKIN_SEEN


def _like_skin(picture: Bgr) -> Mask:
    """Where the picture has a colour that skin can have, and its rim has not."""
    lab = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB).astype(np.float32)
    rim = np.concatenate([lab[:4].reshape(-1, 3), *(part.reshape(-1, 3) for part in _sides(lab))])
    a, b = lab[..., 1] - 128, lab[..., 2] - 128
    hue, chroma = np.degrees(np.arctan2(b, a)), np.hypot(a, b)
    off = np.sqrt((((lab - np.median(rim, 0)) * (0.5, 1.5, 1.5)) ** 2).sum(2))
    like = (hue > _SKIN_HUE[0]) & (hue < _SKIN_HUE[1]) & (lab[..., 0] > _SKIN_LIGHT)
    like &= (chroma > _SKIN_CHROMA[0]) & (chroma < _SKIN_CHROMA[1]) & (off > _UNLIKE_GROUND)
    return like.astype(np.uint8)


def _sides(lab: Array) -> tuple[Array, Array]:
    return lab[:, :4], lab[:, -4:]


def _skin_shares(skin: Mask, s: Skeleton) -> list[float]:
    """Of throat, left hand, right hand; a hand is its wrist or its back, whichever shows more."""
    throat = capsule(
        skin.shape,
        s.neck - s.down * 0.05 * s.span,
        s.neck - s.down * 0.25 * s.span,
        0.1 * s.span,
        0.1 * s.span,
    )
    shares = [_share(skin, throat)]
    for k in SIDES:
        above = s.elbows[k] * 0.3 + s.wrists[k] * 0.7
        wrist = capsule(skin.shape, above, s.wrists[k], 0.07 * s.span, 0.05 * s.span)
        back = capsule(skin.shape, s.wrists[k], s.hands[k], 0.06 * s.span, 0.06 * s.span)
        shares.append(max(_share(skin, wrist), _share(skin, back)))
    return shares


def _share(skin: Mask, zone: Mask) -> float:
    inside = zone > 0
    return float(skin[inside].mean()) if inside.sum() > 30 else 0.0
