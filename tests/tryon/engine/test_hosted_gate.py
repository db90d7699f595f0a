"""The gate for pictures of unknown making, against the truth of the drawn world.

A perfect try-on, painted again as a hosted engine does it, passes; and each way in which such engines go wrong is
refused for what is wrong with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import pytest

from selify.tryon.engine.arrays import Bgr, Mask
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.hosted_gate import BARS, Reading, assess_hosted, scored
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.registration import registered
from selify.tryon.engine.repainted import face_likeness, in_tones_of
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.types import GarmentCategory, QualityScores
from selify_sandbox.drawn_world import garments, people, scenes, specs
from selify_sandbox.drawn_world.samples import PEOPLE
from selify_sandbox.drawn_world.specs import Arm, Backdrop, Cloth, Hair, Neck, Piece, Pose, Print

PERSON = PEOPLE["tee"]
PRINTED = specs.Garment("motif", Piece(specs.TEE, Cloth((62.0, 120.0, 34.0), Print.MOTIF)))
PLAIN = specs.Garment("tee", Piece(specs.TEE, Cloth((52.0, 46.0, 190.0))))


@dataclass(frozen=True)
class Shop:
    """One shopper and one garment, read as the gate reads them.

    ``share``: how large the gate sees all pictures, of the size that they were drawn in.
    """

    perception: Perception
    scene: scenes.Scene
    garment: Garment
    before: Reading
    share: float = 1.0

    @classmethod
    def of(
        cls, perception: Perception, garment: specs.Garment, person: specs.Person = PERSON
    ) -> "Shop":
        scene = scenes.scene(person, garment)
        drawn = garments.draw(garment)
        before = Reading.of(perception, scene.photo.bgr, garment.category)
        return cls(perception, scene, read_cut_out(drawn.bgr, None, garment.category), before)

    def in_small(self, share: float) -> "Shop":
        photo = scaled(self.photo, share)
        before = Reading.of(self.perception, photo, self.garment.category)
        return replace(self, before=before, share=share)

    @property
    def photo(self) -> Bgr:
        return self.scene.photo.bgr

    @cached_property
    def skeleton(self) -> Skeleton:
        """In ``photo``."""
        return self.before.skeleton.scaled(1 / self.share)

    @property
    def truth(self) -> Bgr:
        return self.scene.perfect.bgr

    def score(self, result: Bgr) -> QualityScores:
        """As the engine's process does it."""
        placed = registered(repainted(scaled(result, self.share)), self.before.bgr)
        return assess_hosted(self.perception, self.before, self.garment, placed)


