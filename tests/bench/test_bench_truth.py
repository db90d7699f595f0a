"""The figure on the drawn world: medians of what is sent, and the share that is not."""

from collections import Counter

from bench.tryon_truth import Outcome, by_kind, lines, pairs

from selify_sandbox.drawn_world.samples import GARMENTS, PEOPLE
from selify_sandbox.drawn_world.scenes import Measures


def measures(overlap: float, skin: float | None = None) -> Measures:
    return Measures(overlap, 0.1, 0.2, 0.3, 4.0, skin, None, 1.0, 1.0, 0.9)


def test_medians_are_of_sent_pictures_alone() -> None:
    found = [
        Outcome("tee", "tank", measures(0.9)),
        Outcome("tank", "tank", measures(0.8, skin=5)),
        Outcome("dark", "tank", measures(0.1), "hands"),
        Outcome("dress", "skirt", None, "garment_not_found"),
    ]
    values = {line.what: line.value for line in lines(found)}
    worst = {line.what: line.other for line in lines(found)}
    assert values["Of 4 drawn try-ons, refused"] == 50
    assert round(values["Drawn try-ons: overlap of the garment with where it has to be"]) == 85
    assert worst["Drawn try-ons: overlap of the garment with where it has to be"] == 80
    assert values["Drawn try-ons: painted skin off by"] == 5
    assert by_kind(found).row_count == 2


def test_what_nothing_was_sent_of_has_no_line() -> None:
    found = [Outcome("dress", "skirt", None, "garment_not_found")]
    assert [line.value for line in lines(found)] == [100]


def test_every_garment_is_worn_by_as_many_different_people_as_asked() -> None:
    for count in (1, 2):
        worn = pairs(count)
        assert len(worn) == len(set(worn))
        times = Counter(garment for _, garment in worn)
        assert min(times[garment] for garment in GARMENTS) == count
        assert {person for person, _ in worn} == set(PEOPLE)
