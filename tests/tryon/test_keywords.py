"""Which words start a try-on: nearest level wins, a binding may add, and every answer says why."""

import contextlib
import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selify.tryon import phrases, texts
from selify.tryon.keyword_rules import KeywordUnfit, check_keywords
from selify.tryon.keywords import (
    DEFAULT_KEYWORDS,
    HUMAN_WORDS,
    START_WORDS,
    STOP_WORDS,
    UNTOUCHED,
    fires,
    language_of,
    normalise,
    resolve,
)

NOTHING = {
    "post": None,
    "binding_words": None,
    "binding_adds": True,
    "account": None,
    "workspace": None,
}


def words(**levels):
    return dict(resolve(**{**NOTHING, **levels}).words)


def test_the_nearest_level_wins() -> None:
    levels = {
        "post": {"trigger_keywords": ["p"]},
        "binding_words": ["b"],
        "binding_adds": False,
        "account": {"trigger_keywords": ["a"]},
        "workspace": {"platforms": {"instagram": {"trigger_keywords": ["w"]}}},
    }
    for name, expected in (
        ("post", {"p": "post"}),
        ("binding_words", {"b": "garment binding"}),
        ("account", {"a": "account"}),
        ("workspace", {"w": "workspace"}),
    ):
        assert words(**levels) == expected
        levels[name] = None
    assert list(words(**levels)) == list(DEFAULT_KEYWORDS)


def test_a_binding_adds_its_words_to_the_next_wider_level_that_is_set() -> None:
    found = resolve(
        **{
            **NOTHING,
            "binding_words": ["wear it"],
            "account": {"trigger_keywords": ["a", "Wear it"]},
        }
    )
    assert found.words == {"wear it": "garment binding", "a": "account", "Wear it": "account"}
    assert found.rule == "garment binding + account"
    assert set(words(binding_words=["wear it"])) == {"wear it", *DEFAULT_KEYWORDS}


def test_what_is_empty_or_no_list_is_not_set() -> None:
    for empty in (
        None,
        {},
        {"trigger_keywords": []},
        {"trigger_keywords": ["", " ", "!!"]},
        {"trigger_keywords": "x"},
    ):
        assert set(words(account=empty)) == set(DEFAULT_KEYWORDS)
    assert set(words(workspace={"platforms": "?"})) == set(DEFAULT_KEYWORDS)
    assert set(words(workspace={"trigger_keywords": ["w"]})) == {"w"}


def test_the_workspace_s_own_default_is_nobody_s_choice() -> None:
    assert "anprobieren" in words(
        workspace={"platforms": {"instagram": {"trigger_keywords": UNTOUCHED}}}
    )


def test_the_explanation_names_every_word_and_its_source() -> None:
    found = resolve(**{**NOTHING, "post": {"triggers": ["glow"]}})
    assert found.explain() == "The post decides. In force: “glow” (post)."
    assert "garment binding + default" in resolve(**{**NOTHING, "binding_words": ["b"]}).explain()


@pytest.mark.parametrize(
    "text",
    [
        "TRY ON!",
        "try-on",
        "Can I   try\non this?",
        "#tryon",
        "ＴＲＹ　ＯＮ",
        "please try\u200bon",
        "tryon😍",
    ],
)
def test_keywords_are_found_in_any_spelling(text: str) -> None:
    assert resolve(**NOTHING).match(text)


@pytest.mark.parametrize("text", ["", "trying on", "country on", "tryonline", "re-try once", "😍"])
def test_parts_of_words_do_not_count(text: str) -> None:
    assert resolve(**NOTHING).match(text) is None


def test_accents_and_other_alphabets() -> None:
    found = resolve(**{**NOTHING, "account": {"trigger_keywords": ["ÜBERWURF", "试穿", "Straße"]}})
    assert found.match("den u\u0308berwurf bitte") == "ÜBERWURF"
    assert found.match("请 试穿 一下") == "试穿"
    assert found.match("STRASSE") == "Straße"
    assert found.match("uberwurf") is None


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_nothing_anybody_writes_breaks_it(text: str, chosen: list[str]) -> None:
    found = resolve(**{**NOTHING, "account": {"trigger_keywords": chosen}})
    assert found.words
    matched = found.match(text)
    assert matched is None or matched in found.words
    found.explain()


@given(
    st.text(max_size=60), st.text(alphabet=string.punctuation.replace("_", "") + " \n", max_size=5)
)
def test_a_keyword_is_found_inside_any_text(text: str, between: str) -> None:
    assert resolve(**NOTHING).match(f"{text} {between}try on{between} {text}")


