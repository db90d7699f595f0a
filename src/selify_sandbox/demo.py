"""The demo: a brand, its posts and garments, a shopper's phone. (``journey`` runs it by itself.)

Everything goes through the real doors: the brand connects its account by the platform's consent
page, garments are uploaded, the shopper's phone sends signed webhooks. The stand-in for Instagram
is the only thing here that is not the product.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import httpx
from rich.console import Console

from selify.core import logging as core_logging
from selify.core.errors import SelifyError
from selify.core.settings import Settings
from selify.core.web.listening import check_port
from selify.running import EmbeddedKeeper, counting_together, database, programs
from selify.supervisor import Program, Supervisor
from selify_sandbox import drawn_garments
from selify_sandbox.instagram.driver import SandboxDriver
from selify_sandbox.settings import DemoSettings

EMAIL = "demo@selify.example"
PASSWORD = "try-it-on-today"  # noqa: S105 - a demo's password, printed on the screen
BRAND = "Atelier Nord"
USERNAME = "ateliernord"
PATIENCE = 90.0
SHOPPER = "mia"
COMMENT = "Try on please!"

out = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """A garment of the demo brand, its price and the caption of its post. ``worn_with``: the slug of what
    the post shows beside it.
    """

    slug: str
    price_cents: int
    stock: int
    caption: str
    worn_with: str = ""


# In the order they are published: what comes last is the first post on the phone, and a tee asks
# the least of a newcomer's photo.
PIECES = (
    Piece("trousers-ink", 7900, 31, "Ink on long lines. Comment TRY ON."),
    Piece("dress-meadow", 8900, 12, "A meadow you can wear. Comment TRY ON and send us a photo."),
    Piece(
        "longsleeve-plum",
        5900,
        25,
        "Plum season, with ink below. Want to see yourself in both? Comment TRY ON.",
        worn_with="trousers-ink",
    ),
    Piece("tee-harbour", 4500, 18, "Stripes that have seen the sea. Comment “try on” below."),
    Piece("tee-sunrise", 4200, 7, "Sunrise, but make it cotton. Comment TRY ON!"),
    Piece(
        "tee-forest",
        3900,
        42,
        "Made for early trains and long walks. Comment TRY ON to see it on you.",
    ),
)

# A shop nobody has connected yet, for whoever signs up with a brand of their own.
SECOND_BRAND = "Studio Sand"
SECOND_USERNAME = "studiosand"
SECOND_PIECES = (
    Piece("tee-clay", 3400, 16, "Clay, washed by hand. Comment TRY ON."),
    Piece("tee-white", 2900, 60, "The white tee. Comment TRY ON and see."),
)


# --- Staying up ----------------------------------------------------------------------------------


async def stay_up(settings: DemoSettings) -> None:
    """Everything, until Ctrl-C."""
    core_logging.configure(level=settings.log_level, as_json=settings.log_json, part="demo")
    check_port(settings.host, settings.port, "SELIFY_PORT")
    check_port("127.0.0.1", settings.phone_port, "SELIFY_PHONE_PORT")
    out.print(
        "  Starting the database, the server, a worker and the shopper's phone …", style="dim"
    )
    async with open_stack(settings, settings.phone_port) as stack:
        loading: list[asyncio.Task[None]] = []
        failures: list[BaseException] = []

        def ended(done: asyncio.Task[None]) -> None:
            """A demo that cannot be loaded says so and ends, instead of waiting for nobody. One that
            is being stopped misses its server, which is no failure.
            """
            error = None if done.cancelled() else done.exception()
            if error is not None and not stack.supervisor.stopping:
                failures.append(error)
                stack.supervisor.stop()

        def ready() -> None:
            task = asyncio.create_task(load_and_announce(stack))
            task.add_done_callback(ended)
            loading.append(task)

        await stack.supervisor.run(ready)
        for task in loading:
            task.cancel()
        for error in failures:
            raise error


@dataclass(frozen=True, slots=True)
class Stack:
    """A running demo. ``keeper`` is there when the database is the embedded one."""

    server_url: str
    phone_url: str
    database_url: str
    supervisor: Supervisor
    keeper: EmbeddedKeeper | None


@contextlib.asynccontextmanager
async def open_stack(settings: Settings, phone_port: int) -> AsyncIterator[Stack]:
    """Database, server, worker and phone, described; the supervisor is not running yet."""
    server_url = settings.own_url
    phone_url = f"http://127.0.0.1:{phone_port}"
    to_phone = {
        "SELIFY_INSTAGRAM_WWW_URL": phone_url,
        "SELIFY_INSTAGRAM_API_URL": phone_url,
        "SELIFY_INSTAGRAM_GRAPH_URL": phone_url,
        "SELIFY_INSTAGRAM_MEDIA_HOSTS": f"127.0.0.1:{phone_port}",
    }
    settings = settings.model_copy(update={"public_url": server_url})
    async with database(settings) as (url, keeper):
        ours = [
            Program(p.name, p.arguments, {**p.environment, **to_phone}, p.ready_url)
            for p in programs(settings, url)
        ]
        phone = Program(
            "phone",
            ("phone", "--port", str(phone_port), "--server", server_url),
            {"SELIFY_DATA_DIR": str(settings.data_dir)},
            f"{phone_url}/sandbox/api/world",
        )
        watch = keeper.watch if keeper else None
        with counting_together(settings):
            yield Stack(server_url, phone_url, url, Supervisor([phone, *ours], watch), keeper)


async def load_and_announce(stack: Stack, pieces: tuple[Piece, ...] = PIECES) -> None:
    async with Brand(stack) as brand:
        # First, so that its posts stand below those of the demo brand on the phone.
        await open_second_shop(brand.phone)
        await brand.set_up(pieces, told=lambda step: out.print(f"  {step} …", style="dim"))
        # Somebody holds the phone from the start; others can be added there.
        await brand.phone.create_shopper(SHOPPER, name="Mia")
    out.print(
        f"\n[bold green]Selify is up.[/]  Two addresses to open side by side:\n"
        f"  [bold]The shopper's phone[/]  {stack.phone_url}\n"
        f"  [bold]The brand's page[/]     {stack.server_url}   "
        f"(sign in: {EMAIL} / {PASSWORD})\n"
        f"  A brand of your own: sign up there, and connect the shop @{SECOND_USERNAME}.\n"
        f"  What Selify mails you lies in {stack.server_url}/mailbox.\n"
        f"  On the phone: comment “try on” under a post, then answer with a photo of yourself.\n"
        f"  Ctrl-C stops everything; nothing is lost.\n",
        highlight=False,
        soft_wrap=True,  # a password is copied, not put together
    )


async def open_second_shop(phone: SandboxDriver) -> None:
    """On the platform alone: what is there already stays."""
    shop = await phone.create_account(
        SECOND_USERNAME, name=SECOND_BRAND, biography="Quiet colours, slowly made."
    )
    published = {post.key for post in await phone.posts(shop)}
    for piece in SECOND_PIECES:
        if piece.slug not in published:
            await publish(phone, SECOND_USERNAME, piece)


async def publish(phone: SandboxDriver, username: str, piece: Piece) -> str:
    """The post's id at the platform; publishing twice publishes once."""
    garment = _drawn(piece)
    post = await phone.create_post(
        username,
        garment.photo(),
        caption=piece.caption,
        alt_text=garment.title,
        key=piece.slug,
        likes=40 + len(piece.caption),
    )
    return post.id


