"""Light on the new garment: folds of the one worn now, volume, contact shadows, exposure."""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Mask, Soft
from selify.tryon.engine.masks import average_inside, blur, colour_clusters, grown, opened
from selify.tryon.engine.person import Person

_ENOUGH = 200
# Black cloth shows sheen rather than folds: on a light garment that looks like dirt. From clearly
# black to no longer so.
_BLACK = (40, 65)
# Of cloth darker than this every gleam is many times as light as the rest, and would be a stain on a light garment: by so
# much of what it lacks all of it is taken for lighter.
_LIGHT, _LIFTED = 180.0, 1.2


def folds(person: Person, worn: Mask) -> Soft:
    """Factor per pixel: the folds of the garment worn now, as far as it is plain."""
    light = person.lab[..., 0] + 1
    flat = np.ones_like(light)
    if worn.sum() < _ENOUGH:
        return flat
    main, share = _plain_part(person, worn)
    if main.sum() < _ENOUGH:
        return flat
    span = person.skeleton.span
    weight = main.astype(np.float32)
    usual = float(np.median(light[main > 0]))
    light = light + _LIFTED * max(0.0, _LIGHT - usual)
    wide, middle, fine = (average_inside(light, weight, span * s) for s in (0.30, 0.05, 0.014))
    large, small = middle / np.maximum(wide, 1), fine / np.maximum(middle, 1)
    texture = float(small[main > 0].std())
    plain = float(np.clip((share - 0.45) / 0.3, 0, 1) * np.clip(1 - (texture - 0.09) / 0.08, 0, 1))
    # Spots and sheen all over leave little that is plain.
    plain *= float(np.clip((main.sum() / worn.sum() - 0.45) / 0.3, 0, 1))
    gain = 1.0 if usual > 90 else float(np.interp(usual, _BLACK, (0.3, 0.75)))
    factor = np.power(np.clip(large, 0.6, 1.4), 0.75 * gain * (0.15 + 0.85 * plain))
    factor *= np.power(np.clip(small, 0.8, 1.2), 0.9 * gain * plain)
    trust = np.clip(blur(cv2.erode(weight, np.ones((3, 3), np.uint8)), 0.02 * span), 0, 1)
    return np.asarray(np.clip(1 + (factor - 1) * trust, 0.6, 1.25).astype(np.float32))


def _plain_part(person: Person, worn: Mask) -> tuple[Mask, float]:
    """The part of the main colour, without prints and what is near them; the main hue's share."""
    lab, span = person.lab, person.skeleton.span
    pixels = lab[worn > 0]
    clusters = colour_clusters(pixels, 3)
    near = [(((pixels - c.mean) / c.spread) ** 2).sum(1) for c in clusters]
    main = clusters[int(np.bincount(np.argmin(near, 0)).argmax())].mean
    hue_off = ((pixels - main)[:, 1:] ** 2).sum(1)
    like = ((lab - main.astype(np.float32))[..., 1:] ** 2).sum(2) < 100
    like &= np.abs(lab[..., 0] - main[0]) < 48
    part = opened(like & (worn > 0), 1)
    other = grown(opened((worn > 0) & (part == 0), 1), max(1.0, 0.012 * span))
    part[other > 0] = 0
    return part, float((hue_off < 100).mean())


def volume(person: Person, cover: Soft, amount: float = 0.14) -> Soft:
    """Darker towards the garment's outline: a flat picture becomes round."""
    inside = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    depth = np.clip(inside / (0.16 * person.skeleton.span), 0, 1)
    return np.asarray(1 - amount * (1 - depth) ** 2, np.float32)


def contact(person: Person, front: Soft, strength: float, reach: float = 0.03) -> Soft:
    """Shadow that something in front throws on the garment round it."""
    soft = blur(front, reach * person.skeleton.span)
    return np.asarray(1 - strength * np.clip(soft - front, 0, 1))


def drop_shadow(person: Person, cover: Soft, gone: Mask, strength: float = 0.38) -> Soft:
    """Shadow of the garment's hem and cuffs on what lies beneath it; none where the person is ``gone``, on the wall."""
    span = person.skeleton.span
    height, width = cover.shape
    move = np.array([[1, 0, 0], [0, 1, 0.02 * span]], np.float32)
    soft = cv2.warpAffine(blur(cover, 0.028 * span), move, (width, height))
    shadow = np.clip(soft - cover, 0, 1) * person.alpha * (1 - person.head)
    shadow *= 1 - blur(grown(gone, 0.01 * span).astype(np.float32), 1.5)
    return np.asarray(1 - strength * shadow * (person.along > -0.12))


def exposure(person: Person) -> float:
    """Factor that takes a garment photographed in good light into the light of this photo.

    The brightest of person and surroundings tells: dark skin in good light is no dark photo.
    """
    light = person.lab[::4, ::4, 0]
    on_person = light[person.mask[::4, ::4] > 0]
    bright = max(float(np.percentile(light, 92)), float(np.percentile(on_person, 92)))
    return float(np.clip(bright / 165, 0.25, 1.0))
