"""Trousers, shorts and skirts on people of the drawn world, where the true picture is known."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from tests.infra.read_only import read_only

from selify.tryon.engine.body import fit_body
from selify.tryon.engine.bottom_cut import BottomCut
from selify.tryon.engine.bottoms import _Trousers, fit_bottom
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.labels import Label
from selify.tryon.engine.pipeline import Seen, TryOn, dressed_in, see
from selify.tryon.engine.reading import Limit
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.skeleton import refuse_if_undressable
from selify.tryon.engine.suitability import limits_of, refuse_unfit
from selify.tryon.engine.trousers import _draped, _left_over, dress_bottom
from selify.tryon.engine.undressing import undress
from selify.tryon.engine.worker import refuse_half_a_dress
from selify.tryon.types import GarmentCategory, RefusalCode, RefusalReason
from selify_sandbox.drawn_world import garments, people, scenes, specs
from selify_sandbox.drawn_world.samples import PEOPLE
from selify_sandbox.drawn_world.scenes import Scene, scene
from selify_sandbox.drawn_world.specs import Cloth, Part, Piece

_GREEN, _RED = (62.0, 120.0, 34.0), (30.0, 20.0, 230.0)
WIDE = specs.Garment("wide trousers", Piece(specs.WIDE_TROUSERS, Cloth(_GREEN)))
SLIM = specs.Garment("trousers", Piece(specs.TROUSERS, Cloth(_GREEN)))
SHORTS = specs.Garment("shorts", Piece(specs.SHORTS, Cloth(_GREEN)))
SKIRT = specs.Garment("skirt", Piece(specs.SKIRT, Cloth(_GREEN)))
DRESS = specs.Garment("dress", Piece(specs.DRESS, Cloth(_GREEN)))


def in_skirt(hem: float) -> specs.Person:
    white, skirt = Cloth((214.0, 226.0, 230.0)), replace(specs.SKIRT, hem=hem, flare=48)
    lower = Piece(skirt, Cloth((170.0, 120.0, 150.0)))
    return replace(PEOPLE["dress"], upper=Piece(specs.TANK, white), lower=lower)


IN_SKIRT, IN_LONG_SKIRT = in_skirt(1.62), in_skirt(1.75)


@cache
def read(garment: specs.Garment) -> Garment:
    """With its true alpha."""
    drawn = garments.draw(garment)
    alpha = (drawn.alpha * 255).astype(np.uint8)
    return read_only(read_cut_out(drawn.bgr, alpha, garment.piece.cut.category))


@pytest.fixture(scope="module")
def seen_below(perception, thorough):
    @cache
    def seen(person: specs.Person) -> Seen:
        # Where a dress or a skirt ends and legs begin only the segmenter tells.
        eyes = thorough if person in (PEOPLE["dress"], IN_SKIRT, IN_LONG_SKIRT) else perception
        return read_only(see(eyes, scenes.photo(person).bgr, GarmentCategory.BOTTOM))

    return seen


@pytest.fixture(scope="module")
def wear(seen_below):
    """The picture of somebody in a garment, and the scene with the true one."""

    @cache
    def worn(person: specs.Person, garment: specs.Garment) -> tuple[Scene, TryOn]:
        place = scene(person, garment)
        return place, read_only(dressed_in(read(garment), place.photo.bgr, seen_below(person)))

    return worn


def overlap(place: Scene, result: TryOn) -> float:
    return scenes.measure(place, result.bgr).overlap


def refused(wear, person: specs.Person, garment: specs.Garment) -> Refused:
    with pytest.raises(Refused) as caught:
        wear(person, garment)
    return caught.value


@pytest.mark.parametrize("name", ["tank", "striped"])
def test_wide_trousers_over_shorts_are_as_wide_and_as_long_as_they_were_cut(wear, name):
    assert overlap(*wear(PEOPLE[name], WIDE)) > 0.84


@pytest.mark.parametrize("garment", [WIDE, SLIM], ids=["wide", "slim"])
def test_trousers_over_a_skirt_part_below_the_crotch_and_the_wall_shows_beside_them(wear, garment):
    place, result = wear(IN_SKIRT, garment)
    found = scenes.measure(place, result.bgr)
    assert found.overlap > 0.78
    assert found.restored > 0.6


def test_slim_trousers_over_wide_ones_are_slim(wear):
    person = PEOPLE["arm in front"]
    slim, wide = (wear(person, garment)[1].dressed.cover for garment in (SLIM, WIDE))
    rows = slice(-300, -160)
    widths = [(cover[rows] > 0.5).sum(1).mean() for cover in (slim, wide)]
    assert widths[0] < 0.88 * widths[1]


@pytest.mark.parametrize("garment", [SHORTS, SKIRT], ids=["shorts", "skirt"])
def test_bare_legs_are_not_made_up_for_somebody_in_long_trousers(wear, garment):
    found = refused(wear, PEOPLE["tee"], garment)
    assert found.details["reason"] == "bare_legs"
    assert "bare legs" in str(found.hint)


def test_a_skirt_that_is_shorter_than_the_old_one_shows_the_legs_below(wear):
    """Their skin goes on upwards in its own tone."""
    place, result = wear(IN_LONG_SKIRT, SKIRT)
    found = scenes.measure(place, result.bgr)
    assert found.skin < 6
    assert found.hem < 0.12
    # As wide as the legs that are seen below, where they meet.
    x0, y0, x1, y1 = result.crop
    painted = result.dressed.painted > 0
    low = np.flatnonzero(painted.any(1))[-1]
    painted[: int(low - 0.06 * place.span)] = False
    legs = place.perfect.mask(Part.SKIN)[y0:y1, x0:x1] > 0
    assert (painted & ~legs).sum() < 0.05 * painted.sum()


@pytest.mark.parametrize("garment", [SLIM, SKIRT], ids=["trousers", "skirt"])
def test_half_a_dress_is_not_sent_above_a_bottom(seen_below, garment):
    """It can be cut at the waist, but was never made to end there."""
    with pytest.raises(Refused) as caught:
        refuse_half_a_dress(seen_below(PEOPLE["dress"]).person, read(garment))
    assert caught.value.details["reason"] == RefusalReason.DRESS
    refuse_half_a_dress(seen_below(PEOPLE["tank"]).person, read(garment))
    refuse_half_a_dress(seen_below(PEOPLE["dress"]).person, read(DRESS))


def _legs(*joints: tuple[int, int]) -> Garment:
    """Trousers whose left leg goes from joint to joint, and the right one as in a mirror."""
    alpha = np.zeros((900, 1000), np.uint8)
    cv2.rectangle(alpha, (390, 100), (610, 330), 255, -1)
    for mirrored in (False, True):
        leg = np.array([(1000 - x if mirrored else x, y) for x, y in joints], np.int32)
        cv2.polylines(alpha, [leg], False, 255, 100)
    bgr = np.where(alpha[..., None] > 0, np.uint8(90), np.uint8(230)).repeat(3, 2)
    return read_cut_out(bgr, alpha, GarmentCategory.BOTTOM)


def test_a_bottom_that_is_folded_in_its_picture_is_not_put_on_anybody():
    """Its legs would have to be drawn apart; no other photo of a shopper would help."""
    straight, folded = (
        _legs((440, 320), (400, 560), (390, 840)),
        _legs((440, 320), (330, 600), (210, 330)),
    )
    refuse_unfit(straight)
    assert Limit.FOLDED not in limits_of(straight.bgr, straight)[0]
    limits, unfit = limits_of(folded.bgr, folded)
    assert Limit.FOLDED in limits
    assert unfit
    with pytest.raises(Refused) as caught:
        refuse_unfit(folded)
    assert caught.value.details["reason"] == "folded"
    assert caught.value.code is RefusalCode.GARMENT_NOT_FOUND


@pytest.mark.parametrize(("legs", "lower_by"), [(0.33, 0.16), (0.97, 0.0)])
def test_the_crotch_of_short_shorts_hangs_lower_than_their_legs_are_drawn_out(
    seen_below, legs, lower_by
):
    """They are nearly all seat: their few rows of leg would become streaks."""
    garment = read(specs.Garment("cut", Piece(replace(specs.SHORTS, legs=legs), Cloth(_GREEN))))
    place = seen_below(PEOPLE["tank"])
    lower = undress(place.person, place.fit)
    fit = fit_bottom(lower, garment, garment.bottom)
    crotches = [strip.target[strip.crotch, -1] for strip in fit.strips]
    tau = np.mean([lower.body.tau_of(at) for at in crotches])
    assert lower.crotch + lower_by - 0.02 < tau < lower.crotch + lower_by + 0.1
    assert fit.strain < 0.7


def test_shorts_are_no_longer_for_a_hem_that_lies_aslant(seen_below):
    """In its last rows only a corner of each leg is left, far narrower than the leg in it."""
    drawn = garments.draw(SHORTS)
    alpha = (drawn.alpha * 255).astype(np.uint8)
    mask = alpha > 127
    low, columns = np.flatnonzero(mask.any(1))[-1], np.flatnonzero(mask.any(0))
    middle = columns.mean()
    x, y = np.meshgrid(np.arange(mask.shape[1]), np.arange(mask.shape[0]))
    alpha[y > low - 0.45 * np.abs(x - middle)] = 0
    place = seen_below(PEOPLE["tank"])
    lower = undress(place.person, place.fit)
    ends = []
    for shorts in (read(SHORTS), read_cut_out(drawn.bgr, alpha, GarmentCategory.BOTTOM)):
        assert shorts.bottom is not None
        ends.append(fit_bottom(lower, shorts, shorts.bottom).end)
    assert max(ends[1]) < max(ends[0]) + 0.1 * place.person.skeleton.span


def test_how_far_a_bottom_is_stretched_is_measured(seen_below):
    place, slim = seen_below(PEOPLE["tank"]), read(SLIM)
    assert slim.bottom is not None
    fit = fit_bottom(undress(place.person, place.fit), slim, slim.bottom)
    strips = [replace(strip, target=strip.target * (1, 2)) for strip in fit.strips]
    assert fit.strain < 0.4
    assert replace(fit, strips=(strips[0], strips[1])).strain > fit.strain + 0.4


def test_nothing_is_left_of_a_high_waistband(wear):
    """Trousers up to the ribs under a cropped tee: the new ones begin where the old ones did."""
    high = replace(specs.TROUSERS, waist=0.6)
    person = specs.Person(
        upper=Piece(replace(specs.CROPPED_TEE, hem=0.5), Cloth((200.0, 204.0, 206.0))),
        lower=Piece(high, Cloth(_RED)),
    )
    place, result = wear(person, SLIM)
    before, after = (_red(picture) for picture in (place.photo.bgr, result.bgr))
    assert before.sum() > 20_000
    assert after.sum() < 0.01 * before.sum()


def test_above_the_hips_no_wall_is_seen_through_anybody(seen_below):
    """Between the fronts of an open blouse the old waistband was seen: there the new one is."""
    place = seen_below(PEOPLE["tee"])
    lower = undress(place.person, place.fit)
    belly = np.zeros_like(lower.old)
    x, y = place.fit.centre(lower.waist.height - 0.15).astype(int)
    belly[y - 30 : y + 30, x - 25 : x + 25] = 1
    lower = replace(lower, old=lower.old | belly)
    points = read(SLIM).bottom
    assert points is not None
    fit = fit_bottom(lower, read(SLIM), points)
    left = _left_over(place.person, lower, fit, _draped(place.person, read(SLIM), fit))
    assert left.rim[belly > 0].all()
    assert not left.background[belly > 0].any()


def test_legs_part_little_by_little(seen_below):
    """However far apart they lay in the garment's picture."""
    place = seen_below(PEOPLE["tee"])
    lower, points = undress(place.person, place.fit), read(SLIM).bottom
    assert points is not None
    trousers = _Trousers(lower, BottomCut.of(read(SLIM), points))
    start, span = lower.crotch_along, lower.span
    middle = place.fit.centre(1 + start / place.fit.skeleton.trunk)
    out = place.fit.skeleton.outwards[1]
    apart = [
        float(np.dot(trousers._parted(1, start, middle + out * 0.3 * span, share) - middle, out))
        for share in (0.0, 0.3, 0.6, 1.0)
    ]
    assert np.allclose(np.array(apart)[[0, 3]], [0.0, 0.3 * span])
    assert np.all(np.diff(apart) > 0)


