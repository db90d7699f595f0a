"""Who is told what, what is remembered for whom, and when it is said that something was missed."""

from uuid import UUID, uuid4

import orjson
import pytest

from selify.realtime.endpoints import Line, events
from selify.realtime.feed import LONGEST_QUEUE, MOST_PER_USER, REMEMBERED, Feed, Subscriber

MINE = uuid4()
LOGS = frozenset({"oauth_audit_logs"})


def said(workspace: object = MINE, table: str = "oauth_audit_logs", kind: str = "INSERT") -> str:
    key = {"id": str(uuid4())}
    at = "2026-11-18T09:30:00+00:00"
    return orjson.dumps(
        {"workspace_id": str(workspace), "table": table, "op": kind, "key": key, "at": at}
    ).decode()


def subscriber(workspace: UUID = MINE) -> Subscriber:
    return Subscriber(uuid4(), workspace, LOGS)


async def heard_by(one: Subscriber) -> tuple[bool, list[int]]:
    missed, changes = await one.listen(0)
    return missed, [change.number for change in changes]


async def test_each_hears_their_own_workspace_and_tables_in_order() -> None:
    feed = Feed()
    with feed.subscribed(subscriber(), after=None) as mine:
        feed.heard(said())
        feed.heard(said(uuid4()))
        feed.heard(said(table="workspace_financial_transactions"))
        feed.heard(said(kind="DELETE"))
        assert await heard_by(mine) == (False, [1, 4])
        assert await heard_by(mine) == (False, [])


async def test_who_comes_back_hears_what_came_meanwhile_and_nothing_twice() -> None:
    feed = Feed()
    feed.heard(said())
    mark = feed.position
    feed.heard(said())
    feed.heard(said(uuid4()))
    with feed.subscribed(subscriber(), after=mark) as mine:
        assert await heard_by(mine) == (False, [2])
    with feed.subscribed(subscriber(), after=feed.position) as mine:
        assert await heard_by(mine) == (False, [])


@pytest.mark.parametrize(
    "after", ["", "nonsense", "0-0", "-", "{epoch}-", "{epoch}-9", "{epoch}--1", "{epoch}-²"]
)
async def test_a_mark_that_means_nothing_here_is_a_gap(after: str) -> None:
    feed = Feed()
    feed.heard(said())
    epoch = feed.position.partition("-")[0]
    with feed.subscribed(subscriber(), after=after.format(epoch=epoch)) as mine:
        assert await heard_by(mine) == (True, [])


async def test_who_was_away_for_longer_than_is_remembered_missed_something() -> None:
    feed = Feed()
    marks = [feed.position]
    for _ in range(REMEMBERED + 1):
        feed.heard(said(uuid4()))
        marks.append(feed.position)
    for mark, missed in ((marks[0], True), (marks[1], False)):
        with feed.subscribed(subscriber(), after=mark) as mine:
            assert await heard_by(mine) == (missed, [])


async def test_a_new_connection_to_the_database_is_a_gap_for_all() -> None:
    feed = Feed()
    feed.heard(said())
    mark = feed.position
    with feed.subscribed(subscriber(), after=None) as mine:
        feed.heard(said())
        feed.missed_something()
        feed.heard(said())
        assert await heard_by(mine) == (True, [3])
    with feed.subscribed(subscriber(), after=mark) as mine:
        assert await heard_by(mine) == (True, [])


async def test_the_queue_of_a_slow_one_is_bounded() -> None:
    feed = Feed()
    with feed.subscribed(subscriber(), after=None) as slow:
        for _ in range(LONGEST_QUEUE + 3):
            feed.heard(said())
        missed, numbers = await heard_by(slow)
    assert missed
    assert len(numbers) < LONGEST_QUEUE


async def test_whose_rights_may_have_ended_is_asked_at_once() -> None:
    feed = Feed()
    with (
        feed.subscribed(subscriber(), after=None) as mine,
        feed.subscribed(subscriber(uuid4()), after=None) as other,
    ):
        feed.heard(f'{{"workspace_id": "{MINE}"}}')
        assert (mine.wake.is_set(), other.wake.is_set()) == (True, False)
        assert await heard_by(mine) == (False, [])
        assert feed.position.endswith("-0"), "no change, so nothing to come back for"


async def test_who_left_is_forgotten_and_nobody_takes_all_the_room() -> None:
    feed, user = Feed(), uuid4()
    lines = [
        feed.subscribed(Subscriber(user, MINE, LOGS), after=None) for _ in range(MOST_PER_USER)
    ]
    for line in lines:
        line.__enter__()
    assert not feed.has_room(user)
    assert feed.has_room(uuid4())
    for line in lines:
        line.__exit__(None, None, None)
    assert feed.has_room(user)


async def test_lines_that_came_at_once_do_not_all_find_the_last_place_free() -> None:
    """Each was let in while there was room; the stream begins later."""
    feed, user = Feed(), uuid4()
    silent = Line(None, None, None, None)  # type: ignore[arg-type]
    streams = [
        events(feed, Subscriber(user, MINE, LOGS), silent, after=None)
        for _ in range(MOST_PER_USER + 5)
    ]
    begun = [await anext(stream, "") for stream in streams]
    assert sum("event: subscribed" in text for text in begun) == MOST_PER_USER
    for stream in streams:
        await stream.aclose()
    assert feed.has_room(user)


@pytest.mark.parametrize(
    "payload", ["", "{", "[]", "null", '{"table": "x"}', said("me"), said(None)]
)
async def test_nonsense_is_not_passed_on(payload: str) -> None:
    feed = Feed()
    with feed.subscribed(subscriber(), after=None) as mine:
        feed.heard(payload)
        assert await heard_by(mine) == (False, [])
