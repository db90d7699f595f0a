"""Events of the inbox handled per second, against jobs of other queues on the same server.

All do the same small INSERT, for as many at once, with the worker's loop alone running: rows are
stored before the clock starts. Ours and procrastinate keep what they have done, as an audit would want
it; graphile-worker deletes it.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import asyncpg
from procrastinate import App, PsycopgConnector

from bench.instruments import stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, WrongResult, seconds_of, take_turns
from bench.peers.graphile_worker import GraphileWorker
from selify.core.clock import SystemClock
from selify.core.database import Database, Tx
from selify.core.queue.inbox import Event, InboxWorker, Incoming, store

FIGURE = "inbox"
PLATFORM = "bench"
AT_ONCE = 8
PER_SECOND = 800  # events stored per second of effort
AIM = 4.0
AIM_GRAPHILE = 1.0

EFFECTS = "CREATE TABLE {schema}.bench_effects (id bigserial PRIMARY KEY, note text NOT NULL)"
EFFECT = "INSERT INTO {schema}.bench_effects (note) VALUES ($1)"
EFFECTS_DONE = "SELECT count(*) FROM {schema}.bench_effects"

_numbers = itertools.count(1)


async def measure(where: stage.Stage, effort: Effort) -> list[Line]:
    """Rates of ours and of theirs."""
    count = round(PER_SECOND * effort.seconds)
    ours = await _Inbox.open(await where.database("bench_inbox"))
    theirs = await _Procrastinate.open(await where.empty_database("bench_procrastinate"))
    graphile = await GraphileWorker.open(
        await where.empty_database("bench_graphile"),
        where.folder,
        effects=EFFECTS.format(schema="public"),
        at_once=AT_ONCE,
    )

    async def our_rate() -> float:
        await ours.fill(count)
        return count / await seconds_of(ours.drain(count))

    async def their_rate() -> float:
        await theirs.fill(count)
        return count / await seconds_of(theirs.drain())

    async def graphile_rate() -> float:
        assert graphile is not None
        await graphile.fill(count)
        return count / await graphile.drain(count)

    contenders = {"ours": our_rate, "theirs": their_rate}
    if graphile is not None:
        contenders["graphile"] = graphile_rate
    rates = await take_turns(contenders, effort.rounds)
    done = {await ours.effects(), await theirs.effects()}
    if graphile is not None:
        done.add(await graphile.effects(EFFECTS_DONE.format(schema="public")))
        await graphile.close()
    expected = count * (effort.rounds + 1)
    if done != {expected}:
        raise WrongResult(f"not every one of {expected} events had its effect")
    await ours.close()
    await theirs.close()
    return [
        Line(
            FIGURE,
            f"Inbox events handled, {AT_ONCE} at a time",
            rates["ours"].median,
            "/s",
            f"{peer}, the same INSERT in each job",
            rates[name].median,
            rates["ours"].ratio_to(rates[name]),
            aim,
        )
        for name, peer, aim in (
            ("theirs", "procrastinate", AIM),
            ("graphile", "graphile-worker on Node", AIM_GRAPHILE),
        )
        if name in rates
    ]


class _Inbox:
    """The product's inbox with a handler that does one INSERT."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._worker = InboxWorker(
            database, {PLATFORM: _note}, clock=SystemClock(), worker_id="bench", parallel=AT_ONCE
        )

    @classmethod
    async def open(cls, url: str) -> "_Inbox":
        owner = await asyncpg.connect(url)
        await owner.execute(EFFECTS.format(schema="internal"))
        await owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA internal TO service_role")
        await owner.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA internal TO service_role")
        await owner.close()
        return cls(await Database.connect(url, max_size=24))

    async def effects(self) -> int:
        async with self._database.tx(stage.SYSTEM) as tx:
            return int(await tx.fetch_value(EFFECTS_DONE.format(schema="internal")))

    async def fill(self, count: int) -> None:
        """Events of as many conversations."""
        events = [_event(number) for number in itertools.islice(_numbers, count)]
        async with self._database.tx(stage.SYSTEM) as tx:
            await store(tx, events, now=SystemClock().now())

    async def drain(self, count: int) -> None:
        while count > 0:
            count -= await self._worker.run_once()

    async def close(self) -> None:
        await self._database.close()


def _event(number: int) -> Incoming:
    return Incoming(
        platform=PLATFORM,
        event_type="comment_received",
        payload={"id": number, "text": "try on please"},
        ordering_key=f"conversation-{number}",
        account_ref="bench",
    )


async def _note(tx: Tx, event: Event) -> Mapping[str, Any]:
    await tx.execute(EFFECT.format(schema="internal"), event.payload["text"])
    return {}


class _Procrastinate:
    """procrastinate as its documentation sets it up, its jobs on a pool of asyncpg."""

    def __init__(self, app: App, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._app = app
        self._pool = pool

        async def note(text: str) -> None:
            await pool.execute(EFFECT.format(schema="public"), text)

        self._task = app.task(name="note")(note)

    @classmethod
    async def open(cls, url: str) -> "_Procrastinate":
        app = App(connector=PsycopgConnector(conninfo=url, max_size=24))
        await app.open_async()
        await app.schema_manager.apply_schema_async()
        pool = await asyncpg.create_pool(url, min_size=1, max_size=AT_ONCE)
        await pool.execute(EFFECTS.format(schema="public"))
        return cls(app, pool)

    async def effects(self) -> int:
        return int(await self._pool.fetchval(EFFECTS_DONE.format(schema="public")))

    async def fill(self, count: int) -> None:
        await self._task.batch_defer_async(*({"text": "try on please"} for _ in range(count)))

    async def drain(self) -> None:
        await self._app.run_worker_async(
            concurrency=AT_ONCE, wait=False, listen_notify=False, install_signal_handlers=False
        )

    async def close(self) -> None:
        await self._pool.close()
        await self._app.close_async()
