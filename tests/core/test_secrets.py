"""What is sealed opens with its key and its row, and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selify.core.secrets import SecretBox, SecretUnreadable

KEYS = {"k1": b"1" * 32, "k2": b"2" * 32}
BOX = SecretBox(KEYS)
STORABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(STORABLE, STORABLE)
def test_there_and_back(plain: str, about: str) -> None:
    sealed = BOX.seal(plain, about=about)
    assert BOX.open(sealed, about=about) == plain
    assert sealed.isascii()


def test_the_same_secret_never_looks_the_same() -> None:
    assert BOX.seal("x", about="row") != BOX.seal("x", about="row")


def test_a_secret_copied_into_another_row_stays_shut() -> None:
    with pytest.raises(SecretUnreadable):
        BOX.open(BOX.seal("token", about="row 1"), about="row 2")


@given(st.integers(0, 60), st.integers(1, 255))
def test_whoever_changes_a_bit_opens_nothing(place: int, flip: int) -> None:
    sealed = BOX.seal("a secret token", about="row")
    head, _, body = sealed.rpartition(".")
    changed = bytearray(body.encode())
    place %= len(changed) - 1  # the last character may carry bits that decode to nothing
    changed[place] = ord("A") if changed[place] != ord("A") else ord("B")
    with pytest.raises(SecretUnreadable):
        BOX.open(f"{head}.{changed.decode()}", about="row")


@pytest.mark.parametrize(
    "sealed", ["", "v1", "v1.k1", "v1.k1.", "v1.k1.!!", "v2.k1.AAAA", "v1.k9.AAAA", "☃", "v1.k1.☃"]
)
def test_what_was_never_sealed(sealed: str) -> None:
    with pytest.raises(SecretUnreadable):
        BOX.open(sealed, about="row")


def test_rotation() -> None:
    old = SecretBox({"k1": KEYS["k1"]})
    both = SecretBox({"k2": KEYS["k2"], "k1": KEYS["k1"]})
    new = SecretBox({"k2": KEYS["k2"]})
    sealed = old.seal("token", about="row")
    assert not both.is_current(sealed)
    with pytest.raises(SecretUnreadable, match="not among"):
        new.open(sealed, about="row")
    again = both.reseal(sealed, about="row")
    assert both.is_current(again)
    assert new.open(again, about="row") == "token"


def test_derived_keys_differ_by_purpose_and_rotate_along() -> None:
    links, states = BOX.derive("links"), BOX.derive("states")
    assert list(links) == ["k1", "k2"]
    assert not set(links.values()) & {*states.values(), *KEYS.values()}
    assert BOX.derive("links") == links


@pytest.mark.parametrize(
    "texts",
    [[], ["k1"], ["k1:short"], ["a.b:" + "A" * 43], ["k1:" + "A" * 43, "k1:" + "B" * 43], [":☃"]],
)
def test_keys_that_make_no_sense(texts: list[str]) -> None:
    with pytest.raises(ValueError):
        SecretBox.parse(texts)


def test_a_new_key_can_be_used_as_it_is_printed() -> None:
    printed = SecretBox.new_key("2026")
    assert SecretBox.parse([printed]).current_key == "2026"
    assert printed != SecretBox.new_key("2026")