def scaled(picture: Bgr, share: float) -> Bgr:
    return cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def repainted(picture: Bgr) -> Bgr:
    """Softened, a little other in its colours, every edge moved by up to two pixels, and compressed."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    soft = cv2.bilateralFilter(cv2.resize(small, (width, height), None, 0, 0, 2), 5, 18, 3)
    noise = np.random.default_rng(1).standard_normal((height, width, 2)).astype(np.float32)
    wander = cv2.GaussianBlur(noise, (0, 0), 12)
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.6 / wander.std() * wander.transpose(
        2, 0, 1
    )
    moved = cv2.remap(soft, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    tinted = np.clip((moved / 255) ** 1.05 * (1.03, 1.0, 0.97) * 255, 0, 255).astype(np.uint8)
    data = cv2.imencode(".jpg", tinted, [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


@pytest.fixture(scope="module")
def printed(perception: Perception) -> Shop:
    return Shop.of(perception, PRINTED)


@pytest.fixture(scope="module")
def small(printed: Shop) -> Shop:
    """What is wrong with a picture as a whole is as plain in a small one."""
    return printed.in_small(0.6)


@pytest.fixture(scope="module")
def plain(perception: Perception) -> Shop:
    return Shop.of(perception, PLAIN)


# --- What passes ----------------------------------------------------------------------------------


def shifted(picture: Bgr) -> Bgr:
    placing = np.array([[1.015, 0, 5], [0, 1.015, -4]])
    return cv2.warpAffine(picture, placing, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def smaller(picture: Bgr) -> Bgr:
    return scaled(picture, 0.8)


@pytest.mark.parametrize("how", [np.copy, shifted, smaller])
def test_a_perfect_try_on_passes_however_it_is_painted(printed: Shop, how: Callable) -> None:
    scores = printed.score(how(printed.truth))
    assert scores.passed, scores
    assert scores.print_kept is not None


def test_a_plain_garment_passes_and_has_no_print_to_lose(plain: Shop) -> None:
    """It is a top, with sleeves that could be wrong."""
    assert plain.garment.category is GarmentCategory.TOP
    scores = plain.score(plain.truth)
    assert scores.passed, scores
    assert scores.print_kept is None
    assert scores.sleeve_length is not None


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("long sleeves", specs.LONG_SLEEVE),
        ("tank", specs.TANK),  # in warm light
        ("dark", specs.LONG_SLEEVE),
        ("tee", specs.OPEN_JACKET),
        ("tee", specs.DRESS),
        ("tee", specs.TROUSERS),
    ],
)
def test_other_people_in_other_garments_pass(
    perception: Perception, name: str, cut: specs.Cut
) -> None:
    garment = specs.Garment("another", Piece(cut, Cloth((110.0, 44.0, 120.0))))
    shop = Shop.of(perception, garment, PEOPLE[name])
    scores = shop.score(shop.truth)
    assert scores.passed, scores


# --- What does not --------------------------------------------------------------------------------


def drawn_as(shop: Shop, person: specs.Person = PERSON, **cut: object) -> Bgr:
    """This person in this garment, were it cut otherwise."""
    cloth = cut.pop("cloth", shop.scene.garment.piece.cloth)
    piece = Piece(replace(shop.scene.garment.piece.cut, **cut), cloth)
    return people.draw(scenes.wearing(person, replace(shop.scene.garment, piece=piece))).bgr


def within(shop: Shop, mask: Mask, other: Bgr) -> Bgr:
    """The truth, with something else under a mask."""
    share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3)[..., None]
    return (shop.truth * (1 - share) + other * share).astype(np.uint8)


def disc(shop: Shop, middle: np.ndarray, radius: float) -> Mask:
    mask = np.zeros(shop.truth.shape[:2], np.uint8)
    cv2.circle(mask, tuple(int(v) for v in middle), int(radius), (1,), -1)
    return mask


def other_person(shop: Shop) -> Bgr:
    return drawn_as(shop, replace(PERSON, skin=(60.0, 88.0, 134.0), hair=Hair.LONG))


def other_features(shop: Shop) -> Bgr:
    """Larger eyes and lips: drawn nearer to the middle of the face."""
    s, picture = shop.skeleton, shop.truth
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    middle = (s.eyes + s.mouth) / 2
    dx, dy = x - middle[0], y - middle[1]
    away = np.minimum(1, np.hypot(dx, dy) / (1.6 * s.face_length))
    near = 1 - 0.25 * (1 - away)
    there = (middle[0] + dx * near).astype(np.float32), (middle[1] + dy * near).astype(np.float32)
    return cv2.remap(picture, *there, cv2.INTER_CUBIC)


def blurred_face(shop: Shop) -> Bgr:
    s = shop.skeleton
    soft = cv2.GaussianBlur(shop.truth, (0, 0), 0.12 * s.face_length)
    return within(shop, disc(shop, (s.eyes + s.mouth) / 2, 1.3 * s.face_length), soft)


def other_pose(shop: Shop) -> Bgr:
    return drawn_as(shop, replace(PERSON, pose=Pose(Arm(60, 70), Arm(24, 17))))


def second_person(shop: Shop) -> Bgr:
    """Somebody looks over the shopper's shoulder."""
    other = people.draw(PEOPLE["tank"])
    picture = shop.truth.copy()
    head, here = np.s_[30:330, 240:480], np.s_[60:360, 470:710]
    cover = (other.silhouette[head] & (1 - shop.scene.perfect.silhouette[here])) > 0
    picture[here][cover] = other.bgr[head][cover]
    return picture


def extra_arm(shop: Shop) -> Bgr:
    s, picture = shop.skeleton, shop.truth.copy()
    start = s.neck + s.down * 0.55 * s.trunk
    end = start + s.across * 0.95 * s.span - s.down * 0.25 * s.span
    ends = [tuple(int(v) for v in point) for point in (start, end)]
    cv2.line(picture, *ends, PERSON.skin, int(0.16 * s.span), cv2.LINE_AA)
    return picture


def smeared_hands(shop: Shop) -> Bgr:
    s = shop.skeleton
    mask = disc(shop, s.hands[0], 0.24 * s.span) | disc(shop, s.hands[1], 0.24 * s.span)
    return within(shop, mask, cv2.GaussianBlur(shop.truth, (0, 0), 22))


def other_wall(shop: Shop) -> Bgr:
    return drawn_as(shop, replace(PERSON, wall=(120.0, 140.0, 150.0)))


def other_room(shop: Shop) -> Bgr:
    return drawn_as(shop, replace(PERSON, backdrop=Backdrop.ROOM))


def cut_out_on_white(shop: Shop) -> Bgr:
    white = np.full_like(shop.truth, 255)
    return within(shop, 1 - shop.scene.perfect.silhouette, white)


def lettering(shop: Shop) -> Bgr:
    picture = shop.truth.copy()
    place = (16, picture.shape[0] - 24)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, "www.shop.example", place, font, 1.0, (255, 255, 255), 2, cv2.LINE_AA)
    return picture


