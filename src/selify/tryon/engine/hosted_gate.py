"""The quality gate for pictures that another engine made: is it the same person, the same place, the right garment?

Such an engine repaints every pixel, and may as well give back somebody else, another room or another shirt. So the
photo and the result are compared with all that allowed for that a repaint changes unseen (``repainted``), and the
result is read by itself, as a photo is: who stands there how, and where their clothes end.
Measures and bars: docs/decisions/0148-gate-of-hosted-engines.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np

from selify.tryon.engine.appearance import pattern_of
from selify.tryon.engine.arrays import SIDES, Bgr, Mask
from selify.tryon.engine.body import BodyFit, arm_length, fit_body
from selify.tryon.engine.fit import fit_torso
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.gate import face_zone
from selify.tryon.engine.labels import WORN_AS, Label
from selify.tryon.engine.masks import grown, main_colours, nearest_colour, opened, shrunk
from selify.tryon.engine.measures import colour_likeness, mean_inside, print_survival
from selify.tryon.engine.perception import Face, Perception
from selify.tryon.engine.person import Person, read_person
from selify.tryon.engine.points import TopPoints
from selify.tryon.engine.reading import Pattern
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.repainted import Copies, face_likeness
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.engine.sleeves import fit_sleeves
from selify.tryon.engine.worn import worn_cloth, worn_collar, worn_cuff
from selify.tryon.types import GarmentCategory, QualityScores, RefusalCode

BARS: Final[Mapping[str, float]] = {
    "face": 0.88,
    "sharp": 0.7,
    "pose": 0.7,
    "alone": 0.7,
    "hands": 0.6,
    "background": 0.5,
    "background_detail": 0.6,
    "limbs": 0.95,
    "colour": 0.5,
    "print_kept": 0.10,
    "plain": 0.9,
    "old_replaced": 0.55,
    "coverage": 0.8,
    "sleeve_length": 0.72,
    "neck": 0.75,
    "hem": 0.6,
}

# Cloth laid flat is as long on a body, and a little longer: it is drawn in at the chest.
_DRAPED = 1.1
# How far light moves a colour in Lab: often to warm, seldom to cool, hardly ever to green or pink. For bright and dim
# the histogram allows already.
_LIGHTS = np.array([[-4.0, -5.0, -8.0], [4.0, 5.0, 16.0]], np.float32)
# The brightest of a photo that is not dark; how much a dark one is brightened at most.
_WELL_LIT, _MOST_LIT = 200.0, 2.0
_FEWEST = 400  # pixels of cloth
_SURE_FACE = 0.6
_SEEN_JOINT = 0.7
# Of the pose network's points: nose, shoulders, elbows, wrists, hips; knees where the garment shows the legs.
_JOINTS = (0, 11, 12, 13, 14, 15, 16, 23, 24)
_KNEES = (25, 26)
_SLEEVE_JOINTS = (14, 13)


def assess_hosted(
    perception: Perception, before: "Reading", garment: Garment, result: Bgr
) -> QualityScores:
    """Measure a result of which nothing else is known; ``registered`` has put it into the photo's frame.

    ``before``: the photo, read for the garment's category. A result in which nobody is seen misses ``pose``.
    """
    result = _same_size(result, before.bgr)
    try:
        after = Reading.of(perception, result, garment.category)
    except Refused as refused:
        if refused.code is not RefusalCode.PERSON_NOT_FOUND:
            raise
        return scored({"pose": 0.0})
    pair = _Pair(before, after, garment, parsed=perception.segmenter is not None)
    return scored({**_of_the_person(pair), **_of_the_place(pair), **_of_the_garment(pair)})


def scored(scores: Mapping[str, float | None]) -> QualityScores:
    """Rounded scores with the names of the bars they miss. What is not named was not measurable."""
    rounded: dict[str, Any] = {
        n: None if v is None else round(float(v), 4) for n, v in scores.items()
    }
    misses = tuple(
        name
        for name, bar in BARS.items()
        if (value := rounded.get(name)) is not None and value < bar
    )
    return QualityScores(**rounded, misses=misses)


# --- Two pictures, read ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """A picture with whom it shows."""

    bgr: Bgr
    faces: list[Face]
    person: Person

    @classmethod
    def of(cls, perception: Perception, bgr: Bgr, category: GarmentCategory) -> "Reading":
        """Raises Refused (person_not_found)."""
        faces = perception.faces(bgr)
        body = perception.body(bgr, faces)
        person = read_person(
            bgr, Skeleton.of(body), body.mask, segmenter=perception.segmenter, category=category
        )
        return cls(bgr, faces, person)

    @property
    def skeleton(self) -> Skeleton:
        return self.person.skeleton

    @cached_property
    def fit(self) -> BodyFit:
        return fit_body(self.person)

    @property
    def hands(self) -> Mask:
        left, right = self.person.zones.hands
        return np.asarray((left | right) & self.person.skin)


def _same_size(result: Bgr, photo: Bgr) -> Bgr:
    if result.shape == photo.shape:
        return result
    return cv2.resize(result, (photo.shape[1], photo.shape[0]), interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class _Pair:
    """Photo and result, both read (``parsed``: by the segmenter), and what should have been put on."""

    before: Reading
    after: Reading
    garment: Garment
    parsed: bool

    @property
    def span(self) -> float:
        return self.before.skeleton.span

    @property
    def category(self) -> GarmentCategory:
        return self.garment.category

    @cached_property
    def background(self) -> Mask:
        """What neither person nor clothes take up; new clothes may stand off a little further than the old ones."""
        old, new = self.before.person.mask, self.after.person.mask
        near = old | (new & grown(old, 0.35 * self.span))
        return np.asarray(1 - grown(near, max(4.0, 0.05 * self.span)))

    @cached_property
    def copies(self) -> Copies:
        kept = self.background | face_zone(self.before.skeleton, self.before.person.shape)
        return Copies.of(self.before.bgr, self.after.bgr, kept)

    @cached_property
    def cloth(self) -> Mask:
        """Where the result shows clothes that should be the garment."""
        return np.isin(self.after.person.label, WORN_AS[self.category]).astype(np.uint8)

    @cached_property
    def core(self) -> Mask:
        """Where the garment has to be whatever its cut: the trunk, or the thighs."""
        person = self.after.person
        zone = person.zones.torso_core
        if self.category is GarmentCategory.BOTTOM:
            zone = person.zones.thighs
        return np.asarray(zone & person.mask & (1 - grown(self.after.hands, 2)))

    @cached_property
    def garment_mask(self) -> Mask:
        return self.garment.sure


# --- The person -----------------------------------------------------------------------------------


def _of_the_person(pair: _Pair) -> dict[str, float | None]:
    face = face_likeness(pair.before.bgr, pair.after.bgr, pair.before.skeleton)
    covered = grown(pair.cloth, 2)
    hands = shrunk(pair.before.hands, 1) & (1 - covered)
    return {
        "face": face.same,
        # A face drawn over is as little theirs as a blurred one.
        "sharp": min(face.sharp, 1 / max(face.sharp, 1e-3)),
        "pose": _pose(pair),
        "alone": _alone(pair),
        "hands": pair.copies.alike(hands, leeway=12.0),
        "limbs": _limbs(pair),
    }


def _pose(pair: _Pair) -> float:
    """1 less how far the joint that moved most did, in shoulder spans; what the photo does not show cannot have."""
    old, new = pair.before.skeleton, pair.after.skeleton
    joints = _JOINTS if pair.category is GarmentCategory.TOP else _JOINTS + _KNEES
    height, width = pair.before.person.shape
    x, y = old.points.T
    seen = (old.visibility > _SEEN_JOINT) & (x > 0) & (x < width) & (y > 0) & (y < height)
    moved = [float(np.hypot(*(old.points[i] - new.points[i]))) for i in joints if seen[i]]
    return max(0.0, 1 - max(moved, default=0.0) / pair.span)


def _alone(pair: _Pair) -> float:
    """1 where nobody was added; less the height of the largest new face, in heights of the shopper's own."""
    own = max((face.height for face in pair.before.faces), default=1.0)
    added = [
        face.height / own
        for face in pair.after.faces
        if face.confidence > _SURE_FACE
        and not any(_same_face(face, old) for old in pair.before.faces)
    ]
    return max(0.0, 1 - max(added, default=0.0))


