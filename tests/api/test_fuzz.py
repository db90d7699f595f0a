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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
)
from tests.infra import postgres, worlds
from tests.infra.settings import Settings

from selify.app import create_server
from selify.core.web import serving
from selify.messaging.tokens import identity
from selify.supervisor import free_port

# Of each operation: a visitor comes no further than the door of most.
EXAMPLES = {"user": 12, "visitor": 4}
WHO = {"email": "fuzz@people.example", "password": "correct horse battery"}
PROBLEM = "application/problem+json"
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
# A session that ends itself would turn everything after it into 401.
ENDS_SESSION = (
    "/api/v1/auth/sign-out",
    "/api/v1/auth/sign-out-everywhere",
    "/api/v1/auth/erasure",
)
# One of so many requests keeps its invented ids.
KEEPS_INVENTED = 5

# A signature, a secret link, a picture, a new address, a message that waits, an owner, a scope, a key: what no
# generator comes up with.
NEEDS_MORE_THAN_IDS = {
    "GET /webhooks/instagram",
    "POST /webhooks/instagram",
    "POST /webhooks/instagram/deauthorize",
    "POST /webhooks/instagram/data-deletion",
    "GET /webhooks/instagram/data-deletion/{code}",
    "GET /files/{token}",
    "GET /api/v1/realtime",
    "DELETE /api/v1/workspaces/{workspace_id}/brands/{brand_id}",
    "DELETE /api/v1/workspaces/{workspace_id}/holding",
    "GET /api/v1/workspaces/{workspace_id}/brands",
    "GET /api/v1/workspaces/{workspace_id}/holding/offers",
    "POST /api/v1/workspaces/{workspace_id}/brands",
    "PUT /api/v1/workspaces/{workspace_id}/holding",
    "GET /api/v1/workspaces/{workspace_id}/brands/{brand_id}/numbers",
    "POST /api/v1/workspaces/{workspace_id}/holding/accept",
    "PUT /api/v1/admin/users/{user_id}/ban",
    "DELETE /api/v1/admin/users/{user_id}/ban",
    "PUT /api/v1/admin/workspaces/{workspace_id}/owner",
    "POST /api/v1/workspaces/{workspace_id}/ownership/offer",
    "DELETE /api/v1/workspaces/{workspace_id}/ownership/offer",
    "POST /api/v1/workspaces/{workspace_id}/ownership/accept",
    "POST /api/v1/workspaces/{workspace_id}/delete",
    "POST /api/v1/workspaces/{workspace_id}/restore",
    "POST /api/v1/workspaces/{workspace_id}/keys",
    "PATCH /api/v1/workspaces/{workspace_id}/keys/{key_id}",
    "DELETE /api/v1/workspaces/{workspace_id}/keys/{key_id}",
    "POST /api/v1/workspaces/{workspace_id}/keys/{key_id}/confirm",
    "POST /api/v1/auth/sign-up",
    "POST /api/v1/auth/password-reset/confirm",
    "POST /api/v1/auth/password",
    "POST /api/v1/auth/email",
    "POST /api/v1/auth/email/confirm",
    "POST /api/v1/auth/email/undo",
    "POST /api/v1/auth/email-confirmation/confirm",
    "DELETE /api/v1/auth/sessions/{session_id}",
    "GET /api/v1/auth/export",
    "POST /api/v1/auth/erasure/keep",
    "POST /api/v1/workspaces/{workspace_id}/garments",
    "POST /api/v1/workspaces/{workspace_id}/accounts/{account_id}/send-now",
}

Ids = dict[str, Any]


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
    server = serving.build(create_server(config), config)
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
        # Where nobody answers: the platform is not part of this.
        instagram_graph_url=f"http://127.0.0.1:{free_port()}",
    )
    with _in_a_thread(config) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            user, token = await _sign_up(client)
            description = (await client.get("/openapi.json")).json()
        schema = schemathesis.openapi.from_dict(description)
        schema.config.update(base_url=url)
        yield Api(url, schema, token, await _world(config, user))


