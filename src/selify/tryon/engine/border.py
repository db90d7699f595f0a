"""The rim of a picture, taken as a sample of its background."""

from dataclasses import dataclass

import numpy as np

from selify.tryon.engine.arrays import Array, Lab


@dataclass(frozen=True, slots=True)
class Border:
    """``zone``: (H, W), where the rim is; ``near``: of its pixels, which have nearly its ``colour`` (3), in Lab.
    ``spread``: how far half of them stray from it at most, in the channel where they stray most.
    """

    zone: Array
    near: Array
    colour: Array
    spread: float
    share_near: float

    @classmethod
    def of(cls, lab: Lab) -> "Border":
        height, width = lab.shape[:2]
        rim = max(3, int(0.02 * max(height, width)))
        zone = np.ones((height, width), bool)
        zone[rim:-rim, rim:-rim] = False
        colour = np.median(lab[zone], 0)
        off = np.abs(lab[zone] - colour)
        near = np.sqrt((off**2).sum(1)) < 14
        return cls(zone, near, colour, float(np.median(off, 0).max()), float(near.mean()))

    @property
    def plain(self) -> bool:
        return self.share_near > 0.8 and self.spread < 5