def _red(picture):
    return (picture[..., 2].astype(int) - picture[..., 1]) > 100


def test_shoes_stay_on(wear):
    """A hem may lie over their upper edge."""
    place, result = wear(PEOPLE["tank"], SLIM)
    x0, y0, x1, y1 = result.crop
    shoes = place.photo.mask(Part.SHOES)
    rows = np.flatnonzero(shoes.any(1))
    shoes[: int(rows.mean())] = 0
    changed = result.dressed.replaced[shoes[y0:y1, x0:x1] > 0]
    assert len(changed) > 300
    assert changed.mean() < 0.35


def test_both_hems_of_trousers_are_level(wear):
    for person in (PEOPLE["tank"], IN_SKIRT):
        place, result = wear(person, WIDE)
        x0 = result.crop[0]
        middle = int(place.photo.body.arms[0].path[0][0] + place.span / 2) - x0
        cover = result.dressed.cover > 0.5
        ends = [np.flatnonzero(half.any(1))[-1] for half in (cover[:, :middle], cover[:, middle:])]
        assert abs(ends[0] - ends[1]) < 0.1 * place.span


def test_in_a_dark_photo_trousers_are_dark(wear):
    # A tee that can be told from what is below it.
    person = replace(PEOPLE["dark"], upper=Piece(specs.TEE, Cloth((150.0, 140.0, 130.0))))
    place, result = wear(person, SLIM)
    light = [
        cv2.cvtColor(picture, cv2.COLOR_BGR2LAB)[..., 0][place.region > 0].mean()
        for picture in (result.bgr, place.perfect.bgr, read(SLIM).bgr)
        if picture.shape == place.photo.bgr.shape
    ]
    assert abs(light[0] - light[1]) < 22


