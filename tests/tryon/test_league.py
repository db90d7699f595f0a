"""The engines side by side: what each charge remembers of what was tried for it, summed up by engine."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from rich.console import Console
from tests.infra.world import SYSTEM, Brand, World

from selify import billing
from selify.core.database import Actor
from selify.core.money import Credits, MicroUnits
from selify.tryon import league, tries
from selify.tryon.commands import as_table
from selify.tryon.league import League, Reason, TriedOn
from selify.tryon.routing import Attempt, Outcome
from selify.tryon.types import QualityScores

A_MONTH = timedelta(days=30)


def attempt(
    engine: str,
    outcome: Outcome,
    seconds: float = 1.0,
    *,
    number: int = 0,
    reason: str = "",
    missed: tuple[str, ...] = (),
) -> Attempt:
    scores = None
    if missed:
        scores = QualityScores(0.1, None, None, None, None, None, None, misses=missed)
    return Attempt(engine, number, outcome, seconds, MicroUnits(4_000), reason, scores)


PASSED = attempt("hosted", Outcome.PASSED, 9.0)
BLURRED = attempt("embedded", Outcome.QUALITY_TOO_LOW, 3.0, missed=("face", "sharp"))


def tried_on(*attempts: Attempt, price: int = 192) -> TriedOn:
    kept = tries.as_metadata(attempts).get(tries.KEY)
    return TriedOn(True, Credits(price), None, kept, None, None, None)


def by_engine(found: League) -> dict[str, league.Standing]:
    return {one.engine: one for one in found.standings}


# --- What is remembered ---------------------------------------------------------------------------


def test_a_charge_remembers_each_attempt_and_not_our_costs():
    (entry, passed) = tries.as_metadata([BLURRED, PASSED])[tries.KEY]
    assert entry == {
        "engine": "embedded",
        "number": 0,
        "outcome": "quality_too_low",
        "seconds": 3.0,
        "missed": ["face", "sharp"],
    }
    assert passed == {"engine": "hosted", "number": 0, "outcome": "passed", "seconds": 9.0}
    assert tries.as_metadata([]) == {}


def test_an_engine_s_own_words_about_its_trouble_are_not_kept():
    """They may hold anything, an address or half a key."""
    quota = attempt("hosted", Outcome.UNAVAILABLE, reason="quota of project shop-4711 is used up")
    nobody = attempt("hosted", Outcome.REFUSED, reason="person_not_found")
    kept = tries.as_metadata([quota, nobody])[tries.KEY]
    assert ["why" in entry for entry in kept] == [False, True]
    assert kept[1]["why"] == "person_not_found"


def test_of_an_outfit_each_piece_is_told() -> None:
    kept = tries.as_metadata([replace(PASSED, piece="bottom"), PASSED])[tries.KEY]
    assert [entry.get("piece") for entry in kept] == ["bottom", None]


# --- Sums -----------------------------------------------------------------------------------------


def test_an_outfit_is_a_try_on_of_each_piece_and_no_second_attempt() -> None:
    bottom, top = (replace(PASSED, piece=piece) for piece in ("bottom", "top"))
    nobody = attempt("hosted", Outcome.REFUSED, reason="person_cropped")
    found = league.standings(
        [tried_on(bottom, top), tried_on(replace(nobody, piece="bottom"), top)]
    )
    (hosted,) = found.standings
    assert (hosted.asked, hosted.sent, hosted.again, found.try_ons) == (4, 3, 0, 2)
    assert hosted.reasons == (Reason(Outcome.REFUSED, "person_cropped", 1),)
    assert hosted.credits == 192


def test_an_engine_is_asked_once_for_each_photo_however_often_it_tries():
    again = [BLURRED, attempt("embedded", Outcome.PASSED, 4.0, number=1)]
    found = by_engine(league.standings([tried_on(*again), tried_on(BLURRED, PASSED)]))
    own, hosted = found["embedded"], found["hosted"]
    assert (own.asked, own.sent, own.again, own.rescued) == (2, 1, 1, 1)
    assert (hosted.asked, hosted.sent, hosted.again, hosted.rescued) == (1, 1, 0, 0)
    assert own.reasons == (
        Reason(Outcome.QUALITY_TOO_LOW, "face", 1),
        Reason(Outcome.QUALITY_TOO_LOW, "sharp", 1),
    )
    assert hosted.reasons == ()


def test_the_best_comes_first_and_an_engine_that_rests_was_not_asked():
    resting = attempt("hosted", Outcome.COOLING_DOWN)
    found = league.standings([tried_on(BLURRED, PASSED), tried_on(resting, BLURRED)])
    assert [one.engine for one in found.standings] == ["hosted", "embedded"]
    assert by_engine(found)["hosted"].percent == 100
    assert by_engine(found)["embedded"].percent == 0


def test_seconds_are_those_of_pictures_and_the_slow_ones_show():
    rows = [tried_on(attempt("hosted", Outcome.PASSED, float(n))) for n in range(1, 101)]
    rows.append(tried_on(attempt("hosted", Outcome.UNAVAILABLE, 900.0)))
    (standing,) = league.standings(rows).standings
    assert (standing.middle, standing.slow) == (50.5, 95.0)
    assert standing.asked == 101


def test_what_never_made_a_picture_has_no_seconds_and_no_price():
    (standing,) = league.standings([tried_on(attempt("hosted", Outcome.CRASHED, 2.0))]).standings
    assert (standing.middle, standing.slow, standing.credits) == (None, None, None)
    assert standing.reasons == (Reason(Outcome.CRASHED, "", 1),)


def test_charges_from_before_tell_who_made_their_picture():
    old = TriedOn(True, Credits(192), None, None, "embedded", 2.5, 1)
    given_back = TriedOn(True, Credits(192), None, None, None, None, None)
    found = league.standings([old, given_back])
    (standing,) = found.standings
    assert (standing.asked, standing.sent, standing.middle) == (1, 1, 2.5)
    assert found.try_ons == 2


# --- From the books -------------------------------------------------------------------------------


async def book(
    world: World, brand: Brand, attempts: Sequence[Attempt], *, meter: str = "tryon"
) -> UUID:
    """A try-on of which this was tried, concluded as it ends."""
    kept = tries.as_metadata(attempts)
    cost = MicroUnits(sum(one.cost.value for one in attempts))
    async with world.database.tx(SYSTEM) as tx:
        order = billing.Order(brand.workspace_id, meter, str(uuid4()), "instagram")
        charge = await billing.reserve(tx, world.clock, order)
        last = attempts[-1]
        if last.outcome is Outcome.PASSED:
            work = billing.Work(charge.id, cost, last.engine, round(last.seconds * 1000), kept)
            await billing.settle(tx, world.clock, work)
        else:
            await billing.refund(
                tx,
                world.clock,
                charge.id,
                reason="x",
                provider_cost=cost,
                engine=last.engine,
                metadata=kept,
            )
    return charge.id


async def read(world: World, brand: Brand, actor: Actor = SYSTEM) -> League:
    now = world.clock.now()
    async with world.database.tx(actor) as tx:
        return await league.league(
            tx, brand.workspace_id, since=now - A_MONTH, until=now + timedelta(seconds=1)
        )


async def test_the_books_tell_of_sent_and_of_refused(world: World, brand: Brand) -> None:
    await book(world, brand, [BLURRED, PASSED])
    await book(world, brand, [attempt("hosted", Outcome.REFUSED, reason="content_refused")])
    found = await read(world, brand)
    hosted = by_engine(found)["hosted"]
    assert found.try_ons == 2
    assert (hosted.asked, hosted.sent, hosted.percent) == (2, 1, 50)
    assert hosted.reasons == (Reason(Outcome.REFUSED, "content_refused", 1),)
    assert hosted.credits is not None
    assert hosted.credits > 0


async def test_our_costs_are_for_the_system_alone(world: World, brand: Brand) -> None:
    """Of a sent picture: all that was spent on the way to it."""
    await book(world, brand, [BLURRED, PASSED])
    owner = Actor.user(brand.owner_id)
    assert by_engine(await read(world, brand))["hosted"].cost == MicroUnits(8_000)
    shown = by_engine(await read(world, brand, owner))["hosted"]
    assert shown.cost is None
    assert shown.sent == 1


async def test_what_is_under_way_what_is_old_and_other_services_do_not_count(
    world: World, brand: Brand
) -> None:
    await book(world, brand, [PASSED])
    world.clock.advance(A_MONTH + timedelta(hours=1))
    assert (await read(world, brand)).standings == ()
    async with world.database.tx(SYSTEM) as tx:
        order = billing.Order(brand.workspace_id, "tryon", str(uuid4()), "instagram")
        await billing.reserve(tx, world.clock, order)
    assert (await read(world, brand)).try_ons == 0


async def test_of_very_many_the_newest_are_read(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(league, "MOST", 2)
    await book(world, brand, [BLURRED])
    world.clock.advance(timedelta(minutes=1))
    for _ in range(2):
        await book(world, brand, [PASSED])
    found = await read(world, brand)
    assert (found.whole, found.try_ons) == (False, 2)
    assert [one.engine for one in found.standings] == ["hosted"]


async def test_the_table_of_the_operator_tells_what_a_picture_cost(
    world: World, brand: Brand
) -> None:
    await book(world, brand, [BLURRED, PASSED])
    printed = io.StringIO()
    Console(file=printed, width=120).print(as_table(await read(world, brand)))
    lines = printed.getvalue().splitlines()
    (hosted,) = [line.split() for line in lines if "hosted" in line]
    assert hosted == ["hosted", "1", "1", "(100", "%)", "9.0", "9.0", "0", "$0.0800"]
