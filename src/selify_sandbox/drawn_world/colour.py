"""How different two colours look: CIEDE2000 (Sharma, Wu, Dalal 2005)."""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array

_25_TO_7 = 25.0**7


def to_lab(bgr: Array) -> Array:
    """(N, 3) colours 0..255, sRGB, as CIE L*a*b* for D65."""
    pixels = (bgr.astype(np.float32) / 255)[None]
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB)[0].astype(np.float64))


def difference(first: Array, second: Array) -> Array:
    """CIEDE2000 of (N, 3) CIE L*a*b* colours; about 1 can just be seen, 10 at a glance."""
    mean_chroma = (np.hypot(first[:, 1], first[:, 2]) + np.hypot(second[:, 1], second[:, 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + _25_TO_7))
    chromas, hues = zip(*(_polar(lab, stretch) for lab in (first, second)), strict=True)
    lightness, chroma = (first[:, 0] + second[:, 0]) / 2, (chromas[0] + chromas[1]) / 2
    turn = _turn(hues, chromas)
    hue = _middle(hues, chromas)
    by_light = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    by_chroma = 1 + 0.045 * chroma
    by_hue = 1 + 0.015 * chroma * _hue_weight(hue)
    light_step = (second[:, 0] - first[:, 0]) / by_light
    chroma_step = (chromas[1] - chromas[0]) / by_chroma
    hue_step = 2 * np.sqrt(chromas[0] * chromas[1]) * np.sin(np.radians(turn / 2)) / by_hue
    bend = _bend(hue, chroma) * chroma_step * hue_step
    return np.asarray(np.sqrt(np.maximum(light_step**2 + chroma_step**2 + hue_step**2 + bend, 0)))


def _polar(lab: Array, stretch: Array) -> tuple[Array, Array]:
    """Chroma, and hue in degrees 0..360."""
    a = lab[:, 1] * stretch
    return np.hypot(a, lab[:, 2]), np.degrees(np.arctan2(lab[:, 2], a)) % 360


def _turn(hues: tuple[Array, ...], chromas: tuple[Array, ...]) -> Array:
    """From one hue to the other, the shorter way; none where one is grey."""
    turn = (hues[1] - hues[0] + 180) % 360 - 180
    return np.where(chromas[0] * chromas[1] == 0, 0.0, turn)


def _middle(hues: tuple[Array, ...], chromas: tuple[Array, ...]) -> Array:
    total = hues[0] + hues[1]
    apart = np.abs(hues[0] - hues[1]) > 180
    middle = np.where(apart, np.where(total < 360, total + 360, total - 360), total) / 2
    return np.where(chromas[0] * chromas[1] == 0, total, middle)


def _hue_weight(hue: Array) -> Array:
    angle = np.radians(hue)
    return np.asarray(
        1
        - 0.17 * np.cos(angle - np.radians(30))
        + 0.24 * np.cos(2 * angle)
        + 0.32 * np.cos(3 * angle + np.radians(6))
        - 0.20 * np.cos(4 * angle - np.radians(63))
    )


def _bend(hue: Array, chroma: Array) -> Array:
    around_blue = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    strength = 2 * np.sqrt(chroma**7 / (chroma**7 + _25_TO_7))
    return np.asarray(-np.sin(np.radians(2 * around_blue)) * strength)