def _same_face(one: Face, other: Face) -> bool:
    across = abs(one.x + one.width / 2 - other.x - other.width / 2)
    down = abs(one.y + one.height / 2 - other.y - other.height / 2)
    return across < 0.6 * other.width and down < 0.6 * other.height


def _limbs(pair: _Pair) -> float:
    """1 less the area, in squared shoulder spans, of new bare skin on the trunk where no limb of theirs is.

    Below the hem a belly may be bare, and at the neckline the chest.
    """
    person, span = pair.after.person, pair.after.skeleton.span
    limbs = person.zones.arms | person.zones.neck | face_zone(pair.after.skeleton, person.shape)
    skin = (person.label == Label.SKIN) & (pair.before.person.label != Label.SKIN)
    within = (person.along > 0.25) & (person.along < _lowest(pair) - 0.08)
    added = opened(skin & within & (grown(limbs, 0.08 * span) == 0), 0.03 * span)
    return max(0.0, 1 - float(added.sum()) / span**2)


# --- The place ------------------------------------------------------------------------------------


def _of_the_place(pair: _Pair) -> dict[str, float | None]:
    detail = pair.copies.detail(pair.background)
    return {
        "background": 1 - pair.copies.worst_spot(pair.background),
        "background_detail": None if detail is None else min(detail, 1 / max(detail, 1e-3)),
    }


