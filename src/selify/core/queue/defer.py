"""Not now: what a handler of events or a job says when it is too early."""

from datetime import timedelta


class Defer(Exception):
    """Nothing is wrong, but it is too early: another try, this much later. Does not count as a failure."""

    def __init__(self, reason: str, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after