def test_command_words_are_no_keywords_and_mean_one_thing_each() -> None:
    assert not STOP_WORDS & START_WORDS
    assert not HUMAN_WORDS & (STOP_WORDS | START_WORDS)
    for word in STOP_WORDS | START_WORDS | HUMAN_WORDS:
        assert normalise(word) == word
        assert resolve(**NOTHING).match(word) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("anprobieren bitte", "de"),
        ("Kann ich das anprobieren?", "de"),
        ("passt mir das?", "de"),
        ("was kostet das", "de"),
        ("ich hätte das gern in blau", "de"),
        ("die Hose bitte", "de"),
        ("Danke!", "de"),
        ("Größe?", "de"),
        ("nein", "de"),
        ("I want to try this on", "en"),
        ("to die for!! where is this from", "en"),
        ("thank you", "en"),
        ("black please", "en"),
        ("does it come in XL?", "en"),
        ("I'm in love", "en"),
        ("try on", ""),
        ("TRYON!!", ""),
        ("ok", ""),
        ("wow super", ""),
        ("STOP", ""),
        ("hi", ""),
        ("", ""),
        ("👗", ""),
        ("M", ""),
        ("J'aimerais essayer ça", ""),
        ("me gusta", ""),
        ("es muy bonito", ""),
        ("Kan ik dit passen", ""),
    ],
)
def test_the_language_is_said_only_where_it_is_plain(text: str, language: str) -> None:
    assert language_of(text) == language


def test_no_word_is_plainly_of_two_languages() -> None:
    for one, other in itertools.permutations(phrases.files(), 2):
        plain = phrases.words_of(one, "clear")
        assert not plain & (phrases.words_of(other, "clear") | phrases.words_of(other, "hints"))
        assert not plain & (STOP_WORDS | START_WORDS) - {"stopp", "abmelden", "weiter"}


def test_every_language_of_ours_knows_its_words() -> None:
    assert set(texts.languages()) == set(phrases.files())
    for language in texts.languages():
        told = (texts.catalogue(language)[key] for key in ("greeting", "ask_photo", "disliked"))
        assert {language_of(text) for text in told} == {language}


# --- What may be chosen ---


@pytest.mark.parametrize(
    ("keyword", "says"),
    [
        *(
            (word, "would fire on “")
            for word in ("a", "I", "x", "7", "38", "ich", "die", "M", "price")
        ),
        *((sign, "would fire on “") for sign in ("😍", "❤️", "❤", "🔥", "👍🏽", "yes", "1️⃣")),
        *(
            (word, "would not fire")
            for word in ("stop", "start", "human please", "where is my refund")
        ),
        *((sign, "would never fire") for sign in ("!!", "…", "€", " ", "")),
        ("x" * 41, "too long"),
    ],
)
def test_what_would_not_work_as_meant_is_refused(keyword: str, says: str) -> None:
    with pytest.raises(KeywordUnfit) as refused:
        check_keywords(["glow", keyword], field="body.keywords")
    assert says in refused.value.detail
    assert refused.value.extra["fields"] == [
        {"field": "body.keywords.1", "message": refused.value.detail}
    ]
    assert refused.value.hint


FIT = (
    *DEFAULT_KEYWORDS,
    "glow",
    "mag ich",
    "I want it",
    "wear it",
    "👗",
    "👗 me",
    "🇩🇪",
    "试穿",
    "ส้ม",
    "want",
)


def test_what_is_accepted_fires() -> None:
    check_keywords(FIT, field="keywords")
    for keyword in FIT:
        found = resolve(**{**NOTHING, "account": {"trigger_keywords": [keyword]}})
        for said in (keyword, keyword.upper(), f"oh, {keyword}! please", f"😍{keyword}😍"):
            assert found.match(said) == keyword, said
        assert found.match("so pretty") is None
    assert fires("试穿", "我想试穿这件")
    assert fires("👗", "this👗👗!")
    assert not fires("👗", "dress")


@given(st.text(max_size=30), st.text(max_size=40))
def test_whatever_is_accepted_fires(keyword: str, around: str) -> None:
    with contextlib.suppress(KeywordUnfit):
        check_keywords([keyword], field="keywords")
        found = resolve(**{**NOTHING, "account": {"trigger_keywords": [keyword]}})
        assert found.match(keyword) == keyword.strip()
        assert found.match(f"{around} {keyword} {around}") == keyword.strip()
