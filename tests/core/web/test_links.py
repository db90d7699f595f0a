"""A link opens the file it was made for, until it expires, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selify.core.errors import NotFound
from selify.core.secrets import SecretBox
from selify.core.web.links import FileLinks, LinkExpired, _decode, _encode

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = "workspaces/1/results/a.b.jpg"
SECRETS = SecretBox({"k1": b"1" * 32})
LINKS = FileLinks(SECRETS, "https://selify.example/")


def token(links: FileLinks = LINKS, key: str = KEY) -> str:
    return links.make(key, now=NOW, lasts=HOUR).rpartition("/")[2]


def test_a_link_opens_its_file_until_it_expires() -> None:
    link = LINKS.make(KEY, now=NOW, lasts=HOUR)
    assert link.startswith("https://selify.example/files/")
    assert LINKS.open(token(), now=NOW + HOUR) == KEY
    with pytest.raises(LinkExpired) as expired:
        LINKS.open(token(), now=NOW + HOUR + timedelta(seconds=1))
    assert expired.value.status == 410


@pytest.mark.parametrize("part", range(4))
def test_no_part_of_a_link_can_be_exchanged(part: int) -> None:
    parts = _decode(token()).decode().split(".", 3)
    parts[part] = ["k2", "9999999999", "A" * 27, "workspaces/2/results/other.jpg"][part]
    with pytest.raises(NotFound):
        LINKS.open(_encode(".".join(parts).encode()), now=NOW)


def test_another_house_s_link_is_nothing_here() -> None:
    other = FileLinks(SecretBox({"k1": b"2" * 32}), "https://selify.example")
    with pytest.raises(NotFound):
        LINKS.open(token(other), now=NOW)


def test_links_survive_a_key_rotation() -> None:
    rotated = FileLinks(SecretBox({"k2": b"2" * 32, "k1": b"1" * 32}), "https://selify.example")
    assert rotated.open(token(), now=NOW) == KEY
    with pytest.raises(NotFound):
        LINKS.open(token(rotated), now=NOW)


@given(st.text(max_size=300) | st.binary(max_size=200).map(_encode))
def test_whatever_stands_in_the_address(text: str) -> None:
    with pytest.raises(NotFound):
        LINKS.open(text, now=NOW)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_any_key_survives(key: str) -> None:
    assert LINKS.open(token(key=key), now=NOW) == key
