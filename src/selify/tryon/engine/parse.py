"""Which of a person's pixels are worn upper, worn lower, skin or hair, asked of the segmenter.

The skeleton gives the points to ask with, and what was read without the segmenter says which of them are cloth
and which are skin. The first round asks for torso, arms, legs, face and hair. Where each sleeve and each trouser
leg ends is then decided once per limb, from colour, from what was read before and from the answers. The second
round asks again, with every point of a limb on its right side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Bgr, Lab, Mask, Point, Points, Soft
from selify.tryon.engine.geometry import between
from selify.tryon.engine.labels import Label
from selify.tryon.engine.masks import grown, main_colours, nearest_colour, parts_touching
from selify.tryon.engine.segmenter import Looked, Question, Segmenter
from selify.tryon.engine.skeleton import Skeleton

# The longest side the parse works at; the network itself answers on a grid of 256.
_SIDE = 512
# Log odds: what is surer than this is sure.
_SURE = 6.0
# How much the label read before counts, in log odds.
_FORMER = 1.5
# Both sleeves are nearly always of one length: what a point of difference costs.
_UNLIKE = 0.9
# Light falls off along an arm; hue does not.
_HUES = (0.45, 1.5, 1.5)
_WINDOW = 2
_FEWEST = 30

Odds = dict[str, Soft]
"""Log odds (H, W) of each part that was asked for."""


@dataclass(frozen=True, slots=True)
class Former:
    """What was read before: labels (H, W), the picture in Lab, the silhouette and the pose network's own, 0..1."""

    label: Array
    lab: Lab
    alpha: Soft
    body: Soft

    def reduced_to(self, size: tuple[int, int]) -> "Former":
        """``size``: height and width."""
        to = size[1], size[0]
        soft = [
            cv2.resize(one, to, interpolation=cv2.INTER_AREA)
            for one in (self.lab, self.alpha, self.body)
        ]
        return Former(cv2.resize(self.label, to, interpolation=cv2.INTER_NEAREST), *soft)


@dataclass(frozen=True, slots=True)
class Parse:
    """``label``: of every pixel what it is if it is the person's; ``silhouette``: whether it is. ``one_piece``: upper
    and lower are one garment, a dress or an overall.
    """

    label: Array
    silhouette: Soft
    one_piece: bool


def parse_person(segmenter: Segmenter, bgr: Bgr, skeleton: Skeleton, former: Former) -> Parse:
    """``skeleton`` in the picture's pixels, which may be more than the parse looks at."""
    height, width = bgr.shape[:2]
    looked = segmenter.look(bgr, _SIDE)
    skeleton = skeleton.scaled(looked.size[0] / height)
    former = former.reduced_to(looked.size)
    spots = _spots(skeleton, former)
    first = _first_round(looked, spots)
    like_upper, like_lower = (_skin_like(first, former, name) for name in ("upper", "lower"))
    sleeves = _cuts(first, former, spots.arms, ("upper", "arm"), like_upper)
    hems = _cuts(first, former, spots.legs, ("lower", "leg"), like_lower)
    one_piece = _is_one_piece(looked, spots, former)
    odds = _second_round(looked, spots, sleeves, hems, one_piece=one_piece, first=first)
    silhouette = _silhouette(odds, former)
    score = _scores(odds, former, skeleton, like_upper)
    score[Label.UPPER - 1] += 4.0 * _sleeve_zone(spots, sleeves, skeleton.span, former.label.shape)
    if one_piece:
        along = skeleton.along(former.label.shape)
        score[Label.LOWER - 1] += np.where(along > 1.0, 4.0, -4.0)
    planes = [cv2.resize(plane, (width, height)) for plane in score]
    label = cv2.medianBlur((np.argmax(planes, 0) + 1).astype(np.uint8), 5)
    return Parse(label, cv2.resize(silhouette.astype(np.float32), (width, height)), one_piece)


_Spot = tuple[float, float]
_Pair = tuple[list[_Spot], list[_Spot]]


