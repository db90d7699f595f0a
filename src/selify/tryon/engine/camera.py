"""As the photo was taken: cloth out of a shop's picture is as soft and as grainy as what the photo shows."""

import numpy as np

from selify.tryon.engine.arrays import Array, Soft
from selify.tryon.engine.blur import sharpness
from selify.tryon.engine.masks import blur, shrunk
from selify.tryon.engine.person import Person

# Sharpness of photos, and by how many pixels they are out of focus then, with shoulders 160 pixels wide.
_SHARPNESS, _SIGMAS = (14.0, 25.0, 50.0, 110.0), (2.4, 1.8, 1.2, 0.0)
_SPAN = 160.0
_LEAST_SIGMA = 0.4
# Pixels of skin that tell.
_ENOUGH = 150
# A garment's picture has some grain of its own.
_OF_CLOTH = 0.6
_USUAL_GRAIN, _LEAST_GRAIN, _MOST_GRAIN = 0.6, 0.3, 2.0


def as_photographed(person: Person, cloth: Array) -> Array:
    """``cloth`` (H, W, 3), laid on the person's photo."""
    sigma = softness(person)
    soft = blur(cloth, sigma) if sigma > _LEAST_SIGMA else cloth
    return np.asarray(soft + _OF_CLOTH * grain(person)[..., None], np.float32)


def softness(person: Person) -> float:
    """How far the photo is out of focus: sigma in its pixels; 0 where it is sharp, or its face too small to tell."""
    found = sharpness(person.bgr, person.skeleton)
    sigma = float(np.interp(found, _SHARPNESS, _SIGMAS))
    return sigma * max(1.0, person.skeleton.span / _SPAN)


def grain(person: Person) -> Soft:
    """Noise as strong as on the photo's own skin, in its units of light (0..255)."""
    fine = person.lab[..., 0] - blur(person.lab[..., 0], 1.6)
    skin = shrunk(person.skin, 3) > 0
    spread = float(np.median(np.abs(fine[skin]))) if skin.sum() > _ENOUGH else _USUAL_GRAIN
    noise = np.random.default_rng(0).standard_normal(person.shape, dtype=np.float32)
    soft = blur(noise, 0.8)
    strength = np.clip(spread, _LEAST_GRAIN, _MOST_GRAIN) / max(1e-6, float(soft.std()))
    return np.asarray(soft * strength, np.float32)