def test_where_the_waist_is_not_found_nobody_is_dressed(wear):
    """As of somebody in dark trousers and a dark top: what is told apart has a ragged edge."""
    _, result = wear(PEOPLE["striped"], SLIM)
    person = result.person
    x = np.arange(person.shape[1])
    edge = 0.95 + 0.12 * np.sin(x / 9)[None]
    cloth = np.isin(person.label, (Label.UPPER, Label.LOWER))
    ragged = np.where(person.along < edge, Label.UPPER, Label.LOWER)
    unclear = replace(person, label=np.where(cloth, ragged, person.label).astype(np.uint8))
    garment = read(SLIM)
    with pytest.raises(Refused) as caught:
        dress_bottom(unclear, fit_body(unclear), garment, garment.bottom)
    assert caught.value.details["reason"] == "layers"


def test_a_garment_that_hangs_aslant_is_not_put_on_anybody():
    drawn = garments.draw(SLIM)
    turn = cv2.getRotationMatrix2D((450, 300), 32, 0.7)
    alpha = cv2.warpAffine((drawn.alpha * 255).astype(np.uint8), turn, (900, 1000))
    bgr = cv2.warpAffine(drawn.bgr, turn, (900, 1000), borderMode=cv2.BORDER_REPLICATE)
    slanted = read_cut_out(bgr, alpha, GarmentCategory.BOTTOM)
    with pytest.raises(Refused) as caught:
        refuse_unfit(slanted)
    assert caught.value.details["reason"] == "aslant"