@dataclass(frozen=True, slots=True)
class _Spots:
    """Points to ask with, those outside the person left out. Limbs run from their root."""

    torso: list[_Spot]
    face: list[_Spot]
    head: list[_Spot]
    crown: list[_Spot]
    hair: list[_Spot]
    hands: list[_Spot]
    arms: _Pair
    legs: _Pair
    lap: list[_Spot]

    @property
    def thighs(self) -> list[_Spot]:
        return [spot for leg in self.legs for spot in leg[:2]]


def _spots(s: Skeleton, former: Former) -> _Spots:
    nose, chin = s.nose, s.mouth - s.face_up * s.face_length * 0.45
    crown = s.eyes + s.face_up * s.face_length * 1.35
    mouth = s.points[[10, 9]]
    throat = s.neck + (s.mouth - s.neck) * 0.35
    cheeks = [nose + (corner - nose) * 0.7 for corner in mouth]
    face = _inside(former, [nose, *cheeks, chin])
    if _label_at(former, throat) == Label.SKIN:
        face += _inside(former, [throat])
    hands = [w + (h - w) * 0.7 for w, h in zip(s.wrists, s.hands, strict=True)]
    arms = [_inside(former, [*_arm(s, k), hands[k]]) for k in SIDES]
    legs = [_inside(former, _leg(s, k)) for k in SIDES]
    lap = [s.hips[k] + (s.knees[k] - s.hips[k]) * t for t in (0.06, 0.2) for k in SIDES]
    return _Spots(
        torso=_torso(s, former),
        face=face,
        head=_inside(former, [nose, chin]),
        crown=[_spot(crown)],
        hair=_deepest(former.label == Label.HAIR, 3) or _inside(former, [crown]),
        hands=_inside(former, hands),
        arms=(arms[0], arms[1]),
        legs=(legs[0], legs[1]),
        lap=_inside(former, lap),
    )


def _arm(s: Skeleton, side: int) -> Points:
    shoulder, elbow, wrist = s.arm(side)
    upper = between(shoulder, elbow, np.array([0.35, 0.6, 0.85]))
    return np.vstack([upper, between(elbow, wrist, np.array([0.15, 0.4, 0.65, 0.9]))])


def _leg(s: Skeleton, side: int) -> Points:
    hip, knee, ankle = s.leg(side)
    thigh = between(hip, knee, np.array([0.25, 0.5, 0.8]))
    return np.vstack([thigh, between(knee, ankle, np.array([0.15, 0.4, 0.65, 0.9]))])


def _torso(s: Skeleton, former: Former) -> list[_Spot]:
    """Where cloth lies on the trunk: not in a deep neckline, under long hair, or on a bare belly."""
    shares = np.array([0.25, 0.5, 0.75])
    rows = [
        between(
            s.shoulders[0] + (s.hips[0] - s.shoulders[0]) * down,
            s.shoulders[1] + (s.hips[1] - s.shoulders[1]) * down,
            shares,
        )
        for down in (0.22, 0.45, 0.7)
    ]
    spots = _inside(former, np.vstack(rows))
    cloth = [q for q in spots if _label_at(former, q) in (Label.UPPER, Label.LOWER)]
    spots = cloth if len(cloth) >= 3 else spots
    nose, mouth = s.nose, s.points[[10, 9]]
    cheeks = [nose, *(nose + (corner - nose) * 0.5 for corner in mouth)]
    skin = np.median([_value_at(former.lab, q) for q in cheeks], 0)
    off = [_unlike_skin(_value_at(former.lab, q) - skin) for q in spots]
    if sum(distance > 20 for distance in off) >= 3:
        spots = [q for q, distance in zip(spots, off, strict=True) if distance > 12]
    return spots


def _unlike_skin(step: Array) -> float:
    """Of a step in Lab: hue counts, light hardly."""
    return float(np.hypot(step[1], step[2]) + 0.3 * abs(step[0]))


def _spot(point: Point) -> _Spot:
    return float(point[0]), float(point[1])