def inset(shop: Shop) -> Bgr:
    """The garment's own picture in a corner."""
    picture = shop.truth.copy()
    picture[10:232, 10:210] = cv2.resize(garments.draw(shop.scene.garment).bgr, (200, 222))
    return picture


def pasted(shop: Shop) -> Bgr:
    """The garment's picture, with its ground, over the shopper."""
    s, picture = shop.skeleton, shop.photo.copy()
    width = int(2.1 * s.span)
    flat = cv2.resize(garments.draw(shop.scene.garment).bgr, (width, width))
    x, y = max(0, int(s.neck[0] - width / 2)), int(s.neck[1] - 0.25 * s.span)
    room = picture[y : y + width, x : x + width]
    room[:] = flat[: room.shape[0], : room.shape[1]]
    return picture


def thumbnail(shop: Shop) -> Bgr:
    tiny = cv2.resize(shop.truth, None, fx=0.14, fy=0.14, interpolation=cv2.INTER_AREA)
    return cv2.resize(tiny, shop.truth.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def closer(shop: Shop) -> Bgr:
    """The head is cut off."""
    return shop.truth[int(shop.skeleton.mouth[1]) : 1000, 60:-60]


def without_anybody(shop: Shop) -> Bgr:
    return np.full_like(shop.truth, 200)


@pytest.mark.parametrize(
    ("spoilt", "measure"),
    [
        (other_person, "face"),
        (other_features, "face"),
        (blurred_face, "sharp"),
        (thumbnail, "sharp"),
        (other_pose, "pose"),
        (closer, "face"),
        (without_anybody, "pose"),
        (second_person, "background"),
        (smeared_hands, "hands"),
        (other_wall, "background"),
        (other_room, "background"),
        (cut_out_on_white, "background"),
        (lettering, "background"),
        (inset, "background"),
        (pasted, "background"),
    ],
)
def test_what_is_wrong_is_refused_for_what_it_is(
    small: Shop, spoilt: Callable[[Shop], Bgr], measure: str
) -> None:
    assert measure in small.score(spoilt(small)).misses


def test_the_photo_itself_is_refused_for_the_old_clothes(small: Shop) -> None:
    assert {"old_replaced", "colour"} <= set(small.score(small.photo).misses)


GREEN = PRINTED.piece.cloth.colour


@pytest.mark.parametrize(
    ("change", "measure"),
    [
        ({"cloth": Cloth((190.0, 60.0, 120.0), Print.MOTIF)}, "colour"),
        ({"cloth": Cloth((83.0, 96.0, 40.0), Print.MOTIF)}, "colour"),
        ({"sleeve": 0.97}, "sleeve_length"),
        ({"sleeve": 0.0}, "sleeve_length"),
        ({"neck": Neck.V}, "neck"),
        ({"hem": 0.6}, "coverage"),
    ],
)
def test_another_garment_is_refused_for_what_is_other(
    small: Shop, change: dict, measure: str
) -> None:
    assert measure in small.score(drawn_as(small, **change)).misses


def test_a_garment_without_its_print_is_another_garment(printed: Shop) -> None:
    assert "print_kept" in printed.score(drawn_as(printed, cloth=Cloth(GREEN))).misses


def test_a_print_on_a_plain_garment_is_another_garment(plain: Shop) -> None:
    motif = drawn_as(plain, cloth=replace(PLAIN.piece.cloth, print=Print.MOTIF))
    assert "plain" in plain.score(motif).misses


def test_an_arm_too_many_is_seen(plain: Shop) -> None:
    assert "limbs" in plain.score(extra_arm(plain)).misses


# --- The measures themselves ----------------------------------------------------------------------


def test_every_bar_is_enforced() -> None:
    perfect = dict.fromkeys(BARS, 1.0)
    assert scored(perfect).passed
    for name, bar in BARS.items():
        assert scored({**perfect, name: bar}).passed
        assert scored({**perfect, name: bar - 0.001}).misses == (name,)


def test_what_cannot_be_measured_is_no_miss() -> None:
    assert scored({}).passed


def test_a_repaint_leaves_a_face_the_same(printed: Shop) -> None:
    again = face_likeness(printed.photo, repainted(printed.photo), printed.skeleton)
    assert again.same > 0.93
    assert again.sharp > 0.85
    other = face_likeness(printed.photo, other_features(printed), printed.skeleton)
    assert other.same < 0.8


def test_a_shift_of_tones_is_taken_back_and_another_picture_is_not(printed: Shop) -> None:
    photo = printed.photo
    everywhere = np.ones(photo.shape[:2], np.uint8)
    warm = np.clip(photo * np.array([0.92, 1.0, 1.05]), 0, 255).astype(np.uint8)
    assert np.abs(in_tones_of(photo, warm, everywhere).astype(int) - photo).mean() < 2
    negative = 255 - photo
    assert np.abs(in_tones_of(photo, negative, everywhere).astype(int) - photo).mean() > 40
