"""Dressing a person in a top or a dress: warp the parts, cover what was worn, light the result."""

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from selify.core.language import _
from selify.tryon.engine.arrays import SIDES, Array, Bgr, Mask, Soft
from selify.tryon.engine.body import BodyFit, arm_length
from selify.tryon.engine.camera import as_photographed
from selify.tryon.engine.fit import (
    EASE,
    PIT_HEIGHT,
    SHARED_HEM,
    TorsoFit,
    fit_torso,
    pit_reach,
)
from selify.tryon.engine.garment import Cloth, Garment
from selify.tryon.engine.geometry import (
    Ruled,
    at_length,
    distortion,
    lengths_along,
    strip_field,
    thin_plate_field,
    unit,
)
from selify.tryon.engine.labels import Label
from selify.tryon.engine.limbs import Limbs, bare_limbs
from selify.tryon.engine.masks import (
    blur,
    capsule,
    fill_from_nearest,
    grown,
    opened,
    parts_sized,
    parts_touching,
    polygon,
    shrunk,
    soft_polygon,
)
from selify.tryon.engine.person import Person
from selify.tryon.engine.points import TopPoints
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.shading import contact, drop_shadow, exposure, folds, volume
from selify.tryon.engine.skin import paint_skin
from selify.tryon.engine.sleeves import SLEEVE_EASE, SleeveFit, fit_sleeves
from selify.tryon.engine.worn import bare_armed, worn_cloth, worn_cuff
from selify.tryon.types import GarmentCategory, RefusalCode, RefusalReason

# In tau; higher up nothing is old cloth that a garment could reach out to.
_SHOULDERS = -0.14
# In tau: how far down from the shoulder a sleeve lies on the arm.
_SHOULDER_CAP = 0.2
# In shoulder spans: cloth that stands no higher above the new garment's shoulders is drawn under.
_ON_SHOULDER = 0.05
# In shoulder spans: how soft the edge is of what hangs open.
_OPEN_RIM = 0.02
_TUCK_IN = _("For this garment, please send a photo with your top tucked in, or in a short one.")

# In shoulder spans: further than this from where it was laid, cloth has strayed.
_STRAY = 0.06
# In shoulder spans: how far from a new sleeve bare arm is still in it, and what is round a bare arm.
_ALL_ROUND, _ROUND_ARM = 0.22, 0.08
# In tau, where hands may lie in front of the trunk. How far fingers reach beyond a hand that was not quite found, in
# shoulder spans, and how large they are at most (in spans, squared).
_TRUNK, _FINGERS, _OF_FINGERS = (0.3, 0.95), 0.35, 0.08


@dataclass(frozen=True, slots=True)
class Dressed:
    """The picture, how much of each pixel is the new garment, and where skin was painted.

    ``worn`` is the old garment, ``replaced`` all of the photo that shows something else now, with what is ``kept`` on purpose:
    worn under a jacket that hangs open. Of these, for the gate:
    ``limbs`` painted as round skin, ``restored`` background, cloth ``reached`` out to cover the old beside the new, and
    ``stray`` of it that lies far from where the garment does.
    ``strain``: how far parts are stretched or shrunk lengthwise, as the largest natural logarithm of a ratio;
    ``distortion``: the trunk's, of lengths in one direction against another.
    """

    bgr: Bgr
    cover: Soft
    painted: Mask
    worn: Mask
    replaced: Mask
    kept: Mask
    limbs: Mask | None = None
    restored: Mask | None = None
    reached: Mask | None = None
    stray: Mask | None = None
    strain: float = 0.0
    distortion: float = 0.0


@dataclass(slots=True)
class _Drape:
    """The garment laid over the body, before anything is put in front of it. ``through``: where it hangs open."""

    image: Array
    cover: Soft
    torso: Soft
    sleeves: Soft
    crease: Soft
    through: Soft
    distortion: float


