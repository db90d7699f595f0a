"""Names for the arrays that the engine's rooms hand to each other.

Points are ``(x, y)`` in pixels, float64. Pictures are blue-green-red, as OpenCV has them.
Everything that exists twice on a body or a garment is a pair ordered as seen in the picture:
``[0]`` lies left in the picture (the person's right), ``[1]`` right.
"""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
Bgr = npt.NDArray[Any]
"""(H, W, 3) uint8."""
Lab = npt.NDArray[Any]
"""(H, W, 3) float32, OpenCV's 8-bit scaling: L 0..255, a and b around 128."""
Mask = npt.NDArray[Any]
"""(H, W) uint8, 0 or 1."""
Soft = npt.NDArray[Any]
"""(H, W) float32, 0..1."""
Point = npt.NDArray[Any]
"""(2,) float64."""
Points = npt.NDArray[Any]
"""(N, 2) float64."""

SIDES = (0, 1)
