"""The networks that see people and tell their clothes from the rest."""

from dataclasses import dataclass
from pathlib import Path

import cv2

from selify.tryon.engine.model_files import existing, unreadable
from selify.tryon.engine.segmenter import Segmenter

POSE_FILE = "pose_landmark_full.tflite"
FACE_FILE = "face_detection_short_range.tflite"


@dataclass(frozen=True, slots=True)
class Networks:
    """Face: (1, 3, 128, 128) to SSD boxes. Pose: (1, 3, 256, 256) to 39 points, a score and a mask.
    The segmenter is None where memory is short.
    """

    face: cv2.dnn.Net
    pose: cv2.dnn.Net
    segmenter: Segmenter | None


def load_networks(directory: Path, *, small: bool = False) -> Networks:
    """``small``: without the segmenter. Raises ModelsMissing, naming the file, when one is not
    there or cannot be read.
    """
    return Networks(
        face=_load(directory / FACE_FILE),
        pose=_load(directory / POSE_FILE),
        segmenter=None if small else Segmenter(directory),
    )


def _load(path: Path) -> cv2.dnn.Net:
    try:
        return cv2.dnn.readNetFromTFLite(str(existing(path)))
    except cv2.error as error:
        raise unreadable(path) from error