# --- The garment ----------------------------------------------------------------------------------


def _of_the_garment(pair: _Pair) -> dict[str, float | None]:
    garment, mask, result = pair.garment.bgr, pair.garment_mask, pair.after.bgr
    look = shrunk(pair.cloth & pair.core, 2)
    look = look if int(look.sum()) >= _FEWEST else pair.core
    pattern = pattern_of(garment, mask)
    kept = None
    if pattern is Pattern.PRINTED:
        kept = print_survival(garment, mask, result, pair.core | pair.cloth)
    top = pair.garment.top
    return {
        "colour": _colour(pair, look),
        "print_kept": kept,
        "plain": _plain(pair, look) if pattern is Pattern.PLAIN else None,
        "old_replaced": _old_replaced(pair),
        **({"coverage": _covered(pair)} if top is None else _cut(pair, top)),
    }


def _colour(pair: _Pair, look: Mask) -> float | None:
    """Likeness of the colours, of what lies on the trunk or of all of the clothes: an open jacket shows the shirt
    under it. The light of the photo is no other colour.
    """
    garment, mask = pair.garment.bgr, pair.garment_mask
    found = [
        colour_likeness(garment, mask, picture, where)
        for where in (look, shrunk(pair.cloth, 2))
        for picture in (pair.after.bgr, _in_white_light(pair, where))
    ]
    return max((one for one in found if one is not None), default=None)


def _in_white_light(pair: _Pair, where: Mask) -> Bgr:
    """The result in the light of the garment's picture, as far as lamps and evenings differ."""
    brightest = float(np.percentile(cv2.cvtColor(pair.before.bgr, cv2.COLOR_BGR2GRAY), 98))
    lit = pair.after.bgr * np.clip(_WELL_LIT / max(1.0, brightest), 1.0, _MOST_LIT)
    lab = cv2.cvtColor(np.clip(lit, 0, 255).astype(np.uint8), cv2.COLOR_BGR2LAB)
    own = cv2.cvtColor(pair.garment.bgr, cv2.COLOR_BGR2LAB)[pair.garment_mask > 0]
    if not where.any() or not len(own):
        return pair.after.bgr
    own_tone, tone = (np.median(one.astype(np.float32), 0) for one in (own, lab[where > 0]))
    off = np.clip(own_tone - tone, -_LIGHTS[1], -_LIGHTS[0])
    moved = np.clip(lab + off, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(moved, cv2.COLOR_LAB2BGR))


def _plain(pair: _Pair, look: Mask) -> float | None:
    """The share of the cloth that has a hue of the garment's: what was printed on it has another."""
    pixels = cv2.cvtColor(pair.garment.bgr, cv2.COLOR_BGR2LAB)[pair.garment_mask > 0]
    lab = cv2.cvtColor(cv2.GaussianBlur(pair.after.bgr, (0, 0), 2.0), cv2.COLOR_BGR2LAB)
    middle = np.median(lab[look > 0].astype(np.float32), 0) if look.any() else None
    colours = main_colours(pixels, 3)
    if middle is None or not colours:
        return None
    # A cast of light over all of it is no print.
    own = np.median(pixels.astype(np.float32), 0)
    off = nearest_colour(lab.astype(np.float32) - (middle - own), colours, (0.45, 1.0, 1.0))
    return mean_inside((off < 16).astype(np.float32), look)


