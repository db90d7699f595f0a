"""A promptable segmenter: one look at a picture, then any number of questions about its parts.

Two networks on the processor. MobileSAM (Zhang et al. 2023, after Kirillov et al. 2023, "Segment
Anything") looks at the picture once and then answers points and boxes with masks. U²-Net (Qin et al.
2020), in its small form, knows one thing only: what the picture is of.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Points, Soft
from selify.tryon.engine.model_files import existing, unreadable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions

ENCODER_FILE = "encoder.onnx"
DECODER_FILE = "sam.onnx"
SALIENT_FILE = "u2netp.onnx"

_SIDE = 1024
_HINT_SIDE = 256
_SALIENT_SIDE = 320
# The colours, red first, of the pictures that both networks learned from: 0..1.
_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
# What a point of a question is: beside the thing, on it, a corner of its box, or there for the count.
_OUTSIDE, _INSIDE, _TOP_LEFT, _BOTTOM_RIGHT, _PADDING = 0, 1, 2, 3, -1
# Sums come out the same on every machine only if they are always split in the same way.
_THREADS = 2
# The network that answers is too small to gain by a second thread: two questions at once gain.
_AT_ONCE = 2

Spots = Points | Sequence[tuple[float, float]]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


@dataclass(frozen=True, slots=True)
class Question:
    """The thing that the ``inside`` points lie on, the ``outside`` ones do not, and that the box holds; in
    pixels of the picture. Many distinct points give the best answers; if all lie on a print, the answer is
    the print. ``again``: how often the answer is handed back as a hint, which sharpens it.
    """

    inside: Spots
    outside: Spots = ()
    box: Box | None = None
    again: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """``odds``: (H, W) float32, the log odds that a pixel belongs to what was asked for; found on a grid
    of 256, so edges want refining. ``quality``: how good the network thinks its mask is, 0..1; it is
    often wrong, so ask somebody else too.
    """

    odds: Array
    quality: float

    @property
    def mask(self) -> Mask:
        return (self.odds > 0).astype(np.uint8)


class Looked:
    """A picture the segmenter has looked at: 4 MB, worth keeping if more will be asked.

    ``size``: height and width in whose pixels it is asked and answers.
    """

    def __init__(self, decoder: "InferenceSession", features: Array, size: tuple[int, int]) -> None:
        self._decoder = decoder
        self._features = features
        self.size = size

    def ask(
        self, inside: Spots, outside: Spots = (), box: Box | None = None, *, again: int = 1
    ) -> Answer:
        """As ``answer``, of a ``Question`` of these."""
        return self.answer(Question(inside, outside, box, again))

    def ask_all(self, questions: Mapping[str, Question]) -> dict[str, Answer]:
        """Several at once, which takes little more than half the seconds; raises as ``answer`` does."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(questions, pool.map(self.answer, questions.values()), strict=True))

    def answer(self, question: Question) -> Answer:
        """Raises ValueError when nothing points at anything."""
        points, labels = _pointed_at(question)
        feed = {
            "image_embeddings": self._features,
            "point_coords": points[None] * np.float32(_SIDE / max(self.size)),
            "point_labels": labels[None],
            "orig_im_size": np.array(self.size, np.float32),
        }
        hint = np.zeros((1, 1, _HINT_SIDE, _HINT_SIDE), np.float32)
        for turn in range(question.again + 1):
            feed |= {"mask_input": hint, "has_mask_input": np.array([turn > 0], np.float32)}
            odds, quality, hint = self._decoder.run(None, feed)
        return Answer(odds[0, 0], float(quality[0, 0]))


def reduced(shape: tuple[int, ...], side: int | None) -> tuple[int, int]:
    """Height and width of a picture brought to a longest side; never more than it has."""
    height, width = shape[:2]
    share = 1.0 if side is None else min(1.0, side / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


class Segmenter:
    """The networks, each loaded when it is first needed. The same pictures and questions give the same
    answers. ``directory`` holds the three files; raises ModelsMissing, naming the file, if one is not
    there, and on first use if one cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        files = (ENCODER_FILE, DECODER_FILE, SALIENT_FILE)
        self._encoder_file, self._decoder_file, self._salient_file = (
            existing(directory / name) for name in files
        )

    def look(self, picture: Bgr, side: int | None = None) -> Looked:
        """The slow part: a second or two. All other questions to the picture are cheap then.

        ``side``: questions and answers are in pixels of the picture reduced to this longest side. The network
        answers on a grid of 256 anyway.
        """
        height, width = picture.shape[:2]
        scale = _SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = cv2.resize(picture, size, interpolation=how)
        square = np.zeros((_SIDE, _SIDE, 3), np.float32)
        square[: size[1], : size[0]] = _normalised(scaled, 255)
        (features,) = self._encoder.run(None, {"input": _blob(square)}, _giving_back())
        return Looked(self.decoder, features, reduced(picture.shape, side))

    def salient(self, picture: Bgr) -> Soft:
        """How much each pixel belongs to the thing the picture is of. Something always is the most
        salient, even on a bare wall.
        """
        height, width = picture.shape[:2]
        size = (_SALIENT_SIDE, _SALIENT_SIDE)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        blob = _blob(_normalised(small, max(1, int(small.max()))))
        # The other outputs are the network's drafts.
        (name, *_) = (output.name for output in self._salient.get_outputs())
        feed = {self._salient.get_inputs()[0].name: blob}
        (found,) = self._salient.run([name], feed, _giving_back())
        spread = (found - found.min()) / max(1e-6, float(np.ptp(found)))
        soft: Soft = cv2.resize(
            spread.reshape(size), (width, height), interpolation=cv2.INTER_LINEAR
        )
        return soft

    @cached_property
    def _encoder(self) -> "InferenceSession":
        return _load(self._encoder_file)

    @cached_property
    def decoder(self) -> "InferenceSession":
        return _load(self._decoder_file, threads=1)

    @cached_property
    def _salient(self) -> "InferenceSession":
        return _load(self._salient_file)


def _pointed_at(question: Question) -> tuple[Array, Array]:
    """Points (N, 2) and what each is (N), float32."""
    inside, outside, box = question.inside, question.outside, question.box
    if len(inside) == 0 and box is None:
        raise ValueError("Ask with a point inside, or with a box.")
    points = [*inside, *outside]
    labels = [_INSIDE] * len(inside) + [_OUTSIDE] * len(outside)
    if box is None:
        points, labels = [*points, (0.0, 0.0)], [*labels, _PADDING]
    else:
        points, labels = [*points, box[:2], box[2:]], [*labels, _TOP_LEFT, _BOTTOM_RIGHT]
    return np.array(points, np.float32), np.array(labels, np.float32)


def _normalised(picture: Bgr, white: int) -> Array:
    """(H, W, 3) float32, red first, as the networks' own pictures were."""
    return (picture[..., ::-1].astype(np.float32) / white - _MEAN) / _DEVIATION


def _blob(picture: Array) -> Array:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None])


def _load(path: Path, threads: int = _THREADS) -> "InferenceSession":
    """Raises ModelsMissing. The library is heavy, so it is loaded by whoever needs it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # With patterns each network would keep for ever what it once needed at its peak.
    options.enable_mem_pattern = False
    providers = ["CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        # The library's errors have no common base of their own.
        raise unreadable(path) from error


@cache
def _share_memory() -> None:
    """One arena for all networks: they work one after another. It grows by what is asked for and no more."""
    import onnxruntime

    arena = onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1})
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(memory, arena)


@cache
def _giving_back() -> "RunOptions":
    """For the two networks that need much: what the arena grew by for them is free again when they have answered."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options