def _inside(former: Former, points: Sequence[Point] | Points) -> list[_Spot]:
    height, width = former.label.shape
    return [
        _spot(q)
        for q in points
        if 2 < q[0] < width - 3
        and 2 < q[1] < height - 3
        and float(_value_at(former.alpha, q)) > 0.3
    ]


def _value_at(picture: Array, point: Point | _Spot) -> Array:
    height, width = picture.shape[:2]
    x, y = int(np.clip(point[0], 0, width - 1)), int(np.clip(point[1], 0, height - 1))
    return np.asarray(picture[y, x])


def _label_at(former: Former, point: Point | _Spot) -> int:
    return int(_value_at(former.label, point))


def _deepest(mask: Array, count: int) -> list[_Spot]:
    """Points as far inside as can be, and apart from each other."""
    left = mask.astype(np.uint8)
    spots = []
    for _ in range(count):
        depth = cv2.distanceTransform(np.pad(left, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        if depth.max() < 4:
            break
        y, x = (int(v) for v in np.unravel_index(int(depth.argmax()), depth.shape))
        spots.append((float(x), float(y)))
        cv2.circle(left, (x, y), int(2 * depth.max()) + 2, (0,), -1)
    return spots


def _first_round(looked: Looked, spots: _Spots) -> Odds:
    # Only where limbs end is decided by these: once is enough.
    asked = {
        "upper": Question(spots.torso, [*spots.head, *spots.hands, *spots.thighs], again=0),
        "lower": Question(spots.lap, [*spots.torso[:3], *spots.hands, *spots.head[:1]], again=0),
        "face": Question(spots.face, [*spots.crown, *spots.torso[:2]], again=0),
    }
    for k in SIDES:
        beside = [*spots.torso[-3:], *spots.thighs, *spots.head[:1]]
        asked[f"arm{k}"] = Question(spots.arms[k][-3:], beside, again=0)
        above = [*spots.torso[-2:], *spots.legs[k][:1]]
        asked[f"leg{k}"] = Question(spots.legs[k][-2:], above, again=0)
    return _odds(looked, asked)


def _odds(looked: Looked, asked: dict[str, Question]) -> Odds:
    """Of all that some point lies on."""
    pointed = {name: question for name, question in asked.items() if len(question.inside)}
    return {name: answer.odds for name, answer in looked.ask_all(pointed).items()}


def _skin_like(odds: Odds, former: Former, cloth: str) -> Soft:
    """How much each pixel has the face's colour rather than this cloth's, -1..1."""
    inside = former.alpha > 0.5
    face = _surely(odds, "face") & inside if "face" in odds else np.zeros_like(inside)
    if face.sum() < _FEWEST:
        face = former.label == Label.SKIN
    worn = _surely(odds, cloth) & inside & ~face if cloth in odds else np.zeros_like(inside)
    if worn.sum() < _FEWEST:
        worn = former.label == (Label.UPPER if cloth == "upper" else Label.LOWER)
    light = former.lab[..., 0]
    if face.any():
        # Without lips, brows and highlights.
        low, high = np.percentile(light[face], [20, 97])
        face &= (light >= low) & (light <= high)
    skins, cloths = main_colours(former.lab[face], 3, 0.05), main_colours(former.lab[worn], 5, 0.05)
    if not skins or not cloths:
        return np.zeros(former.label.shape, np.float32)
    to_skin, to_cloth = (nearest_colour(former.lab, of, _HUES) for of in (skins, cloths))
    return np.asarray(np.clip(1.5 * (to_cloth - to_skin) / (to_cloth + to_skin + 4), -1, 1))


def _surely(odds: Odds, name: str) -> Array:
    return np.asarray(odds[name] > 2)


def _cuts(
    odds: Odds, former: Former, limbs: _Pair, names: tuple[str, str], like: Soft
) -> tuple[int, int]:
    """Of each limb, how many of its points, from the root, are under cloth.

    ``names``: of the cloth, and of the bare limb without its side.
    """
    cloth, bare = names
    fits = [_fits(odds, former, limbs[k], (cloth, f"{bare}{k}"), like) for k in SIDES]
    whole = len(limbs[0]) == len(limbs[1])
    unlike = np.abs(np.subtract.outer(np.arange(len(fits[0])), np.arange(len(fits[1]))))
    value = np.add.outer(fits[0], fits[1]) - _UNLIKE * unlike * whole
    left, right = np.unravel_index(int(value.argmax()), value.shape)
    return int(left), int(right)


def _fits(
    odds: Odds, former: Former, limb: list[_Spot], names: tuple[str, str], like: Soft
) -> Array:
    """Cloth from the root to the c-th point and bare from there on: how well each c fits."""
    cloth, bare = names
    scores = np.zeros(len(limb))
    for index, (x, y) in enumerate(limb):
        rows = slice(max(0, int(y) - _WINDOW), int(y) + _WINDOW + 1)
        columns = slice(max(0, int(x) - _WINDOW), int(x) + _WINDOW + 1)
        before = 1.0 if np.median(former.label[rows, columns]) == Label.SKIN else -1.0
        asked = 0.0
        if cloth in odds and bare in odds:
            step = np.median(odds[bare][rows, columns]) - np.median(odds[cloth][rows, columns])
            asked = float(np.tanh(step / 6))
        scores[index] = float(like[rows, columns].mean()) + 0.5 * before + 0.7 * asked
    sums = np.r_[0.0, np.cumsum(scores)]
    return np.asarray(sums[-1] - 2 * sums)


def _is_one_piece(looked: Looked, spots: _Spots, former: Former) -> bool:
    """Torso and thighs look alike, and asked for the torso alone, the network answers with the thighs too."""
    if len(spots.thighs) < 2 or not spots.torso:
        return False
    trunk, legs = (
        np.median([_value_at(former.lab, q) for q in points], 0)
        for points in (spots.torso, spots.thighs)
    )
    apart = (trunk - legs) * (0.7, 1.5, 1.5)
    if np.sqrt((apart**2).sum()) >= 14:
        return False
    whole = looked.ask(spots.torso, [*spots.head, *spots.hands], again=0).odds
    reached = np.mean([float(_value_at(whole, q)) > 0 for q in spots.thighs])
    return bool(reached > 0.7)


def _second_round(
    looked: Looked,
    spots: _Spots,
    sleeves: tuple[int, int],
    hems: tuple[int, int],
    *,
    one_piece: bool,
    first: Odds,
) -> Odds:
    covered, bare = _split(spots.arms, sleeves)
    clad, shins = _split(spots.legs, hems)
    asked = {"hair": Question(spots.hair, [*spots.head, *spots.torso[:3]])}
    if one_piece:
        asked["upper"] = Question([*spots.torso, *covered, *clad], [*spots.head, *bare, *shins])
    elif spots.torso:
        asked["upper"] = Question([*spots.torso, *covered], [*spots.head, *bare, *clad[:4]])
    if not one_piece and clad:
        outside = [*spots.torso[:4], *bare[-4:], *shins, *spots.head[:1]]
        asked["lower"] = Question(clad, outside)
    for name, limbs, cuts, beside in (
        ("arm", spots.arms, sleeves, [*spots.torso, *spots.thighs]),
        ("leg", spots.legs, hems, spots.torso[-3:]),
    ):
        for k in SIDES:
            limb, cut = limbs[k], cuts[k]
            asked[f"{name}{k}"] = Question(limb[cut:], [*limb[:cut], *beside], again=0)
    # First answers about limbs do not stand: one that is covered all along shows nothing of itself.
    kept = {name: plane for name, plane in first.items() if name in ("face", "upper", "lower")}
    odds = kept | _odds(looked, asked)
    if one_piece:
        odds["lower"] = odds["upper"] - 1
    elif spots.torso:
        _ask_for_lost_sleeves(looked, spots, sleeves, clad, odds)
    return odds


def _split(limbs: _Pair, cuts: tuple[int, int]) -> tuple[list[_Spot], list[_Spot]]:
    """Points under cloth, and bare ones."""
    pairs = list(zip(limbs, cuts, strict=True))
    return (
        [spot for limb, cut in pairs for spot in limb[:cut]],
        [spot for limb, cut in pairs for spot in limb[cut:]],
    )


def _ask_for_lost_sleeves(
    looked: Looked, spots: _Spots, sleeves: tuple[int, int], clad: list[_Spot], odds: Odds
) -> None:
    """A sleeve that the torso's answer leaves out is asked for by itself."""
    for limb, cut in zip(spots.arms, sleeves, strict=True):
        own = limb[:cut]
        if own and np.mean([float(_value_at(odds["upper"], q)) > 0 for q in own]) < 0.7:
            sleeve = looked.ask(own, [*limb[cut:], *spots.head[:1], *clad[:2]]).odds
            odds["upper"] = np.maximum(odds["upper"], sleeve)


def _silhouette(odds: Odds, former: Former) -> Mask:
    """Two of three: the pose network's, the one read before, and all parts together."""
    # Where no point lies on the person nothing was asked: the other two decide.
    nothing = np.zeros_like(former.alpha)
    parts = np.max([nothing, *odds.values()], 0) > 0
    near = grown(former.alpha > 0.5, 4) > 0
    votes = (parts & near).astype(np.uint8) + (former.alpha > 0.5) + (former.body > 0.5)
    return np.asarray((votes >= 2).astype(np.uint8))


def _scores(odds: Odds, former: Former, s: Skeleton, like: Soft) -> Array:
    """(4, H, W): for skin, hair, upper and lower. Log odds, and where such a thing can be."""
    shape = former.label.shape
    nothing = np.full(shape, -_SURE, np.float32)

    def of(name: str) -> Soft:
        return np.clip(odds.get(name, nothing), -_SURE, _SURE)

    skin = np.max([of(name) for name in ("face", "arm0", "arm1", "leg0", "leg1")], 0)
    score = np.stack([skin, of("hair"), of("upper"), of("lower")])
    # Colour knows skin well; the network does not know a sleeve of skin's colour from an arm.
    score[Label.SKIN - 1] += 1.5 * like
    for label in (Label.SKIN, Label.HAIR, Label.UPPER, Label.LOWER):
        score[label - 1] += _FORMER * (former.label == label)
    away = _away_from_head(s, shape)
    score[Label.HAIR - 1] -= 4.0 * np.clip(away - 1.7, 0, 3) * (former.label != Label.HAIR)
    score[Label.HAIR - 1] -= 2.0 * np.clip(away - 2.5, 0, 3)
    # A dark print is hair by its colour, but does not hang together with the head's.
    hair = (score[Label.HAIR - 1] > -_SURE) & ((of("hair") > 0) | (former.label == Label.HAIR))
    apart = 1 - parts_touching(hair, hair & (away < 1.2))
    score[Label.HAIR - 1] -= 20.0 * (apart & (away > 1.7))
    score[Label.LOWER - 1] -= 20.0 * np.clip(0.8 - s.along(shape), 0, 1)
    return score


def _away_from_head(s: Skeleton, shape: tuple[int, ...]) -> Soft:
    """Distance from the head's middle, in halves of its height."""
    crown = s.eyes + s.face_up * s.face_length * 1.35
    chin = s.mouth - s.face_up * s.face_length * 0.45
    middle, unit = (crown + chin) / 2, max(1.0, float(np.hypot(*(crown - chin))) / 2)
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(x - middle[0], y - middle[1]) / unit, np.float32)


def _sleeve_zone(
    spots: _Spots, sleeves: tuple[int, int], span: float, shape: tuple[int, ...]
) -> Mask:
    """Round the bones that are under cloth."""
    zone = np.zeros(shape, np.uint8)
    for limb, cut in zip(spots.arms, sleeves, strict=True):
        line = np.array(limb[:cut]).round().astype(np.int32)
        if len(line) > 1:
            cv2.polylines(zone, [line.reshape(-1, 1, 2)], False, (1,), max(1, int(0.1 * span)))
    return zone
