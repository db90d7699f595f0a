"""Every endpoint of the API's own description against what nobody would send on purpose.

Real ids stand in for most of the invented ones, so that requests reach the code behind the doors;
the rest, and every body and query, is schemathesis's. No answer may be a 5xx, and each must be what
the description says it is.
"""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
)
from tests.infra import postgres, worlds

from selify.app import create_server
from selify.core.settings import Settings
from selify.supervisor import free_port

EXAMPLES = 12
PASSWORD = "correct horse battery"
PROBLEM = "application/problem+json"
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
# A session that ends itself would turn everything after it into 401.
ENDS_SESSION = "/api/v1/auth/sign-out"
# One of so many requests keeps its invented ids.
KEEPS_INVENTED = 5

Ids = dict[str, str]
HIST = {}


@dataclass(frozen=True)
class Api:
    """The running server, what it says of itself, who is signed in, and ids that exist."""

    url: str
    schema: Any
    token: str
    ids: Ids


@contextmanager
def _in_a_thread(config: Settings) -> Iterator[str]:
    """The real server with an event loop of its own: schemathesis asks and waits in this thread."""
    url = config.public_url
    server = uvicorn.Server(
        uvicorn.Config(
            create_server(config), port=config.port, log_config=None, access_log=False, ws="none"
        )
    )
    thread = threading.Thread(target=server.run, name="fuzzed server")
    thread.start()
    try:
        ready = threading.Event()
        while not server.started and thread.is_alive():
            ready.wait(0.05)
        yield url
    finally:
        server.should_exit = True
        thread.join()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fuzzed_database(postgres_server: Any, template_database: str) -> AsyncIterator[str]:
    """A database of its own, for everything here is committed."""
    async for url in postgres._database(postgres_server, f"TEMPLATE {template_database}"):
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(fuzzed_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    port = free_port()
    config = Settings(
        data_dir=Path(tmp_path_factory.mktemp("fuzz")),
        database_url=fuzzed_database,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        log_level="ERROR",
    )
    with _in_a_thread(config) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            user, token = await _sign_up(client)
            description = (await client.get("/openapi.json")).json()
        schema = schemathesis.openapi.from_dict(description)
        schema.config.update(base_url=url)
        yield Api(url, schema, token, await _world(fuzzed_database, user))


async def _sign_up(client: httpx.AsyncClient) -> tuple[str, str]:
    """Somebody new: their id, and an access token."""
    who = {"email": "fuzz@people.example", "password": PASSWORD}
    made = await client.post("/api/v1/auth/sign-up", json={**who, "full_name": "Fuzz"})
    made.raise_for_status()
    grant = {"grant_type": "password", **who}
    signed = await client.post("/api/v1/auth/token", json=grant)
    signed.raise_for_status()
    answer = signed.json()
    return answer["user"]["id"], answer["access_token"]


async def _world(url: str, user: str) -> Ids:
    """A row in every table of a workspace in which the user is an admin."""
    db = await asyncpg.connect(url)
    try:
        tables = await worlds.read_tables(db)
        world = await worlds.build_world(db, tables, "fuzz")
        await worlds.add_member(db, world.workspace_id, user, "admin")  # type: ignore[arg-type]
    finally:
        await db.close()
    rows = world.rows
    return {
        "workspace_id": str(world.workspace_id),
        "user_id": str(world.users["member"]),
        "account_id": str(rows["connected_social_accounts"]["id"]),
        "post_id": str(rows["social_posts"]["id"]),
        "garment_id": str(rows["wardrobe_garments"]["id"]),
        "conversation_id": str(rows["social_conversations"]["id"]),
        "usage_event_id": str(rows["workspace_usage_events"]["id"]),
        "notification_id": str(rows["notifications"]["id"]),
        "platform": "instagram",
    }


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
@pytest.mark.parametrize("signed_in", [True, False], ids=["user", "visitor"])
async def test_no_endpoint_breaks(api: Api, signed_in: bool, mode: GenerationMode) -> None:
    headers = {"Authorization": f"Bearer {api.token}"} if signed_in else {}
    operations = [result.ok() for result in api.schema.get_all_operations()]
    assert len(operations) > 30
    broken = await asyncio.to_thread(
        lambda: [
            f"{operation.label}: {error}"
            for operation in operations
            if not (signed_in and operation.path == ENDS_SESSION)
            for error in _fuzz(operation, mode, headers, api.ids)
        ]
    )
    assert not broken, "\n\n".join(broken)


def _fuzz(operation: Any, mode: GenerationMode, headers: dict[str, str], ids: Ids) -> list[str]:
    """What was wrong with the answers; nothing, when nothing can be made wrong about a request."""
    numbers = itertools.count()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), dice=st.just(None))
    def ask(case: Case, dice: None) -> None:
        del dice
        if next(numbers) % KEEPS_INVENTED:
            _take_real_ids(case, ids)
        answer = case.call(headers=headers)
        HIST.setdefault((mode.name, bool(headers)), {}).setdefault(operation.label, []).append(
            answer.status_code
        )
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [PROBLEM], answer.headers

    try:
        ask()
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - reported by the test
        if "Unsatisfiable" in type(error).__name__:
            HIST.setdefault((mode.name, bool(headers)), {})[operation.label] = ["UNSAT"]
            return []
        return [f"{type(error).__name__}: {error}"]
    return []


def _take_real_ids(case: Case, ids: Ids) -> None:
    for name in set(case.path_parameters or {}) & set(ids):
        case.path_parameters[name] = ids[name]
    if isinstance(case.body, dict):
        for name in set(case.body) & set(ids):
            case.body[name] = ids[name]


def test_show():
    from collections import Counter

    for k, v in HIST.items():
        print(k, sum(len(x) for x in v.values()))
        for op, c in v.items():
            print("   ", op, dict(Counter(c)))
