"""The engine's own process: ``python -m selify.tryon.engine.worker MODELS_FOLDER [--small]``.

It decodes pictures that strangers sent; if one of them kills a decoder, only this process dies.
It reads requests from standard input, answers on standard output, ends when the input ends.
"""

import hashlib
import os
import resource
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from selify.core.language import _
from selify.tryon.engine.advice import warnings_for
from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.codec import decode, encode
from selify.tryon.engine.cutout import Backdrop
from selify.tryon.engine.frames import Frame, read_frame
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.garment_file import packed, unpacked
from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.hosted_gate import Reading, assess_hosted
from selify.tryon.engine.networks import load_networks
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.person import Person
from selify.tryon.engine.photo_check import check_photo
from selify.tryon.engine.pipeline import LIGHTS, TryOn, dressed_in, see
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.registration import registered
from selify.tryon.engine.suitability import refuse_unfit
from selify.tryon.engine.trousers import BARE_LEGS, CLOSE_FITTING
from selify.tryon.engine.wardrobe import read_picture
from selify.tryon.engine.worn_garment import garment_in
from selify.tryon.types import GarmentCategory, QualityScores, RefusalCode, RefusalReason

_GARMENT_SIDE = 1024
# Each takes some 8 MB; to read one again takes more seconds than to dress somebody in it.
_KEPT_GARMENTS = 24
_KEPT_WHERE_MEMORY_IS_SHORT = 8
_ADDRESS_SPACE = 6 << 30
_MIN_COVER = 0.02
# Of the person. Long sleeves that become none, the whole person in view: 0.18 to 0.20, and the
# arms look like arms; of a portrait without any bare arm 0.27, and they look like cardboard.
_MOST_PAINTED = 0.235
_BARE_ARMS = _("For this garment, please send a photo with bare arms.")
_NO_DRESS = _("For this garment, please send a photo in a top with trousers or a skirt.")
_LESS_ON = _("Please send a photo without a jacket, coat or scarf, in something close-fitting.")
_ARMS_BESIDE = _("Please send a photo with your arms beside your body.")
# What a shopper can do about a doubt (traits.py). Nothing, where the garment's picture is to blame.
_ADVICE = {
    "limbs_painted": (RefusalReason.SLEEVES, _BARE_ARMS),
    "chest_painted": (RefusalReason.SLEEVES, _BARE_ARMS),
    "sleeves_across": (RefusalReason.ARMS, _ARMS_BESIDE),
    "bent": (RefusalReason.ARMS, _ARMS_BESIDE),
    "hidden": (RefusalReason.ARMS, _ARMS_BESIDE),
    "old_left": (RefusalReason.LAYERS, _LESS_ON),
    "outerwear": (RefusalReason.LAYERS, _LESS_ON),
    "stray": (RefusalReason.LAYERS, _LESS_ON),
    "unlike_skin": (RefusalReason.LAYERS, _LESS_ON),
    "reached": (RefusalReason.LAYERS, _LESS_ON),
    "restored": (RefusalReason.LAYERS, _LESS_ON),
    "restored_busy": (RefusalReason.LAYERS, _LESS_ON),
    "strange_neck": (RefusalReason.LAYERS, _LESS_ON),
    "legs_painted": (RefusalReason.BARE_LEGS, BARE_LEGS),
    "restored_below": (RefusalReason.LOOSE, CLOSE_FITTING),
    "reached_below": (RefusalReason.LOOSE, CLOSE_FITTING),
}

Operation = Callable[[Frame], Frame]


@dataclass(slots=True)
class _Known:
    """A garment that was read. ``filed``: whoever asked has it in a file; ``fit``: nothing speaks against every picture of
    it, as was found out once.
    """

    garment: Garment
    filed: bool = False
    fit: bool = False

    def file(self, key: str) -> tuple[bytes, ...]:
        """To be kept by whoever asks, where it is not yet."""
        if self.filed:
            return ()
        self.filed = True
        return (packed(self.garment, key),)

    def refuse_unfit(self) -> None:
        """Raises Refused."""
        if not self.fit:
            refuse_unfit(self.garment)
            self.fit = True


