"""The photo, read: where the person is, and which of it is skin, hair, upper and lower clothes."""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Bgr, Lab, Mask, Soft
from selify.tryon.engine.labels import Label
from selify.tryon.engine.masks import (
    Cluster,
    average_inside,
    blur,
    capsule,
    colour_clusters,
    disc,
    distance_to,
    ellipse,
    grown,
    guided,
    opened,
    parts_sized,
    parts_touching,
    pixel,
    polygon,
)
from selify.tryon.engine.parse import Former, parse_person
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.types import GarmentCategory

_GRABCUT_SIDE = 384
_LABEL_SIDE = 512
# Pixels of hair that tell its colour; how far from it (in shoulder spans) its ends may lie, and how much nearer (squared)
# to its colours than to others they have to be.
_ENOUGH_HAIR, _STRANDS, _CLEARLY_HAIR = 200, 0.45, 0.35
# Pixels of a face that tell its hue, and how far from it (a and b of 8 bits) skin is not.
_ENOUGH_FACE, _OTHER_HUE = 60, 13.0
# Of a hand beside its face: how dark it is at most (of the face's light), how far off its hue, and how red at least.
_DARKEST, _FURTHEST, _LEAST_RED = 0.4, 30.0, 130.0
# Of cloth that was taken for skin: votes of so many shoulder spans round a pixel count, what is narrower or of a smaller
# area (in spans, squared) is a tattoo or a watch; what is so light and of so little colour may be skin in the sun.
_VOTED, _NARROW, _SMALL, _IN_SUN, _FADED = 0.03, 0.02, 0.02, 200.0, 18.0
# How soft the rim of skin is, in pixels.
_SKIN_RIM = 0.7


@dataclass(frozen=True, slots=True)
class Zones:
    """Where limbs and neck may be, from the skeleton alone. Pairs of masks."""

    upper_arms: tuple[Mask, Mask]
    forearms: tuple[Mask, Mask]
    hands: tuple[Mask, Mask]
    neck: Mask
    torso_core: Mask
    thighs: Mask

    @property
    def arms(self) -> Mask:
        return np.asarray(np.bitwise_or.reduce([*self.upper_arms, *self.forearms, *self.hands]))

    @property
    def lower_arms(self) -> Mask:
        return np.asarray(np.bitwise_or.reduce([*self.forearms, *self.hands]))


@dataclass(frozen=True)
class Person:
    """A crop of the photo round one person, with everything that was read from it. ``one_piece``: they wear a dress or an
    overall.
    """

    bgr: Bgr
    lab: Lab
    skeleton: Skeleton
    alpha: Soft
    label: Array
    skin: Mask
    hair: Mask
    zones: Zones
    skin_colours: list[Cluster]
    cloth_colours: list[Cluster]
    hair_like_clothes: bool
    one_piece: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.bgr.shape[0], self.bgr.shape[1]

    @cached_property
    def mask(self) -> Mask:
        return (self.alpha > 0.5).astype(np.uint8)

    @cached_property
    def upper(self) -> Mask:
        return np.asarray((self.label == Label.UPPER).astype(np.uint8))

    @cached_property
    def lower(self) -> Mask:
        return np.asarray((self.label == Label.LOWER).astype(np.uint8))

    @cached_property
    def along(self) -> Soft:
        """How far down the trunk each pixel lies: 0 at the shoulders, 1 at the hips."""
        return self.skeleton.along(self.shape)

    @cached_property
    def skin_alpha(self) -> Soft:
        """Along the picture's own edges, without the notches that a pattern beside the skin makes in them."""
        soft = guided(self.bgr, self.skin, max(2, int(0.015 * self.skeleton.span)))
        width = max(1.0, 0.012 * self.skeleton.span)
        return np.clip((blur(soft, width) - 0.5) * width / _SKIN_RIM + 0.5, 0, 1)

    @cached_property
    def hair_alpha(self) -> Soft:
        soft = guided(self.bgr, self.hair, max(2, int(0.02 * self.skeleton.span)))
        return soft * (cv2.dilate(self.hair, np.ones((5, 5), np.uint8)) > 0)

    @cached_property
    def of_another_hue(self) -> Array:
        """Where colours cannot be this person's skin by their hue; nowhere if the face is not seen."""
        return _far_from(self._hues, self.lab)

    def unlike_face(self, lab: Lab) -> Array:
        """The same by the face alone, which hands in other light or beside a sleeve of skin's colour do not mislead."""
        return _far_from(self._hues[:1], lab)

    @cached_property
    def _hues(self) -> list[Array]:
        """Median of a and b of the face, and of hands: a hand beside a sleeve has the arm's light, and no make-up."""
        s = self.skeleton
        centre = s.eyes + (s.mouth - s.eyes) * 0.35
        face = ellipse(self.shape, centre, 0.6 * s.face_length, 0.8 * s.face_length)
        seen = self.lab[(face & self.skin) > 0]
        if len(seen) <= _ENOUGH_FACE:
            return []
        light, *hue = np.median(seen, 0)
        hues = [np.array(hue)]
        for hand in self.zones.hands:
            pixels = self.lab[(hand & self.skin & (1 - self.head)) > 0]
            if len(pixels) > _ENOUGH_FACE:
                middle = np.median(pixels, 0)
                off = float(np.hypot(*(middle[1:] - hue)))
                # A cuff over the hand, a glove, a telephone.
                if middle[0] > _DARKEST * light and off < _FURTHEST and middle[1] > _LEAST_RED:
                    hues.append(middle[1:])
        return hues

    @cached_property
    def head(self) -> Mask:
        """Face and hair: what no garment may cover."""
        s = self.skeleton
        centre = s.eyes + (s.mouth - s.eyes) * 0.35
        zone = ellipse(self.shape, centre, 1.15 * s.face_length, 1.65 * s.face_length)
        return zone & (self.skin | self.hair)


