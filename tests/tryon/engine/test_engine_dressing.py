"""Dressing drawn people in drawn garments: what must change does, what must not does not."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from tests.infra.read_only import read_only

from selify.core.files.pictures import open_picture
from selify.tryon.engine.advice import warnings_for
from selify.tryon.engine.codec import decode
from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.geometry import at_length
from selify.tryon.engine.labels import Label
from selify.tryon.engine.perception import Face
from selify.tryon.engine.person import read_person
from selify.tryon.engine.pipeline import LIGHTS, dressed_in, see, try_on
from selify.tryon.engine.refusals import Refused, refusal
from selify.tryon.engine.shading import folds
from selify.tryon.engine.skeleton import Skeleton, refuse_if_undressable
from selify.tryon.engine.worker import refuse_if_unconvincing
from selify.tryon.engine.worn import worn_cuff
from selify.tryon.types import GarmentCategory, RefusalCode, RenderWarning
from selify_sandbox.drawn_people import Look, draw_person

SLUGS = (
    "tee-forest",
    "tee-sunrise",
    "tee-harbour",
    "tee-clay",
    "tee-white",
    "longsleeve-plum",
    "dress-meadow",
    "trousers-ink",
)
KINDS = ("tee-forest", "longsleeve-plum", "dress-meadow", "trousers-ink")
TOPS = ("tee-forest", "tee-sunrise", "tee-clay", "tee-white", "longsleeve-plum")


def refused(perception, photo, garment) -> RefusalCode:
    with pytest.raises(Refused) as caught:
        try_on(perception, photo, garment)
    return caught.value.code


def seen(perception, photo) -> Skeleton:
    return Skeleton.of(perception.body(photo, perception.faces(photo)))


def whole_mask(perception, photo):
    return perception.body(photo, perception.faces(photo)).mask


def head_turned(skeleton: Skeleton, degrees: float) -> Skeleton:
    points = skeleton.points.copy()
    turn = cv2.getRotationMatrix2D([float(v) for v in skeleton.nose], degrees, 1)
    points[:11] = points[:11] @ turn[:, :2].T + turn[:, 2]
    return replace(skeleton, points=points)


def beside(*photos):
    return np.hstack(photos)


# --- Seeing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alex", "sam", "kim"])
def test_drawn_people_are_seen(perception, people, name):
    faces = perception.faces(people[name])
    body = perception.body(people[name], faces)
    assert len(faces) == 1
    assert body.confidence > 0.95
    left, right = Skeleton.of(body).shoulders
    assert abs(left[0] - 240) < 40
    assert abs(right[0] - 490) < 40


def test_the_parts_of_a_person_are_told_apart(perception, people):
    photo = people["sam"]
    body = perception.body(photo, perception.faces(photo))
    person = read_person(photo, Skeleton.of(body), body.mask)
    assert person.label[450, 360] == Label.UPPER
    assert person.label[800, 300] == Label.LOWER
    assert person.label[580, 170] == Label.SKIN
    assert person.label[180, 360] == Label.SKIN
    assert person.label[400, 40] == Label.BACKGROUND


# --- Dressing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", TOPS)
def test_the_chest_takes_the_garments_colour(dress, people, garments, slug):
    result = dress("sam", slug)
    chest = np.median(result.bgr[340:380, 300:420].reshape(-1, 3), 0)
    cloth = np.median(garments[slug].bgr[380:420, 300:600].reshape(-1, 3), 0)
    assert np.abs(chest - cloth).max() < 60
    assert np.abs(chest - np.array(people["sam"][360, 360], float)).max() > 20


@pytest.mark.parametrize("slug", TOPS)
def test_face_legs_and_background_stay_as_they_were(dress, people, slug):
    photo = people["sam"]
    result = dress("sam", slug).bgr
    for part in (np.s_[:230], np.s_[860:], np.s_[:, :60], np.s_[:, -60:]):
        assert np.array_equal(result[part], photo[part])


@pytest.mark.parametrize(
    ("person", "slug"),
    [
        (person, slug)
        for person, slugs in (("sam", SLUGS), ("alex", KINDS), ("kim", KINDS))
        for slug in slugs
        if (person, slug) != ("kim", "dress-meadow")
    ],
)
def test_the_embedded_engines_pictures_pass(dress, garments, person, slug):
    result = dress(person, slug)
    scores = assess_own(result.person, garments[slug], result.dressed)
    assert scores.passed, scores


def test_two_whole_arms_of_paint_speak_against_a_picture(dress, garments):
    """Kim's sleeves go to the wrist, and the dress has none; of alex in a tee no arm is painted."""
    painted, own = (
        assess_own(result.person, garments[slug], result.dressed)
        for slug in ("dress-meadow", "tee-sunrise")
        for result in [dress("kim" if slug == "dress-meadow" else "alex", slug)]
    )
    assert painted.convincing < own.convincing - 0.03


