from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from selify.core.clock import FrozenClock
from selify.core.database import Actor
from selify.core.errors import Unavailable
from selify.core.files.storage import Storage
from selify.core.web import health, http


class Outdated(Unavailable):
    title = "The database is not at this program's revision"


@pytest.fixture
def checks(database, storage):
    return {
        "database": health.database_answers(database),
        "storage": health.storage_is_writable(storage),
    }


@pytest.fixture
async def client(database, checks):
    app = FastAPI()
    http.install(app, https=False)
    app.state.clock = FrozenClock(datetime.now(UTC))
    app.state.database = database
    app.state.readiness = health.Readiness(checks, inbox=database, clock=app.state.clock)
    app.include_router(health.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        client.clock = app.state.clock
        yield client


async def test_ready(client):
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": "ok", "storage": "ok"},
        "inbox": {"status": "ok", "oldest_seconds": 0.0},
    }


async def test_not_ready_says_what_is_missing_but_no_details(client, checks, database):
    async def broken():
        raise OSError("could not reach db-7.internal as user selify")

    async def outdated():
        raise Outdated("revision 0001 of db-7.internal")

    checks |= {"schema": outdated, "database": broken}
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "does not answer",
        "storage": "ok",
        "schema": Outdated.title,
    }
    assert "db-7" not in answer.text


async def test_without_a_database_we_live_but_are_not_ready(client, database):
    await database.close()
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "The database cannot be reached"
    assert answer.json()["inbox"] == {"status": "unknown"}
    assert (await client.get("/metrics")).status_code == 200


async def test_a_folder_that_is_gone_makes_us_unready(client, checks, tmp_path):
    storage = Storage.open(f"file://{tmp_path}/files")
    (tmp_path / "files").rmdir()
    (tmp_path / "files").write_text("no folder any more")
    checks["storage"] = health.storage_is_writable(storage)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"] == "Files cannot be stored right now"


async def test_a_late_worker_is_reported_without_taking_the_server_away(client, database):
    async with database.tx(Actor.system("test")) as tx:
        await tx.execute(
            "INSERT INTO public.webhook_events (platform, event_type, event_fingerprint, payload,"
            " created_at) VALUES ('instagram', 'comment', 'f', '{}', $1)",
            client.clock.now() - timedelta(minutes=10),
        )
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["inbox"] == {"status": "late", "oldest_seconds": 600.0}
    assert 'selify_waiting{queue="inbox"} 1.0' in (await client.get("/metrics")).text


async def test_events_that_will_be_tried_again_are_waiting_and_dead_letters_are_not(
    client, database
):
    async with database.tx(Actor.system("test")) as tx:
        for number, (status, tries) in enumerate(
            [("pending", 0), ("failed", 1), ("failed", 2), ("failed", 3), ("completed", 0)]
        ):
            await tx.execute(
                "INSERT INTO public.webhook_events (platform, event_type, event_fingerprint,"
                " payload, status, retry_count, max_retries)"
                " VALUES ('instagram', 'comment', $1, '{}', $2, $3, 3)",
                str(number),
                status,
                tries,
            )
    shown = (await client.get("/metrics")).text
    assert 'selify_waiting{queue="inbox"} 3.0' in shown
    assert "selify_dead_letters 1.0" in shown


async def test_a_broken_invariant_is_counted_until_it_holds_again(client, database):
    async with database.tx(Actor.system("test")) as tx:
        await tx.execute(
            "INSERT INTO internal.invariant_findings (invariant, subject, found_at, resolved_at)"
            " VALUES ('balances', 'a', $1, NULL), ('balances', 'b', $1, $1)",
            client.clock.now(),
        )
    assert "selify_invariant_findings 1.0" in (await client.get("/metrics")).text


async def test_a_crowd_asking_makes_one_round_of_checks(client, checks):
    asked = []

    async def counted():
        asked.append(1)

    checks["counted"] = counted
    for _ in range(5):
        await client.get("/readyz")
    assert len(asked) == 1
    client.clock.advance(health.KEPT_FOR)
    await client.get("/readyz")
    assert len(asked) == 2
