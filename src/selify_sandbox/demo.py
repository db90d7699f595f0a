"""The demo: a brand, its posts and garments, a shopper's phone; by hand or all by itself.

Everything goes through the real doors: the brand connects its account by the platform's consent
page, garments are uploaded, the shopper's phone sends signed webhooks. The stand-in for Instagram
is the only thing here that is not the product.
"""

import asyncio
import contextlib
import functools
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selify.core import logging as core_logging
from selify.core.database import Actor, Database
from selify.core.errors import SelifyError
from selify.core.files import disk
from selify.core.files.pictures import open_picture
from selify.core.settings import Settings
from selify.core.web.listening import check_port
from selify.running import EmbeddedKeeper, counting_together, database, programs
from selify.supervisor import Program, Supervisor, free_port
from selify.tryon.types import GarmentCategory, RefusalCode
from selify_sandbox import drawn_garments
from selify_sandbox.instagram.driver import NothingCame, SandboxDriver, Thread
from selify_sandbox.settings import DemoSettings

EMAIL = "demo@selify.example"
PASSWORD = "try-it-on-today"  # noqa: S105 - a demo's password, printed on the screen
BRAND = "Atelier Nord"
USERNAME = "ateliernord"
PATIENCE = 90.0
SHOPPER = "mia"
COMMENT = "Try on please!"

EXIT_FAILED = 1
EXIT_NO_PICTURE = 2
EXIT_NOBODY = 3
EXIT_INTERRUPTED = 130
# Why there is no picture, where it was not the photo: somebody else has to do something about it.
NOT_THE_PHOTO = (
    RefusalCode.GARMENT_NOT_FOUND,
    RefusalCode.GARMENT_CATEGORY_MISSING,
    RefusalCode.TIMED_OUT,
    RefusalCode.PHOTO_GONE,
)

out = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """A garment of the demo brand, its price and the caption of its post."""

    slug: str
    price_cents: int
    stock: int
    caption: str


