"""A workspace with its people, each with an account and a browser: olga owns it, adam is an admin, max and eva
are members; a stranger owns another one, and somebody is of our team.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from tests.auth.conftest import House, sign_up

from selify.core.database import Actor

API = "/api/v1/workspaces"
ADMIN = "/api/v1/admin"
PASSWORD = "correct horse battery"
ROLES = {"adam": "admin", "max": "member", "eva": "member"}


@dataclass
class Someone:
    name: str
    client: httpx.AsyncClient
    id: UUID

    @property
    def actor(self) -> Actor:
        return Actor.user(self.id)

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.client.request(method, path, json=body, **more)


@dataclass
class Nordlicht:
    house: House
    id: UUID
    people: dict[str, Someone]

    def __getitem__(self, name: str) -> Someone:
        return self.people[name]

    def at(self, path: str) -> str:
        return f"{API}/{self.id}{path}"

    async def status(self, who: str, method: str, path: str, body: Any = None) -> int:
        return (await self[who].ask(method, path, body)).status_code

    async def make(self, who: str, role: str, whom: str) -> httpx.Response:
        return await self[who].ask("PATCH", self.at(f"/members/{self[whom].id}"), {"role": role})

    async def remove(self, who: str, whom: str) -> httpx.Response:
        return await self[who].ask("DELETE", self.at(f"/members/{self[whom].id}"))

    async def run(self, sql: str, *args: Any) -> list[Any]:
        return await self.house.run(sql, *args)

    async def roles(self) -> dict[str, str]:
        rows = await self.run(
            "SELECT split_part(u.email, '@', 1) AS name, m.role FROM public.workspace_members m"
            " JOIN auth.users u ON u.id = m.user_id WHERE m.workspace_id = $1 ORDER BY name",
            self.id,
        )
        return {row["name"]: row["role"] for row in rows}

    async def add(self, name: str, role: str) -> None:
        await self.run(
            "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
            " VALUES ($1, $2, $3, $4)",
            self.id,
            self[name].id,
            role,
            self.house.clock.now(),
        )

    async def audited(self) -> list[str]:
        """What was done, and not how everybody came in."""
        rows = await self.run(
            "SELECT event_type FROM public.sso_audit_log WHERE event_type NOT LIKE 'sign\\_%'"
            " ORDER BY created_at, id"
        )
        return [row["event_type"] for row in rows]

    async def told(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.run(
            "SELECT payload FROM internal.outbox WHERE payload ->> 'kind' = $1 ORDER BY id", kind
        )
        return [row["payload"] for row in rows]


@pytest_asyncio.fixture(loop_scope="session")
async def nordlicht(container: House) -> AsyncIterator[Nordlicht]:
    people = {}
    for name in ("olga", *ROLES, "stranger", "team"):
        client = container.client()
        answer = await sign_up(client, f"{name}@example.com")
        people[name] = Someone(name, client, UUID(answer["user"]["id"]))
    made = await people["olga"].ask("POST", API, {"name": "Nordlicht"})
    found = Nordlicht(container, UUID(made.json()["id"]), people)
    for name, role in ROLES.items():
        await found.add(name, role)
    await people["stranger"].ask("POST", API, {"name": "Elsewhere"})
    await container.run(
        "UPDATE auth.users SET raw_app_meta_data = '{\"team\": true}' WHERE id = $1",
        people["team"].id,
    )
    yield found
    for person in people.values():
        await person.client.aclose()