def dress(
    person: Person, body: BodyFit, garment: Garment, points: TopPoints, *, light: float = 1.0
) -> Dressed:
    """``light`` 0..1: how much of the old garment's light and shade the new one takes over. Raises Refused."""
    if garment.opening is not None:
        # What is worn below hangs out of it as it likes.
        body = replace(body, hem=None)
    torso = fit_torso(person, body, garment, points)
    _refuse_longer(body, garment, torso)
    sleeves = fit_sleeves(person, body, points, torso)
    cloth = garment.cloth_for(torso.scale)
    worn = worn_cloth(person)
    drape = _draped(person, cloth, torso, sleeves)
    drape.cover *= _within_silhouette(person, garment, torso, drape.sleeves) * (1 - drape.through)
    kept = _kept(person, garment, torso, drape)
    limbs = bare_limbs(person)
    clad = _in_sleeves(person, sleeves, limbs)
    gone = worn & (1 - grown(kept, _OPEN_RIM * person.skeleton.span))
    left = _left_over(person, body, torso, sleeves, drape, gone, limbs, clad)
    laid = drape.cover > 0.5
    _reach_out(person, drape, left)
    front = _in_front(person, body, torso, drape, clad, sleeved=bool(sleeves))
    cover = np.clip(drape.cover * (1 - front) * (1 - _head(person)), 0, 1)
    hidden = np.maximum(cover, grown(left.skin, 0.03 * person.skeleton.span))
    base = _without_old_rim(person, worn, left, hidden)
    base = paint_skin(person, left.skin, base, limbs, left.arms)
    base = base * drop_shadow(person, cover, left.background)[..., None]
    shade = (1 + (folds(person, person.upper) - 1) * light) * volume(person, drape.cover)
    shade *= (1 - 0.22 * drape.crease) * contact(person, front * (1 - drape.sleeves), 0.22)
    shade *= 1 + (exposure(person) - 1) * light
    cloth_lit = np.clip(as_photographed(person, drape.image * shade[..., None]), 0, 255)
    picture = base * (1 - cover[..., None]) + cloth_lit * cover[..., None]
    return Dressed(
        bgr=np.clip(picture, 0, 255).astype(np.uint8),
        cover=cover,
        painted=left.skin,
        worn=worn,
        replaced=(cover > 0.5).astype(np.uint8) | left.skin | left.background | kept,
        kept=kept,
        limbs=left.arms,
        restored=left.background & (cover <= 0.5),
        reached=(left.torso | left.sleeve) & (cover > 0.5),
        stray=(cover > 0.5) & (1 - grown(laid, _STRAY * person.skeleton.span)),
        strain=_strain(body, points, torso, sleeves),
        distortion=drape.distortion,
    )


def _refuse_longer(body: BodyFit, garment: Garment, torso: TorsoFit) -> None:
    """What hangs out far below a shorter top would have to become a belly, and a waistband that nobody has seen."""
    if body.hem is None or garment.category is not GarmentCategory.TOP:
        return
    longer = body.hem - torso.hem_height
    if longer > SHARED_HEM:
        details: dict[str, float | str] = {
            "reason": RefusalReason.LONGER,
            "longer": round(longer, 2),
        }
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=_TUCK_IN, details=details)


def _strain(body: BodyFit, points: TopPoints, torso: TorsoFit, sleeves: list[SleeveFit]) -> float:
    tips = body.tau_of((body.tips[0] + body.tips[1]) / 2)
    seen = (torso.hem_height - tips) * body.skeleton.trunk
    ratios = [seen / max(1.0, points.length * torso.lengthwise)]
    for sleeve in sleeves:
        flat, fitted = (
            float(lengths_along(edge.outer)[-1]) for edge in (sleeve.source, sleeve.target)
        )
        ratios.append(fitted / max(1.0, flat * torso.lengthwise))
    return float(np.abs(np.log(np.maximum(ratios, 1e-3))).max())


def _edge_softness(person: Person) -> float:
    return max(0.7, 0.003 * person.skeleton.span)