@pytest.mark.parametrize("reach", [12, 9999], ids=["hook", "bar with clips"])
def test_trousers_with_their_hanger_are_not_put_on_anybody(reach):
    """The inside of their back, above the front's edge, would be worn at the belly, or the bar itself."""
    drawn = garments.draw(SLIM)
    alpha, bgr = (drawn.alpha * 255).astype(np.uint8), drawn.bgr.copy()
    top = int(np.flatnonzero(alpha.any(1))[0])
    columns = np.flatnonzero(alpha[top + 8])
    middle, half = int(columns.mean()), len(columns) // 2
    reach = min(reach, half + 14)
    hook = slice(max(0, top - 30), top + 8), slice(middle - reach, middle + reach)
    alpha[hook], bgr[hook] = 255, 20
    hung = read_cut_out(bgr, alpha, GarmentCategory.BOTTOM)
    limits, unfit = limits_of(bgr, hung)
    assert Limit.ON_HANGER in limits
    assert unfit
    with pytest.raises(Refused) as caught:
        refuse_unfit(hung)
    assert caught.value.details["reason"] == "on_hanger"
    assert Limit.ON_HANGER not in limits_of(drawn.bgr, read(SLIM))[0]


@pytest.mark.parametrize(
    ("trousers", "share", "cut"),
    [
        ((30.0, 24.0, 20.0), 1.0, True),
        ((30.0, 24.0, 20.0), 0.25, True),
        ((30.0, 24.0, 20.0), 0.0, False),
        ((200.0, 204.0, 206.0), 0.0, True),
    ],
    ids=["all of a shirt", "one side of a cardigan", "a hem", "of one colour"],
)
def test_what_goes_on_below_the_waist_is_not_cut_there(perception, trousers, share, cut):
    """A coat or a shirt-tail that was taken for the bottom: where the one would end nothing changes."""
    white = Piece(replace(specs.TEE, hem=1.05), Cloth((200.0, 204.0, 206.0)))
    wearer = specs.Person(upper=white, lower=Piece(specs.TROUSERS, Cloth(trousers)))
    seen = see(perception, people.draw(wearer).bgr, GarmentCategory.BOTTOM)
    label, along = seen.person.label.copy(), seen.person.along
    columns = np.flatnonzero(((label == Label.UPPER) & (along > 0.85)).any(0))
    aside = np.arange(label.shape[1]) < np.quantile(columns, share) if share else False
    label[(label == Label.UPPER) & (along > 0.85) & aside] = Label.LOWER
    person = replace(seen.person, label=label)
    garment = read(SLIM)
    if not cut:
        dress_bottom(person, seen.fit, garment, garment.bottom)
        return
    with pytest.raises(Refused) as caught:
        dress_bottom(person, seen.fit, garment, garment.bottom)
    assert caught.value.details["reason"] == RefusalReason.LAYERS
    # Of a jumpsuit the top covers it.
    dress_bottom(person, seen.fit, garment, garment.bottom, alone=False)


def test_of_somebody_seated_one_knee_is_enough(wear):
    """The other is often cut off by the picture's edge, and guessed."""
    _, result = wear(PEOPLE["striped"], SLIM)
    skeleton = result.person.skeleton
    points, visibility = skeleton.points.copy(), skeleton.visibility.copy()
    points[26] = skeleton.hips[0] + skeleton.outwards[0] * 0.6 * skeleton.trunk
    visibility[[26, 25]] = 0.9, 0.2
    seated = replace(skeleton, points=points, visibility=visibility)
    with pytest.raises(Refused) as caught:
        refuse_if_undressable(seated, result.person.shape, GarmentCategory.BOTTOM)
    assert caught.value.details["reason"] == "seated"
