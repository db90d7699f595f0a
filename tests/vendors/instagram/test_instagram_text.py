"""Texts within 1,000 bytes, and bodies within Instagram's limits."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selify.core.errors import Invalid
from selify.vendors.instagram.json_input import storable_text
from selify.vendors.instagram.payloads import (
    Card,
    LinkButton,
    PostbackButton,
    QuickReply,
    UnsendableMessage,
    buttons_message,
    cards_message,
    image_message,
    images_message,
    quick_reply_message,
    text_message,
)
from selify.vendors.instagram.text import byte_length, clip, split_text

FAMILY = "👩\u200d👩\u200d👧"
WORDS = st.text(st.sampled_from("aé漢👗 \n\t"), max_size=600)


def test_a_short_text_stays_whole():
    assert split_text("Hello  there,\n\nAna!") == ["Hello  there,\n\nAna!"]
    assert split_text("x" * 1_000) == ["x" * 1_000]


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_a_blank_text_is_no_message(blank):
    assert split_text(blank) == []


def test_the_limit_is_in_bytes():
    assert [byte_length(piece) for piece in split_text("é" * 501)] == [1_000, 2]
    assert [byte_length(piece) for piece in split_text("👗" * 251)] == [1_000, 4]


def test_words_stay_whole():
    text = " ".join(["garment"] * 400)
    pieces = split_text(text)
    assert len(pieces) > 1
    assert {word for piece in pieces for word in piece.split()} == {"garment"}


@pytest.mark.parametrize(
    "character", [FAMILY, "e\u0301", "🇩🇪", "👍🏽", "❤️", "🏴\U000e0067\U000e0062\U000e007f"]
)
@pytest.mark.parametrize("offset", range(5))
def test_no_character_a_reader_sees_is_cut(character, offset):
    word = "a" * offset + character * 300
    pieces = split_text(word, 100)
    assert "".join(pieces) == word
    assert all(piece.lstrip("a").replace(character, "") == "" for piece in pieces)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=1_500), WORDS), st.integers(4, 1_000))
@example("\ud800", 4)
@example("e" + "\u0301" * 900, 1_000)
@example("a " * 700, 1_000)
def test_pieces_are_small_enough_and_nothing_visible_is_lost(text, limit):
    pieces = split_text(text, limit)
    assert all(0 < byte_length(piece) <= limit for piece in pieces)
    assert all(piece == piece.strip() for piece in pieces)
    kept = "".join("".join(piece.split()) for piece in pieces)
    assert kept == "".join(storable_text(text).split())


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(1, 80))
def test_a_clipped_text_is_short_enough(text, limit):
    clipped = clip(text, limit)
    assert len(clipped) <= limit
    assert clipped == text.strip() or clipped.endswith("…") or "\0" in text


def test_a_text_of_a_thousand_bytes_and_not_one_more():
    assert text_message("é" * 500) == {"text": "é" * 500}
    with pytest.raises(UnsendableMessage) as refused:
        text_message("é" * 500 + "x")
    assert refused.value.status == Invalid.status
    assert "1,001" in refused.value.detail


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_message_needs_a_text(blank):
    with pytest.raises(UnsendableMessage):
        text_message(blank)


def test_text_that_cannot_be_encoded_is_made_sendable():
    assert text_message("a\ud83d")["text"] == "a\ufffd"


def replies(count: int) -> list[QuickReply]:
    return [QuickReply(f"Choice {number}", str(number)) for number in range(count)]


def test_thirteen_quick_replies_and_not_one_more():
    assert len(quick_reply_message("?", replies(13))["quick_replies"]) == 13
    for count in (0, 14):
        with pytest.raises(UnsendableMessage):
            quick_reply_message("?", replies(count))


@pytest.mark.parametrize(("title", "payload"), [("", "x"), (" ", "x"), ("x" * 21, "x"), ("x", "")])
def test_titles_instagram_would_cut_are_refused(title, payload):
    for button in (QuickReply, PostbackButton):
        with pytest.raises(UnsendableMessage):
            button(title, payload)
    with pytest.raises(UnsendableMessage):
        QuickReply("x", "p" * 1_001)
    assert QuickReply("👗" * 20, "p" * 1_000).title == "👗" * 20


def test_cards_are_clipped_not_refused():
    card = Card(title="t" * 200, subtitle="s" * 200, image_url="https://x.example/1.jpg")
    shown = card.to_json()
    assert len(shown["title"]) == len(shown["subtitle"]) == 80
    assert shown["title"].endswith("…")


def test_limits_of_cards_buttons_and_pictures():
    button = LinkButton("Buy", "https://x.example")
    with pytest.raises(UnsendableMessage):
        Card(title="x", buttons=(button,) * 4)
    with pytest.raises(UnsendableMessage):
        Card(title=" ", subtitle="x")
    with pytest.raises(UnsendableMessage):
        Card(title="alone")
    with pytest.raises(UnsendableMessage):
        cards_message([Card(title="x", subtitle="y")] * 11)
    with pytest.raises(UnsendableMessage):
        buttons_message("?", [])
    with pytest.raises(UnsendableMessage):
        images_message(["https://x.example/1.jpg"] * 11)
    assert len(images_message(["https://x.example/1.jpg"] * 10)["attachments"]) == 10
    payload = buttons_message("?", [PostbackButton("Yes", "Y"), button])["attachment"]["payload"]
    assert payload["buttons"] == [
        {"type": "postback", "title": "Yes", "payload": "Y"},
        {"type": "web_url", "title": "Buy", "url": "https://x.example"},
    ]


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x.example", "https://", "javascript:1", "http://["]
)
def test_a_picture_needs_a_web_address(url):
    with pytest.raises(UnsendableMessage):
        image_message(url)