def _draped(person: Person, cloth: Cloth, torso: TorsoFit, sleeves: list[SleeveFit]) -> _Drape:
    shape, soft = person.shape, _edge_softness(person)
    field = thin_plate_field(
        cloth.place(torso.source), torso.target, shape, margin=0.25 * person.skeleton.span
    )
    image, none = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    through = none
    cover = soft_polygon(shape, torso.outline, soft)
    distorted = 0.0
    if field is not None:
        image = field.pull(cloth.bgr, shape).astype(np.float32)
        distorted = distortion(field, (cover > 0.5).astype(np.uint8))
        if cloth.opening is not None:
            through = field.pull(cloth.opening, shape)
    drape = _Drape(image, cover.copy(), cover, none, none.copy(), through, distorted)
    for sleeve in sleeves:
        _lay_sleeve(person, cloth, sleeve, drape)
    drape.through = through * (1 - drape.sleeves)
    return drape


def _lay_sleeve(person: Person, cloth: Cloth, sleeve: SleeveFit, drape: _Drape) -> None:
    """Over the torso, blending into it along the armhole, with a crease where it overlaps."""
    span = person.skeleton.span
    source = Ruled(cloth.place(sleeve.source.outer), cloth.place(sleeve.source.inner))
    soft = _edge_softness(person)
    field = strip_field(source, sleeve.target, person.shape)
    known = field.known(person.shape)
    # What is known ends in steps: a soft edge needs cloth beyond it.
    around = grown(known, 3 * soft)
    cover = soft_polygon(person.shape, sleeve.outline, soft) * around
    depth = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    blend = np.clip(depth / (0.05 * span), 0, 1)
    over_torso = (drape.torso > 0.5) & (cover > 0.02)
    weight = np.where(over_torso, cover * blend, around * (cover > 0.02))
    image = fill_from_nearest(field.pull(cloth.bgr, person.shape), known)
    drape.image = drape.image * (1 - weight[..., None]) + image * weight[..., None]
    drape.cover = np.minimum(drape.cover + cover, 1)
    drape.sleeves = np.maximum(drape.sleeves, cover)
    crease = blur(cover, 0.03 * span) * (1 - cover) * (drape.torso > 0.5)
    # An arm presses the cloth together at its pit; the seam over the shoulder is flat.
    depth_down = np.clip((person.along - 0.05) / 0.25, 0.15, 1)
    drape.crease = np.maximum(drape.crease, crease * depth_down)


def _within_silhouette(person: Person, garment: Garment, torso: TorsoFit, sleeves: Soft) -> Soft:
    """On the shoulders cloth lies on the person; a top stands off the trunk a little, its sleeves off the arms, and a
    skirt swings out.
    """
    span = person.skeleton.span
    ease = 0.02 + EASE * np.clip((person.along - 0.25) / 0.2, 0, 1)
    # A sleeve lies on the shoulder too, and hangs off the arm further down.
    off_arm = 0.02 + (SLEEVE_EASE - 0.02) * np.clip(person.along / _SHOULDER_CAP, 0, 1)
    ease = np.where(sleeves > 0.05, off_arm, ease) * span
    off = cv2.distanceTransform(1 - person.mask, cv2.DIST_L2, 5)
    near = np.clip((ease - off) / max(1.5, 0.012 * span) + 0.5, 0, 1)
    if torso.standing is not None:
        collar = grown(polygon(person.shape, torso.standing), 0.04 * span)
        near = np.maximum(near, blur(collar.astype(np.float32), 1.0))
    if garment.category is GarmentCategory.DRESS:
        return np.maximum(near, np.clip((person.along - 0.85) * 8, 0, 1))
    return np.asarray(near, np.float32)


