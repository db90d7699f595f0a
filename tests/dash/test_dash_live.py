"""What an open page is told, and when."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from selify.dash.live import EVERYTHING, MAX_PAGES_PER_WORKSPACE, Changes, Pace
from selify.dash.stream import KEEP_ALIVE, events

QUICK = Pace(gather=0.01, look_again=0.02, keep_alive=0.02, quiet_rounds=3)
PATIENT = Pace(gather=0.01, look_again=60, keep_alive=60)


async def anybody() -> bool:
    return True


def hint(workspace_id: object, table: str) -> str:
    return f'{{"workspace_id": "{workspace_id}", "table": "{table}"}}'


async def test_a_new_page_looks_at_everything_first() -> None:
    page = Changes(PATIENT).follow(uuid4())
    assert await anext(page) == {EVERYTHING}
    await page.aclose()


async def test_changes_are_gathered_and_told_to_their_own_workspace() -> None:
    changes, mine, theirs = Changes(PATIENT), uuid4(), uuid4()
    page = changes.follow(mine)
    await anext(page)
    changes.heard(hint(theirs, "workspace_quotas"))
    changes.heard(hint(mine, "social_messages"))
    changes.heard(hint(mine, "social_messages"))
    changes.heard(hint(mine, "bot_interactions"))
    assert await anext(page) == {"social_messages", "bot_interactions"}
    await page.aclose()


async def test_a_hint_that_comes_with_everything_is_looked_at_once_more_too() -> None:
    changes, mine = Changes(QUICK), uuid4()
    page = changes.follow(mine)
    await anext(page)
    changes.missed_something()
    changes.heard(hint(mine, "social_messages"))
    told = [await anext(page) for _ in range(3)]
    assert told == [{"social_messages", EVERYTHING}, {EVERYTHING}, set()]
    await page.aclose()


async def test_after_a_hint_everything_is_looked_at_once_more() -> None:
    """A notification may be left out while another is on its way."""
    changes, mine = Changes(QUICK), uuid4()
    page = changes.follow(mine)
    await anext(page)
    changes.heard(hint(mine, "social_messages"))
    told = [await anext(page) for _ in range(3)]
    assert told == [{"social_messages"}, {EVERYTHING}, set()]
    await page.aclose()


async def test_a_quiet_page_looks_now_and_then() -> None:
    page = Changes(QUICK).follow(uuid4())
    told = [await anext(page) for _ in range(7)]
    nothing: set[str] = set()
    assert told[1:] == [nothing, nothing, {EVERYTHING}, nothing, nothing, {EVERYTHING}]
    await page.aclose()


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", '{"table": "x"}', hint("me", "x")])
async def test_nonsense_is_not_passed_on(payload: str) -> None:
    changes, mine = Changes(QUICK), uuid4()
    page = changes.follow(mine)
    await anext(page)
    changes.heard(payload)
    assert await anext(page) == set()
    await page.aclose()


async def test_a_page_that_closed_is_forgotten() -> None:
    changes, mine = Changes(QUICK), uuid4()
    pages = [changes.follow(mine) for _ in range(MAX_PAGES_PER_WORKSPACE)]
    for page in pages:
        await anext(page)
    assert not changes.has_room(mine)
    for page in pages:
        await page.aclose()
    assert changes.has_room(mine)


async def test_the_stream_ends_so_that_the_browser_signs_in_anew() -> None:
    text = [part async for part in events(Changes(QUICK), uuid4(), anybody, longest=0)]
    assert text[0].startswith("retry:")
    assert text[1] == "event: everything\ndata: changed\n\n"
    assert len(text) == 2


async def test_pages_that_came_at_once_do_not_all_find_the_last_place_free() -> None:
    changes, mine = Changes(QUICK), uuid4()
    streams = [events(changes, mine, anybody) for _ in range(MAX_PAGES_PER_WORKSPACE + 5)]
    assert {await anext(stream) for stream in streams} == {"retry: 2000\n\n"}
    told = [await anext(stream, "") for stream in streams]
    assert sum(bool(text) for text in told) == MAX_PAGES_PER_WORKSPACE
    for stream in streams:
        await stream.aclose()


async def test_silence_keeps_the_line_open() -> None:
    stream = events(Changes(QUICK), uuid4(), anybody)
    assert [await anext(stream) for _ in range(3)][2] == KEEP_ALIVE
    await stream.aclose()


async def test_a_change_in_the_database_reaches_the_page(brand, rival) -> None:
    async with brand.owner.browser.stream("GET", brand.at("/live")) as line:
        assert line.headers["content-type"].startswith("text/event-stream")
        told = _names(line)
        assert await anext(told) == "everything"
        await rival.hear("Not for you")
        await brand.hear("Live!")
        async with asyncio.timeout(30):
            heard = {await anext(told), await anext(told)}
    assert heard == {"social_messages", "social_conversations"}


async def test_only_members_listen(brand, rival, site) -> None:
    assert (await brand.owner.browser.get(rival.at("/live"))).status_code == 404
    async with site.visitor(Accept="text/event-stream") as visitor:
        assert (await visitor.get(brand.at("/live"))).status_code == 401


async def _names(line: httpx.Response) -> AsyncIterator[str]:
    async for text in line.aiter_lines():
        if text.startswith("event: "):
            yield text.removeprefix("event: ")