class Workshop:
    """Holds the networks and the garments read last."""

    def __init__(self, models: Path, *, small: bool = False) -> None:
        self._perception = Perception(load_networks(models, small=small))
        self._garments: OrderedDict[str, _Known] = OrderedDict()
        self._most_garments = _KEPT_WHERE_MEMORY_IS_SHORT if small else _KEPT_GARMENTS
        self._operations: dict[str, Operation] = {
            "render": self._render,
            "check": self._check,
            "assess": self._assess,
            "read": self._read,
        }

    def answer(self, request: Frame) -> Frame:
        """Refusals and faults are answers too: the process goes on."""
        try:
            return self._operations[str(request.header["operation"])](request)
        except Refused as refused:
            return Frame(
                {"refused": refused.code.value, "hint": refused.hint, "details": refused.details}
            )
        except Exception as error:  # noqa: BLE001 - the engine must hear of it, whatever it is
            traceback.print_exc()
            return Frame({"fault": f"{type(error).__name__}: {error}"})

    def _render(self, request: Frame) -> Frame:
        started = time.monotonic()
        header = request.header
        category = GarmentCategory(header["category"])
        photo = decode(request.parts[0], int(header["max_side"])).bgr
        known = self._known(category, *request.parts[1:])
        known.refuse_unfit()
        garment = known.garment
        result, scores = self._dressed(photo, garment)
        refuse_if_unsure(scores)
        answer = {
            "width": result.bgr.shape[1],
            "height": result.bgr.shape[0],
            "warnings": [warning.value for warning in warnings_for(result, garment)],
            "scores": _plain(scores),
            "seconds": round(time.monotonic() - started, 3),
        }
        return Frame(
            answer, (encode(result.bgr), *known.file(self._key(request.parts[1], category)))
        )

    def _dressed(self, photo: Bgr, garment: Garment) -> tuple[TryOn, QualityScores]:
        """Once more with less of the old garment's light where that makes another colour of it. Raises Refused."""
        seen = see(self._perception, photo, garment.needs)
        refuse_half_a_dress(seen.person, garment)
        for light in LIGHTS:
            result = dressed_in(garment, photo, seen, light=light)
            refuse_if_unconvincing(result)
            scores = assess_own(result.person, garment, result.dressed)
            if "colour" not in scores.misses:
                break
        return result, scores

    def _check(self, request: Frame) -> Frame:
        """Before somebody else is paid: can these two pictures become one, and be judged?"""
        category = GarmentCategory(request.header["category"])
        photo = decode(request.parts[0], _GARMENT_SIDE).bgr
        garment = self._known(category, *request.parts[1:]).garment
        warnings = check_photo(self._perception, photo, garment.needs)
        return Frame({"warnings": [warning.value for warning in warnings]})

    def _assess(self, request: Frame) -> Frame:
        """Score a result of which only the pictures are known, brought into the photo's frame."""
        category = GarmentCategory(request.header["category"])
        photo, result = (decode(part, _GARMENT_SIDE).bgr for part in request.parts[:2])
        garment = self._known(category, *request.parts[2:]).garment
        placed = registered(result, photo)
        before = Reading.of(self._perception, photo, category)
        scores = assess_hosted(self._perception, before, garment, placed)
        answer = {"scores": _plain(scores), "width": placed.shape[1], "height": placed.shape[0]}
        return Frame(answer, () if placed is result else (encode(placed),))

    def _read(self, request: Frame) -> Frame:
        name = request.header["category"]
        category = None if name is None else GarmentCategory(name)
        picture = decode(request.parts[0], _GARMENT_SIDE)
        garment, reading = read_picture(self._perception, picture.bgr, picture.alpha, category)
        answer = {"reading": reading.to_json()}
        if category is None and garment.backdrop is Backdrop.WORN:
            # Somebody's clothes are read otherwise where it is not known which of them is meant.
            return Frame(answer)
        key, known = self._key(request.parts[0], garment.category), _Known(garment)
        self._keep(key, known)
        return Frame(answer, known.file(key))

    def _known(self, category: GarmentCategory, data: bytes, file: bytes = b"") -> _Known:
        """Read once per content: a shop's garments come again and again. ``file``: what was read before, here or elsewhere."""
        key = self._key(data, category)
        known = self._garments.get(key) or self._read_before(key, category, data, file)
        self._keep(key, known)
        return known

    def _read_before(self, key: str, category: GarmentCategory, data: bytes, file: bytes) -> _Known:
        picture = decode(data, _GARMENT_SIDE)
        garment = unpacked(file, key, picture.bgr)
        if garment is not None:
            return _Known(garment, filed=True)
        return _Known(garment_in(self._perception, picture.bgr, picture.alpha, category))

    def _key(self, data: bytes, category: GarmentCategory) -> str:
        """Of what is read out of a picture, and by what means."""
        means = "colours" if self._perception.segmenter is None else "segmenter"
        return f"{category}:{means}:{hashlib.sha256(data).hexdigest()}"

    def _keep(self, key: str, known: _Known) -> None:
        """As the one asked for last."""
        self._garments[key] = known
        self._garments.move_to_end(key)
        while len(self._garments) > self._most_garments:
            self._garments.popitem(last=False)