def _kept(person: Person, garment: Garment, torso: TorsoFit, drape: _Drape) -> Mask:
    """What is worn under a jacket that hangs open: between its fronts, in its neck, and below its hem."""
    if garment.opening is None:
        return np.zeros(person.shape, np.uint8)
    below = person.along > torso.hem_height
    kept = (drape.through > 0.5) | (_neck_opening(person, torso) > 0) | below
    return np.asarray((kept & (person.mask > 0) & (drape.cover <= 0.5)).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class _LeftOver:
    """Old cloth the drape does not cover: what torso and sleeves reach to, what shows instead."""

    torso: Mask
    sleeve: Mask
    skin: Mask
    arms: Mask
    background: Mask


def _left_over(
    person: Person,
    body: BodyFit,
    torso: TorsoFit,
    sleeves: list[SleeveFit],
    drape: _Drape,
    worn: Mask,
    limbs: Limbs,
    clad: Array,
) -> _LeftOver:
    span = person.skeleton.span
    left = (worn > 0) & (drape.cover <= 0.97)
    arms = _sleeved_arms(person)
    if arms.any():
        arms |= _beside_trunk(person, body)
    neck = _neck_opening(person, torso) > 0
    # Without sleeves, what lies beside the straps is shoulder.
    bare = arms | (person.along < PIT_HEIGHT) if not sleeves else arms
    above = left & ~neck & _above_shoulders(person, torso)
    above &= grown(limbs.drawn, 0.04 * span) == 0  # An arm may be raised.
    left &= ~above
    on_arm = left & bare & ~neck
    sleeve = on_arm & _beside_sleeves(person, sleeves, drape)
    beyond = on_arm & ~sleeve
    # An arm in a new sleeve is not bare anywhere above its cuff.
    sleeve, beyond = sleeve | (beyond & clad), beyond & ~clad
    sleeve |= _bare_beside_sleeves(person, drape) & clad & ~neck
    trunk = left & ~bare & ~neck & (person.along < torso.hem_height + 0.15)
    trunk |= _hips_beside(person, torso, drape)
    limb = limbs.mask > 0
    # A hood, a scarf, a collar round the neck: what is behind them shows, not a neck as wide as they are. Further down is the
    # chest, however deep the new neckline.
    above |= left & neck & ~limb & ~_neck_column(person) & (person.along < 0)
    skin, arms = _bared(person, left & neck & ~above, beyond, limb)
    notches = beyond & (skin == 0) & (grown(1 - person.mask, 0.03 * span) > 0)
    # What hung on the far side of an arm is its old sleeve, not the trunk.
    beyond_arm = trunk & (grown(arms, 0.04 * span) > 0)
    beyond_arm &= parts_touching(trunk, grown(drape.torso > 0.5, 0.02 * span)) == 0
    return _LeftOver(
        torso=(trunk & ~beyond_arm).astype(np.uint8),
        sleeve=sleeve.astype(np.uint8),
        skin=skin,
        arms=skin & arms,
        background=((beyond & ~limb) | notches | beyond_arm | above).astype(np.uint8),
    )


def _above_shoulders(person: Person, torso: TorsoFit) -> Array:
    """Higher than the new garment lies on them: pads, puffs and what only seemed to be cloth."""
    s = person.skeleton
    up, aside = s.down * _ON_SHOULDER * s.span, s.across * 0.5 * s.span
    (left, right), high = torso.shoulder_lines, s.down * s.span
    line = np.vstack([left[-1] - aside, left[::-1], right, right[-1] + aside]) - up
    corners = np.vstack([line, line[-1] - high, line[0] - high])
    return polygon(person.shape, corners) > 0


def _bared(person: Person, neck: Array, beyond: Array, limb: Array) -> tuple[Mask, Mask]:
    """Skin that shows where old cloth was, with its seams, and where a limb is round; ``beyond``: cloth of sleeves that
    nothing new covers.
    """
    span = person.skeleton.span
    on_limb = _smoothed(beyond & limb, 0.015 * span)
    skin = grown(opened(neck | on_limb, 1), max(1.0, 0.012 * span))
    arms = grown(opened(on_limb & (_chest(person) == 0), 1), max(1.0, 0.02 * span))
    return (skin | arms) & person.mask & (1 - person.hair) & ~(beyond & ~limb), arms


def _smoothed(mask: Array, radius: float) -> Array:
    """Without the notches that a segmenter's rim has."""
    return np.asarray(blur(mask.astype(np.float32), radius) > 0.5)


def _hips_beside(person: Person, torso: TorsoFit, drape: _Drape) -> Array:
    """Skirt or trousers that stand out beside a top which hangs over them: it goes round them too."""
    near = grown(drape.torso > 0.5, 0.08 * person.skeleton.span) > 0
    above_hem = (person.along > 0.4) & (person.along < torso.hem_height)
    beside = near & above_hem & (person.label == Label.LOWER) & (drape.cover <= 0.97)
    beside &= drape.through < 0.5
    return np.asarray(beside)


def _beside_trunk(person: Person, body: BodyFit) -> Array:
    """Further out than the trunk goes: cloth there belongs to a sleeve, however wide."""
    s = person.skeleton
    y, x = np.ogrid[: person.shape[0], : person.shape[1]]
    across = (x - s.neck[0]) * s.across[0] + (y - s.neck[1]) * s.across[1]
    reach = [pit_reach(body, k) + 0.06 * s.span for k in SIDES]
    return np.asarray(((across < -reach[0]) | (across > reach[1])) & (person.along < 0.9))


def _beside_sleeves(person: Person, sleeves: list[SleeveFit], drape: _Drape) -> Array:
    """Where the new sleeve reaches out to cover the rim of the old one."""
    if not sleeves:
        return np.zeros(person.shape, bool)
    near = grown(drape.cover > 0.5, _rim_reach(person, sleeves) * person.skeleton.span) > 0
    # With the rim of an old cuff that ends where the new one does.
    return near & ~_beyond_cuffs(person, sleeves, 0.025)


def _in_sleeves(person: Person, sleeves: list[SleeveFit], limbs: Limbs) -> Array:
    """Where arms are, and a little round them, down to the cuffs of the new sleeves."""
    if not sleeves:
        return np.zeros(person.shape, bool)
    arms = (grown(limbs.drawn, _ROUND_ARM * person.skeleton.span) | limbs.mask) > 0
    return arms & ~_beyond_cuffs(person, sleeves)


def _bare_beside_sleeves(person: Person, drape: _Drape) -> Array:
    """Bare arm that looks out beside a sleeve which covers it, or an old sleeve that was taken for one: sleeves go all
    the way round.
    """
    near = grown(drape.sleeves > 0.5, _ALL_ROUND * person.skeleton.span) > 0
    beside = np.isin(person.label, (Label.SKIN, Label.UPPER)) & (person.mask > 0)
    return np.asarray(beside & near & (drape.cover <= 0.97))


def _rim_reach(person: Person, sleeves: list[SleeveFit]) -> float:
    """How wide a rim of the old sleeve the new one takes over, in shoulder spans."""
    reaches = []
    for sleeve in sleeves:
        worn = worn_cuff(person, sleeve.side)
        total = arm_length(person.skeleton, sleeve.side)
        if worn is None and sleeve.length > 0.9 * total:
            reaches.append(0.2)  # Long on long: the old sleeve's width is the new one's.
        elif worn is not None and sleeve.length > worn + 0.2 * person.skeleton.span:
            reaches.append(0.012)  # It goes on beyond the old cuff, and keeps its own line there.
        else:
            reaches.append(0.06)
    return max(reaches)


def _chest(person: Person) -> Mask:
    """Between the shoulder joints skin is flat, not round as a limb."""
    s = person.skeleton
    inner = [s.shoulders[k] - s.outwards[k] * 0.12 * s.span for k in SIDES]
    up, down = s.down * 0.5 * s.span, s.down * 0.4 * s.span
    corners = [inner[0] - up, inner[1] - up, inner[1] + down, inner[0] + down]
    return polygon(person.shape, np.array(corners))


def _neck_opening(person: Person, torso: TorsoFit) -> Mask:
    """Above the new neckline, between its collar points and the face."""
    s = person.skeleton
    inset = s.across * 0.02 * s.span
    side = s.across * 0.28 * s.span
    inner = [torso.collar[0] + inset, *torso.neck[1:-1], torso.collar[1] - inset]
    return polygon(person.shape, np.vstack([s.eyes - side, *inner, s.eyes + side]))


def _neck_column(person: Person) -> Array:
    s = person.skeleton
    return capsule(person.shape, s.neck, s.mouth, 0.22 * s.span, 0.22 * s.span) > 0


def _sleeved_arms(person: Person) -> Array:
    """Arm zones that are covered with cloth now."""
    zone = np.zeros(person.shape, bool)
    limit = np.array(person.shape[::-1]) - 1
    s, zones = person.skeleton, person.zones
    for k in SIDES:
        if bare_armed(person, k):
            continue
        bones = (s.arm(k)[:2], zones.upper_arms[k]), (s.arm(k)[1:], zones.forearms[k])
        for bone, area in bones:
            length = float(np.hypot(*(bone[1] - bone[0])))
            spots = at_length(bone, np.linspace(0.15, 1, 12) * length)
            x, y = np.clip(spots, 0, limit).astype(int).T
            if (person.label[y, x] == Label.UPPER).mean() > 0.35:
                zone |= area > 0
                # Cuffs reach over the wrist.
                zone |= (zones.hands[k] > 0) & (area is zones.forearms[k])
    return zone


def _beyond_cuffs(person: Person, sleeves: list[SleeveFit], margin: float = 0.0) -> Array:
    """What lies on the arms and round them, beyond the new cuffs by more than ``margin`` shoulder spans."""
    span = person.skeleton.span
    zone = np.zeros(person.shape, bool)
    for sleeve in sleeves:
        bone = person.skeleton.arm(sleeve.side)
        rest = at_length(bone, np.linspace(sleeve.length, float(lengths_along(bone)[-1]), 6))
        arm = np.zeros(person.shape, np.uint8)
        for a, b in pairwise(rest):
            arm |= capsule(person.shape, a, b, 0.32 * span, 0.32 * span)
        zone |= (arm > 0) & (_below_cuff(person, sleeve, rest[1] - rest[0]) > margin * span)
        zone |= person.zones.hands[sleeve.side] > 0
    return zone


def _below_cuff(person: Person, sleeve: SleeveFit, down: Array) -> Array:
    """How far each pixel is from the line of the cuff on the hand's side, where ``down`` leads; on the other side negative."""
    outer, inner = sleeve.target.outer[-1], sleeve.target.inner[-1]
    along = unit(inner - outer)
    normal = np.array([-along[1], along[0]]) * (
        1 if along[0] * down[1] > along[1] * down[0] else -1
    )
    y, x = np.ogrid[: person.shape[0], : person.shape[1]]
    return np.asarray((x - outer[0]) * normal[0] + (y - outer[1]) * normal[1])


def _reach_out(person: Person, drape: _Drape, left: _LeftOver) -> None:
    """Let the garment cover the old cloth beside it: the spline goes on, sleeves grow. Above the shoulders is hair."""
    grow = (left.torso | left.sleeve) & (person.along > _SHOULDERS)
    if not grow.any():
        return
    softness = max(0.8, 0.004 * person.skeleton.span)
    soft = np.clip(blur(grown(grow, 1).astype(np.float32), softness) * 1.4, 0, 1)
    known = (drape.cover > 0.6).astype(np.uint8)
    filled = fill_from_nearest(drape.image.astype(np.uint8), known).astype(np.float32)
    smear = (left.sleeve > 0) | ((grow > 0) & ~drape.image.any(2)) | (drape.image.sum(2) == 0)
    drape.image = np.where(smear[..., None] & (known == 0)[..., None], filled, drape.image)
    drape.cover = np.maximum(drape.cover, soft * np.clip(person.alpha * 1.15, 0, 1))
    grown_sleeve = blur(left.sleeve.astype(np.float32), softness)
    drape.sleeves = np.maximum(drape.sleeves, np.clip(grown_sleeve * 1.4, 0, 1))


def _in_front(
    person: Person, body: BodyFit, torso: TorsoFit, drape: _Drape, clad: Array, *, sleeved: bool
) -> Soft:
    """Bare forearms, hands and hair that hide the garment; what is in its sleeves does not."""
    s, shape = person.skeleton, person.shape
    arms = person.zones.lower_arms.copy()
    for k in SIDES:
        start = s.shoulders[k] * 0.35 + s.elbows[k] * 0.65
        arms |= capsule(shape, start, s.elbows[k], 0.15 * s.span, 0.15 * s.span)
    arms |= _fingers(person)
    bare = person.skin_alpha * arms * (1 - shrunk(person.upper, 0.01 * s.span)) * ~clad
    bare = blur(bare, _edge_softness(person)) * (1 - drape.sleeves)
    # An upper arm beside the trunk must not eat into the shoulder of the new garment.
    left, right = torso.armpits
    corners = [torso.collar[0], torso.collar[1], body.tips[1], right * 0.65 + left * 0.35]
    corners += [left * 0.65 + right * 0.35, body.tips[0]]
    shoulders = soft_polygon(shape, np.array(corners), 1)
    bare = bare * (1 - shoulders * (1 if sleeved else drape.torso))
    return np.asarray(np.maximum(bare, person.hair_alpha))


def _fingers(person: Person) -> Mask:
    """Of a hand in front of the trunk what lies beyond where it was thought to be. A bare belly beside it is larger, and
    cloth that was taken for skin has another hue.
    """
    span, zones = person.skeleton.span, person.zones
    on_trunk = (person.along > _TRUNK[0]) & (person.along < _TRUNK[1])
    near = grown(zones.hands[0] | zones.hands[1], _FINGERS * span) & (1 - zones.arms)
    near &= on_trunk & ~person.of_another_hue
    fingers = parts_sized(person.skin & near, most=_OF_FINGERS * span**2)
    arms = person.skin & zones.lower_arms
    return parts_touching(fingers | arms, arms) & fingers


def _head(person: Person) -> Soft:
    return blur(person.head.astype(np.float32), 1.5)


def _without_old_rim(person: Person, worn: Mask, left: _LeftOver, cover: Soft) -> Array:
    """The photo with background where wide old sleeves were, and without their tint in its rim."""
    span = person.skeleton.span
    near = grown(worn, 0.03 * span) > 0
    rim = (person.alpha > 0.02) & (person.alpha < 0.98) & near & (cover > 0.02)
    picture = person.bgr.astype(np.float32)
    share = np.clip(1.5 * (1 - person.alpha), 0, 1) * rim
    behind = grown(person.alpha > 0.02, 0.01 * span) == 0
    gone = left.background
    if gone.any() or left.arms.any():
        # A sleeve's corners stand out beyond what was seen of it, and its rim beyond the arm that was in it.
        around = grown(gone, 0.04 * span) | (grown(left.arms, 0.015 * span) & (1 - left.arms))
        around &= 1 - grown(person.mask & (1 - worn), 0.01 * span)
        around |= grown(gone, 0.01 * span) & (1 - person.skin)
        share = np.maximum(share, blur(around.astype(np.float32), 1.5))
        behind &= around == 0
    if not share.any() or not behind.any():
        return picture
    filled = fill_from_nearest(person.bgr, behind.astype(np.uint8)).astype(np.float32)
    filled = blur(filled, 0.02 * span)
    return np.asarray(picture * (1 - share[..., None]) + filled * share[..., None])
