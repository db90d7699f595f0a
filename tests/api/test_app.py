"""What the composition root builds and refuses to build, and how much its server takes in."""

import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.infra.settings import Settings

from selify import billing
from selify.app import WINGS, create_server
from selify.core import retention, upkeep
from selify.core.clock import FrozenClock
from selify.core.database import Actor
from selify.core.money import MicroUnits
from selify.core.opening import open_container
from selify.core.settings import SettingsWrong
from selify.core.wiring import ROUTINES
from selify.tryon.checked import CheckedEngine
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.types import Picture
from selify.vendors import engines
from selify.vendors.engines import _engine_prices


def test_a_server_for_the_world_has_a_secret_of_its_own() -> None:
    with pytest.raises(SettingsWrong, match="SELIFY_INSTAGRAM_APP_SECRET"):
        create_server(Settings(public_url="https://brand.example"))
    create_server(Settings(public_url="https://brand.example", instagram_app_secret="ours"))


@pytest.mark.parametrize(
    ("path", "megabytes", "refused"),
    [
        ("/api/v1/workspaces", 1, True),
        ("/api/v1/workspaces/0/members/0", 1, True),
        ("/api/v1/auth/sign-in", 1, True),
        ("/wardrobe/0/category", 1, True),
        ("/api/v1/workspaces/0/garments", 39, False),
        ("/api/v1/workspaces/0/garments", 41, True),
        ("/wardrobe", 39, False),
        ("/wardrobe", 41, True),
    ],
)
async def test_only_pictures_may_be_large(path: str, megabytes: int, refused: bool) -> None:
    """Told by the length alone: nothing is read, and nobody need be signed in for the refusal."""
    app = create_server(Settings())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        length = {"Content-Length": str(megabytes * 1024 * 1024)}
        answer = await client.post(path, content=b"", headers=length)
    assert (answer.status_code == 413) is refused


async def test_the_routines_that_look_after_the_store_run(
    database_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    settings = Settings(database_url=database_url, data_dir=tmp_path)
    async with open_container(settings, WINGS, clock=clock) as container:
        async with container.database.tx(ROUTINES) as tx:
            await billing.seed(tx)
            await retention.delete_soon(tx, "gone.jpg", reason="test", workspace_id=uuid4())
        works = [await wing.work(container) for wing in WINGS]
        routines = [one for work in works for one in work.routines]
        routines += upkeep.routines(container, WINGS)
        by_name = {routine.name: routine for routine in routines}
        assert by_name.keys() >= {
            "pruning",
            "invariant week_equals_events",
            "invariant payg_equals_ledger",
            "invariant files_are_gone",
            "invariant pictures_are_paid_for",
        }
        watched = [name for name in by_name if name.startswith("invariant ")]
        ran = {name: await by_name[name].run() for name in (*watched, "pruning", "retention")}
        async with container.database.tx(ROUTINES) as tx:
            findings = await tx.fetch("SELECT * FROM internal.invariant_findings")
    assert findings == []
    assert ran["retention"] == 1
    assert len(watched) == len(upkeep.every_invariant(WINGS, clock))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the command of a process")
@pytest.mark.parametrize("small", [False, True])
async def test_the_engine_s_process_knows_where_memory_is_short(
    database_url: str, tmp_path: Path, small: bool
) -> None:
    settings = Settings(database_url=database_url, data_dir=tmp_path, tryon_small=small)
    async with open_container(settings, WINGS) as container:
        embedded = container.one(EmbeddedEngine)
        await embedded.read_garment(Picture(b"no picture", "image/png", 1, 1), None)
        (process,) = embedded.process_ids
        command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")  # noqa: ASYNC240
    assert (b"--small" in command) == small


async def test_whom_we_pay_is_asked_after_the_check_and_at_each_model_s_price(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=database_url,
        data_dir=tmp_path,
        tryon_engines=("gemini", "embedded", "tests.infra.engines:instant"),
        gemini_api_key="key",
        gemini_models=("gemini-3.1-flash-image", "gemini-3-pro-image", "some-other-model"),
    )
    async with open_container(settings, WINGS) as container:
        embedded = container.one(EmbeddedEngine)
        async with container.database.tx(Actor.system("test")) as tx:
            await billing.seed(tx)
        hosted, ours, own = await engines.chosen(container, embedded)
        prices = await _engine_prices(container)
    assert isinstance(hosted, CheckedEngine)
    assert (hosted.name, ours, own.name) == ("gemini", embedded, "instant")
    assert prices["gemini"] == {
        "gemini-3.1-flash-image": MicroUnits(6_830),
        "gemini-3-pro-image": MicroUnits(13_400),
        "some-other-model": MicroUnits(13_400),
    }
    assert set(prices["fal"].values()) == {MicroUnits(0)}, "not in use"
