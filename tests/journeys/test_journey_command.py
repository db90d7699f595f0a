"""``selify demo --photo``: the journey by itself, beside a demo that is up, and its exit codes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from tests.infra.engines import plain_photo
from tests.infra.settings import Settings
from tests.infra.stack import INSTANT, ROOT, WholeStack, quick_folder, running_stack

from selify.core.database import Actor
from selify.tryon.types import RefusalCode
from selify_sandbox import demo, drawn_garments, journey

PERSON = (40, 120, 200)
NOBODY = (4, 4, 4)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[WholeStack]:
    """A demo that is up."""
    with quick_folder() as folder:
        async with running_stack(folder) as running:
            yield running


async def run(stack: WholeStack, folder: Path, photo: bytes) -> tuple[int, str]:
    """The command in the same data directory: its exit code, and what it printed."""
    (folder / "me.png").write_bytes(photo)
    (folder / "tee.png").write_bytes(drawn_garments.wardrobe()[0].png())
    environment = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        "SELIFY_DATA_DIR": str(stack.settings.data_dir),
        "SELIFY_TRYON_ENGINES": INSTANT,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "selify", "demo", "--photo", "me.png", "--garment", "tee.png"),
        *("--out", "result.jpg"),
        cwd=folder,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.slow
async def test_the_journey_leaves_a_running_demo_alone(stack: WholeStack, tmp_path: Path) -> None:
    code, said = await run(stack, tmp_path, plain_photo(PERSON))
    assert code == 0, said
    assert (tmp_path / "result.jpg").stat().st_size > 0
    assert "Try on please! (a comment under the post)" in said
    assert "Got your photo!" in said
    assert "warning" not in said, "what it makes itself is nothing to warn of"
    async with stack.database() as database, database.tx(Actor.system("test")) as tx:
        assert await tx.fetch_value("SELECT count(*) FROM public.bot_interactions") == 0
    assert not list(stack.settings.data_dir.glob("journey-*"))


@pytest.mark.parametrize(
    ("name", "form"), [("a.jpg", "JPEG"), ("a.PNG", "PNG"), ("a.webp", "WEBP")]
)
def test_the_picture_is_what_its_name_says(tmp_path: Path, name: str, form: str) -> None:
    drawn = Image.new("RGB", (40, 60), (200, 30, 30))
    drawn.save(tmp_path / "drawn.jpg")
    (tmp_path / name).write_bytes(
        journey.as_named((tmp_path / "drawn.jpg").read_bytes(), tmp_path / name)
    )
    with Image.open(tmp_path / name) as picture:
        assert (picture.format, picture.size) == (form, (40, 60))


def test_a_name_of_no_picture_is_refused_before_anything_starts(tmp_path: Path) -> None:
    photo = tmp_path / "me.jpg"
    Image.new("RGB", (40, 60)).save(photo)
    with pytest.raises(SystemExit) as caught:
        journey.JourneyRequest.check(photo, photo, tmp_path / "result.txt", "top")
    assert caught.value.code == journey.EXIT_NO_PICTURE


@pytest.mark.slow
async def test_a_newcomer_finds_the_phone_in_somebody_s_hand(stack: WholeStack) -> None:
    pieces = demo.PIECES[-2:]
    for _ in range(2):  # the second start changes nothing
        await demo.load_and_announce(stack.parts, pieces)
    async with httpx.AsyncClient(trust_env=False) as http:
        phone = await http.get(stack.parts.phone_url)
        feed = await http.get(f"{stack.parts.phone_url}/phone/feed")
    assert f"/avatars/{demo.SHOPPER}.png" in phone.text
    assert feed.text.count("<article") == len(pieces) + len(demo.SECOND_PIECES)


@pytest.mark.slow
async def test_nobody_in_the_photo_is_exit_code_3(stack: WholeStack, tmp_path: Path) -> None:
    code, said = await run(stack, tmp_path, plain_photo(NOBODY))
    assert code == journey.EXIT_NOBODY, said
    assert "was given back" in said
    assert not (tmp_path / "result.jpg").exists()


@pytest.mark.parametrize("code", [*RefusalCode, None])
def test_only_what_is_wrong_with_the_photo_is_exit_code_3(code: RefusalCode | None) -> None:
    ours = code is None or code.value in (
        "garment_not_found",
        "garment_category_missing",
        "timed_out",
        "photo_gone",
    )
    assert journey.exit_code(code) == (1 if ours else 3)


def test_a_database_that_somebody_named_is_used_as_it_is(tmp_path: Path) -> None:
    named = Settings(data_dir=tmp_path / "a", database_url="postgresql://db.example/selify")
    with journey.separate_data_dir(named) as settings:
        assert settings == named


def test_the_first_post_on_the_phone_is_a_tee() -> None:
    """What is published last is on top, and asks for the least: no legs, no feet."""
    assert demo.PIECES[-1].slug.startswith("tee-")
