"""The journey of one shopper without a hand on it: from the comment to the picture, timed.

Everything it needs is started anew and thrown away again, so a demo that is up notices nothing.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import httpx
from PIL import Image
from rich.markup import escape
from rich.table import Table

from selify.core import logging as core_logging
from selify.core.database import Actor, Database
from selify.core.errors import SelifyError
from selify.core.files import disk
from selify.core.files.pictures import open_picture
from selify.core.settings import Settings
from selify.supervisor import free_port
from selify.tryon.types import GarmentCategory, RefusalCode
from selify_sandbox.demo import COMMENT, PATIENCE, USERNAME, Brand, Stack, open_stack, out
from selify_sandbox.instagram.driver import NothingCame, SandboxDriver, Thread

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


# By the ending of a file's name, as Pillow calls it.
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


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
            raise _refused("--photo goes with --garment and --out.")
        if out_path.suffix.lower() not in _FORMATS:
            raise _refused(f"--out ends in {', '.join(_FORMATS)}, not as {out_path.name!r}.")
        if category not in tuple(GarmentCategory):
            raise _refused(f"--category is top, dress or bottom, not {category!r}.")
        return cls(
            _picture(photo), _picture(garment), garment.stem, GarmentCategory(category), out_path
        )


def as_named(jpeg: bytes, path: Path) -> bytes:
    """A JPEG as what the path's ending says."""
    form = _FORMATS[path.suffix.lower()]
    if form == "JPEG":
        return jpeg
    written = BytesIO()
    with Image.open(BytesIO(jpeg)) as picture:
        picture.save(written, form)
    return written.getvalue()


def _picture(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        open_picture(data)
    except OSError as error:
        raise _refused(f"{path}: {error.strerror}.") from error
    except SelifyError as error:
        raise _refused(f"{path}: {error.detail}") from error
    return data


def _refused(sentence: str) -> SystemExit:
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


async def run(settings: Settings, request: JourneyRequest) -> int:
    """Comment → private reply → photo → try-on → result, through the real HTTP surfaces."""
    core_logging.configure(level="WARNING", as_json=settings.log_json, part="demo")
    settings = settings.model_copy(update={"port": free_port(), "log_level": "WARNING"})
    now = time.monotonic()
    steps = Steps(now, now, [])
    os.environ["SELIFY_LOG_LEVEL"] = "WARNING"
    with separate_data_dir(settings) as ours:
        return await _with_stack(ours, request, steps)


@contextlib.contextmanager
def separate_data_dir(settings: Settings) -> Iterator[Settings]:
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


async def _with_stack(settings: Settings, request: JourneyRequest, steps: Steps) -> int:
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
                return await _walk(brand, stack, request, steps)
        except (NothingCame, httpx.TransportError) as error:
            if stack.supervisor.stopping:  # Ctrl-C: nobody is there to answer any more
                return EXIT_INTERRUPTED
            raise SelifyError(f"The shopper waited in vain: {error}") from error
        finally:
            waiting.cancel()
            stack.supervisor.stop()
            await running


async def _walk(brand: Brand, stack: Stack, request: JourneyRequest, steps: Steps) -> int:
    await brand.set_up(pieces=())
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
        request.out.write_bytes(as_named(picture, request.out))
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
