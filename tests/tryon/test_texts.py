"""What the bot says: in every language the same things, never too long, and in the brand's words."""

import itertools
from dataclasses import replace

import pytest

from selify.commerce import ProductCard
from selify.core.money import Cents
from selify.tryon import texts
from selify.tryon.dialogue import Button
from selify.tryon.lifecycle import LONGEST_LINK, product_line, products
from selify.tryon.renderer import LONGEST_NAME, MessageRenderer, _clipped, both_clipped
from selify.tryon.types import RefusalCode, RefusalReason

LONG = _clipped("👗" * 500)
LIMIT = 1_000


def voice(language: str = "en", **more) -> MessageRenderer:
    given = {"brand": "Nord", "garment": "Forest Tee", "brand_texts": {}, **more}
    return MessageRenderer(language=language, **given)


def test_every_language_says_the_same_things() -> None:
    assert set(texts.languages()) >= {"en", "de"}
    for language in texts.languages():
        assert set(texts.catalogue(language)) == set(texts.catalogue("en")), language
        assert all(texts.catalogue(language).values())


@pytest.mark.parametrize("language", texts.languages())
def test_every_refusal_has_its_words(language: str) -> None:
    codes = {f"refusals.{code.value}" for code in RefusalCode}
    variants = {
        texts.refusal_key(code.value, reason.value)
        for code in RefusalCode
        for reason in RefusalReason
    }
    assert codes < variants
    assert len(variants - codes) == len(RefusalReason), "one text for each reason"
    assert variants == {key for key in texts.catalogue(language) if key.startswith("refusals.")}


def test_a_reason_without_words_of_its_own_is_told_in_the_code_s() -> None:
    assert texts.refusal_key("person_cropped", "legs") == "refusals.person_cropped_legs"
    for reason in ("seated", "NO_IMAGE", "", None):
        assert texts.refusal_key("person_cropped", reason) == "refusals.person_cropped"


@pytest.mark.parametrize("language", texts.languages())
def test_a_picture_that_did_not_come_out_promises_nothing_the_photo_may_have(language: str) -> None:
    said = voice(language).say("refusals.quality_too_low")
    for advice in {"en": ("front", "arms", "hips"), "de": ("vorn", "Arme", "Hüfte")}[language]:
        assert advice not in said


@pytest.mark.parametrize("language", texts.languages())
def test_nothing_is_too_long_whatever_the_names(language: str) -> None:
    speaker = voice(language, brand=LONG, garment=LONG)
    card = ProductCard("x", Cents(10**9), "CHF", True, 3, "https://" + "a" * (LONGEST_LINK - 8))
    product = product_line(card, speaker)
    assert card.url in product
    two = products([replace(card, name=LONG, url="https://" + "a" * 142)] * 2, speaker)
    assert two.count("https://") == 2
    advice = [speaker.say(key) for key in texts.catalogue(language) if key.startswith("refusals.")]
    filled = {"count": 10**6, "why": max(advice, key=lambda said: len(said.encode()))}
    names = dict(zip(("top", "bottom"), both_clipped(LONG, LONG), strict=True))
    assert len(speaker.say("outfit", **names)) <= LONGEST_NAME
    for key, sold in itertools.product(texts.catalogue(language), (product, two)):
        said = speaker.say(key, product=sold, **filled, **names)
        assert len(said.encode()) <= LIMIT, key
        assert "{" not in said, key


@pytest.mark.parametrize("language", texts.languages())
def test_buttons_fit(language: str) -> None:
    for button in (Button.LIKE, Button.DISLIKE, Button.AGAIN, Button.HUMAN):
        assert 0 < len(voice(language).title(button)) <= 20


@pytest.mark.parametrize(
    ("language", "hips", "feet"), [("en", "hips", "feet"), ("de", "Hüfte", "Fuß")]
)
def test_what_the_photo_must_show_depends_on_the_garment(
    language: str, hips: str, feet: str
) -> None:
    for key in ("greeting", "ask_photo", "ask_photo_again", "media_not_supported"):
        top, dress = voice(language).say(key), voice(language, legs=True).say(key)
        assert (hips in top, feet in top) == (True, False), key
        assert (hips in dress, feet in dress) == (False, True), key


@pytest.mark.parametrize("language", texts.languages())
def test_the_greeting_discloses_the_bot_and_shows_the_ways_out(language: str) -> None:
    greeting = voice(language).say("greeting")
    assert "bot" in greeting.lower()
    for word in {"en": ("STOP", "HUMAN"), "de": ("STOPP", "MENSCH")}[language]:
        assert word in greeting


def test_a_brand_s_own_words() -> None:
    own = {"feedback": "Well?", "de": {"feedback": "Na?"}, "liked": 7, "stopped": "  "}
    assert voice(brand_texts=own).say("feedback") == "Well?"
    assert voice("de", brand_texts=own).say("feedback") == "Na?"
    assert voice(brand_texts=own).say("liked").startswith("So glad")
    assert voice(brand_texts=own).say("stopped").startswith("Alright")


def test_braces() -> None:
    own = {"feedback": "{garment} by {brand}?"}
    odd = voice(brand="{garment} {", brand_texts=own)
    assert odd.say("feedback") == "Forest Tee by {garment} {?"
    assert voice().say("liked") == "So glad you like it!"


def test_unknown_languages_fall_back() -> None:
    assert voice("xx").say("feedback") == voice("en").say("feedback")


def test_long_names_are_clipped_and_lines_joined() -> None:
    assert _clipped("a" * 61) == "a" * (LONGEST_NAME - 1) + "…"
    assert _clipped("Forest\n Tee") == "Forest Tee"


