"""An app with the auth domain on a real database, and people who use it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from fastapi import FastAPI
from tests.infra.one_for_all import database, database_url

from selify.auth import Authenticator
from selify.auth.one_time_links import FormFields
from selify.auth.passwords import Passwords
from selify.auth.tokens import Tokens
from selify.auth.wiring import WING
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database
from selify.core.secrets import SecretBox
from selify.core.web import http
from selify.notifications.email import Mailer

__all__ = ["database", "database_url"]

PASSWORD = "correct horse battery"
ORIGIN = "http://shop.test"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
SYSTEM = Actor.system("test")


@dataclass
class House:
    app: FastAPI
    authenticator: Authenticator
    clock: FrozenClock
    database: Database
    box: SecretBox

    def client(self, address: str = "203.0.113.7", **options: Any) -> httpx.AsyncClient:
        """A browser of its own, on our own page."""
        page = self.authenticator.public_url
        options.setdefault("headers", {"Origin": page})
        transport = httpx.ASGITransport(self.app, client=(address, 5000))
        return httpx.AsyncClient(transport=transport, base_url=page, **options)

    async def run(self, sql: str, *args: Any) -> list[Any]:
        async with self.database.tx(SYSTEM) as tx:
            return await tx.fetch(sql, *args)


def make_house(database: Database, *, public_url: str = ORIGIN, hasher: Any = CHEAP) -> House:
    clock = FrozenClock(datetime.now(UTC))
    box = SecretBox.parse([SecretBox.new_key("k1")])
    authenticator = Authenticator(
        database=database,
        clock=clock,
        passwords=Passwords(hasher),
        tokens=Tokens(box, issuer=public_url),
        mailer=Mailer(box, public_url),
        form_fields=FormFields(box),
        public_url=public_url,
        lifetime=timedelta(days=14),
    )
    app = FastAPI()
    http.install(app, https=public_url.startswith("https"))
    app.state.database, app.state.clock = database, clock
    app.state.authenticator, app.state.authenticate = authenticator, authenticator.authenticate
    for router in WING.routers:
        app.include_router(router)
    return House(app, authenticator, clock, database, box)


@pytest.fixture
def container(database: Database) -> House:
    return make_house(database)


@pytest.fixture
def new_house(database: Database) -> Callable[..., House]:
    """Another server process, so to say, on the same database."""
    return lambda **options: make_house(database, **options)


@pytest_asyncio.fixture(loop_scope="session")
async def browser(container: House) -> AsyncIterator[httpx.AsyncClient]:
    async with container.client() as client:
        yield client


async def sign_up(client: httpx.AsyncClient, email: str = "mira@example.com") -> dict[str, Any]:
    """A new account, and signed in to it."""
    who = {"email": email, "password": PASSWORD}
    made = await client.post("/api/v1/auth/sign-up", json={**who, "full_name": "Mira Holm"})
    assert made.status_code == 202, made.text
    signed_in = await client.post("/api/v1/auth/sign-in", json=who)
    assert signed_in.status_code == 200, signed_in.text
    return signed_in.json()


@pytest.fixture
def joined() -> Callable[..., Any]:
    return sign_up


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture
def mailbox(container: House) -> Any:
    from tests.auth.mailbox import Mailbox

    return Mailbox(container)


async def audit_of(house: House) -> list[tuple[str, str | None]]:
    """Every line's event and what refused it, in order."""
    rows = await house.run("SELECT event_type, error_code FROM public.sso_audit_log ORDER BY id")
    return [(row["event_type"], row["error_code"]) for row in rows]


@pytest.fixture
def audited(container: House) -> Callable[[], Any]:
    return lambda: audit_of(container)
