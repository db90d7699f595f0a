"""What the claims of all queues share: plans that do not depend on luck, and turns.

A queue that was empty a moment ago is what its statistics describe, and what a plan that a connection
keeps was made for, just when thousands of rows have come. So a claim asks for what one index gives
in order, and forbids every other way of finding it: claims belong in a transaction opened ``by_index``.

Nobody waits for a neighbour's crowd: a claim goes round the owners (accounts, workspaces) that have
something due, from the one after the last served, and takes the first of each before anybody's
second (``turns``). Each worker remembers where it stopped; a new one begins somewhere. Whoever finds
nothing goes on until it is back where it began (``go_round``).
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg

from selify.core.database import Actor, Database, Tx

Taken = TypeVar("Taken")

# What belongs to no account and no workspace has a turn of its own. The indexes name it, too.
NOBODY = UUID(int=0)
# Owners of whom nothing is due are passed; no more than so many in one claim.
PASSED = 500
# Each claim is short; where it finds nothing, another goes on from there. No more than so many at once.
LOOKS = 500

# From here to its end, a transaction's statements find their rows by an index, in its order, wherever
# there is one.
BY_INDEX = """
    SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
    SET LOCAL plan_cache_mode = force_generic_plan
"""


def by_index(database: Database, actor: Actor) -> AbstractAsyncContextManager[Tx]:
    """A transaction that is so from its beginning."""
    return database.tx(actor, settings=BY_INDEX)


def turns(table: str, *, owner: str, due: str, waiting: str) -> str:
    """The recursive part of a claim: ``walk``, one row for each owner passed on the round, with when
    the first of theirs is due (``due_at``) and the place in the round (``step``). Of it, ``owners``:
    of whom something is due, with the ``share`` of the room that each may fill; and ``round``: what
    ``Round.came`` is told.

    Parameters: $1 the owner after whom the walk begins, $2 the owner at whom the round began and ends,
    $3 now, $4 how many owners of whom something is due are enough: the room there is.
    """
    next_owner = f"""
        SELECT {owner} AS owner, {due} AS due_at FROM {table}
         WHERE {waiting} AND {{}} ORDER BY {owner}, {due} LIMIT 1
    """
    return f"""
        walk (owner, due_at, lap, step, found) AS (
            SELECT $1::uuid, NULL::timestamptz, ($1 < $2::uuid)::int, 0, 0
            UNION ALL
            SELECT next.owner, next.due_at, next.lap, step + 1,
                   found + (next.due_at <= $3)::int
              FROM walk CROSS JOIN LATERAL (
                   SELECT owner, due_at, walk.lap + (owner <= walk.owner)::int AS lap
                     FROM (({next_owner.format(f"{owner} > walk.owner")})
                           UNION ALL ({next_owner.format("walk.lap = 0")})) AS either
                    LIMIT 1) AS next
             WHERE walk.found < $4 AND walk.step < {PASSED}
               AND (next.lap = 0 OR next.lap = 1 AND next.owner <= $2)),
        owners AS (
            SELECT owner, step, ($4 - 1) / count(*) OVER () + 1 AS share
              FROM walk WHERE due_at <= $3),
        round AS (
            SELECT owner AS reached, owner <> $2 AND (found >= $4 OR step >= {PASSED}) AS goes_on
              FROM walk ORDER BY step DESC LIMIT 1)
    """


def held(table: str, wanted: str, *, still: str) -> str:
    """The ids of ``wanted`` (a query) that nobody else holds and for which ``still`` holds: locked.

    Each is found by its id and nothing more. Were its state a condition, an index of the rows in that
    state would do, too, gone through from end to end by whoever believes it to be empty.
    """
    return f"""
        SELECT held.id FROM ({wanted}) AS wanted CROSS JOIN LATERAL (
               SELECT * FROM {table} WHERE id = wanted.id LIMIT 1 FOR UPDATE SKIP LOCKED) AS held
         WHERE {still}
    """


class Round:
    """Where a worker's round began, where it has come to, and whether anybody is left further on."""

    def __init__(self) -> None:
        self.after = uuid4()
        self.begin()

    def begin(self) -> None:
        """Everybody has a turn, from here on."""
        self.until = self.after
        self.goes_on = True

    def came(self, claimed: asyncpg.Record) -> None:
        """So far a claim has come."""
        self.after, self.goes_on = claimed["reached"], claimed["goes_on"]


async def go_round(
    database: Database,
    actor: Actor,
    claim: Callable[[Tx], Awaitable[list[Taken]]],
    *rounds: Round,
) -> list[Taken]:
    """What the first claim that finds anything takes; none when all are back where they began."""
    for turn in rounds:
        turn.begin()
    taken: list[Taken] = []
    for _ in range(LOOKS):
        async with by_index(database, actor) as tx:
            taken = await claim(tx)
        if taken or not any(turn.goes_on for turn in rounds):
            break
    return taken