def _old_replaced(pair: _Pair) -> float | None:
    """The share of the old clothes that look otherwise now; None where the new ones look just like them."""
    person = pair.before.person
    worn = person.lower if pair.category is GarmentCategory.BOTTOM else worn_cloth(person)
    if pair.category is GarmentCategory.TOP:
        worn = worn & (person.along < 0.95)
    worn = shrunk(worn, 2) & (1 - grown(pair.before.hands, 2))
    alike = colour_likeness(pair.garment.bgr, pair.garment_mask, person.bgr, worn)
    kept = pair.copies.alike(worn)
    if kept is None or alike is None or alike > 0.5:
        return None
    return 1 - kept


def _cut(pair: _Pair, points: TopPoints) -> dict[str, float | None]:
    """Sleeves, neckline and hem of what is worn in the result, against the garment's own on this body."""
    before = pair.before
    torso = fit_torso(before.person, before.fit, pair.garment, points)
    fitted = fit_sleeves(before.person, before.fit, points, torso)
    lengths = {sleeve.side: sleeve.length for sleeve in fitted}
    deepest = max(float(np.dot(p - before.skeleton.neck, before.skeleton.down)) for p in torso.neck)
    # A jacket that hangs open has no neckline to compare.
    known = pair.garment.neckline.confidence > 0
    collar = worn_collar(pair.after.person, pair.after.fit) if known else None
    tips = before.fit.tau_of((before.fit.tips[0] + before.fit.tips[1]) / 2)
    hem = tips + _DRAPED * points.length * torso.scale / before.skeleton.trunk
    return {
        "coverage": _covered(pair, until=hem),
        "sleeve_length": _sleeves(pair, lengths),
        "neck": None if collar is None else max(0.0, 1 - abs(collar - deepest) / pair.span),
        "hem": _hem(pair, hem),
    }


def _hem(pair: _Pair, wanted: float) -> float | None:
    """1 less the error in lengths of the trunk. Below a dress trousers may show: only a short one is wrong. None
    without the segmenter: colours alone do not tell a hem from what is worn below it.
    """
    if not pair.parsed:
        return None
    off = _lowest(pair) - wanted
    error = max(0.0, -off) if pair.category is GarmentCategory.DRESS else abs(off)
    return max(0.0, 1 - error)


def _covered(pair: _Pair, until: float = 1.0) -> float | None:
    """The share of the trunk (of the thighs) that the garment covers, of what reaches down so far."""
    own = pair.core & (pair.after.person.along < until) if until < 1 else pair.core
    return mean_inside(pair.cloth.astype(np.float32), own)


def _sleeves(pair: _Pair, lengths: Mapping[int, float]) -> float | None:
    """1 less the error of the sleeve that is further off, in lengths of the arm; None where no arm is in view."""
    errors = []
    for side in SIDES:
        person, skeleton = pair.after.person, pair.after.skeleton
        if skeleton.visibility[_SLEEVE_JOINTS[side]] < _SEEN_JOINT:
            continue
        cuff, whole = worn_cuff(person, side), arm_length(skeleton, side)
        shown = 1.0 if cuff is None else cuff / whole
        wanted = lengths.get(side, 0.0) / arm_length(pair.before.skeleton, side)
        errors.append(abs(shown - wanted))
    return max(0.0, 1 - max(errors)) if errors else None


def _lowest(pair: _Pair) -> float:
    """How far down the trunk the clothes reach in the middle: 0 at the shoulders, 1 at the hips."""
    person, skeleton = pair.after.person, pair.after.skeleton
    middle = np.abs(np.arange(person.shape[1]) - skeleton.neck[0]) < 0.45 * skeleton.span
    cloth = (pair.cloth > 0) & middle[None] & (person.zones.arms == 0)
    return float(np.percentile(person.along[cloth], 98)) if int(cloth.sum()) > 100 else 0.0
