"""Tops and dresses on people of the drawn world, where the true picture is known."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from tests.infra.read_only import read_only

from selify.tryon.engine.body import fit_body
from selify.tryon.engine.fit import fit_torso
from selify.tryon.engine.garment import (
    Garment,
    read_cut_out,
    without_back_straps,
    without_hanger,
)
from selify.tryon.engine.geometry import lengths_along
from selify.tryon.engine.labels import Label
from selify.tryon.engine.limbs import bare_arms
from selify.tryon.engine.neckline import curve
from selify.tryon.engine.outline import runs_in_row
from selify.tryon.engine.person import without_false_skin
from selify.tryon.engine.pipeline import Seen, TryOn, dressed_in, see
from selify.tryon.engine.reading import Limit
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.shading import drop_shadow, folds
from selify.tryon.engine.sleeves import fit_sleeves
from selify.tryon.engine.suitability import limits_of, refuse_unfit
from selify.tryon.engine.tag import tag_end
from selify.tryon.engine.traits import traits_of
from selify.tryon.types import RefusalReason
from selify_sandbox.drawn_world import garments, scenes, specs
from selify_sandbox.drawn_world.samples import PEOPLE
from selify_sandbox.drawn_world.scenes import Scene, scene
from selify_sandbox.drawn_world.specs import Cloth, Part, Piece

_GREEN = (62.0, 120.0, 34.0)


def drawn(cut: specs.Cut, print_: specs.Print = specs.Print.PLAIN) -> specs.Garment:
    return specs.Garment("garment", Piece(cut, Cloth(_GREEN, print_)))


TEE, LONG, TANK = drawn(specs.TEE), drawn(specs.LONG_SLEEVE), drawn(specs.TANK)
CAMISOLE = drawn(specs.CAMISOLE)
DRESS = drawn(specs.DRESS)


@cache
def read(garment: specs.Garment) -> Garment:
    """With its true alpha."""
    picture = garments.draw(garment)
    alpha = (picture.alpha * 255).astype(np.uint8)
    return read_only(read_cut_out(picture.bgr, alpha, garment.piece.cut.category))


@pytest.fixture(scope="module")
def seen(perception):
    @cache
    def of(person: specs.Person, category) -> Seen:
        return read_only(see(perception, scenes.photo(person).bgr, category))

    return of


@pytest.fixture(scope="module")
def wear(seen):
    """The picture of somebody in a garment, and the scene with the true one."""

    @cache
    def worn(person: specs.Person, garment: specs.Garment) -> tuple[Scene, TryOn]:
        place = scene(person, garment)
        category = garment.piece.cut.category
        done = dressed_in(read(garment), place.photo.bgr, seen(person, category))
        return place, read_only(done)

    return worn


def measured(wear, name: str, garment: specs.Garment) -> scenes.Measures:
    place, result = wear(PEOPLE[name], garment)
    return scenes.measure(place, result.bgr)


# --- Lengths and widths ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tee", "striped"])
@pytest.mark.parametrize("garment", [TEE, LONG, TANK], ids=["tee", "long sleeve", "tank"])
def test_tops_are_as_long_as_they_were_cut(wear, name, garment):
    found = measured(wear, name, garment)
    assert found.hem < 0.3
    assert found.overlap > 0.75


@pytest.mark.parametrize("name", ["tee", "striped"])
def test_sleeves_end_where_they_were_cut_to_end(wear, name):
    assert measured(wear, name, TEE).sleeve < 0.12
    assert measured(wear, name, LONG).sleeve < 0.12


def test_a_dress_takes_no_notice_of_the_hem_worn_now(wear):
    assert measured(wear, "tee", DRESS).hem < 0.25


def test_a_hem_is_not_drawn_up_to_a_higher_one(wear, seen):
    """A tee over a short top hangs over the trousers, as long as over a long one."""
    ends = []
    for worn in (specs.TEE, replace(specs.TEE, hem=0.8)):
        person = replace(PEOPLE["tee"], upper=Piece(worn, Cloth((120.0, 80.0, 64.0))))
        _, result = wear(person, TEE)
        ends.append(int(np.flatnonzero((result.dressed.cover > 0.5).any(1))[-1]))
    assert abs(ends[0] - ends[1]) < 0.12 * seen(PEOPLE["tee"], read(TEE).category).fit.skeleton.span


def test_a_print_keeps_its_proportions(wear):
    """What is round on the garment is round on the chest, however wide the garment lies."""
    _, result = wear(PEOPLE["tee"], TEE)
    assert result.dressed.distortion < 0.35


def test_sleeves_hang_straight_down_from_the_shoulder(seen):
    """They do not puff out beyond it, and stand off the arm at the cuff."""
    place = seen(PEOPLE["tank"], read(TEE).category)
    garment = read(TEE)
    assert garment.top is not None
    torso = fit_torso(place.person, place.fit, garment, garment.top)
    for sleeve in fit_sleeves(place.person, place.fit, garment.top, torso):
        edge, tip = sleeve.target.outer, place.fit.tips[sleeve.side]
        assert np.allclose(edge[0], tip)
        out = place.person.skeleton.outwards[sleeve.side]
        reach = (edge - tip) @ out
        third = len(edge) // 3
        assert reach[third] <= reach[-1] + 0.03 * place.person.skeleton.span


# --- Skin where there were sleeves ----------------------------------------------------------------


def test_an_arm_is_no_wider_than_arms_are(seen):
    """Within a wide sleeve it is an arm, not the sleeve painted in skin's colour."""
    wide = replace(specs.LONG_SLEEVE, ease=22)
    person = replace(PEOPLE["tee"], upper=Piece(wide, Cloth((150.0, 160.0, 60.0))))
    usual, inside = (
        bare_arms(seen(one, read(TANK).category).person) for one in (PEOPLE["tank"], person)
    )
    span = seen(person, read(TANK).category).fit.skeleton.span
    for side in (0, 1):
        arms = usual[side].radii[10:25].mean(), inside[side].radii[10:25].mean()
        assert abs(arms[0] - arms[1]) < 0.05 * span