# --- The brand, through the real doors -----------------------------------------------------------


class Brand:
    """The demo brand's people, acting through the API like anybody else."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._http = httpx.AsyncClient(base_url=stack.server_url, timeout=60, trust_env=False)
        self.phone = SandboxDriver(stack.phone_url)
        self.workspace_id: UUID | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self.phone.close()

    async def set_up(
        self, pieces: tuple[Piece, ...] = PIECES, told: Callable[[str], None] = lambda _: None
    ) -> None:
        """Account, workspace, connection, garments and posts; what is there already stays.
        ``told`` hears each longer step.
        """
        await self.sign_in()
        account = await self.phone.create_account(
            USERNAME, name=BRAND, biography="Clothes for the north."
        )
        garments = await self._garments()
        put_away = await self._garments(archived=True)
        pieces = tuple(piece for piece in pieces if piece.slug not in put_away)
        published = {post.key: post.id for post in await self.phone.posts(account)}
        posts = {
            piece.slug: published.get(piece.slug) or await publish(self.phone, USERNAME, piece)
            for piece in pieces
        }
        await self._connect(posts)
        bound = {p["post_ref"] for p in await self.of_workspace("/posts") if p["binding_id"]}
        for piece in pieces:
            if piece.slug not in garments:
                told(f"Hanging “{_drawn(piece).title}” into the demo brand's wardrobe")
                garments[piece.slug] = await self._add_to_wardrobe(piece)
            garment_id = garments[piece.slug]
            if posts[piece.slug] not in bound:
                await self.bind(posts[piece.slug], garment_id, garments.get(piece.worn_with))

    async def sign_in(self) -> None:
        body = {"email": EMAIL, "password": PASSWORD}
        answer = await self._http.post("/api/v1/auth/sign-in", json=body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            made = await self._http.post(
                "/api/v1/auth/sign-up", json={**body, "full_name": "Nora Lind"}
            )
            made.raise_for_status()
            answer = await self._http.post("/api/v1/auth/sign-in", json=body)
        answer.raise_for_status()
        workspaces = (await self.get("/api/v1/workspaces"))["workspaces"]
        if not workspaces:
            made = await self._http.post(
                "/api/v1/workspaces",
                json={"name": BRAND},
                headers={"Idempotency-Key": "demo-brand"},
            )
            made.raise_for_status()
            workspaces = [made.json()]
        self.workspace_id = UUID(workspaces[0]["id"])

    async def get(self, path: str) -> Any:
        answer = await self._http.get(path)
        answer.raise_for_status()
        return answer.json()

    async def of_workspace(self, path: str) -> Any:
        return await self.get(f"{self._workspace}{path}")

    async def upload(
        self, picture: bytes, *, name: str, category: str, sku: str, price_cents: int, stock: int
    ) -> str:
        """A garment into the wardrobe; its id."""
        fields = {
            "name": name,
            "category": category,
            "sku": sku,
            "price_cents": str(price_cents),
            "stock": str(stock),
            "url": f"https://ateliernord.example/{sku}",
        }
        answer = await self._http.post(
            f"{self._workspace}/garments", data=fields, files={"picture": (f"{sku}.png", picture)}
        )
        if answer.is_error:
            problem = answer.json()
            raise SelifyError(problem["detail"], hint=problem.get("hint", ""))
        return str(answer.json()["id"])

    async def bind(self, post_ref: str, garment_id: str, worn_with: str | None = None) -> None:
        posts = {post["post_ref"]: post["id"] for post in await self.of_workspace("/posts")}
        answer = await self._http.put(
            f"{self._workspace}/posts/{posts[post_ref]}/garment",
            json={"garment_id": garment_id, "worn_with_id": worn_with, "confirmed": True},
        )
        answer.raise_for_status()

    async def connect_and_copy_posts(self) -> None:
        """Consent (again): connects the account and copies its posts."""
        begin = await self._http.get(
            "/connect/instagram", params={"workspace_id": str(self.workspace_id)}
        )
        back = await self.phone.authorize(begin.headers["location"], USERNAME)
        finish = await self._http.get(back)
        if finish.status_code != httpx.codes.SEE_OTHER:
            raise SelifyError(f"Connecting the demo account failed: {finish.text}")

    async def _connect(self, wanted: dict[str, str]) -> None:
        live = [a for a in await self.of_workspace("/accounts") if a["status"] == "active"]
        known = {post["post_ref"] for post in await self.of_workspace("/posts")}
        if not live or not known.issuperset(wanted.values()):
            await self.connect_and_copy_posts()

    async def _add_to_wardrobe(self, piece: Piece) -> str:
        garment = _drawn(piece)
        return await self.upload(
            garment.png(),
            name=garment.title,
            category=garment.category.leffa,
            sku=piece.slug,
            price_cents=piece.price_cents,
            stock=piece.stock,
        )

    async def _garments(self, *, archived: bool = False) -> dict[str, str]:
        """Garment ids by slug (the part of the product's address we chose)."""
        found = {}
        for garment in await self.of_workspace(f"/garments?archived={archived}"):
            slug = str(garment["product"].get("url", "")).rsplit("/", 1)[-1]
            found[slug] = garment["id"]
        return found

    @property
    def _workspace(self) -> str:
        return f"/api/v1/workspaces/{self.workspace_id}"


def _drawn(piece: Piece) -> drawn_garments.DrawnGarment:
    return _wardrobe()[piece.slug]


@functools.cache
def _wardrobe() -> dict[str, drawn_garments.DrawnGarment]:
    """By slug; drawing takes a moment."""
    return {garment.slug: garment for garment in drawn_garments.wardrobe()}