def refuse_half_a_dress(person: Person, garment: Garment) -> None:
    """Above a new bottom a dress would end where it was never cut: of ten such pictures none was good. Raises Refused."""
    if person.one_piece and garment.bottom is not None:
        details: dict[str, float | str] = {"reason": RefusalReason.DRESS}
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=_NO_DRESS, details=details)


def refuse_if_unconvincing(result: TryOn) -> None:
    """Another attempt would not help: what is worn now stands in the way. Raises Refused."""
    person = max(1, int(result.person.mask.sum()))
    if int((result.dressed.cover > 0.5).sum()) < _MIN_COVER * person:
        raise Refused(RefusalCode.QUALITY_TOO_LOW, details={"reason": "nothing was dressed"})
    painted = int(result.dressed.painted.sum()) / person
    if painted > _MOST_PAINTED:
        details: dict[str, float | str] = {"reason": "sleeves", "painted": round(painted, 3)}
        raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=_BARE_ARMS, details=details)


def refuse_if_unsure(scores: QualityScores) -> None:
    """Say what another photo should show, where that would help; the rest is for the gate. Raises Refused."""
    if "convincing" not in scores.misses:
        return
    for doubt in scores.doubts:
        if doubt in _ADVICE:
            reason, hint = _ADVICE[doubt]
            details: dict[str, float | str] = {
                "reason": reason.value,
                "doubts": ", ".join(scores.doubts),
                "convincing": scores.convincing or 0.0,
            }
            raise Refused(RefusalCode.QUALITY_TOO_LOW, hint=hint, details=details)


def _plain(scores: QualityScores) -> dict[str, Any]:
    return {**asdict(scores), "misses": list(scores.misses), "doubts": list(scores.doubts)}


def serve(workshop: Workshop, requests: BinaryIO, answers: BinaryIO) -> None:
    """One request at a time, until the other side closes."""
    while (request := read_frame(requests)) is not None:
        answers.write(workshop.answer(request).encoded())
        answers.flush()


def main(models: Path, *, small: bool) -> None:
    # Whatever a library prints must not end up between the frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(2)
    np.seterr(all="ignore")
    workshop = Workshop(models, small=small)
    answers.write(Frame({"ready": True}).encoded())
    answers.flush()
    serve(workshop, sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(Path(sys.argv[1]), small="--small" in sys.argv[2:])