def test_stripes_stay_stripes(dress):
    result = dress("sam", "tee-harbour")
    column = result.bgr[330:600, 355:365].mean((1, 2))
    crossings = np.diff(np.sign(column - column.mean())) != 0
    assert 12 <= crossings.sum() <= 30


def test_no_old_cloth_is_left_on_the_trunk(perception, garments):
    """A shrill old shirt: every pixel of it that shows is a fault."""
    photo = draw_person(Look(top=(30, 20, 230)))
    result = try_on(perception, photo, garments["tee-clay"]).bgr.astype(int)
    blue = try_on(perception, photo, garments["trousers-ink"]).bgr.astype(int)
    before = (photo[..., 2].astype(int) - photo[..., 1]) > 130
    after = (result[..., 2] - result[..., 1]) > 130
    kept = (blue[..., 2] - blue[..., 1]) > 130
    assert before.sum() > 50_000
    assert after.sum() < 0.01 * before.sum()
    assert kept.sum() > 0.95 * before.sum()


def test_long_sleeves_become_short_and_the_arms_are_painted(dress, garments):
    result = dress("kim", "tee-forest")
    body = result.person.skeleton
    x0, y0 = result.crop[:2]
    for side in (0, 1):
        x, y = (body.elbows[side] * 0.4 + body.wrists[side] * 0.6 + (x0, y0)).astype(int)
        blue, green, red = (int(v) for v in result.bgr[y, x])
        assert red > green > blue
        assert red - blue > 25
    assert RenderWarning.SKIN_PAINTED in warnings_for(result, garments["tee-forest"])


def test_a_long_sleeve_reaches_the_wrists(dress):
    result = dress("sam", "longsleeve-plum")
    skeleton = result.person.skeleton
    for side in (0, 1):
        x, y = (skeleton.elbows[side] * 0.3 + skeleton.wrists[side] * 0.7).astype(int)
        assert result.dressed.cover[y, x] > 0.9


def test_trousers_replace_trousers_and_leave_the_top(dress, people):
    photo = people["sam"]
    result = dress("sam", "trousers-ink")
    thigh = result.bgr[800:840, 285:315].reshape(-1, 3).mean(0)
    assert thigh[0] > thigh[2] + 20
    assert np.array_equal(result.bgr[:560], photo[:560])


def test_a_dress_goes_down_to_the_thighs(dress):
    result = dress("alex", "dress-meadow")
    x0, y0 = result.crop[:2]
    assert result.dressed.cover[800 - y0, 360 - x0] > 0.9


def test_the_print_is_not_mirrored(dress, garments):
    """The sun's waves differ left and right: the result must match the picture, not its mirror."""
    result = dress("alex", "tee-forest").bgr
    letter = garments["tee-forest"].bgr[570:650, 300:600]
    grey = cv2.cvtColor(result[420:640, 230:490], cv2.COLOR_BGR2GRAY)
    best = []
    for picture in (letter, letter[:, ::-1]):
        scores = []
        for scale in np.linspace(0.42, 0.72, 13):
            part = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            part = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
            scores.append(float(cv2.matchTemplate(grey, part, cv2.TM_CCOEFF_NORMED).max()))
        best.append(max(scores))
    assert best[0] > best[1] + 0.05


