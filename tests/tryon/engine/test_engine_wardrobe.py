"""Reading garments for the wardrobe."""

from dataclasses import replace

import numpy as np
import pytest

from selify.commerce import LOW_CONFIDENCE, SHOWS_PERSON
from selify.tryon.engine.codec import encode
from selify.tryon.engine.frames import Frame
from selify.tryon.engine.leffa import as_leffa
from selify.tryon.engine.reading import Pattern
from selify.tryon.engine.wardrobe import GarmentReading, NecklineShape, SleeveLength, read_garment
from selify.tryon.engine.worker import Workshop
from selify.tryon.types import GarmentCategory, RenderWarning


def read(garment, category=None):
    return read_garment(garment.bgra[..., :3].copy(), garment.bgra[..., 3].copy(), category)


@pytest.mark.parametrize(
    ("slug", "colour", "pattern", "sleeve"),
    [
        ("tee-clay", "terracotta", Pattern.PLAIN, SleeveLength.SHORT),
        ("tee-white", "white", Pattern.PLAIN, SleeveLength.SHORT),
        ("tee-harbour", "white", Pattern.STRIPED, SleeveLength.SHORT),
        ("tee-sunrise", "cream", Pattern.PRINTED, SleeveLength.SHORT),
        ("longsleeve-plum", "plum", Pattern.PLAIN, SleeveLength.LONG),
        ("dress-meadow", "sky blue", Pattern.ALL_OVER, SleeveLength.NONE),
        ("trousers-ink", "navy", Pattern.PLAIN, None),
    ],
)
def test_colour_pattern_and_sleeves(drawn, slug, colour, pattern, sleeve):
    reading = read(drawn[slug], drawn[slug].category)
    assert colour in [c.name for c in reading.colours[:3]]
    assert reading.pattern is pattern
    assert reading.sleeve is sleeve


@pytest.mark.parametrize("slug", ["tee-clay", "longsleeve-plum", "dress-meadow", "trousers-ink"])
def test_a_category_can_be_guessed_but_with_less_confidence(drawn, slug):
    known, guessed = read(drawn[slug], drawn[slug].category), read(drawn[slug])
    assert guessed.category is drawn[slug].category
    assert guessed.category_guessed
    assert not known.category_guessed
    assert guessed.confidence < known.confidence


def test_a_tee_has_a_round_neck(drawn):
    reading = read(drawn["tee-clay"], GarmentCategory.TOP)
    assert reading.neckline in (NecklineShape.CREW, NecklineShape.SCOOP)


def test_a_reading_fits_the_column_s_own_words(drawn):
    leffa = as_leffa(read(drawn["dress-meadow"], GarmentCategory.DRESS))
    assert (leffa.leffa_category, leffa.category_confidence) == ("dresses", 1.0)
    assert (leffa.recommended_body_visible, leffa.has_pattern) == ("full", True)
    colours = leffa.model_dump()["colours"]
    assert all(c["hex"].startswith("#") and len(c["hex"]) == 7 for c in colours)


def test_what_the_column_has_no_word_for_is_not_called_something_else(drawn):
    """A boat neck bares no shoulders, and a short dress is no tunic."""
    dress = read(drawn["dress-meadow"], GarmentCategory.DRESS)
    leffa = as_leffa(replace(dress, neckline=NecklineShape.BOAT, length="mini"))
    assert leffa.neckline is None
    assert leffa.length == "regular"


@pytest.mark.parametrize("pattern", Pattern)
@pytest.mark.parametrize("neckline", NecklineShape)
def test_every_word_of_the_reader_has_one_in_the_column(drawn, pattern, neckline):
    reading = replace(read(drawn["tee-clay"]), pattern=pattern, neckline=neckline)
    assert as_leffa(reading).category_confidence == reading.confidence


def test_a_busy_background_lowers_confidence_and_warns(drawn):
    garment = drawn["tee-clay"]
    alpha = garment.bgra[..., 3:].astype(np.float32) / 255
    tiles = np.indices(garment.bgra.shape[:2]).sum(0) // 60 % 2
    floor = np.where(tiles[..., None] > 0, (60, 90, 60), (200, 190, 120))
    picture = (garment.bgra[..., :3] * alpha + floor * (1 - alpha)).astype(np.uint8)
    reading = read_garment(picture, None, GarmentCategory.TOP)
    assert RenderWarning.GARMENT_BACKGROUND_UNCERTAIN in reading.warnings
    assert reading.confidence < read(garment, GarmentCategory.TOP).confidence


@pytest.mark.parametrize("slug", ["tee-harbour", "trousers-ink"])
def test_a_reading_survives_the_way_between_processes(drawn, slug):
    reading = read(drawn[slug])
    assert GarmentReading.from_json(reading.to_json()) == reading


def test_a_person_is_no_garment_in_silence(people, drawn, models_dir):
    workshop = Workshop(models_dir)

    def told(picture: bytes, category: str | None = None):
        request = Frame({"operation": "read", "category": category}, (picture,))
        return as_leffa(GarmentReading.from_json(workshop.answer(request).header["reading"]))

    worn = told(encode(people["alex"]), "top")
    assert SHOWS_PERSON in worn.warnings
    assert worn.category_confidence < LOW_CONFIDENCE
    for garment in list(drawn.values())[:3]:
        assert SHOWS_PERSON not in told(garment.png()).warnings
