"""Dressing a person in trousers or a skirt: the old ones come off, the new ones are drawn on, and lit."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.core.language import _
from selify.tryon.engine.arrays import Array, Mask, Soft
from selify.tryon.engine.body import BodyFit
from selify.tryon.engine.bottoms import BottomFit, Strip, fit_bottom
from selify.tryon.engine.camera import as_photographed
from selify.tryon.engine.dress import Dressed
from selify.tryon.engine.garment import Cloth, Garment
from selify.tryon.engine.geometry import distortion, grid_field
from selify.tryon.engine.legs import Leg, bare_legs
from selify.tryon.engine.masks import (
    blur,
    closed,
    fill_from_nearest,
    grown,
    guided,
    opened,
    shrunk,
    soft_polygon,
)
from selify.tryon.engine.person import Person
from selify.tryon.engine.points import BottomPoints
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.shading import contact, drop_shadow, exposure, folds, volume
from selify.tryon.engine.skin import paint_skin
from selify.tryon.engine.undressing import (
    LowerBody,
    Seam,
    above_waist,
    background_behind,
    undress,
)
from selify.tryon.types import RefusalCode, RefusalReason

# Old folds lie where the old cloth did: only part of their light fits the new one.
_FOLDS_TAKEN = 0.6
_BETWEEN_LEGS = 0.3
# In tau: down to here trousers go round whatever of the old ones is near.
_ON_THE_HIPS = 1.25
# Of the person. Background restored where a knee-long dress was narrower than the hips: 0.05, and looks right; where
# a coat, wide trousers in mid-step or a swinging skirt were: 0.08 and more, and what is left of them tells.
_MOST_RESTORED = 0.075
# Of the trunk's length, the median over its width. Waistbands that are seen, and hems over them: 0.014 at most; under a
# long coat, dark on dark, of somebody turned: 0.03 and more.
_MOST_UNEVEN = 0.022
# Of the line between top and old bottom: how much may be missing, and how much where the rest is as clear as this. Of those
# with more no picture was good; good ones have 0.31 at most, and 0.03 beside a clear line. A coat or a shirt-tail goes on there.
_MOST_MISSING, _CLEAR, _MOST_BESIDE_CLEAR = 0.37, 60.0, 0.15
_FEWEST_OF_LINE = 10
# Two shins painted without any skin of a leg to go by: 0.05, and they look like somebody else's.
_MOST_BARED, _MOST_BARED_BESIDE_SKIN = 0.015, 0.1
CLOSE_FITTING = _("For this garment, please send a photo in close-fitting trousers or leggings.")
_SHOW_WAIST = _(
    "For this garment, please send a photo without a coat, in which your waist can be seen well."
)
BARE_LEGS = _("For this garment, please send a photo with bare legs, or in shorts.")


def dress_bottom(
    person: Person,
    body: BodyFit,
    garment: Garment,
    points: BottomPoints,
    *,
    light: float = 1.0,
    alone: bool = True,
) -> Dressed:
    """``light`` 0..1: how much of the old garment's light and shade the new one takes over. ``alone``: what is worn above
    stays, and ends at its waist. Raises Refused.
    """
    lower = undress(person, body)
    _refuse_hidden_waist(lower)
    if alone:
        _refuse_if_cut(person, lower)
    legs, old = lower.legs, lower.old
    fit = fit_bottom(lower, garment, points)
    drape = _draped(person, garment, fit)
    front = _in_front(person, lower)
    left = _left_over(person, lower, fit, drape)
    _refuse_if_too_much(person, legs, left)
    _reach_over_rim(person, drape, left.rim)
    cover = np.clip(drape.cover * (1 - front), 0, 1)
    base = background_behind(person, left.background)
    if left.skin.any():
        base = paint_skin(person, left.skin, base, bare_legs(person, legs), left.skin)
    base = base * drop_shadow(person, cover, left.background)[..., None]
    shade = 1 + (folds(person, old) - 1) * light * _FOLDS_TAKEN
    shade *= drape.shade * contact(person, front, 0.25)
    shade *= 1 + (exposure(person) - 1) * light
    lit = np.clip(as_photographed(person, drape.image * shade[..., None]), 0, 255)
    picture = base * (1 - cover[..., None]) + lit * cover[..., None]
    return Dressed(
        bgr=np.clip(picture, 0, 255).astype(np.uint8),
        cover=cover,
        painted=left.skin,
        worn=old,
        replaced=(cover > 0.5).astype(np.uint8) | left.skin | left.background,
        kept=np.zeros(person.shape, np.uint8),
        limbs=left.skin,
        restored=left.background & person.mask & (cover <= 0.5),
        reached=left.rim & (cover > 0.5),
        strain=fit.strain,
        distortion=drape.distortion,
    )


@dataclass(slots=True)
class _Drape:
    """The garment laid over the body, before anything is put in front of it."""

    image: Array
    cover: Soft
    shade: Soft
    distortion: float = 0.0


def _draped(person: Person, garment: Garment, fit: BottomFit) -> _Drape:
    cloth = garment.cloth_for(fit.scale)
    shape = person.shape
    drape = _Drape(
        np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), np.ones(shape, np.float32)
    )
    covers = [_lay(person, cloth, strip, drape) for strip in fit.strips]
    drape.cover *= _within_silhouette(person)
    drape.shade = volume(person, drape.cover)
    if all(strip.crotch is not None for strip in fit.strips):
        drape.shade = drape.shade * _between_legs(person, covers)
    return drape


def _within_silhouette(person: Person) -> Soft:
    """Above the hips nothing stands off the body: what hangs over the waistband hides it, and so do arms."""
    ease = 0.015 * person.skeleton.span
    near = blur(grown(person.mask, ease).astype(np.float32), max(0.8, 0.3 * ease))
    return np.asarray(np.maximum(near, np.clip((person.along - 0.98) * 12, 0, 1)))


def _lay(person: Person, cloth: Cloth, strip: Strip, drape: _Drape) -> Soft:
    field = grid_field(cloth.place(strip.source), strip.target, person.shape)
    softness = max(0.7, 0.003 * person.skeleton.span)
    cover = soft_polygon(person.shape, strip.outline, softness) * field.known(person.shape)
    image = field.pull(cloth.bgr, person.shape)
    drape.distortion += distortion(field, (cover > 0.5).astype(np.uint8)) / 2
    drape.image = np.where((cover > drape.cover)[..., None], image, drape.image)
    drape.cover = np.maximum(drape.cover, cover)
    return cover


def _between_legs(person: Person, covers: list[Soft]) -> Soft:
    """Below the crotch each leg is round by itself, and the one throws its shadow on the other."""
    below = np.clip((person.along - 1.12) / 0.1, 0, 1)
    reach = 0.05 * person.skeleton.span
    shade = np.ones(person.shape, np.float32)
    for leg, other in (covers, covers[::-1]):
        near = blur(other, reach) * (leg > 0.5)
        shade *= 1 - _BETWEEN_LEGS * np.clip(near, 0, 1) * below * (other < 0.5)
    return np.asarray(shade)


@dataclass(frozen=True, slots=True)
class _LeftOver:
    """Old cloth beside the new: its rim, which the new one covers, and what shows instead of the rest."""

    rim: Mask
    skin: Mask
    background: Mask


def _left_over(person: Person, lower: LowerBody, fit: BottomFit, drape: _Drape) -> _LeftOver:
    span, legs, old = person.skeleton.span, lower.legs, lower.old
    whole = grown(old, max(1.0, 0.012 * span)) & person.mask & (1 - _others(person, lower))
    left = ((whole > 0) & (drape.cover <= 0.97)).astype(np.uint8)
    # A leg that covers here and there what is beside it gets steps.
    near = np.where(
        person.along < _ON_THE_HIPS,
        grown(drape.cover > 0.5, 0.05 * span),
        grown(drape.cover > 0.5, 0.006 * span),
    )
    wide = grown(opened(left, 0.02 * span), 0.02 * span)
    waistband = lower.waist.seen & (person.along < lower.waist.height + 0.1)
    rim = left & near & ((1 - wide) | waistband)
    rim = (rim > 0) | _bare_beside(person, legs, fit, drape) | _pinholes(person, drape)
    # Above the hips no wall can be seen through the person.
    within = shrunk(person.mask, 0.05 * span) & (person.along < 1.0)
    rim |= (left & within) > 0
    left = left > 0
    limbs = np.zeros(person.shape, np.uint8)
    for leg, end in zip(legs, fit.end, strict=True):
        limbs |= leg.mask(person.shape, max(0.0, end - 0.1 * span), leg.length + 0.05 * span)
    rest = opened(left & ~rim, 1) > 0
    # Over the old hem, whose shade lies on the skin that is seen.
    skin = grown(rest & (limbs > 0), max(1.0, 0.03 * span)) & limbs & person.mask
    skin &= 1 - ((drape.cover > 0.97) | (person.upper > 0)).astype(np.uint8)
    skin &= 1 - (person.zones.lower_arms & person.skin)
    background = (rest & (skin == 0)).astype(np.uint8)
    return _LeftOver(
        rim=rim.astype(np.uint8),
        skin=skin,
        background=background | (grown(background, 0.04 * span) & (1 - person.mask)),
    )


def _refuse_hidden_waist(lower: LowerBody) -> None:
    if lower.waist.even > _MOST_UNEVEN:
        details: dict[str, float | str] = {
            "reason": RefusalReason.LAYERS,
            "uneven": round(lower.waist.even, 3),
        }
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=_SHOW_WAIST, details=details)


def _refuse_if_cut(person: Person, lower: LowerBody) -> None:
    """What is worn above would be cut where it goes on."""
    seam = Seam.of(person, lower.old)
    if len(seam.over) < _FEWEST_OF_LINE:
        return
    most = _MOST_BESIDE_CLEAR if np.median(seam.contrast) > _CLEAR else _MOST_MISSING
    missing = round(seam.missing, 2)
    if missing > most:
        details: dict[str, float | str] = {"reason": RefusalReason.LAYERS, "missing": missing}
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=_SHOW_WAIST, details=details)


def _refuse_if_too_much(person: Person, legs: tuple[Leg, Leg], left: _LeftOver) -> None:
    """What has to be made up to be believed."""
    whole = max(1, int(person.mask.sum()))
    restored = int((left.background & person.mask).sum()) / whole
    bared = int(left.skin.sum()) / whole
    if restored > _MOST_RESTORED:
        details: dict[str, float | str] = {
            "reason": RefusalReason.LOOSE,
            "restored": round(restored, 3),
        }
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=CLOSE_FITTING, details=details)
    limbs = legs[0].mask(person.shape, 0.0, legs[0].length) | legs[1].mask(
        person.shape, 0.0, legs[1].length
    )
    seen = int((person.skin & limbs & (1 - person.zones.arms)).sum()) / whole
    most = _MOST_BARED_BESIDE_SKIN if seen > 0.5 * bared else _MOST_BARED
    if bared > most:
        details = {"reason": RefusalReason.BARE_LEGS, "painted": round(bared, 3)}
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=BARE_LEGS, details=details)


def _bare_beside(person: Person, legs: tuple[Leg, Leg], fit: BottomFit, drape: _Drape) -> Array:
    """Bare leg that looks out beside the garment which covers it."""
    span = person.skeleton.span
    covered = np.zeros(person.shape, np.uint8)
    for leg, end in zip(legs, fit.end, strict=True):
        low = min(end - 0.08 * span, leg.length)
        covered |= leg.mask(person.shape, 0.15 * span, max(0.2 * span, low))
    near = grown(covered, 0.12 * span) & (1 - grown(person.zones.arms, 0.03 * span))
    beside = grown(drape.cover > 0.5, 0.06 * span)
    # Not below a hem, however it curves.
    above = np.maximum.accumulate(beside[::-1], 0)[::-1]
    down = max(1, int(0.1 * span))
    above = np.vstack([above[down:], np.zeros_like(above[:down])])
    bare = (person.skin > 0) & (person.along > 1.05)
    return np.asarray(bare & (near & beside & above > 0) & (drape.cover <= 0.97))


def _pinholes(person: Person, drape: _Drape) -> Array:
    """Where the two halves meet, at the crotch."""
    whole = closed(drape.cover > 0.5, 0.015 * person.skeleton.span)
    return np.asarray((whole > 0) & (drape.cover <= 0.97) & (person.along < 1.3))


def _others(person: Person, lower: LowerBody) -> Mask:
    """Skin that is surely skin, and the upper garment; not the rim of a waistband that is seen."""
    skin = opened(person.skin, 0.015 * person.skeleton.span)
    upper = person.upper
    if lower.waist.seen:
        upper = upper & (1 - grown(lower.old, 0.02 * person.skeleton.span))
    return np.asarray(((skin | upper) & (1 - lower.old)).astype(np.uint8))


def _reach_over_rim(person: Person, drape: _Drape, rim: Mask) -> None:
    if not rim.any():
        return
    known = (drape.cover > 0.6).astype(np.uint8)
    filled = fill_from_nearest(drape.image.astype(np.uint8), known).astype(np.float32)
    drape.image = np.where((known == 0)[..., None], filled, drape.image)
    soft = np.clip(blur(rim.astype(np.float32), 1.0) * 1.5, 0, 1) * person.alpha
    drape.cover = np.maximum(drape.cover, soft)


def _in_front(person: Person, lower: LowerBody) -> Soft:
    """Bare forearms and hands, and the upper garment: hanging over the waistband, or above it where it is tucked in."""
    span = person.skeleton.span
    arms = person.skin_alpha * person.zones.lower_arms
    radius = max(2, int(0.015 * span))
    upper = guided(person.bgr, person.upper & (1 - lower.old), radius)
    if lower.waist.seen:
        beside = grown(person.zones.arms, 0.05 * span)
        upper = upper * np.maximum(above_waist(person, lower.body, lower.waist), beside)
    return np.asarray(np.maximum(arms, cv2.GaussianBlur(upper.astype(np.float32), (0, 0), 0.8)))
