"""Every page and list there is, in the database alone, for a brand that has most of a million rows; the
same with a tenth of the rows; and how long the invariants take for what is new.

Each address is looked at once through the real server, as a member of the brand does. What the server
asked meanwhile is then asked again, one statement at a time, on a connection that has been asked it
before; a page costs what its statements cost together.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.infra import crowded_pages, page_plans
from tests.infra.crowd import Size
from tests.infra.crowded_pages import Look

from bench.instruments import stage
from bench.instruments.report import Line
from bench.instruments.rounds import THOROUGH, Effort, WrongResult, seconds_of
from selify.app import WINGS
from selify.core import invariants
from selify.core.clock import FrozenClock
from selify.core.database import Database
from selify.core.invariants import Invariant
from selify.core.upkeep import every_invariant
from selify.db import embedded

FIGURE = "pages"
ROWS = 1_000_000
RIVALS = 4  # of ten rows: the brand has 60 %
AIM_MILLISECONDS = 50.0
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Page:
    """Seconds in the database: all its statements together, and the slowest of them."""

    seconds: float
    slowest: float
    statement: str


@dataclass(frozen=True, slots=True)
class Measured:
    """With so many rows."""

    rows: int
    pages: Mapping[str, Page]
    invariants: Sequence[Line]


async def measure(where: stage.Stage, effort: Effort) -> list[Line]:
    """Milliseconds of the slowest statement, the slowest page and all of them; of the invariants."""
    rows = ROWS if effort.seconds >= THOROUGH.seconds else ROWS // 10
    few, many = [await _measure_with(where, effort, number) for number in (rows // 10, rows)]
    return [*report(many, few), *many.invariants]


async def _measure_with(where: stage.Stage, effort: Effort, rows: int) -> Measured:
    size = Size(rows, rows // 5, RIVALS)
    folder = where.folder / FIGURE
    async with crowded_pages.open_crowd(
        where.template_url, embedded.DATABASE_NAME, folder, size
    ) as crowd:
        looks = await crowded_pages.look_at_everything(crowd)
        database = await Database.connect(crowd.database.url, max_size=1)
        try:
            pages = await time_pages(database, looks, effort.rounds)
            return Measured(rows, pages, await _time_invariants(database, effort.rounds))
        finally:
            await database.close()


async def time_pages(database: Database, looks: Sequence[Look], rounds: int) -> dict[str, Page]:
    """By name. What several ask alike is measured once."""
    seconds: dict[str, float] = {}
    pages: dict[str, Page] = {}
    for look in looks:
        for question in look.questions:
            if repr(question) not in seconds:
                seconds[repr(question)] = await page_plans.seconds_of(
                    database, question, rounds=rounds
                )
        times = [(seconds[repr(question)], question.sql) for question in look.questions]
        slowest, statement = max(times, default=(0.0, ""))
        pages[look.name] = Page(sum(one for one, _ in times), slowest, statement)
    return pages


def report(many: Measured, few: Measured) -> list[Line]:
    """The same pages side by side."""
    if many.pages.keys() != few.pages.keys():
        raise WrongResult("not the same pages were looked at")
    by_statement = max(many.pages, key=lambda name: many.pages[name].slowest)
    by_page = max(many.pages, key=lambda name: many.pages[name].seconds)
    everything, everything_of_few = [
        sum(page.seconds for page in measured.pages.values()) for measured in (many, few)
    ]
    fewer = f"the same, {few.rows:,} rows"
    return [
        _line(
            f"{many.rows:,} rows, 60 % one brand's: its slowest statement, on `{by_statement}`",
            many.pages[by_statement].slowest,
            fewer,
            few.pages[by_statement].slowest,
            aim=AIM_MILLISECONDS,
        ),
        _line(
            f"All statements of its slowest page, `{by_page}`",
            many.pages[by_page].seconds,
            fewer,
            few.pages[by_page].seconds,
            aim=AIM_MILLISECONDS,
        ),
        _line(
            f"All {len(many.pages)} pages and lists, one after the other",
            everything,
            fewer,
            everything_of_few,
        ),
    ]


async def _time_invariants(database: Database, rounds: int) -> list[Line]:
    """The first look of all is at the whole."""
    clock = FrozenClock(datetime.now(UTC))
    known = every_invariant(WINGS, clock)
    often, seldom = [[one for one in known if one.seldom is rare] for rare in (False, True)]
    await _watch(database, clock, known)
    minute = await _time_watch(database, clock, rounds, often, MINUTE)
    hour = await _time_watch(database, clock, rounds, seldom, HOUR)
    return [
        Line(FIGURE, "The invariants' look every minute at what is new", minute * 1000, "ms"),
        _line(
            "The invariants' look every hour at what is new",
            hour,
            "at everything",
            await seconds_of(_whole(database, seldom)),
        ),
    ]


async def _time_watch(
    database: Database,
    clock: FrozenClock,
    rounds: int,
    known: Sequence[Invariant],
    every: timedelta,
) -> float:
    times = []
    for _ in range(rounds):
        clock.advance(every)
        times.append(await seconds_of(_watch(database, clock, known)))
    return statistics.median(times)


async def _watch(database: Database, clock: FrozenClock, known: Sequence[Invariant]) -> None:
    for invariant in known:
        await invariants.watch(database, clock, invariant, patience=HOUR)


async def _whole(database: Database, known: Sequence[Invariant]) -> None:
    async with database.tx(stage.SYSTEM) as tx:
        for invariant in known:
            if await invariant.violations(tx):
                raise WrongResult(f"{invariant.name} does not hold")


def _line(
    what: str, seconds: float, compared_with: str, other: float, aim: float | None = None
) -> Line:
    return Line(
        FIGURE,
        what,
        seconds * 1000,
        "ms",
        compared_with,
        other * 1000,
        seconds / other,
        aim=aim,
        aim_is_limit=aim is not None,
    )