@pytest.mark.parametrize(
    ("card", "line"),
    [
        (None, ""),
        (ProductCard("x"), ""),
        (ProductCard("x", Cents(3900)), "$39.00"),
        (
            ProductCard("x", Cents(3900), "EUR", True, 42, "https://b.example/x"),
            "€39.00 · In stock · https://b.example/x",
        ),
        (ProductCard("x", in_stock=True, stock=3), "Only 3 left"),
        (ProductCard("x", in_stock=True, stock=None), "In stock"),
        (ProductCard("x", in_stock=False, stock=0), "Sold out at the moment"),
        (ProductCard("x", Cents(100), url="https://" + "a" * LONGEST_LINK), "$1.00"),
    ],
)
def test_the_product_line_says_what_is_known(card: ProductCard | None, line: str) -> None:
    assert product_line(card, voice()) == line


def test_of_two_products_each_has_its_name_and_line() -> None:
    tee = ProductCard("Forest Tee", Cents(3900), url="https://" + "a" * 200)
    jeans = ProductCard("Ink Trousers", in_stock=False)
    assert products([], voice()) == ""
    assert products([tee], voice()) == product_line(tee, voice())
    told = products([tee, jeans], voice())
    assert told == "Forest Tee: $39.00\nInk Trousers: Sold out at the moment"
    assert products([tee, ProductCard("Ink Trousers")], voice()) == "Forest Tee: $39.00"


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("Tee", "Jeans"), ("Tee", "Jeans")),
        (("a" * 60, "b" * 60), ("a" * 25 + "…", "b" * 25 + "…")),
        (("a" * 40, "Jeans"), ("a" * 40, "Jeans")),
        (("Tee", "b" * 60), ("Tee", "b" * 48 + "…")),
    ],
)
def test_two_names_share_the_room(names: tuple[str, str], shown: tuple[str, str]) -> None:
    assert both_clipped(*names) == shown


def test_words_of_a_brand_of_which_nothing_is_left_are_no_answer() -> None:
    own = {"result": "{product}"}
    filled = texts.say("result", "en", brand_texts=own, garment="Tee", product="")
    assert filled == "Here you are in Tee!"
    assert texts.say("result", "en", brand_texts=own, garment="Tee", product="$5") == "$5"


# --- What a brand's own words must keep ---


@pytest.mark.parametrize("language", texts.languages())
def test_our_own_words_keep_the_rules(language: str) -> None:
    for key, ours in texts.catalogue(language).items():
        assert texts.faults(key, language, ours) == (), key


@pytest.mark.parametrize(
    ("key", "theirs", "place", "says"),
    [
        ("feedback", "Well, {foo}?", (1, 7), "“{foo}” is not filled in here"),
        ("feedback", "So?\n\nTell {Brand}", (3, 6), "Write {brand}."),
        ("feedback", "So, { brand }?", (1, 5), "Write {brand}."),
        ("feedback", "{}", (1, 1), "“{}” is not filled in"),
        ("feedback", "Hm {brand", (1, 4), "without its other half"),
        ("feedback", "Hm brand}", (1, 9), "without its other half"),
        ("liked", "{count} times thanks", (1, 1), "“{count}” is not filled in here"),
        ("greeting", "Hi, I'm {brand}'s bot!", (1, 23), "STOP"),
        ("greeting", "Hi, I'm Anna of {brand}.\nReply STOP anytime", (2, 19), "“bot”"),
        ("greeting", "I'm not a bot! Reply STOP", (1, 26), "“bot”"),
        ("greeting", "Your assistant here. Reply STOP", (1, 32), "“bot”"),
        ("greeting", "Non-stop fun with our bot", (1, 26), "STOP"),
    ],
)
def test_what_would_go_wrong_is_told_with_its_place(
    key: str, theirs: str, place: tuple[int, int], says: str
) -> None:
    (fault,) = texts.faults(key, "en", theirs)
    assert (fault.line, fault.column) == place
    assert says in fault.message
    if fault.start < fault.end:
        assert theirs[fault.start : fault.end].startswith(("{", "}"))


@pytest.mark.parametrize(
    ("language", "theirs"),
    [
        ("en", "I'm {brand}'s bot. STOP ends it."),
        ("en", "Automated message by {brand}. Reply “stop” anytime."),
        ("en", "Our AI dresses you in {garment} ({framing}). Text STOP to quit"),
        ("en", "Your virtual style assistant. Stop? Write STOP."),
        ("de", "Dein virtueller Assistent von {brand}: STOPP beendet alles."),
        ("de", "Hier schreibt eine KI. Antworte STOP."),
        ("de", "Ich bin der Anprobe-Bot. Mit STOPP ist Schluss."),
    ],
)
def test_a_greeting_in_their_own_words(language: str, theirs: str) -> None:
    assert texts.faults("greeting", language, theirs) == ()
    assert texts.faults("introduction", language, theirs) == ()


@pytest.mark.parametrize("language", texts.languages())
def test_whatever_discloses_or_shows_the_way_out_must_keep_doing_so(language: str) -> None:
    must = {key for key in texts.catalogue(language) if texts.faults(key, language, "Hi!")}
    assert must == {"greeting", "introduction", "cheered_first", "beyond_me"}


@pytest.mark.parametrize("kept", ["{foo}", "Hi from Anna!", "{", "{brand", 7, None, ["x"], "\x00{"])
def test_bad_words_that_were_kept_before_break_nothing(kept: object) -> None:
    for own in ({"greeting": kept}, {"en": {"greeting": kept}}, {"en": kept}):
        assert voice(brand_texts=own).say("greeting") == voice().say("greeting")
