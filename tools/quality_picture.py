"""The picture of docs/tryon-quality.md: drawn people beside what the embedded engine makes of them.

Usage: python tools/quality_picture.py [OUT]
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from selify import assets
from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.garment import read_cut_out
from selify.tryon.engine.networks import load_networks
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.pipeline import try_on
from selify_sandbox.drawn_world import garments, scenes
from selify_sandbox.drawn_world.samples import GARMENTS, PEOPLE

OUT = Path(__file__).parents[1] / "docs" / "pictures" / "tryon-quality.jpg"
SHOWN = [
    ("tee", "tee with motif"),
    ("long sleeves", "tee"),
    ("striped", "long sleeve"),
    ("tank", "trousers"),
    ("striped", "wide trousers"),
    ("striped", "dress with sleeves"),
]
HEIGHT = 460


def _tall(picture: Bgr) -> Bgr:
    scale = HEIGHT / picture.shape[0]
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def main(out: Path = OUT) -> None:
    perception = Perception(load_networks(assets.ensure("tryon-models")))
    by_kind = {garment.kind: garment for garment in GARMENTS}
    cells = []
    for name, kind in SHOWN:
        garment, photo = by_kind[kind], scenes.photo(PEOPLE[name]).bgr
        picture = garments.draw(garment)
        alpha = (picture.alpha * 255).astype(np.uint8)
        cloth = read_cut_out(picture.bgr, alpha, garment.piece.cut.category)
        result = try_on(perception, photo, cloth).bgr
        cells.append(np.hstack([_tall(photo), _tall(result)]))
    wide = max(cell.shape[1] for cell in cells)
    padded = [
        cv2.copyMakeBorder(
            cell, 6, 6, 6, wide - cell.shape[1] + 6, cv2.BORDER_CONSTANT, value=(255,) * 3
        )
        for cell in cells
    ]
    rows = [np.hstack(padded[i : i + 3]) for i in range(0, len(padded), 3)]
    cv2.imwrite(str(out), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
