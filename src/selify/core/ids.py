"""Identifiers. Rows we make ourselves get time-ordered ids, so that "in order of id" means
"in order of making" within one process and, to the millisecond, across processes.
"""

import os
import threading
import time
from datetime import datetime
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
WorkspaceId = NewType("WorkspaceId", UUID)

LAST_ID = UUID(int=2**128 - 1)

_lock = threading.Lock()
_last_millisecond = 0
_counter = 0


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): milliseconds, then a counter, then randomness."""
    global _last_millisecond, _counter
    with _lock:
        millisecond = max(time.time_ns() // 1_000_000, _last_millisecond)
        if millisecond == _last_millisecond:
            _counter += 1
            if _counter > 0xFFF:
                millisecond, _counter = millisecond + 1, 0
        else:
            _counter = 0
        _last_millisecond = millisecond
        counter = _counter
    random_part = int.from_bytes(os.urandom(8), "big") >> 2
    return _uuid7(millisecond, counter, random_part)


def first_id(moment: datetime) -> UUID:
    """No id made at that moment or later is smaller: rows by age, without an index on their time."""
    return _uuid7(int(moment.timestamp() * 1000), 0, 0)


def _uuid7(millisecond: int, counter: int, random_part: int) -> UUID:
    return UUID(
        int=(millisecond << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | random_part
    )