def test_the_same_pictures_give_the_same_pixels(dress, forgetful, people, garments):
    """Also to somebody who has worn other garments meanwhile."""
    dress("kim", "tee-clay")
    first, second = (try_on(forgetful, people["kim"], garments["tee-sunrise"]) for _ in range(2))
    assert np.array_equal(first.bgr, second.bgr)
    assert np.array_equal(first.bgr, dress("kim", "tee-sunrise").bgr)


def test_less_of_the_old_light_gives_another_picture(dress, perception, people, garments):
    first, garment = dress("kim", "tee-sunrise"), garments["tee-sunrise"]
    seen = see(perception, people["kim"], garment.category)
    second = dressed_in(garment, people["kim"], seen, light=LIGHTS[-1])
    assert not np.array_equal(first.bgr, second.bgr)


# --- Refusals and warnings ------------------------------------------------------------------------


def test_an_empty_picture_has_no_person(perception, garments):
    noise = np.random.default_rng(0).integers(0, 255, (600, 500, 3)).astype(np.uint8)
    for photo in (np.full((600, 500, 3), 200, np.uint8), noise):
        assert refused(perception, photo, garments["tee-clay"]) is RefusalCode.PERSON_NOT_FOUND


@pytest.mark.parametrize("name", ["alex", "sam", "kim"])
@pytest.mark.parametrize("turn", [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE])
def test_a_photo_on_its_side_is_refused(perception, people, garments, turn, name):
    code = refused(perception, cv2.rotate(people[name], turn), garments["tee-clay"])
    assert code is RefusalCode.PHOTO_SIDEWAYS


def test_a_made_up_trunk_under_a_head_on_its_side_is_not_dressed(perception, people):
    """The trunk alone would pass: the network likes trunks upright."""
    skeleton = seen(perception, people["alex"])
    turned = head_turned(skeleton, 90)
    with pytest.raises(Refused) as caught:
        refuse_if_undressable(turned, people["alex"].shape, GarmentCategory.TOP)
    assert caught.value.code is RefusalCode.PHOTO_SIDEWAYS
    with pytest.raises(Refused) as caught:
        refuse_if_undressable(head_turned(skeleton, 180), people["alex"].shape, GarmentCategory.TOP)
    assert caught.value.code is RefusalCode.PERSON_FACING_AWAY
    refuse_if_undressable(head_turned(skeleton, 35), people["alex"].shape, GarmentCategory.TOP)


@pytest.mark.parametrize("name", ["alex", "kim"])
def test_a_photo_upside_down_is_refused_as_such(perception, people, garments, name):
    photo = cv2.rotate(people[name], cv2.ROTATE_180)
    assert refused(perception, photo, garments["tee-clay"]) is RefusalCode.PHOTO_SIDEWAYS


def test_crossed_shoulders_without_a_head_are_a_cropped_photo(perception, people):
    """A back has a head somewhere in the picture; garbage read at the edge has none."""
    photo = people["alex"]
    front = seen(perception, photo)
    points = front.points.copy()
    points[[11, 12]] = points[[12, 11]]
    away = replace(front, points=points)
    cut = away.moved(0, 2 - away.nose[1])
    for skeleton, faces, code in (
        (away, [], RefusalCode.PERSON_FACING_AWAY),
        (cut, [], RefusalCode.PERSON_CROPPED),
        (cut, [Face(0.9, cut.nose[0] - 40, 0, 80, 80)], RefusalCode.PERSON_FACING_AWAY),
    ):
        with pytest.raises(Refused) as caught:
            refuse_if_undressable(skeleton, photo.shape, GarmentCategory.TOP, faces)
        assert caught.value.code is code


