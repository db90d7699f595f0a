"""Ids say when they were made, and no two are the same."""

import threading
import time
from uuid import RFC_4122

from selify.core import ids
from selify.core.ids import new_id


def test_ids_are_ordered_unique_and_of_version_7() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


def test_the_time_stands_in_front() -> None:
    before = time.time_ns() // 1_000_000
    stamped = new_id().int >> 80
    # Many ids in one millisecond borrow from the next ones.
    assert before <= stamped <= time.time_ns() // 1_000_000 + 100


def test_a_clock_that_goes_back_does_not_turn_the_order_round(monkeypatch) -> None:
    first = new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 0)
    assert new_id() > first


def test_threads_get_different_ones() -> None:
    made: list = []
    threads = [
        threading.Thread(target=lambda: made.extend(new_id() for _ in range(2_000)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000
