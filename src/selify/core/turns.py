"""Whose turn it is: work that one worker does for all, no more often than it is worth."""

from datetime import datetime, timedelta

from selify.core.database import Tx


async def take_turn(tx: Tx, routine: str, *, every: timedelta, now: datetime) -> bool:
    """Whether nobody has taken this routine's turn within ``every``; if so, it is ours.

    Commit it before the work begins, or the others wait for its end. Who dies in between leaves the
    rest to the next turn.
    """
    return bool(
        await tx.execute(
            # One that lies ahead was taken by a clock that was wrong.
            """
            INSERT INTO internal.routine_turns AS turn (routine, taken_at) VALUES ($1, $2)
            ON CONFLICT (routine) DO UPDATE SET taken_at = excluded.taken_at
             WHERE turn.taken_at NOT BETWEEN $2 - $3::interval AND $2 + $3::interval
            """,
            routine,
            now,
            every,
        )
    )