async def _sign_up(client: httpx.AsyncClient) -> tuple[UUID, str]:
    """Somebody new: their id, and an access token."""
    made = await client.post("/api/v1/auth/sign-up", json={**WHO, "full_name": "Fuzz"})
    made.raise_for_status()
    signed = await client.post("/api/v1/auth/token", json={"grant_type": "password", **WHO})
    signed.raise_for_status()
    answer = signed.json()
    return UUID(answer["user"]["id"]), answer["access_token"]


async def _world(config: Settings, user: UUID) -> Ids:
    """A row in every table of a workspace in which the user is an admin; an account that is live."""
    db = await asyncpg.connect(config.database_url)
    try:
        tables = await worlds.read_tables(db)
        world = await worlds.build_world(db, tables, "fuzz")
        await worlds.add_member(db, world.workspace_id, user, "admin")
        account_id = world.rows["connected_social_accounts"]["id"]
        await db.execute(
            """
            UPDATE public.connected_social_accounts
               SET platform = 'instagram', status = 'active', access_token = $2 WHERE id = $1
            """,
            account_id,
            config.secret_box.seal("a-token", about=identity(account_id)),
        )
    finally:
        await db.close()
    rows = world.rows
    return {
        **WHO,
        "workspace_id": str(world.workspace_id),
        "user_id": str(world.users["member"]),
        "account_id": str(account_id),
        "post_id": str(rows["social_posts"]["id"]),
        "garment_id": str(rows["wardrobe_garments"]["id"]),
        "conversation_id": str(rows["social_conversations"]["id"]),
        "usage_event_id": str(rows["workspace_usage_events"]["id"]),
        "platform": "instagram",
        "confirmed": True,
    }


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
@pytest.mark.parametrize("signed_in", [True, False], ids=["user", "visitor"])
async def test_no_endpoint_breaks(api: Api, signed_in: bool, mode: GenerationMode) -> None:
    headers = {"Authorization": f"Bearer {api.token}"} if signed_in else {}
    operations = [result.ok() for result in api.schema.get_all_operations()]
    asked = [one for one in operations if not (signed_in and one.path in ENDS_SESSION)]
    examples = EXAMPLES["user" if signed_in else "visitor"]
    found = await asyncio.to_thread(
        lambda: {one.label: _fuzz(one, mode, examples, headers, api.ids) for one in asked}
    )
    broken = [f"{label}: {fault}" for label, answers in found.items() for fault in answers.faults]
    assert not broken, "\n\n".join(broken)
    if signed_in and mode is GenerationMode.POSITIVE:
        never = {label for label, answers in found.items() if not answers.reached}
        assert sorted(never - NEEDS_MORE_THAN_IDS) == []


@dataclass
class Answers:
    """What came back. ``reached``: at least one request was carried out."""

    faults: list[str] = field(default_factory=list)
    reached: bool = False


def _fuzz(
    operation: Any, mode: GenerationMode, examples: int, headers: dict[str, str], ids: Ids
) -> Answers:
    numbers, answers = itertools.count(), Answers()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        if next(numbers) % KEEPS_INVENTED:
            _take_real_ids(case, ids)
        answer = case.call(headers=headers)
        answers.reached = answers.reached or answer.status_code < 400
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [PROBLEM], answer.headers

    try:
        ask()
    except Unsatisfiable:
        pass  # nothing can be made wrong about this request
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - reported by the test
        answers.faults.append(f"{type(error).__name__}: {error}")
    return answers


def _take_real_ids(case: Case, ids: Ids) -> None:
    for name in set(case.path_parameters or {}) & set(ids):
        case.path_parameters[name] = ids[name]
    if isinstance(case.body, dict):
        for name in set(case.body) & set(ids):
            case.body[name] = ids[name]
