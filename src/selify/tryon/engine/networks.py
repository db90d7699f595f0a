"""The two networks that see people. Files: ``selify.assets`` puts them in place and checks them."""

from dataclasses import dataclass
from pathlib import Path

import cv2

POSE_FILE = "pose_landmark_full.tflite"
FACE_FILE = "face_detection_short_range.tflite"


class ModelsMissing(Exception):
    """The model files are not where they should be: run the set-up again."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Face: (1, 3, 128, 128) to SSD boxes. Pose: (1, 3, 256, 256) to 39 points, a score and a mask."""

    face: cv2.dnn.Net
    pose: cv2.dnn.Net


def load_networks(directory: Path) -> Networks:
    """Raises ModelsMissing, naming the file, when one is not there or cannot be read."""
    return Networks(face=_load(directory / FACE_FILE), pose=_load(directory / POSE_FILE))


def _load(path: Path) -> cv2.dnn.Net:
    if not path.is_file():
        raise ModelsMissing(f"{path} is missing. Run the set-up again: it downloads the file.")
    try:
        return cv2.dnn.readNetFromTFLite(str(path))
    except cv2.error as error:
        raise ModelsMissing(
            f"{path} cannot be read. Delete it and run the set-up again."
        ) from error