def test_a_portrait_that_ends_at_the_shoulders_is_refused(perception, people, garments):
    code = refused(perception, people["alex"][:345], garments["tee-clay"])
    assert code in (RefusalCode.PERSON_CROPPED, RefusalCode.PERSON_NOT_FOUND)


def test_trousers_need_legs(perception, people, garments):
    with pytest.raises(Refused) as found:
        try_on(perception, people["alex"][:700], garments["trousers-ink"])
    assert (found.value.code, found.value.details) == (
        RefusalCode.PERSON_CROPPED,
        {"reason": "legs"},
    )


def test_a_person_far_away_is_refused(perception, people, garments):
    small = cv2.resize(people["alex"], None, fx=0.13, fy=0.13, interpolation=cv2.INTER_AREA)
    photo = np.full((720, 720, 3), 215, np.uint8)
    photo[300 : 300 + small.shape[0], 320 : 320 + small.shape[1]] = small
    code = refused(perception, photo, garments["tee-clay"])
    assert code in (RefusalCode.PERSON_TOO_SMALL, RefusalCode.PERSON_NOT_FOUND)


def test_a_blurred_photo_is_refused(perception, people, garments):
    for sigma in (5, 9):
        blurred = cv2.GaussianBlur(people["alex"], (0, 0), sigma)
        assert refused(perception, blurred, garments["tee-clay"]) is RefusalCode.PHOTO_BLURRED


def test_a_slightly_soft_photo_is_not(perception, people, garments):
    soft = cv2.GaussianBlur(people["alex"], (0, 0), 2)
    assert try_on(perception, soft, garments["tee-clay"]).bgr.shape == soft.shape


def test_arms_all_of_paint_in_a_portrait_are_refused(dress, perception, people, garments):
    whole, meadow = dress("kim", "dress-meadow"), garments["dress-meadow"]
    refuse_if_unconvincing(whole)
    portrait = try_on(perception, people["kim"][:600], meadow)
    with pytest.raises(Refused) as caught:
        refuse_if_unconvincing(portrait)
    assert caught.value.code is RefusalCode.QUALITY_TOO_LOW
    assert caught.value.details["reason"] == "sleeves"
    assert "bare arms" in caught.value.hint


def test_a_painted_arm_goes_on_as_wide_as_the_bare_one(dress):
    """Where the wide sleeve of alex ended, nothing of its width or outline stays behind."""
    result = dress("alex", "dress-meadow")
    skeleton, label = result.person.skeleton, result.person.label
    for side in (0, 1):
        bone, cuff = skeleton.arm(side), worn_cuff(result.person, side)
        below, above = at_length(bone, cuff + np.array([0.12, -0.05]) * skeleton.span)
        bare = run_around(label[int(below[1])] == Label.SKIN, int(below[0]))
        radius = len(bare) / 2
        painted = np.flatnonzero(result.dressed.painted[int(above[1])])
        near = painted[np.abs(painted - above[0]) < 4 * radius]
        outer = np.min if above[0] < skeleton.neck[0] else np.max
        assert abs((outer(near) - above[0]) - (outer(bare) - below[0])) < 0.35 * radius


def run_around(row, column):
    """The columns on both sides of ``column`` up to which ``row`` holds without a gap."""
    gaps = np.flatnonzero(~row)
    left = gaps[gaps < column].max(initial=-1) + 1
    return np.arange(left, gaps[gaps > column].min(initial=len(row)))


def test_sheen_on_black_is_hardly_carried_over(perception):
    """The same waves of light on a black shirt and on a grey one."""
    depths = []
    for top in ((20, 20, 22), (130, 130, 132)):
        photo = draw_person(Look(top=top))
        shirt = read_person(photo, seen(perception, photo), whole_mask(perception, photo)).upper
        waves = 1 + 0.1 * np.sin(np.arange(photo.shape[1]) / 12) * shirt
        photo = np.clip(photo * waves[..., None], 0, 255).astype(np.uint8)
        person = read_person(photo, seen(perception, photo), whole_mask(perception, photo))
        depths.append(folds(person, person.upper)[person.zones.torso_core > 0].std())
    assert depths[0] < 0.75 * depths[1]


