"""Reading garments for the wardrobe."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from selify.commerce import LOW_CONFIDENCE, SHOWS_PERSON, Readiness
from selify.commerce.uploads import MAX_SIDE
from selify.core.files.pictures import open_picture
from selify.tryon.engine import worker
from selify.tryon.engine.codec import encode
from selify.tryon.engine.cutout import ByColour
from selify.tryon.engine.frames import Frame
from selify.tryon.engine.garment import read_cut_out
from selify.tryon.engine.leffa import (
    EmbeddedGarmentReader,
    GarmentUnreadable,
    as_leffa,
    readiness_of,
)
from selify.tryon.engine.perception import Face
from selify.tryon.engine.reading import Limit, Misfit, Pattern, WornFault
from selify.tryon.engine.refusals import Refused, refusal
from selify.tryon.engine.suitability import limits_of, refuse_other_category
from selify.tryon.engine.wardrobe import GarmentReading, NecklineShape, SleeveLength, read_garment
from selify.tryon.engine.wearer import perhaps_somebody
from selify.tryon.engine.worker import Workshop
from selify.tryon.garment_pictures import open_garment
from selify.tryon.types import GarmentCategory, RefusalCode, RenderWarning


@pytest.fixture(scope="module")
def read(drawn):
    """Of a drawn garment, by its slug and the category that it is said to have."""

    @cache
    def reading(slug, category=None):
        bgra = drawn[slug].bgra
        return read_garment(bgra[..., :3].copy(), bgra[..., 3].copy(), category)

    return reading


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
def test_colour_pattern_and_sleeves(drawn, read, slug, colour, pattern, sleeve):
    reading = read(slug, drawn[slug].category)
    assert colour in [c.name for c in reading.colours[:3]]
    assert reading.pattern is pattern
    assert reading.sleeve is sleeve


@pytest.mark.parametrize("slug", ["tee-clay", "longsleeve-plum", "dress-meadow", "trousers-ink"])
def test_a_category_can_be_guessed_but_with_less_confidence(drawn, read, slug):
    known, guessed = read(slug, drawn[slug].category), read(slug)
    assert guessed.category is drawn[slug].category
    assert guessed.category_guessed
    assert not known.category_guessed
    assert guessed.confidence < known.confidence


def test_a_tee_has_a_round_neck(read):
    reading = read("tee-clay", GarmentCategory.TOP)
    assert reading.neckline in (NecklineShape.CREW, NecklineShape.SCOOP)


def test_a_reading_fits_the_column_s_own_words(read):
    leffa = as_leffa(read("dress-meadow", GarmentCategory.DRESS))
    assert (leffa.leffa_category, leffa.category_confidence) == ("dresses", 1.0)
    assert (leffa.recommended_body_visible, leffa.has_pattern) == ("full", True)
    colours = leffa.model_dump()["colours"]
    assert all(c["hex"].startswith("#") and len(c["hex"]) == 7 for c in colours)


def test_what_the_column_has_no_word_for_is_not_called_something_else(read):
    """A boat neck bares no shoulders, and a short dress is no tunic."""
    dress = read("dress-meadow", GarmentCategory.DRESS)
    leffa = as_leffa(replace(dress, neckline=NecklineShape.BOAT, length="mini"))
    assert leffa.neckline is None
    assert leffa.length == "regular"


@pytest.mark.parametrize("pattern", Pattern)
@pytest.mark.parametrize("neckline", NecklineShape)
def test_every_word_of_the_reader_has_one_in_the_column(read, pattern, neckline):
    reading = replace(read("tee-clay"), pattern=pattern, neckline=neckline)
    assert as_leffa(reading).category_confidence == reading.confidence


def test_a_busy_background_lowers_confidence_and_warns(drawn, read):
    garment = drawn["tee-clay"]
    alpha = garment.bgra[..., 3:].astype(np.float32) / 255
    tiles = np.indices(garment.bgra.shape[:2]).sum(0) // 60 % 2
    floor = np.where(tiles[..., None] > 0, (60, 90, 60), (200, 190, 120))
    picture = (garment.bgra[..., :3] * alpha + floor * (1 - alpha)).astype(np.uint8)
    reading = read_garment(picture, None, GarmentCategory.TOP)
    assert RenderWarning.GARMENT_BACKGROUND_UNCERTAIN in reading.warnings
    assert reading.confidence < read("tee-clay", GarmentCategory.TOP).confidence


@pytest.mark.parametrize("slug", ["tee-harbour", "trousers-ink"])
def test_a_reading_survives_the_way_between_processes(read, slug):
    reading = read(slug)
    assert GarmentReading.from_json(reading.to_json()) == reading


def told(models_dir, picture: bytes, category: str | None = None) -> dict:
    request = Frame({"operation": "read", "category": category}, (picture,))
    return Workshop(models_dir, small=True).answer(request).header


def test_without_the_segmenter_a_worn_garment_is_refused(people, drawn, models_dir):
    """Colours alone would take arms and hair for cloth."""
    answer = told(models_dir, encode(people["alex"]), "top")
    assert answer["details"] == {"reason": Misfit.WORN, "fault": WornFault.UNCLEAR}
    for garment in list(drawn.values())[:3]:
        reading = GarmentReading.from_json(told(models_dir, garment.png())["reading"])
        assert SHOWS_PERSON not in as_leffa(reading).warnings


def test_what_perhaps_shows_somebody_is_asked_about(read):
    tee = read("tee-clay", GarmentCategory.TOP)
    doubted = as_leffa(replace(tee, warnings=(RenderWarning.GARMENT_SHOWS_PERSON,)))
    assert SHOWS_PERSON in doubted.warnings
    assert doubted.category_confidence < LOW_CONFIDENCE


def face(confidence: float, height: float) -> Face:
    return Face(confidence, 400, 300, 0.8 * height, height)


@pytest.mark.parametrize(
    ("confidence", "height", "doubted"),
    [
        (0.87, 140, True),
        (0.84, 160, False),  # a drawn face on a tee
        (0.97, 40, False),  # one of many small ones in a print
    ],
)
def test_a_face_in_a_print_is_nobody(confidence, height, doubted):
    picture = np.zeros((1000, 750, 3), np.uint8)
    assert perhaps_somebody([face(0.5, 200), face(confidence, height)], picture) is doubted


def test_a_texture_is_no_garment():
    noise = np.random.default_rng(1).integers(0, 255, (240, 180, 3), np.uint8)
    with pytest.raises(Refused) as refused:
        read_garment(noise, None, GarmentCategory.TOP)
    assert refused.value.details == {"reason": Misfit.TEXTURE}


@pytest.mark.parametrize(
    ("slug", "named", "seen"),
    [("trousers-ink", "top", "bottom"), ("tee-clay", "bottom", "top")],
)
@pytest.mark.parametrize("cut", [True, False])
def test_another_category_than_its_outline_is_refused(drawn, slug, named, seen, cut):
    garment = drawn[slug]
    bgr, alpha = (
        (garment.bgra[..., :3].copy(), garment.bgra[..., 3].copy())
        if cut
        else (garment.on_backdrop(), None)
    )
    with pytest.raises(Refused) as refused:
        refuse_other_category(ByColour(bgr, alpha), GarmentCategory(named))
    assert refused.value.details == {"reason": "category", "named": named, "seen": seen}


def test_what_is_right_or_unclear_is_left_to_who_named_it(drawn):
    named = [(garment, garment.category) for garment in drawn.values()]
    named.append((drawn["trousers-ink"], GarmentCategory.DRESS))  # as a jumpsuit is
    for garment, category in named:
        by_colour = ByColour(garment.bgra[..., :3].copy(), garment.bgra[..., 3].copy())
        refuse_other_category(by_colour, category)


def test_the_engine_refuses_another_category(drawn, models_dir):
    answer = told(models_dir, drawn["trousers-ink"].png(), "top")
    assert answer["details"]["reason"] == Misfit.CATEGORY


@pytest.mark.parametrize(
    ("reason", "fault"), [(reason, "") for reason in Misfit] + [(Misfit.WORN, f) for f in WornFault]
)
async def test_what_cannot_work_says_so_in_a_sentence_and_what_to_do(reason, fault):
    class Engine:
        async def read_garment(self, picture, category):
            details = {"reason": reason, "named": "top", "seen": "bottom"}
            if fault:
                details["fault"] = fault
            return refusal(RefusalCode.GARMENT_NOT_FOUND, details=details)

    with pytest.raises(GarmentUnreadable) as refused:
        await EmbeddedGarmentReader(Engine())(stored(np.zeros((40, 30, 3), np.uint8)), "upper_body")
    assert refused.value.detail != refusal(RefusalCode.GARMENT_NOT_FOUND).sentence
    assert refused.value.hint.endswith(".")
    if reason is Misfit.CATEGORY:
        assert refused.value.detail == "You chose a top, but the picture shows trousers."


# --- What is read is there when somebody tries it on -----------------------------------------------


async def test_the_picture_that_is_read_is_the_one_that_try_ons_come_with(drawn):
    read = []

    class Engine:
        async def read_garment(self, picture, category):
            read.append(picture)
            return refusal(RefusalCode.GARMENT_NOT_FOUND)

    large = cv2.resize(drawn["tee-clay"].on_backdrop(), None, fx=2, fy=2)
    picture = stored(large)
    with pytest.raises(GarmentUnreadable):
        await EmbeddedGarmentReader(Engine())(picture, "upper_body")
    assert max(picture.width, picture.height) == MAX_SIDE
    assert read == [open_garment(picture.data)]


def stored(bgr):
    """As the wardrobe keeps it."""
    return open_picture(encode(bgr), max_side=MAX_SIDE)


@pytest.mark.parametrize("category", ["top", None])
def test_a_garment_that_was_read_need_not_be_read_for_a_try_on(
    models_dir, people, drawn, monkeypatch, category
):
    photo, tee = encode(people["alex"]), drawn["tee-sunrise"].png()
    wanted = Frame({"operation": "render", "category": "top", "max_side": 512}, (photo, tee))
    expected = Workshop(models_dir, small=True).answer(wanted)
    workshop = Workshop(models_dir, small=True)
    read = workshop.answer(Frame({"operation": "read", "category": category}, (tee,)))
    monkeypatch.setattr(worker, "garment_in", _reads_nothing)
    answer = workshop.answer(wanted)
    picture, file = expected.parts
    assert answer.parts == (picture,)
    assert read.parts == (file,), "whoever reads it first hands over what was read"


def _reads_nothing(*_):
    raise AssertionError("read once more")


# --- Readiness ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [True, False])
def test_a_well_photographed_garment_is_ready(drawn, read, cut):
    for slug, garment in drawn.items():
        if cut:
            reading = read(slug, garment.category)
        elif slug != "tee-white":  # on a backdrop that is nearly white
            reading = read_garment(garment.on_backdrop(), None, garment.category)
        assert readiness_of(reading).state == "ready", slug
        assert readiness_of(reading).reasons == []


def limits(bgr, category=GarmentCategory.TOP):
    return read_garment(bgr, None, category).limits


def test_what_limits_a_garment_is_said(drawn):
    tee = drawn["tee-clay"].on_backdrop()
    assert limits(tee) == ()
    assert Limit.CUT_OFF in limits(tee[:600])
    small = cv2.resize(tee, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    assert Limit.LOW_RESOLUTION in limits(small)
    half = tee.copy()
    half[:, 560:] = tee[:8, :8].reshape(-1, 3).mean(0)  # folded over
    assert Limit.UNEVEN_OUTLINE in limits(half)


def test_what_can_hardly_be_told_from_its_ground_is_limited(drawn):
    garment = drawn["tee-clay"]
    cloth = garment.bgra[..., 3:].astype(np.float32) / 255

    def on_ground(off: int) -> np.ndarray:
        return (238 - off * cloth + np.zeros(3)).round().astype(np.uint8)

    assert Limit.FAINT_OUTLINE in limits(on_ground(10))
    assert Limit.FAINT_OUTLINE not in limits(on_ground(60))


def test_an_outline_of_which_everybody_thinks_otherwise_is_doubted(drawn, segmenter):
    """A dress lies on a ground of its own cloth: the networks guess, each for itself."""
    dress, tee = drawn["dress-meadow"].bgra, drawn["tee-clay"]
    cloth = cv2.resize(dress[300:700, 350:550, :3], dress.shape[1::-1]).astype(np.float32)
    there = dress[..., 3:].astype(np.float32) / 255
    hidden = (dress[..., :3] * there + cloth * (1 - there)).round().astype(np.uint8)
    # Small: where nothing is to be told apart by its colour, that takes the longest.
    hidden = cv2.resize(hidden, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    for picture, doubted in ((hidden, True), (tee.on_backdrop(), False)):
        garment = read_cut_out(picture, None, GarmentCategory.TOP, segmenter)
        found, _ = limits_of(picture, garment)
        assert (Limit.DOUBTFUL_OUTLINE in found) is doubted


def test_readiness_goes_into_the_column_in_words(read):
    tee = read("tee-clay", GarmentCategory.TOP)
    assert as_leffa(tee).readiness == Readiness(state="ready")
    for limit in Limit:
        limited = as_leffa(replace(tee, limits=(limit,))).readiness
        assert limited.state == "limited"
        assert [reason.endswith(".") for reason in limited.reasons] == [True]
    unfit = as_leffa(replace(tee, limits=(Limit.UNEVEN_OUTLINE,), unfit=True))
    assert unfit.model_dump(mode="json")["readiness"]["state"] == "unfit"
