"""A garment as it was read, in a file beside its picture: no process has to read it again.

A zip of arrays (numpy's own), pictures among them as PNG, and one JSON text that says what they are. Nothing is unpickled,
and what another version wrote, or of another picture, counts as none.
"""

import io
import json
from dataclasses import fields, is_dataclass
from typing import Any

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr
from selify.tryon.engine.cutout import Backdrop
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.neckline import Neckline
from selify.tryon.engine.points import BottomPoints, Sleeve, TopPoints
from selify.tryon.engine.reading import ANALYZER_VERSION
from selify.tryon.types import GarmentCategory

_PARTS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Garment, TopPoints, Sleeve, BottomPoints, Neckline)
}
_WORDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (GarmentCategory, Backdrop)}
# Bytes; one of a megapixel takes one or two millions.
_MOST = 64 << 20


def packed(garment: Garment, key: str) -> bytes:
    """``key``: of the picture it was read from, and as what."""
    arrays: list[Array] = []
    said = {"version": ANALYZER_VERSION, "key": key, "garment": _plain(garment, arrays)}
    text = np.frombuffer(json.dumps(said).encode(), np.uint8)
    file = io.BytesIO()
    np.savez_compressed(file, *arrays, text=text)
    return file.getvalue()


def unpacked(data: bytes, key: str, bgr: Bgr) -> Garment | None:
    """None of another version or picture, or where it is broken. ``bgr``: the picture."""
    if len(data) > _MOST:
        return None
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        said = json.loads(arrays["text"].tobytes())
        if (said["version"], said["key"]) != (ANALYZER_VERSION, key):
            return None
        garment = _thing(said["garment"], arrays, bgr)
    except Exception:  # noqa: BLE001 - zip, its four compressions, numpy and OpenCV each have their own
        return None
    whole = isinstance(garment, Garment) and garment.alpha.shape == bgr.shape[:2]
    return garment if whole else None


def _plain(value: Any, arrays: list[Array]) -> Any:
    """As JSON has it; what it does not have goes to ``arrays``. A garment's picture is at hand and is left out."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        picture = array.dtype == np.uint8 and array.ndim == 3
        arrays.append(cv2.imencode(".png", array)[1] if picture else array)
        return {"png" if picture else "array": len(arrays) - 1}
    if isinstance(value, GarmentCategory | Backdrop):
        return {"word": type(value).__name__, "value": value.value}
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name != "bgr"]
        parts = {name: _plain(getattr(value, name), arrays) for name in names}
        return {"part": type(value).__name__, "fields": parts}
    return [_plain(one, arrays) for one in value] if isinstance(value, tuple) else value


def _thing(plain: Any, arrays: dict[str, Array], bgr: Bgr) -> Any:
    match plain:
        case {"png": number}:
            return cv2.imdecode(arrays[f"arr_{number}"], cv2.IMREAD_UNCHANGED)
        case {"array": number}:
            return arrays[f"arr_{number}"][()]
        case {"word": kind, "value": value}:
            return _WORDS[kind](value)
        case {"part": kind, "fields": parts}:
            own = {name: _thing(part, arrays, bgr) for name, part in parts.items()}
            return _PARTS[kind](**own, **({"bgr": bgr} if kind == Garment.__name__ else {}))
        case list():
            return tuple(_thing(one, arrays, bgr) for one in plain)
        case _:
            return plain