def test_under_the_straps_of_a_vest_are_shoulders(wear):
    """Not the wall: what lay on them was no wider than they are."""
    place, result = wear(PEOPLE["tank"], CAMISOLE)
    x0, y0, x1, y1 = result.crop
    skin = place.perfect.mask(Part.SKIN)[y0:y1, x0:x1]
    assert result.dressed.restored is not None
    assert (result.dressed.restored & skin).sum() < 0.001 * place.span**2


def test_a_pattern_beside_an_arm_leaves_no_notches_in_it(seen):
    dotted = Cloth((30.0, 30.0, 30.0), specs.Print.DOTS)
    wide = replace(specs.SKIRT, ease=34.0)
    person = seen(replace(PEOPLE["tee"], lower=Piece(wide, dotted)), specs.TEE.category).person
    arms = ((person.skin_alpha > 0.5) & (person.zones.lower_arms > 0)).astype(np.uint8)
    smooth = cv2.GaussianBlur(arms.astype(np.float32), (0, 0), 0.012 * person.skeleton.span)
    lengths = [outline_length(one) for one in (arms, (smooth > 0.5).astype(np.uint8))]
    assert lengths[0] < 1.01 * lengths[1]


def outline_length(mask) -> float:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return sum(cv2.arcLength(contour, True) for contour in contours)


def test_painted_arms_are_round(wear):
    """Darker towards the rim than in the middle, as the arm that is seen."""
    _, result = wear(PEOPLE["long sleeves"], TANK)
    limbs = result.dressed.limbs
    assert limbs is not None
    lab = cv2.cvtColor(result.dressed.bgr, cv2.COLOR_BGR2LAB).astype(float)[..., 0]
    deep = cv2.distanceTransform(limbs, cv2.DIST_L2, 5)
    middle, rim = lab[deep > 0.75 * deep.max()], lab[(deep > 1.5) & (deep < 0.25 * deep.max())]
    assert middle.mean() > rim.mean() + 8


@pytest.mark.parametrize("garment", [TEE, TANK], ids=["tee", "tank"])
def test_painted_skin_has_the_tone_of_the_skin_that_is_seen(wear, garment):
    skin = measured(wear, "long sleeves", garment).skin
    assert skin is not None
    assert skin < 4


BLACK_TEE = Piece(replace(specs.TEE, sleeve=0.55, ease=14), Cloth((30.0, 30.0, 34.0)))
SHORT_TEE = drawn(replace(specs.TEE, sleeve=0.2))


