"""What the figure of pages makes of what was asked: sums, the slowest, and the same pages side by side."""

import pytest
from bench.instruments.rounds import WrongResult
from bench.pages import Measured, Page
from tests.infra.crowded_pages import Look
from tests.infra.page_plans import Question

from bench import pages
from selify.core.database import Actor, Database

SYSTEM = Actor.system("test")


def measured(rows: int, **seconds: tuple[float, ...]) -> Measured:
    return Measured(
        rows,
        {name: Page(sum(times), max(times), "SELECT 1") for name, times in seconds.items()},
        [],
    )


def test_the_slowest_statement_and_the_slowest_page_are_named() -> None:
    many = measured(1_000_000, long=(0.01, 0.01, 0.01), hard=(0.02,))
    few = measured(100_000, long=(0.005, 0.01, 0.01), hard=(0.01,))
    statement, page, everything = pages.report(many, few)
    assert "`hard`" in statement.what
    assert (statement.value, statement.other) == pytest.approx((20.0, 10.0))
    assert "`long`" in page.what
    assert (page.value, page.other) == pytest.approx((30.0, 25.0))
    assert statement.reached
    assert page.reached
    assert everything.value == pytest.approx(50.0)
    assert everything.ratio == pytest.approx(50.0 / 35.0)
    assert "1,000,000 rows" in statement.what
    assert "100,000 rows" in everything.compared_with


def test_a_page_that_takes_too_long_is_said_so() -> None:
    slow = measured(1_000_000, page=(0.051,))
    assert [line.reached for line in pages.report(slow, slow)] == [False, False, None]


def test_only_the_same_pages_are_compared() -> None:
    with pytest.raises(WrongResult, match="not the same pages"):
        pages.report(measured(10, here=(0.1,)), measured(1, there=(0.1,)))


async def test_a_page_costs_what_its_statements_cost_together(database: Database) -> None:
    slow = Question("SELECT pg_sleep($1)", (0.01,), SYSTEM)
    quick = Question("SELECT count(*) FROM public.workspaces WHERE name = $1", ("x",), SYSTEM)
    nothing = Question("SET LOCAL selify.quiet = 'on'", (), SYSTEM)
    looks = [Look("both", (quick, slow, nothing, slow)), Look("none", (nothing,))]
    timed = await pages.time_pages(database, looks, rounds=1)
    assert timed["both"].statement == slow.sql
    assert timed["both"].seconds >= 2 * timed["both"].slowest >= 0.02
    assert (timed["none"].seconds, timed["none"].slowest) == (0.0, 0.0)


async def test_what_a_statement_writes_while_it_is_timed_is_taken_back(database: Database) -> None:
    sql = "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), $1)"
    writing = Question(sql, ("somebody@people.example",), SYSTEM)
    await pages.time_pages(database, [Look("page", (writing,))], rounds=2)
    async with database.tx(SYSTEM) as tx:
        assert await tx.fetch_value("SELECT count(*) FROM auth.users") == 0
