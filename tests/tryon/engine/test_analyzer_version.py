"""What was read of a garment is kept beside its picture: whoever changes the reading has to say so."""

import hashlib
import json
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

import numpy as np

from selify.tryon.engine.garment import read_cut_out
from selify.tryon.engine.reading import ANALYZER_VERSION
from selify.tryon.engine.wardrobe import reading_of
from selify_sandbox.drawn_world import garments
from selify_sandbox.drawn_world.samples import GARMENTS

READ_AS: Final = ("selify-outline-7", "a236508043d99a59")
KINDS: Final = ("striped V neck", "long sleeve", "jacket, open", "dress", "trousers", "jumpsuit")
LARGEST: Final = 100


def plain(value: Any) -> Any:
    """As JSON; numbers as coarse as two kinds of processor agree on, pictures by their mean."""
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name != "bgr"]
        return {name: plain(getattr(value, name)) for name in names}
    match value:
        case Enum():
            return value.value
        case np.ndarray() if value.size > LARGEST:
            return [list(value.shape), plain(value.astype(float).mean())]
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case float():
            return round(value, 1 if abs(value) < 1 else 0) + 0.0
        case tuple() | list():
            return [plain(one) for one in value]
        case _:
            return value


def digest(kinds: tuple[str, ...] = KINDS) -> str:
    """Of what drawn garments read as, without the segmenter."""
    said = []
    for sample in (one for one in GARMENTS if one.kind in kinds):
        drawn = garments.draw(sample)
        garment = read_cut_out(drawn.bgr, None, sample.piece.cut.category)
        said.append(plain((garment, reading_of(garment, None, guessed=False))))
    assert len(said) == len(kinds)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def test_whoever_reads_garments_otherwise_raises_the_version():
    found = (ANALYZER_VERSION, digest())
    assert found == READ_AS, (
        "Garments are read otherwise than before. Files of before would go on being used: raise ANALYZER_VERSION"
        f" in tryon/engine/reading.py, then put the new version and {found[1]!r} into READ_AS."
    )


def test_the_digest_sees_what_was_read():
    assert digest(("dress",)) != digest(("trousers",))