def test_no_seam_is_left_where_a_longer_sleeve_ended(wear):
    """Above its cuff the arm is painted, below it is seen: down the arm nothing changes there."""
    place, result = wear(replace(PEOPLE["striped"], upper=BLACK_TEE), SHORT_TEE)
    x0, y0, x1, y1 = result.crop
    skin = place.perfect.mask(Part.SKIN)[y0:y1, x0:x1] * (result.dressed.cover < 0.02)
    light = cv2.cvtColor(result.dressed.bgr, cv2.COLOR_BGR2LAB).astype(float)[..., 0]
    steps = []
    for x in np.flatnonzero(result.dressed.limbs.any(0)):
        end = int(np.flatnonzero(result.dressed.limbs[:, x])[-1])
        down = slice(end - 10, end + 12)
        if skin[down, x].all():
            run = np.arange(22)
            even = np.polyval(np.polyfit(run, light[down, x], 1), run)
            steps.append(np.abs(light[down, x] - even).max())
    assert len(steps) > 40
    assert np.median(steps) < 3.8


def test_the_shadow_of_a_cuff_does_not_fall_on_the_wall(seen):
    """Where an old sleeve was wider the wall shows, however near the cuff is."""
    person = seen(PEOPLE["striped"], read(TEE).category).person
    hem = int(person.skeleton.elbows[0][1])
    cover = np.zeros(person.shape, np.float32)
    cover[:hem] = person.upper[:hem]
    gone = person.upper.copy()
    gone[:hem] = 0
    assert drop_shadow(person, cover, np.zeros_like(gone))[gone > 0].min() < 0.8
    inner = cv2.erode(gone, np.ones((7, 7), np.uint8)) > 0
    assert drop_shadow(person, cover, gone)[inner].min() > 0.99


def test_nothing_of_a_sleeve_is_drawn_below_its_cuff(wear):
    """Nor where the old one hung wider and longer beside it."""
    _, result = wear(replace(PEOPLE["striped"], upper=BLACK_TEE), SHORT_TEE)
    cover = (result.dressed.cover > 0.5).astype(np.uint8)
    thin = cover & (1 - cv2.morphologyEx(cover, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)))
    _, _, stats, _ = cv2.connectedComponentsWithStats(thin)
    assert stats[1:, cv2.CC_STAT_HEIGHT].max(initial=0) < 14


def test_no_belly_is_made_up_below_a_shorter_top(wear):
    """Nor is the top drawn down to the hem that is worn now."""
    person = replace(PEOPLE["tee"], upper=Piece(replace(specs.TEE, hem=1.2), Cloth(_GREEN)))
    with pytest.raises(Refused) as refused:
        wear(person, drawn(specs.CROPPED_TEE))
    assert refused.value.details["reason"] == RefusalReason.LONGER


