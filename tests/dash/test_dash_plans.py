"""No page and no list takes longer for whoever has more.

Each statement that the server sends while everything is looked at by the member of a brand that has
most of 100,000 rows in every table is carried out once more, and its plan is read.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from tests.dash.conftest import SYSTEM
from tests.infra import crowd, crowded_pages
from tests.infra import page_plans as plans
from tests.infra.crowded_pages import Crowd

from selify.app import WINGS
from selify.core.clock import FrozenClock
from selify.core.upkeep import every_invariant

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def crowded(
    postgres_server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crowd]:
    folder = tmp_path_factory.mktemp("crowd")
    async with crowded_pages.open_crowd(
        postgres_server.url, template_database, folder, crowd.Size()
    ) as opened:
        yield opened


async def test_no_page_asks_for_more_than_it_shows(crowded: Crowd) -> None:
    looks = await crowded_pages.look_at_everything(crowded)
    # Also the same statement with other values: how much it meets depends on them.
    different = {repr(one): one for look in looks for one in look.questions}
    assert len({one.sql for one in different.values()}) > 30
    slow = {}
    for question in different.values():
        for plan in await plans.plans_of(crowded.database, question):
            if found := list(plans.faults(plan, crowded.growing)):
                slow[" ".join(question.sql.split())] = found
    assert not slow, "\n\n".join(f"{sql}\n  {found}" for sql, found in slow.items())


async def test_the_first_page_asks_nothing_twice(crowded: Crowd) -> None:
    with plans.recorded() as asked:
        await crowded.brand.owner.look("/")
    # Who may do what is asked in each transaction anew.
    questions = [(one.sql, one.args) for one in asked if "workspace_members" not in one.sql]
    assert [sql for sql, args in questions if questions.count((sql, args)) > 1] == []


async def test_the_books_of_the_crowd_are_in_order(crowded: Crowd) -> None:
    """Else the invariants would look at all of it each time, and nothing could be said of their cost."""
    async with crowded.database.tx(SYSTEM) as tx:
        for invariant in every_invariant(WINGS, FrozenClock(datetime.now(UTC))):
            assert await invariant.violations(tx) == [], invariant.name