def read_person(
    bgr: Bgr,
    skeleton: Skeleton,
    body_mask: Soft,
    *,
    segmenter: Segmenter | None = None,
    category: GarmentCategory | None = None,
) -> Person:
    """Read a crop. ``skeleton`` and ``body_mask`` (H, W) are in the crop's own pixels.

    ``category``: of what will be put on. Of somebody in a dress, only a new dress takes the place of all of it.
    """
    zones = _zones(skeleton, bgr.shape)
    alpha = _person_alpha(bgr, body_mask, skeleton.span, zones)
    mask = (alpha > 0.5).astype(np.uint8)
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    colours = _Colours.sample(lab, mask, skeleton, zones)
    label = _labels(lab, mask, skeleton, zones, colours)
    one_piece = False
    if segmenter is not None:
        parse = parse_person(segmenter, bgr, skeleton, Former(label, lab, alpha, body_mask))
        alpha = _along_edges(bgr, parse.silhouette, skeleton.span)
        label = np.where(alpha > 0.5, parse.label, np.uint8(Label.BACKGROUND))
        one_piece = parse.one_piece
        if one_piece and category is GarmentCategory.DRESS:
            label = _as_one_piece(label, zones)
        colours = colours.told_apart(lab, label)
    radius = max(1.0, 0.0175 * skeleton.span)
    hair = _hair(label, skeleton, radius)
    like_clothes = colours.hair_like_clothes()
    if like_clothes:
        hair[skeleton.along(bgr.shape) > 0.02] = 0
    else:
        hair |= _strands(lab, mask, hair, colours, skeleton.span)
    person = Person(
        bgr=bgr,
        lab=lab,
        skeleton=skeleton,
        alpha=alpha,
        label=label,
        skin=opened(label == Label.SKIN, radius),
        hair=hair,
        zones=zones,
        skin_colours=colours.skin,
        cloth_colours=colours.upper,
        hair_like_clothes=like_clothes,
        one_piece=one_piece,
    )
    return without_false_skin(person)


def without_false_skin(person: Person) -> Person:
    """A sleeve is taken for an arm now and then, as far as the trunk goes down: it has another hue than face and hands."""
    span, zones = person.skeleton.span, person.zones
    area = (person.label == Label.SKIN) & (person.head == 0) & (person.along > 0)
    area &= ((zones.arms > 0) | (person.along < 1)) & (zones.hands[0] == 0) & (zones.hands[1] == 0)
    colour = np.hypot(person.lab[..., 1] - 128, person.lab[..., 2] - 128)
    in_sun = (person.lab[..., 0] > _IN_SUN) & (colour < _FADED)
    odd = area & person.of_another_hue & ~in_sun
    votes = average_inside(odd.astype(np.float32), area.astype(np.float32), _VOTED * span)
    wide = opened(area & (votes > 0.5), max(1.0, _NARROW * span))
    cloth = parts_sized(wide, least=_SMALL * span**2)
    if not cloth.any():
        return person
    label = np.where(cloth, np.uint8(Label.UPPER), person.label)
    return replace(person, label=label, skin=person.skin & (1 - cloth))


