"""Which language an answer is in, and how numbers, money, times and sentences are said in it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from selify.core import language
from selify.core.errors import Invalid, TooMany
from selify.core.language import Listed, When, _, _n, sentences, stored, translated
from selify.core.money import Cents, Credits, MicroUnits
from selify.core.web.problems import problem

AT = datetime(2026, 12, 3, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de", "de"),
        ("de-CH, en;q=0.9", "de"),
        ("fr, de;q=0.2, en;q=0.1", "de"),
        ("fr, en;q=0.8, de;q=0.2", "en"),
        ("en-US,en;q=0.9", "en"),
        ("de;q=0, en", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("", "en"),
        (";q=x,,,de;q=;", "en"),
        ("de\x00;q=nan", "en"),
    ],
)
def test_a_browser_gets_the_first_of_its_languages_that_we_speak(asked: str, spoken: str) -> None:
    assert language.preferred(asked) == spoken


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (1234567, "1,234,567", "1.234.567"),
        (Decimal("0.5"), "0.5", "0,5"),
        (Cents(123450), "$1,234.50", "1.234,50\xa0$"),
        (MicroUnits(600), "$0.00600", "0,00600\xa0$"),
        (Credits(10_000), "10,000 credits", "10.000 Credits"),
        (When(AT), "3 December 2026", "3. Dezember 2026"),
        (When(AT, "short"), "3 Dec", "3. Dez."),
        (When(AT, "at"), "3 December 2026 at 14:05 UTC", "3. Dezember 2026 um 14:05 UTC"),
        (
            When(AT, "weekday"),
            "Thursday, 3 December at 14:05 UTC",
            "Donnerstag, 3. Dezember um 14:05 UTC",
        ),
        (Listed(("a", "b")), "a and b", "a und b"),
    ],
)
def test_a_value_is_written_as_the_language_writes_it(
    value: object, english: str, german: str
) -> None:
    assert language.say(value, "en") == english
    assert language.say(value, "de") == german


def test_a_price_in_euros() -> None:
    assert language.currency(Decimal("1234.5"), "EUR", "de") == "1.234,50\xa0€"
    assert language.currency(Decimal("1234.5"), "EUR", "en") == "€1,234.50"


def test_a_sentence_is_english_until_it_is_read() -> None:
    said = _("%(name)s was deleted.", name="100 % Wool")
    assert said == "100 % Wool was deleted."
    with language.speaking("de"):
        assert said == "100 % Wool was deleted."
        assert translated(said) == "100 % Wool wurde gelöscht."
    assert translated(said) == "100 % Wool was deleted."


def test_one_and_many() -> None:
    one, many = (
        _n("%(count)s answer waits", "%(count)s answers wait", count=count) for count in (1, 1200)
    )
    assert (one, many) == ("1 answer waits", "1,200 answers wait")
    with language.speaking("de"):
        assert (translated(one), translated(many)) == ("1 Antwort wartet", "1.200 Antworten warten")


def test_what_was_written_down_in_english_is_said_in_german() -> None:
    said = sentences(
        stored("The permission to manage comments is missing. Their words, 100 % theirs."),
        stored("Instagram does not offer “x” to our app; connecting again does not change that."),
    )
    with language.speaking("de"):
        assert translated(said) == (
            "Die Berechtigung, Kommentare zu verwalten, fehlt. Their words, 100 % theirs."
            " Instagram bietet “x” unserer App nicht an; neu verbinden ändert das nicht."
        )


def test_a_page_escapes_what_a_sentence_was_filled_with() -> None:
    with language.speaking("de"):
        assert _("%(name)s was deleted.", name="<b>").__html__() == "&lt;b&gt; wurde gelöscht."  # type: ignore[attr-defined]


def test_a_problem_keeps_its_code_and_says_the_rest() -> None:
    refused = Invalid(_("A brand needs a name."), hint=_("Please try again."), field="name")
    with language.speaking("de"):
        body = problem(refused).body.decode()
    assert '"code":"invalid"' in body
    assert "urn:selify:problem:invalid" in body
    for said in (
        "Einige Werte sind nicht gültig",
        "Eine Marke braucht einen Namen.",
        "noch einmal.",
    ):
        assert said in body
    assert (
        problem(TooMany(_("This was tried too often."), retry_after=3)).headers["retry-after"]
        == "3"
    )
