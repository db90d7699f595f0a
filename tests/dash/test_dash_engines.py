"""The league of engines as its page shows it, to those it concerns, in words."""

from html import unescape

from tests.dash.conftest import SYSTEM, Brand

from selify import billing
from selify.core.clock import SystemClock
from selify.core.money import MicroUnits
from selify.tryon import tries
from selify.tryon.pages import words
from selify.tryon.routing import Attempt, Outcome
from selify.tryon.types import QualityScores, RefusalCode, RefusalReason

NOTHING = MicroUnits.zero()
MISSED = QualityScores(0.5, None, None, None, None, None, None, misses=("face", "colour"))


async def tried(brand: Brand, *attempts: Attempt) -> None:
    """A try-on of this brand that ended so."""
    charge, clock, kept = await brand.charge(), SystemClock(), tries.as_metadata(attempts)
    async with brand.site.database.tx(SYSTEM) as tx:
        if attempts[-1].outcome is Outcome.PASSED:
            work = billing.Work(charge, NOTHING, attempts[-1].engine, 2_000, kept)
            await billing.settle(tx, clock, work)
        else:
            await billing.refund(tx, clock, charge, reason="x", metadata=kept)


async def test_before_the_first_try_on_the_page_says_what_to_do(brand: Brand) -> None:
    shown = unescape(await brand.owner.look("/engines"))
    assert "No try-on in these 7 days." in shown
    assert "Go to the posts" in shown


async def test_each_engine_stands_there_with_its_rate_its_seconds_and_its_reasons(
    brand: Brand,
) -> None:
    held_back = Attempt("embedded", 0, Outcome.QUALITY_TOO_LOW, 3.5, NOTHING, "", MISSED)
    sent = Attempt("painter", 0, Outcome.PASSED, 12.0, NOTHING)
    await tried(brand, held_back, sent)
    await tried(brand, Attempt("painter", 0, Outcome.UNAVAILABLE, 1.0, NOTHING, "secret words"))
    shown = unescape(await brand.owner.look("/engines?days=30"))
    for said in (
        "Selify’s own engine",
        "Painter",
        "50 %",
        "1 of 2 sent",
        "0 of 1 sent",
        "3.5",
        "The face was not theirs any more",
        "Not the garment’s colours",
        "The engine did not answer",
        "2 try-ons.",
    ):
        assert said in shown, said
    assert "secret words" not in shown


async def test_another_brand_s_engines_are_not_shown(brand: Brand, rival: Brand) -> None:
    await tried(rival, Attempt("theirs", 0, Outcome.PASSED, 1.0, NOTHING))
    assert "Theirs" not in await brand.owner.look("/engines")


async def test_an_engine_s_name_is_words_and_nothing_else(brand: Brand) -> None:
    await tried(brand, Attempt("<b>x</b>", 0, Outcome.PASSED, 1.0, NOTHING))
    assert "<b>x</b>" not in await brand.owner.look("/engines")


def test_every_way_to_end_has_words() -> None:
    """Also each measure of either gate, and what a photo can lack."""
    no_picture = set(Outcome) - {Outcome.PASSED, Outcome.COOLING_DOWN}
    assert set(words.OUTCOMES) == {outcome.value for outcome in no_picture}
    measures = set(QualityScores.__dataclass_fields__) - {"misses", "doubts"}
    lacking = {reason.value for reason in RefusalReason}
    assert not (measures | lacking) - set(words.REASONS)
    assert not measures & lacking
    photo = {code.value for code in RefusalCode if code.value.startswith(("person", "photo_"))}
    assert not photo - {"photo_gone"} - set(words.REASONS)