def _far_from(hues: list[Array], lab: Lab) -> Array:
    if not hues:
        return np.zeros(lab.shape[:2], bool)
    a, b = cv2.extractChannel(lab, 1), cv2.extractChannel(lab, 2)
    far = [cv2.magnitude(a - np.float32(hue[0]), b - np.float32(hue[1])) for hue in hues]
    return np.asarray(np.min(far, 0) > _OTHER_HUE)


def _person_alpha(bgr: Bgr, body_mask: Soft, span: float, zones: Zones) -> Soft:
    """The network's mask, cut along the picture's own edges."""
    height, width = bgr.shape[:2]
    scale = min(1.0, _GRABCUT_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    likely = cv2.resize(body_mask, size, interpolation=cv2.INTER_LINEAR)
    body = zones.torso_core | zones.upper_arms[0] | zones.upper_arms[1]
    limbs = cv2.resize(body.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    cut = _grabcut(small, likely, limbs, max(1.0, 0.0175 * span * scale))
    rough = cv2.resize(cut.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return _along_edges(bgr, rough, span)


def _along_edges(bgr: Bgr, rough: Array, span: float) -> Soft:
    soft = cv2.GaussianBlur(rough.astype(np.float32), (0, 0), max(1.0, 0.006 * span))
    return guided(bgr, soft, max(2, int(0.015 * span)))


def _as_one_piece(label: Array, zones: Zones) -> Array:
    """All of a dress is upper. Shoes are no part of it."""
    cloth = np.isin(label, (Label.UPPER, Label.LOWER)).astype(np.uint8)
    piece = parts_touching(cloth, zones.torso_core & cloth)
    return np.where((piece & cloth) > 0, np.uint8(Label.UPPER), label)


def _grabcut(bgr: Bgr, likely: Soft, limbs: Mask, radius: float) -> Mask:
    core = (likely > 0.5).astype(np.uint8)
    trimap = np.full(core.shape, cv2.GC_BGD, np.uint8)
    # Where the network has doubts but the skeleton has a limb, the colours decide.
    trimap[(limbs > 0) | (likely > 0.15)] = cv2.GC_PR_BGD
    trimap[cv2.dilate(core, disc(radius), iterations=2) > 0] = cv2.GC_PR_BGD
    trimap[core > 0] = cv2.GC_PR_FGD
    sure = (likely > 0.6).astype(np.uint8)
    trimap[cv2.erode(sure, disc(radius), iterations=2) > 0] = cv2.GC_FGD
    if (trimap == cv2.GC_FGD).any() and (trimap == cv2.GC_BGD).any():
        cv2.setRNGSeed(1)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(bgr, trimap, (0, 0, 1, 1), *models, 2, cv2.GC_INIT_WITH_MASK)
    return np.asarray(((trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)).astype(np.uint8))


def _zones(s: Skeleton, shape: tuple[int, ...]) -> Zones:
    span = s.span
    reach = s.wrists + (s.hands - s.wrists) * 2.1
    upper, fore, hands = [], [], []
    for k in SIDES:
        upper.append(capsule(shape, s.shoulders[k], s.elbows[k], 0.19 * span, 0.15 * span))
        fore.append(capsule(shape, s.elbows[k], s.wrists[k], 0.15 * span, 0.11 * span))
        hands.append(capsule(shape, s.wrists[k], reach[k], 0.12 * span, 0.14 * span))
    trunk = s.pelvis - s.neck
    core = [s.neck + (p - s.neck) * 0.55 + trunk * 0.22 for p in s.shoulders]
    core += [s.neck + (p - s.neck) * 0.8 for p in s.hips[::-1]]
    thigh = s.knees - s.hips
    thighs = [s.hips[0] + thigh[0] * 0.2, s.hips[1] + thigh[1] * 0.2]
    thighs += [s.hips[1] + thigh[1] * 0.6, s.hips[0] + thigh[0] * 0.6]
    return Zones(
        upper_arms=(upper[0], upper[1]),
        forearms=(fore[0], fore[1]),
        hands=(hands[0], hands[1]),
        neck=_neck_zone(s, shape),
        torso_core=polygon(shape, np.array(core)),
        thighs=polygon(shape, np.array(thighs)),
    )


def _neck_zone(s: Skeleton, shape: tuple[int, ...]) -> Mask:
    trunk = s.pelvis - s.neck
    corners = [
        s.ears[0] * 0.8 + s.mouth * 0.2,
        s.ears[1] * 0.8 + s.mouth * 0.2,
        s.neck + (s.shoulders[1] - s.neck) * 0.75 + trunk * 0.1,
        s.neck + trunk * 0.3,
        s.neck + (s.shoulders[0] - s.neck) * 0.75 + trunk * 0.1,
    ]
    return polygon(shape, np.array(corners))


@dataclass(frozen=True, slots=True)
class _Colours:
    """Colour models of this person's skin, hair, upper and lower clothes."""

    skin: list[Cluster]
    hair: list[Cluster]
    upper: list[Cluster]
    lower: list[Cluster]

    @classmethod
    def sample(cls, lab: Lab, mask: Mask, s: Skeleton, zones: Zones) -> "_Colours":
        skin = _face_skin(lab, mask, s) or _usual_skin()
        distance = distance_to(lab, skin)
        body = zones.torso_core & mask
        cloth = body & (distance >= 9)
        if cloth.sum() < 0.35 * max(1, int(body.sum())):
            cloth = body
        thighs = zones.thighs & mask
        lower = colour_clusters(lab[thighs > 0], 2) if thighs.sum() > 100 else []
        hair = _hair_colours(lab, mask, s, distance)
        return cls(skin, hair, colour_clusters(lab[cloth > 0], 3), lower)

    def told_apart(self, lab: Lab, label: Array) -> "_Colours":
        """The clothes' colours from where they are now known to be."""
        upper = colour_clusters(lab[label == Label.UPPER], 3)
        lower = colour_clusters(lab[label == Label.LOWER], 2)
        return _Colours(self.skin, self.hair, upper or self.upper, lower or self.lower)

    def hair_like_clothes(self) -> bool:
        """Dark hair over a dark shirt cannot be told from it by colour."""
        return any(
            float((((h.mean - u.mean) / np.maximum(h.spread, u.spread)) ** 2).sum()) < 4
            for h in self.hair
            for u in self.upper
        )


def _face_skin(lab: Lab, mask: Mask, s: Skeleton) -> list[Cluster]:
    """From the triangle between the eyes' outer corners and the mouth; empty if it is hidden."""
    height, width = mask.shape
    x, y = pixel(s.nose)
    if not (0 <= x < width and 0 <= y < height):
        return []
    hull = cv2.convexHull(s.points[[3, 6, 10, 9]].astype(np.float32)).reshape(-1, 2)
    pixels = lab[(polygon(mask.shape, hull) & mask) > 0]
    if len(pixels) <= 30:
        return []
    low, high = np.percentile(pixels[:, 0], [25, 97])
    pixels = pixels[(pixels[:, 0] >= low) & (pixels[:, 0] <= high)]
    middle, spread = np.median(pixels, 0), pixels.std(0)
    light = Cluster(middle, np.maximum(spread * 1.2, (26, 5, 6)))
    shade = Cluster(middle - (30, 0, 2), np.maximum(spread, (24, 6, 7)))
    return [light, shade]


def _usual_skin() -> list[Cluster]:
    spread = np.array([35.0, 6.0, 7.0])
    return [
        Cluster(np.array([170.0, 143.0, 145.0]), spread),
        Cluster(np.array([110.0, 145.0, 147.0]), spread),
    ]


def _hair_colours(lab: Lab, mask: Mask, s: Skeleton, skin_distance: Array) -> list[Cluster]:
    unit = s.face_length
    crown = s.eyes + s.face_up * unit * 0.55
    round_head = ellipse(mask.shape, crown, unit * 1.35, unit * 1.6)
    forehead = s.eyes + s.face_up * unit * 0.95
    side = np.array([0.8 * unit, 0])
    outline = np.vstack([s.points[[7, 8, 9, 10]], forehead - side, forehead + side])
    hull = cv2.convexHull(outline.astype(np.float32)).reshape(-1, 2)
    hair = round_head & mask & (1 - polygon(mask.shape, hull)) & (skin_distance > 14)
    return colour_clusters(lab[hair > 0], 2, (12, 4, 5)) if hair.sum() > 60 else []


def _labels(lab: Lab, mask: Mask, s: Skeleton, zones: Zones, colours: _Colours) -> Array:
    """Cheapest of four costs per pixel: distance in colour plus where such a thing may be."""
    height, width = mask.shape
    scale = min(1.0, _LABEL_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(lab, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(0.8, 0.006 * s.span * scale))
    window = max(3, int(0.035 * s.span * scale)) | 1
    costs = []
    priors = _priors(s, zones, mask.shape, size)
    models = (colours.skin, colours.hair, colours.upper, colours.lower)
    for clusters, prior in zip(models, priors, strict=True):
        cost = np.minimum(np.minimum(distance_to(small, clusters), 40) + prior, 60)
        cost = cv2.boxFilter(cost.astype(np.float32), -1, (window, window))
        costs.append(cv2.resize(cost, (width, height), interpolation=cv2.INTER_LINEAR))
    label = (np.argmin(costs, 0) + 1).astype(np.uint8)
    label[mask == 0] = Label.BACKGROUND
    return np.asarray(label)


def _priors(
    s: Skeleton, zones: Zones, shape: tuple[int, ...], size: tuple[int, int]
) -> tuple[Soft, Soft, Soft, Soft]:
    """Added cost of skin, hair, upper, lower by place, at the reduced size (width, height)."""
    height, width = shape[:2]
    x = (np.arange(size[0], dtype=np.float32)[None] + 0.5) * (width / size[0]) - 0.5
    y = (np.arange(size[1], dtype=np.float32)[:, None] + 0.5) * (height / size[1]) - 0.5
    along = cv2.resize(s.along(shape), size, interpolation=cv2.INTER_AREA)
    arms = cv2.resize(zones.arms, size, interpolation=cv2.INTER_NEAREST) > 0
    neck = cv2.resize(zones.neck, size, interpolation=cv2.INTER_NEAREST) > 0
    unit = s.face_length
    from_head = np.hypot((x - s.eyes[0]) / (1.9 * unit), (y - s.eyes[1]) / (2.4 * unit))
    face_y = s.eyes[1] + 0.3 * unit
    from_face = np.hypot((x - s.mouth[0]) / (1.25 * unit), (y - face_y) / (1.9 * unit))
    skin = np.where(arms | neck | (from_face < 1.15), 0, 8) + 8 * (~arms & (along > 0.35))
    hair = np.clip(from_head - 1, 0, None) * 7 + 40 * (along > 0.75)
    upper = 60 * (along < -0.22) + np.clip(along - 1.25, 0, None) * 40 + 25 * (from_face < 1)
    lower = np.where(along > 0.8, 0, 60 * np.clip(0.95 - along, 0, 1) + 2)
    return skin, hair, upper, lower


def _hair(label: Array, s: Skeleton, radius: float) -> Mask:
    """Only what hangs together with the hair round the head."""
    hair = opened(label == Label.HAIR, radius)
    unit = s.face_length
    head = ellipse(label.shape, s.eyes + s.face_up * unit * 0.3, unit * 1.5, unit * 2)
    if not (head & hair).any():
        return np.zeros_like(hair)
    return parts_touching(hair, head & hair)


def _strands(lab: Lab, mask: Mask, hair: Mask, colours: _Colours, span: float) -> Mask:
    """The ends of hair on the shoulders: beside what is known, and clearly of its colour."""
    if hair.sum() < _ENOUGH_HAIR:
        return np.zeros_like(hair)
    near = grown(hair, _STRANDS * span) & mask
    own = distance_to(lab, colour_clusters(lab[hair > 0], 2))
    other = np.minimum(distance_to(lab, colours.skin), distance_to(lab, colours.upper))
    like = near & (own < _CLEARLY_HAIR * other)
    return parts_touching(opened(like, max(1.0, 0.008 * span)) | hair, hair) & like
