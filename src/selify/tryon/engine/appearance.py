"""What a garment's cloth looks like: its main colours by name, and whether it is printed."""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask
from selify.tryon.engine.masks import blur, reduced_to
from selify.tryon.engine.reading import NamedColour, Pattern

_SIDE = 256
_REPEATS = 0.85
_NAMES: dict[str, str] = {
    "black": "1a1a1c",
    "charcoal": "3d3f44",
    "grey": "84868a",
    "light grey": "c4c6c9",
    "white": "f5f5f2",
    "cream": "efe6cf",
    "beige": "cfb997",
    "brown": "6e4a2f",
    "tan": "b08554",
    "red": "c22a2d",
    "burgundy": "6d1f2f",
    "terracotta": "b9593f",
    "coral": "f0735a",
    "orange": "ec7f22",
    "mustard": "d0a132",
    "yellow": "f4d93e",
    "lime": "95cf22",
    "green": "3a8a46",
    "dark green": "21492f",
    "olive": "6f6f36",
    "mint": "a9dcc4",
    "teal": "1f8a8a",
    "turquoise": "3ec3c6",
    "light blue": "a8cdea",
    "sky blue": "5597c8",
    "blue": "2b62b8",
    "navy": "1d2a4d",
    "plum": "5f2a55",
    "purple": "6b3a93",
    "lilac": "c3a7de",
    "pink": "f0a3bd",
    "magenta": "c72f86",
}


def main_colours(bgr: Bgr, mask: Mask) -> list[NamedColour]:
    """Up to four, the largest first; shades of one name are one colour."""
    pixels = _cloth_pixels(bgr, mask)
    if len(pixels) < 50:
        return []
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    first = np.zeros((len(pixels), 1), np.int32)
    _, labels, centres = cv2.kmeans(pixels, 6, first, stop, 3, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels.ravel(), minlength=6) / len(pixels)
    found: dict[str, tuple[float, Array]] = {}
    for share, centre in sorted(zip(shares, centres, strict=True), key=lambda pair: -pair[0]):
        name = _name(centre)
        total, shown = found.get(name, (0.0, centre))
        found[name] = (total + float(share), shown)
    ranked = sorted(found.items(), key=lambda item: -item[1][0])
    return [
        NamedColour(name, _hex(centre), round(share, 3))
        for name, (share, centre) in ranked[:4]
        if share >= 0.05
    ]


def pattern_of(bgr: Bgr, mask: Mask) -> Pattern:
    """Striped: rows differ, but each is one colour. All over: one motif again and again.

    Colour block: large fields. Printed: something that occurs once.
    """
    small, inner = _without_rim(bgr, mask)
    if inner.sum() < 200:
        return Pattern.PLAIN
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.2), cv2.COLOR_BGR2LAB).astype(np.float32)
    spread, across, down = _variation(lab, inner)
    if spread < 13:
        return Pattern.PLAIN
    if max(across, down) > 0.4 and _alternations(lab, inner, rows=across >= down) >= 8:
        return Pattern.STRIPED
    along, anywhere = _repeats(lab, inner)
    if along > _REPEATS:
        return Pattern.ALL_OVER
    if anywhere > _REPEATS:
        return Pattern.COLOUR_BLOCK
    return Pattern.PRINTED if _details(small, inner) > 0.012 or spread > 24 else Pattern.PLAIN


def _without_rim(bgr: Bgr, mask: Mask) -> tuple[Bgr, Mask]:
    """The garment at one size, without its rim."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return bgr[:1, :1], mask[:1, :1]
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    small, reduced = reduced_to(bgr[box], mask[box], _SIDE)
    framed = cv2.copyMakeBorder(reduced, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return small, cv2.erode(framed, np.ones((9, 9), np.uint8))[1:-1, 1:-1]


def _cloth_pixels(bgr: Bgr, mask: Mask) -> Array:
    small, inner = _without_rim(bgr, mask)
    return cv2.cvtColor(small, cv2.COLOR_BGR2LAB)[inner > 0].astype(np.float32)


def _variation(lab: Array, inner: Mask) -> tuple[float, float, float]:
    """Spread of colour, and the shares of its variance that lie between rows and columns."""
    weighted = lab * np.array([0.7, 1.4, 1.4], np.float32)
    pixels = weighted[inner > 0]
    variance = float(pixels.var(0).sum())
    shares = []
    for picture, cut in ((weighted, inner), (weighted.transpose(1, 0, 2), inner.T)):
        counts = cut.sum(1)
        rows = counts > 10
        means = (picture * cut[..., None]).sum(1)[rows] / counts[rows, None]
        overall = pixels.mean(0)
        between = (((means - overall) ** 2).sum(1) * counts[rows]).sum() / counts[rows].sum()
        shares.append(float(between / max(variance, 1e-6)))
    return variance**0.5, shares[0], shares[1]


def _alternations(lab: Array, inner: Mask, *, rows: bool) -> int:
    """How often the mean brightness of rows (or columns) crosses its running mean."""
    light, cut = (lab[..., 0], inner) if rows else (lab[..., 0].T, inner.T)
    counts = cut.sum(1)
    kept = counts > 10
    profile = (light * cut).sum(1)[kept] / counts[kept]
    if len(profile) < 20:
        return 0
    off = profile - cv2.GaussianBlur(profile.reshape(-1, 1), (0, 0), 12).ravel()
    signs = np.sign(off[np.abs(off) > 4])
    return int((np.diff(signs) != 0).sum())


def _repeats(lab: Array, inner: Mask) -> tuple[float, float]:
    """Highest correlation of the cloth with itself, moved up or down, and moved at all."""
    light = np.where(inner > 0, lab[..., 0] - blur(lab[..., 0], 9), 0).astype(np.float32)
    height, width = light.shape
    top, left = height // 4, width // 4
    part = light[top : top + height // 2, left : left + width // 2]
    if min(part.shape) < 40 or part.std() < 1:
        return 0.0, 0.0
    found = cv2.matchTemplate(light, part, cv2.TM_CCOEFF_NORMED)
    y, x = np.ogrid[: found.shape[0], : found.shape[1]]
    far = np.hypot(y - top, x - left) > 9
    down = np.broadcast_to(np.abs(y - top) > 9, found.shape)
    return float(found[down].max()), float(found[far].max())


def _details(small: Bgr, inner: Mask) -> float:
    """Share of the cloth on clear edges: letters and pictures, not folds."""
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32) * (0.7, 1.4, 1.4)
    edge = np.sqrt(cv2.Sobel(lab, cv2.CV_64F, 1, 0) ** 2 + cv2.Sobel(lab, cv2.CV_64F, 0, 1) ** 2)
    return float((edge.max(2)[inner > 0] > 90).mean())


def _name(lab: Array) -> str:
    known = np.array([_lab_of(code) for code in _NAMES.values()])
    off = ((known - lab) * (0.7, 1.3, 1.3)) ** 2
    return list(_NAMES)[int(off.sum(1).argmin())]


def _lab_of(code: str) -> Array:
    bgr = np.array([[[int(code[i : i + 2], 16) for i in (4, 2, 0)]]], np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)[0, 0].astype(np.float32))


def _hex(lab: Array) -> str:
    pixel = np.clip(np.round(lab), 0, 255).astype(np.uint8).reshape(1, 1, 3)
    blue, green, red = (int(v) for v in cv2.cvtColor(pixel, cv2.COLOR_LAB2BGR)[0, 0])
    return f"#{red:02x}{green:02x}{blue:02x}"
