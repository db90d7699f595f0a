"""The real server on a database of its own, and brands whose pages are looked at."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page
from tests.auth.conftest import CHEAP
from tests.infra.settings import Settings

from selify import billing
from selify.app import create_server
from selify.auth import Authenticator, ClientInfo, create_workspace
from selify.auth.passwords import Passwords
from selify.commerce import LeffaMetadata, NewGarment, add_garment
from selify.core.clock import SystemClock
from selify.core.database import Actor, Database
from selify.core.files.storage import Storage
from selify.core.web import serving
from selify.core.web.links import FileLinks
from selify.messaging import conversations, repository
from selify.messaging.ports import PostItem
from selify.supervisor import free_port
from selify.tryon import posts
from selify.tryon.dialogue import Stage, State
from selify.tryon.memory import remember
from selify_sandbox import drawn_garments

SYSTEM = Actor.system("test")
PASSWORD = "correct horse battery"
PICTURE = drawn_garments.tee("tee", "Tee", (74, 98, 190)).png()
PAGE = {"Accept": "text/html,application/xhtml+xml"}
_numbers = count(1)


@dataclass
class Site:
    """The running server. People join through an authenticator of the test's own, for the real one would
    stop so many sign-ups from one address, and makes a password cost more than a test has.
    """

    url: str
    database: Database
    authenticator: Authenticator
    storage: Storage
    links: FileLinks

    def visitor(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, headers={**PAGE, **headers}, timeout=60, trust_env=False
        )

    async def join(self, name: str = "mira") -> "Person":
        number = next(_numbers)
        email = f"{name}{number}@people.example"
        client = ClientInfo(f"198.51.100.{number % 250}", None)
        await self.authenticator.sign_up(
            email=email, password=PASSWORD, full_name=name.title(), client=client
        )
        signed_in = await self.authenticator.sign_in(email=email, password=PASSWORD, client=client)
        browser = self.visitor(Origin=self.url)
        browser.cookies.set(self.authenticator.cookie_name, signed_in.secret)
        return Person(signed_in.session.user.id, email, browser)

    async def run(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        async with self.database.tx(SYSTEM) as tx:
            return await tx.fetch(sql, *args)


@dataclass
class Person:
    """Somebody with a browser that is signed in."""

    id: UUID
    email: str
    browser: httpx.AsyncClient

    async def look(self, path: str) -> str:
        """The page at this address; redirects are followed."""
        answer = await self.browser.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    async def post(self, path: str, *, script: bool = False, **form: Any) -> httpx.Response:
        headers = {"HX-Request": "true"} if script else {}
        return await self.browser.post(path, data=form, headers=headers)

    async def upload(
        self, path: str, *pictures: tuple[str, bytes], script: bool = False, **form: str
    ) -> httpx.Response:
        """A form with pictures, as a browser sends it: also where none was chosen."""
        fields = [(f'name="{name}"', value.encode()) for name, value in form.items()]
        fields += [
            (f'name="picture"; filename="{name}"\r\nContent-Type: application/octet-stream', data)
            for name, data in pictures or [("", b"")]
        ]
        border = uuid4().hex
        body = b"".join(
            f"--{border}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
            + data
            + b"\r\n"
            for head, data in fields
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={border}"}
        headers |= {"HX-Request": "true"} if script else {}
        content = body + f"--{border}--\r\n".encode()
        return await self.browser.post(path, content=content, headers=headers)


@dataclass
class Brand:
    """A workspace with a connected account, one post, one garment and one conversation."""

    site: Site
    owner: Person
    id: UUID
    name: str
    account_id: UUID
    post_id: UUID
    garment_id: UUID
    conversation_id: UUID

    def at(self, path: str) -> str:
        return f"{path}?workspace={self.id}"

    async def hear(self, text: str, *, by: str = "shopper") -> None:
        """A message in the conversation, as the worker stores it."""
        async with self.site.database.tx(SYSTEM) as tx:
            thread = await conversations.lock_by_id(tx, self.conversation_id)
            await conversations.record_message(
                tx,
                thread,
                message_ref=str(uuid4()),
                sender_ref=thread.person_ref if by == "shopper" else "the account",
                text=text,
                kind="text",
                at=datetime.now(UTC),
            )

    async def hear_from(self, shopper: str, text: str) -> None:
        """A message of somebody else to the same account."""
        async with self.site.database.tx(SYSTEM) as tx:
            account = await repository.account(tx, self.account_id)
            thread = await conversations.lock(tx, account, f"{shopper}-{self.account_id}")
            await conversations.set_username(tx, thread, shopper)
            await conversations.record_message(
                tx,
                thread,
                message_ref=str(uuid4()),
                sender_ref=thread.person_ref,
                text=text,
                kind="text",
                at=datetime.now(UTC),
            )

    async def charge(self) -> UUID:
        """A try-on that is being made."""
        clock = SystemClock()
        async with self.site.database.tx(SYSTEM) as tx:
            order = billing.Order(self.id, "tryon", str(uuid4()), "instagram")
            reserved = await billing.reserve(tx, clock, order)
        return reserved.id

    async def member(self, role: str) -> Person:
        person = await self.site.join(role)
        await self.site.run(
            "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
            " VALUES ($1, $2, $3, now())",
            self.id,
            person.id,
            role,
        )
        return person


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(
    postgres_server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("dash")
    async with open_site(postgres_server.url, template_database, "dash", folder) as opened:
        yield opened


@contextlib.asynccontextmanager
async def open_site(
    server_url: str, template_database: str, name: str, folder: Path
) -> AsyncIterator[Site]:
    """The server on a database of that name, which goes with it."""
    here = f"/{template_database}?"
    admin = await asyncpg.connect(server_url.replace(here, "/postgres?"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    url = server_url.replace(here, f"/{name}?")
    settings = _settings(url, folder)
    database = await Database.connect(url, max_size=6)
    try:
        async with database.tx(SYSTEM) as tx:
            await billing.seed(tx)
        async with _serving(settings):
            authenticator = replace(
                Authenticator.from_settings(settings, database, SystemClock()),
                passwords=Passwords(CHEAP),
            )
            links = FileLinks(settings.secret_box, settings.public_url)
            yield Site(
                settings.public_url,
                database,
                authenticator,
                Storage.open(settings.files_url),
                links,
            )
    finally:
        await database.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


def _settings(url: str, folder: Path) -> Settings:
    port = free_port()
    return Settings(
        database_url=url,
        data_dir=folder,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        tryon_small=True,
    )


class _serving:  # noqa: N801 - reads as a word where it is used
    """The server in a thread of its own, as it listens to the world."""

    def __init__(self, settings: Settings) -> None:
        self._server = serving.build(create_server(settings), settings)
        self._thread = threading.Thread(target=self._server.run)

    async def __aenter__(self) -> None:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            await asyncio.sleep(0.05)

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await asyncio.to_thread(self._thread.join)


async def open_brand(site: Site, name: str, *, shopper: str = "lena") -> Brand:
    owner = await site.join()
    account_id = uuid4()
    async with site.database.tx(SYSTEM) as tx:
        workspace = await create_workspace(tx, name=name, owner_id=owner.id)
        await tx.execute(
            """
            INSERT INTO public.connected_social_accounts
                   (id, workspace_id, user_id, platform, platform_account_id, platform_username,
                    access_token, token_expires_at, status, settings)
            VALUES ($1, $2, $3, 'instagram', $4, $5, 'sealed', $6, 'active', '{}')
            """,
            account_id,
            workspace.id,
            owner.id,
            str(account_id),
            f"{name.lower()}.shop",
            datetime.now(UTC) + timedelta(days=30),
        )
        account = await repository.account(tx, account_id)
        thread = await conversations.lock(tx, account, f"person-{account_id}")
        await conversations.set_username(tx, thread, shopper)
        await remember(tx, thread, State(stage=Stage.AWAITING_PHOTO))
        item = PostItem(
            post_ref=f"post-{account_id}",
            caption=f"A post of {name}",
            url="https://platform.example/p/1",
            media_type="image",
            media_urls=(),
            thumbnail_url="",
            likes=1,
            comments=1,
            posted_at=datetime.now(UTC),
        )
        await posts.store_posts(tx, account_id, [item], now=datetime.now(UTC))
        post_id = await tx.fetch_value(
            "SELECT id FROM public.social_posts WHERE workspace_id = $1", workspace.id
        )
        garment = await add_garment(
            tx, workspace.id, new_garment(f"Tee of {name}"), created_by=owner.id
        )
    await site.storage.put(garment.storage_path, PICTURE, content_type="image/png")
    brand = Brand(site, owner, workspace.id, name, account_id, post_id, garment.id, thread.id)
    await brand.hear(f"Hello {name}, is this real?")
    return brand


async def signed_in(context: BrowserContext, brand: Brand, path: str = "/") -> Page:
    """The owner at that page, in Chromium, with the session they have already."""
    url = brand.site.url
    cookies = brand.owner.browser.cookies.items()
    await context.add_cookies([{"name": name, "value": held, "url": url} for name, held in cookies])
    page = await context.new_page()
    await page.goto(url + path)
    return page


def new_garment(name: str, *, sure: float = 1.0) -> NewGarment:
    leffa = LeffaMetadata(
        leffa_category="upper_body",
        category_confidence=sure,
        analyzed_at=datetime.now(UTC),
        analyzer_version="test",
    )
    return NewGarment(
        name=name,
        filename="tee.png",
        content_type="image/png",
        size=1,
        has_transparency=True,
        leffa=leffa,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def brand(site: Site) -> AsyncIterator[Brand]:
    made = await open_brand(site, "Nordlicht")
    yield made
    await made.owner.browser.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def rival(site: Site) -> AsyncIterator[Brand]:
    made = await open_brand(site, "Konkurrenz", shopper="other-shopper")
    yield made
    await made.owner.browser.aclose()