def test_of_two_people_one_is_dressed_and_it_is_said(perception, people, garments):
    photo = beside(people["alex"], people["sam"])
    result = try_on(perception, photo, garments["tee-clay"])
    halves = [
        np.abs(result.bgr[:, part].astype(int) - photo[:, part]).max()
        for part in (np.s_[:700], np.s_[740:])
    ]
    assert sorted(v > 30 for v in halves) == [False, True]
    assert RenderWarning.SEVERAL_PEOPLE in warnings_for(result, garments["tee-clay"])


@pytest.mark.parametrize("code", list(RefusalCode))
def test_every_refusal_has_words_for_a_shopper(code):
    words = refusal(code)
    for text in (words.sentence, words.hint):
        assert text.endswith(".")
        assert not {"error", "exception", "null", "pixel", "decode", "_"} & set(
            text.lower().split()
        )


# --- Real photos, where there are some ------------------------------------------------------------


def working_size(path, side=1024):
    return decode(open_picture(path.read_bytes()).data, side).bgr


@pytest.fixture(scope="module")
def person_in(perception, photos):
    """Who is to wear a top, and their photo, by its name; in a small one face and surroundings are the same."""

    @cache
    def seen(name):
        photo = read_only(working_size(photos / "people" / f"{name}.png", 640))
        return photo, read_only(see(perception, photo, GarmentCategory.TOP))

    return seen


@pytest.mark.parametrize("name", ["man_front_tee", "man_seated", "three_people"])
@pytest.mark.parametrize("slug", ["tee-sunrise", "tee-clay", "longsleeve-plum"])
def test_real_photos_keep_face_and_surroundings(person_in, garments, name, slug):
    photo, person = person_in(name)
    result = dressed_in(garments[slug], photo, person)
    x0, y0, x1, y1 = result.crop
    outside = np.ones(photo.shape[:2], bool)
    outside[y0:y1, x0:x1] = False
    assert np.array_equal(result.bgr[outside], photo[outside])
    cover = result.dressed.cover > 0.5
    worn = result.dressed.worn > 0
    assert (cover | (result.dressed.painted > 0))[worn].mean() > 0.8
    several = RenderWarning.SEVERAL_PEOPLE in warnings_for(result, garments[slug])
    assert several == (name == "three_people")


@pytest.mark.parametrize("name", ["man_front_tee", "man_seated", "three_people"])
def test_real_photos_on_their_side_or_blurred_are_not_dressed(perception, photos, garments, name):
    photo = working_size(photos / "people" / f"{name}.png")
    turns = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
    for turn in turns:
        code = refused(perception, cv2.rotate(photo, turn), garments["tee-clay"])
        assert code is RefusalCode.PHOTO_SIDEWAYS
    blurred = cv2.GaussianBlur(photo, (0, 0), 5)
    assert refused(perception, blurred, garments["tee-clay"]) is RefusalCode.PHOTO_BLURRED
    soft = cv2.GaussianBlur(photo, (0, 0), 2)
    assert try_on(perception, soft, garments["tee-clay"]).bgr.shape == photo.shape


@pytest.mark.parametrize("name", ["tee_monkey", "trousers_floral"])
def test_a_garment_sent_as_the_photo_shows_no_person_facing_the_camera(
    perception, photos, garments, name
):
    photo = working_size(photos / "garments" / f"{name}.png")
    code = refused(perception, photo, garments["tee-clay"])
    assert code in (RefusalCode.PERSON_FACING_AWAY, RefusalCode.PERSON_NOT_FOUND)
    assert "facing away" not in refusal(code).sentence