def test_nothing_of_a_sleeves_corners_is_left_on_the_wall(wear):
    place, result = wear(PEOPLE["striped"], TANK)
    x0, y0, x1, y1 = result.crop
    was = (place.photo.parts == Part.UPPER)[y0:y1, x0:x1]
    stays = (place.perfect.parts == Part.BACKGROUND)[y0:y1, x0:x1] & was
    inner = cv2.erode(stays.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    before, true = (
        one.bgr[y0:y1, x0:x1][inner].astype(int) for one in (place.photo, place.perfect)
    )
    after = result.dressed.bgr[inner]
    # Some of the shirt's stripes are as light as the wall.
    assert (np.abs(before - after).max(1) < 12).mean() < 0.15
    assert (np.abs(true - after).max(1) < 20).mean() > 0.43


# --- Straps and necks -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tee", "long sleeves"])
def test_a_collar_that_stands_up_is_worn_round_the_neck(wear, name):
    """It was laid down on the shoulders: off by 0.19 to 0.27 spans."""
    found = measured(wear, name, drawn(specs.TURTLENECK))
    assert found.neck is not None
    assert found.neck < 0.15
    assert found.face > 0.999


def test_straps_stay_apart(wear):
    """The skin between the straps is the person's own, not cloth."""
    place, result = wear(PEOPLE["tank"], TANK)
    person = result.person.skeleton
    spot = person.neck + person.down * 0.03 * person.trunk
    assert result.dressed.cover[int(spot[1]), int(spot[0])] < 0.5
    assert scenes.measure(place, result.bgr).neck < 0.08


def test_thin_straps_stay_thin(wear):
    place, result = wear(PEOPLE["tank"], CAMISOLE)
    person = result.person.skeleton
    x0, y0, x1, y1 = result.crop
    worn = result.dressed.cover > 0.5, (place.perfect.parts == Part.UPPER)[y0:y1, x0:x1]
    row = int((person.neck + person.down * 0.08 * person.trunk)[1])
    widths = [mask[row].sum() / person.span for mask in worn]
    assert 0.02 < widths[0] < widths[1] + 0.1
    assert scenes.measure(place, result.bgr).overlap > 0.75


def test_straps_that_go_over_to_the_back_are_not_the_fronts():
    """Seen beside them in the picture, with a gap between; on a shopper nobody sees them."""
    mask = (garments.draw(CAMISOLE).alpha > 0.5).astype(np.uint8)
    front = without_back_straps(mask)
    row = int(np.flatnonzero(mask.any(1))[0] + 0.12 * mask.any(1).sum())
    runs = [len(runs_in_row(one, row)) for one in (mask, front)]
    assert runs == [4, 2]
    assert front.sum() > 0.95 * mask.sum()
    tank = (garments.draw(TANK).alpha > 0.5).astype(np.uint8)
    assert np.array_equal(without_back_straps(tank), tank)


@pytest.mark.parametrize("cut", [specs.TEE, specs.TURTLENECK, specs.DRESS, specs.CAMISOLE])
def test_a_hangers_hook_is_no_part_of_a_top(cut):
    """But a neck is, however wide the sleeves are spread."""
    garment = garments.draw(drawn(cut))
    mask = (garment.alpha > 0.5).astype(np.uint8)
    hung = cv2.copyMakeBorder(mask, 60, 0, 0, 0, cv2.BORDER_CONSTANT)
    column, top = int(np.flatnonzero(hung.any(0)).mean()), int(np.flatnonzero(hung.any(1))[0])
    hung[top - 40 : top, column - 6 : column + 6] = 1
    left = without_hanger(hung)
    assert not left[: top - 1].any()
    # The corners of a neck that stands up are round.
    assert (left[60:] != mask).sum() < 0.001 * mask.sum()


@pytest.mark.parametrize(
    ("cut", "power"),
    [(specs.V_TEE, (1.0, 1.6)), (specs.TEE, (1.8, 4.0))],
    ids=["V", "round"],
)
def test_the_shape_of_a_neckline_is_found(cut, power):
    neckline = read(drawn(cut)).neckline
    assert power[0] <= neckline.power <= power[1]


def test_stripes_are_no_neckline():
    """A deep curve across them has edges too, but not the same all along."""
    for print_ in (specs.Print.STRIPES, specs.Print.BLOCKS, specs.Print.DOTS):
        plain, printed = read(TEE), read(drawn(specs.TEE, print_))
        assert plain.top is not None
        off = abs(plain.neckline.depth - printed.neckline.depth)
        assert off < 0.03 * plain.top.length, print_


def test_the_upper_edge_of_a_print_is_no_neckline():
    """On black cloth the neck's own is hardly seen; but what is below a print's is no cloth of the front's."""
    plain = _with_patch(None)
    width = plain.top.neck_width
    upper = curve(*np.array(plain.top.collar), 0.6 * width, np.linspace(0, 1, 40))
    corners = np.vstack([upper, upper[::-1] + np.array([0, width])]).astype(int)
    printed = plain.bgr.copy()
    cv2.fillPoly(printed, [corners], (190, 90, 220))
    alpha = (plain.alpha * 255).astype(np.uint8)
    assert read_cut_out(printed, alpha, plain.category).neckline.confidence == 0


@pytest.mark.parametrize("end", [0.35, 0.6])
def test_the_front_begins_below_the_tag_in_the_back(end):
    """Also where front and back are of one colour and nothing else tells them apart."""
    plain, tagged = _with_patch(None), _with_patch(end)
    width = tagged.top.neck_width
    lowest = tagged.neckline.curve(41)[20, 1] - tagged.top.collar[0][1]
    assert end * width < lowest < (end + 0.3) * width
    assert plain.neckline.depth < 0.25 * width


@pytest.mark.parametrize(("end", "count"), [(1.1, 1), (0.4, 3)], ids=["low", "many"])
def test_a_print_is_no_tag(end, count):
    tag, printed = (_with_patch(*one) for one in ((0.4, 1), (end, count)))
    assert tag_end(tag.bgr, tag.mask, tag.top) is not None
    assert tag_end(printed.bgr, printed.mask, printed.top) is None


def test_a_print_below_a_wide_neck_is_no_tag():
    """In widths of that neck it is as near as a tag."""
    wide = replace(BLACK_TEE, cut=specs.BOAT_TEE)
    plain = _with_patch(None, piece=wide)
    share = plain.top.chest_width / plain.top.neck_width
    tag, printed = (_with_patch(end * share, piece=wide) for end in (0.2, 0.57))
    assert tag_end(tag.bgr, tag.mask, tag.top) is not None
    assert 0.57 * share < 0.95
    assert tag_end(printed.bgr, printed.mask, printed.top) is None


@cache
def _with_patch(end: float | None, count: int = 1, piece: Piece = BLACK_TEE) -> Garment:
    """A black tee whose back is as black; patches that end so many collar widths below its points."""
    black = garments.draw(specs.Garment("black", piece))
    alpha, category = (black.alpha * 255).astype(np.uint8), piece.cut.category
    bgr = np.full_like(black.bgr, 30)
    top = read_cut_out(bgr, alpha, category).top
    assert top is not None
    width = top.neck_width
    x, y = (top.collar[0] + top.collar[1]) / 2
    for i in range(count if end else 0):
        middle = x + (i - (count - 1) / 2) * 0.27 * width
        corners = (
            (middle - 0.08 * width, y + (end - 0.1) * width),
            (middle + 0.08 * width, y + end * width),
        )
        first, last = (tuple(int(v) for v in corner) for corner in corners)
        cv2.rectangle(bgr, first, last, (200, 206, 210), -1)
    return read_cut_out(bgr, alpha, category)


def test_in_a_deep_neckline_there_is_skin(seen):
    """However far below the throat: what is behind somebody shows above their shoulders only."""
    tee = read(TEE)
    deep = replace(tee, neckline=replace(tee.neckline, depth=1.1 * tee.top.neck_width))
    place = seen(PEOPLE["tee"], tee.category)
    done = dressed_in(deep, scenes.photo(PEOPLE["tee"]).bgr, place).dressed
    bare = (place.person.along > 0.05) & (place.person.along < 0.6) & (done.cover < 0.5)
    bare &= (place.person.zones.torso_core > 0) & (place.person.zones.arms == 0)
    lowest = float(place.person.along[bare].max())
    assert lowest > 0.3
    assert done.painted[bare].mean() > 0.97
    assert not (done.restored & bare).any()


def test_an_old_sleeve_that_was_taken_for_skin_is_covered_by_a_new_one(seen):
    """Red ones are read so now and then. What is bare beside a sleeve is in it."""
    person = replace(
        PEOPLE["tee"], upper=Piece(replace(specs.TEE, ease=22), Cloth((40.0, 40.0, 220.0)))
    )
    place = seen(person, read(LONG).category)
    label, arms = place.person.label.copy(), place.person.zones.arms > 0
    label[arms & (label == Label.UPPER)] = Label.SKIN
    misread = replace(place.person, label=label, skin=(label == Label.SKIN).astype(np.uint8))
    misread = replace(place, person=misread)
    result = dressed_in(read(LONG), scenes.photo(person).bgr, misread)
    x0, y0, x1, y1 = result.crop
    after = result.bgr[y0:y1, x0:x1].astype(int)
    red = (after[..., 2] > 150) & (after[..., 1] < 90) & arms
    assert red.sum() < 0.003 * arms.sum()


@pytest.fixture(scope="module")
def half_misread(seen):
    """Half of yellow sleeves was taken for arms."""
    person = replace(
        PEOPLE["long sleeves"], upper=Piece(specs.LONG_SLEEVE, Cloth((70.0, 200.0, 220.0)))
    )
    place = seen(person, read(TEE).category)
    forearms = (place.person.zones.forearms[0] | place.person.zones.forearms[1]) > 0
    label = place.person.label.copy()
    low = (place.person.along > 0.5) & forearms & (label == Label.UPPER)
    label[low] = Label.SKIN
    wrong = replace(place.person, label=label, skin=place.person.skin | low.astype(np.uint8))
    return person, replace(place, person=wrong), low


def test_a_sleeve_is_no_arm_where_its_hue_is_neither_the_faces_nor_the_hands(half_misread):
    _, wrong, low = half_misread
    right = without_false_skin(wrong.person)
    assert (right.label[low] == Label.UPPER).mean() > 0.85
    assert (right.skin & low).sum() < 0.15 * low.sum()


def test_an_arm_in_other_light_than_the_face_stays_one(seen):
    """The hand beside it has that light too; and a watch is no sleeve."""
    place = seen(PEOPLE["tank"], read(TEE).category)
    person, below = place.person, (place.person.along > 0.2) & (place.person.zones.arms > 0)
    lab = person.lab.copy()
    lab[below] += np.array([-20, 4, 16], np.float32)
    assert person.unlike_face(lab)[below & (person.skin > 0)].mean() > 0.7
    lit = replace(person, lab=lab)
    assert without_false_skin(lit) is lit
    wrist = lab.copy()
    x, y = person.skeleton.wrists[0].astype(int)
    cv2.circle(wrist, (int(x), int(y)), int(0.06 * person.skeleton.span), (30, 128, 110), -1)
    watch = replace(person, lab=wrist)
    assert without_false_skin(watch) is watch


def test_painted_skin_has_the_hue_of_the_face(half_misread):
    """Also where half of a yellow sleeve was taken for skin that is seen."""
    person, wrong, _ = half_misread
    place = replace(wrong, person=without_false_skin(wrong.person))
    result = dressed_in(read(TEE), scenes.photo(person).bgr, place)
    x0, y0, x1, y1 = result.crop
    painted = cv2.erode(result.dressed.painted, np.ones((9, 9))) > 0
    assert painted.sum() > 2000
    found = cv2.cvtColor(result.bgr[y0:y1, x0:x1], cv2.COLOR_BGR2LAB)[painted]
    skin = cv2.cvtColor(np.array([[person.skin]], np.uint8), cv2.COLOR_BGR2LAB)[0, 0]
    off = np.median(found[:, 1:].astype(float), 0) - skin[1:]
    assert np.hypot(*off) < 8


def test_each_painted_arm_has_the_light_of_its_own_forearm(seen):
    """One in the sun and one in the shade are not painted alike."""
    person = replace(PEOPLE["striped"], upper=BLACK_TEE)
    place = seen(person, read(TANK).category)
    shade = np.ones(place.person.shape, np.float32)
    shade[:, : int(place.person.skeleton.neck[0])] = 0.6
    dim = (place.person.bgr * shade[..., None]).astype(np.uint8)
    lab = cv2.cvtColor(dim, cv2.COLOR_BGR2LAB).astype(np.float32)
    person = replace(place.person, bgr=dim, lab=lab)
    photo = np.zeros((*place.person.shape, 3), np.uint8)
    here = replace(place, person=person, crop=(0, 0, photo.shape[1], photo.shape[0]))
    done = dressed_in(read(TANK), photo, here).dressed
    light = cv2.cvtColor(done.bgr, cv2.COLOR_BGR2LAB)[..., 0].astype(float)
    assert done.limbs is not None
    deep = cv2.distanceTransform(done.limbs, cv2.DIST_L2, 5) > 6
    for zone in place.person.zones.forearms:
        seen_arm = cv2.erode(zone & person.skin, np.ones((9, 9))) > 0
        beside = deep & (np.abs(np.arange(light.shape[1]) - np.nonzero(zone)[1].mean()) < 60)
        assert abs(np.median(light[beside]) - np.median(light[seen_arm])) < 14


def test_sleeves_that_lie_on_the_sides_are_no_hem():
    """Found only to be one where it runs up them."""
    top = read(LONG).top
    assert top is not None
    assert Limit.PARTS_UNCLEAR not in limits_of(read(LONG).bgr, read(LONG))[0]
    climbing = np.vstack(
        [top.hem[0] - (0, 0.3 * top.chest_width), top.hem, top.hem[-1] - (0, 0.3 * top.chest_width)]
    )
    assert top.sleeves is not None
    wide = [
        replace(s, lower=np.vstack([s.lower, s.upper[-1] + (0, top.chest_width)]))
        for s in top.sleeves
    ]
    for wrong in (replace(top, hem=climbing), replace(top, sleeves=(wide[0], wide[1]))):
        with pytest.raises(Refused) as caught:
            refuse_unfit(replace(read(LONG), top=wrong))
        assert caught.value.details["reason"] == Limit.PARTS_UNCLEAR


def test_a_bent_elbow_counts_where_it_is_in_a_sleeve(wear):
    bent = [
        traits_of(result.person, read(garment), result.dressed)["bent"]
        for name, garment in (("tee", LONG), ("arm in front", LONG), ("arm in front", TEE))
        for _, result in [wear(PEOPLE[name], garment)]
    ]
    assert bent[0] < 0.1 < 0.4 < bent[1]
    assert bent[2] == 0


def test_a_body_is_fitted_by_what_is_seen_of_it(seen):
    """A bare arm shows where the trunk ends."""
    place = seen(PEOPLE["tank"], read(TEE).category)
    fit = fit_body(place.person)
    assert 0.7 < fit.width(0.5) / fit.skeleton.span < 1.2


def test_a_short_sleeve_is_not_drawn_out_to_streaks(seen):
    """What it lacks in length is taken from the shoulder's cloth, as a dropped shoulder has it."""
    cap = drawn(replace(specs.TEE, sleeve=0.14))
    garment, place = read(cap), seen(PEOPLE["striped"], read(cap).category)
    assert garment.top is not None
    assert garment.top.sleeves is not None
    torso = fit_torso(place.person, place.fit, garment, garment.top)
    for sleeve in fit_sleeves(place.person, place.fit, garment.top, torso):
        flat, fitted = (lengths_along(e.outer)[-1] for e in (sleeve.source, sleeve.target))
        assert fitted < 1.5 * flat * torso.lengthwise
        own = garment.top.sleeves[sleeve.side].upper
        assert np.allclose(sleeve.source.outer[-1], own[-1], atol=4)


def test_fingers_beyond_where_a_hand_was_thought_to_be_stay_in_front(seen):
    """Of a hand round a telephone; a belly that is bare beside a hand is no finger."""
    place = seen(PEOPLE["arm in front"], read(TEE).category)
    person, span = place.person, place.person.skeleton.span
    assert person.along[person.zones.hands[1] > 0].mean() < 0.9
    found = []
    for size in (0.2, 0.5):
        x, y = (
            person.skeleton.hands[1] - person.skeleton.across * (0.15 + size / 2) * span
        ).astype(int)
        skin = person.skin.copy()
        cv2.rectangle(
            skin,
            (x - int(size * span / 2), y - int(size * span / 2)),
            (x + int(size * span), y + int(size * span / 2)),
            1,
            -1,
        )
        label = np.where(skin > 0, np.uint8(Label.SKIN), person.label)
        lab = person.lab.copy()
        lab[skin > person.skin] = np.median(lab[(person.zones.hands[1] & person.skin) > 0], 0)
        other = replace(place, person=replace(person, skin=skin, label=label, lab=lab))
        cover = dressed_in(read(TEE), scenes.photo(PEOPLE["arm in front"]).bgr, other).dressed.cover
        beyond = (skin > 0) & (person.skin == 0) & (person.zones.arms == 0)
        found.append(float((cover[beyond] < 0.5).mean()))
    assert found[0] > 0.7
    assert found[1] < 0.3


def test_a_gleam_on_dark_cloth_is_no_stain_on_a_light_garment(seen):
    """It is many times as light as the rest of it; a crease in light cloth stays one."""
    place = seen(PEOPLE["tank"], read(TEE).category)
    person, span = place.person, place.person.skeleton.span
    x, y = person.zones.torso_core.nonzero()[1].mean(), person.zones.torso_core.nonzero()[0].mean()
    strongest = []
    for usual, step in ((55, 30), (200, -40)):
        lab = person.lab.copy()
        lab[person.upper > 0] = (usual, 128, 128)
        cv2.circle(lab, (int(x), int(y)), int(0.15 * span), (usual + step, 128, 128), -1)
        shade = folds(replace(person, lab=lab), person.upper)
        strongest.append(float(np.abs(shade - 1)[person.upper > 0].max()))
    assert strongest[0] < 0.1 < strongest[1]