# In the order they are published: what comes last is the first post on the phone, and a tee asks
# the least of a newcomer's photo.
PIECES = (
    Piece("trousers-ink", 7900, 31, "Ink on long lines. Comment TRY ON."),
    Piece("dress-meadow", 8900, 12, "A meadow you can wear. Comment TRY ON and send us a photo."),
    Piece("longsleeve-plum", 5900, 25, "Plum season. Want to see yourself in it? Comment TRY ON."),
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
        await brand.settle_in(pieces, told=lambda step: out.print(f"  {step} …", style="dim"))
        # Somebody holds the phone from the start; others can be added there.
        await brand.phone.create_shopper(SHOPPER, name="Mia")
    out.print(
        f"\n[bold green]Selify is up.[/]  Two addresses to open side by side:\n"
        f"  [bold]The shopper's phone[/]  {stack.phone_url}\n"
        f"  [bold]The brand's page[/]     {stack.server_url}   "
        f"(sign in: {EMAIL} / {PASSWORD})\n"
        f"  A brand of your own: sign up there, and connect the shop @{SECOND_USERNAME}.\n"
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

    async def settle_in(
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
                await self.bind(posts[piece.slug], garment_id)

    async def sign_in(self) -> None:
        body = {"email": EMAIL, "password": PASSWORD}
        answer = await self._http.post("/api/v1/auth/sign-in", json=body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            answer = await self._http.post(
                "/api/v1/auth/sign-up", json={**body, "full_name": "Nora Lind"}
            )
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

    async def bind(self, post_ref: str, garment_id: str) -> None:
        posts = {post["post_ref"]: post["id"] for post in await self.of_workspace("/posts")}
        answer = await self._http.put(
            f"{self._workspace}/posts/{posts[post_ref]}/garment",
            json={"garment_id": garment_id, "confirmed": True},
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


# --- The journey, without a hand on it -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JourneyRequest:
    """What ``selify demo --photo`` was asked for, checked."""

    photo: bytes
    garment: bytes
    garment_name: str
    category: GarmentCategory
    out: Path

    @classmethod
    def check(cls, photo: Path, garment: Path | None, out_path: Path | None, category: str) -> Self:
        """Ends the program with exit code 2 and one line for what is no picture."""
        if garment is None or out_path is None:
            raise _leaving("--photo goes with --garment and --out.")
        if category not in tuple(GarmentCategory):
            raise _leaving(f"--category is top, dress or bottom, not {category!r}.")
        return cls(
            _picture(photo), _picture(garment), garment.stem, GarmentCategory(category), out_path
        )


def _picture(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        open_picture(data)
    except OSError as error:
        raise _leaving(f"{path}: {error.strerror}.") from error
    except SelifyError as error:
        raise _leaving(f"{path}: {error.detail}") from error
    return data


def _leaving(sentence: str) -> SystemExit:
    """One clear line, and the exit code for what is no picture."""
    out.print(f"[bold red]✗[/] {sentence}", highlight=False)
    return SystemExit(EXIT_NO_PICTURE)


@dataclass(slots=True)
class Steps:
    """The time of each step, shown as it happens."""

    started: float
    last: float
    rows: list[tuple[str, float]]

    def done(self, name: str) -> None:
        now = time.monotonic()
        self.rows.append((name, now - self.last))
        out.print(f"  [green]✓[/] {name} [dim]{now - self.last:.1f} s[/]", highlight=False)
        self.last = now


async def journey(settings: Settings, request: JourneyRequest) -> int:
    """Comment → private reply → photo → try-on → result, through the real HTTP surfaces."""
    core_logging.configure(level="WARNING", as_json=settings.log_json, part="demo")
    settings = settings.model_copy(update={"port": free_port(), "log_level": "WARNING"})
    now = time.monotonic()
    steps = Steps(now, now, [])
    os.environ["SELIFY_LOG_LEVEL"] = "WARNING"
    with apart(settings) as ours:
        return await _journey(ours, request, steps)


@contextlib.contextmanager
def apart(settings: Settings) -> Iterator[Settings]:
    """Settings with a data folder of their own that is thrown away: a demo that is up has a worker,
    which would take our photo and may not fetch it from our phone. A database that somebody named
    is used as it is.
    """
    if settings.database_url:
        yield settings
        return
    settings.data_dir.mkdir(mode=disk.FOLDER, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="journey-", dir=settings.data_dir))
    # What lies elsewhere would never be deleted: the list of what to delete goes with the folder.
    os.environ["SELIFY_STORAGE_URL"] = ""
    try:
        yield settings.model_copy(update={"data_dir": folder, "storage_url": ""})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _journey(settings: Settings, request: JourneyRequest, steps: Steps) -> int:
    async with open_stack(settings, free_port()) as stack:
        up = asyncio.Event()
        running = asyncio.create_task(stack.supervisor.run(up.set))
        waiting = asyncio.create_task(up.wait())
        try:
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            steps.done("everything is up")
            async with Brand(stack) as brand:
                return await _travel(brand, stack, request, steps)
        except (NothingCame, httpx.TransportError) as error:
            if stack.supervisor.stopping:  # Ctrl-C: nobody is there to answer any more
                return EXIT_INTERRUPTED
            raise SelifyError(f"The shopper waited in vain: {error}") from error
        finally:
            waiting.cancel()
            stack.supervisor.stop()
            await running


async def _travel(brand: Brand, stack: Stack, request: JourneyRequest, steps: Steps) -> int:
    await brand.settle_in(pieces=())
    sku = f"journey-{time.time_ns()}"
    garment_id = await brand.upload(
        request.garment,
        name=request.garment_name,
        category=request.category.leffa,
        sku=sku,
        price_cents=4900,
        stock=20,
    )
    phone = brand.phone
    post = await phone.create_post(
        USERNAME, request.garment, caption="Comment TRY ON.", key=sku, alt_text=request.garment_name
    )
    await brand.connect_and_copy_posts()
    await brand.bind(post.id, garment_id)
    steps.done("garment in the wardrobe, bound to a post")
    shopper = await phone.create_shopper(f"shopper{time.time_ns() % 10**9}")
    await phone.comment(shopper.username, post.id, COMMENT)
    thread = await phone.thread(shopper.username, USERNAME)
    greeting = await phone.wait_for_message(thread, timeout=PATIENCE)
    steps.done("comment answered by a private reply")
    await phone.send_photo(shopper.username, USERNAME, request.photo)
    picture = await _result(phone, thread, after=greeting.seq)
    steps.done("photo answered")
    if picture is not None:
        request.out.write_bytes(picture)
        with contextlib.suppress(NothingCame):
            await phone.wait_for_message(
                thread, lambda m: bool(m.quick_replies), timeout=30, after=greeting.seq
            )
    await _show(brand, thread, steps)
    if picture is None:
        return exit_code(await _refusal_code(stack, shopper.username))
    out.print(f"\n[bold green]✓[/] {request.out}", highlight=False)
    return 0


async def _result(phone: SandboxDriver, thread: Thread, *, after: int) -> bytes | None:
    """The picture the shopper received; None when the bot explained why there is none."""
    answer = await phone.wait_for_message(
        thread, lambda m: m.from_brand, timeout=PATIENCE, after=after
    )
    # The first answer says that the photo arrived; the second is the picture or the reason.
    if not answer.pictures:
        answer = await phone.wait_for_message(
            thread, lambda m: m.from_brand, timeout=PATIENCE, after=answer.seq
        )
    return await phone.picture(answer.pictures[0]) if answer.pictures else None


async def _refusal_code(stack: Stack, shopper: str) -> str | None:
    """Why the charge was given back; None when nothing was ever charged."""
    opened = await Database.connect(stack.database_url, max_size=1)
    try:
        async with opened.tx(Actor.system("journey")) as tx:
            code: str | None = await tx.fetch_value(
                """
                SELECT error_code FROM public.workspace_usage_events
                 WHERE metadata ->> 'shopper' = $1 ORDER BY created_at DESC LIMIT 1
                """,
                shopper,
            )
            return code
    finally:
        await opened.close()


def exit_code(refusal: str | None) -> int:
    """3 when it was the photo: nobody in it can be dressed. Everything else is a failure."""
    about_the_photo = refusal in tuple(RefusalCode) and refusal not in NOT_THE_PHOTO
    return EXIT_NOBODY if about_the_photo else EXIT_FAILED


async def _show(brand: Brand, thread: Thread, steps: Steps) -> None:
    """Transcript, funnel row, charge and times."""
    out.print("\n[bold]What was said[/]")
    out.print(f"  [dim]shopper[/] {COMMENT} [dim](a comment under the post)[/]", highlight=False)
    for message in await brand.phone.messages(thread):
        who = "brand  " if message.from_brand else "shopper"
        said = message.text or f"[{len(message.pictures)} picture]"
        out.print(f"  [dim]{who}[/] {escape(said)}", highlight=False, soft_wrap=True)
    interaction = (await brand.of_workspace("/interactions"))[0]
    out.print("\n[bold]The funnel row[/]")
    for name, value in interaction.items():
        out.print(f"  {name}: {value}", highlight=False, markup=False, soft_wrap=True)
    out.print("\n[bold]The charge[/]")
    for usage in (await brand.of_workspace("/billing/usage"))["items"][:1]:
        explanation = await brand.of_workspace(f"/billing/usage/{usage['id']}")
        for sentence in explanation["sentences"]:
            out.print(f"  {sentence}", highlight=False, markup=False, soft_wrap=True)
    table = Table("step", "seconds", title="Time of each step", title_justify="left")
    for name, seconds in steps.rows:
        table.add_row(name, f"{seconds:.1f}")
    table.add_row("in all", f"{time.monotonic() - steps.started:.1f}")
    out.print(table)
