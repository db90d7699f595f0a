"""A new wing touches no existing file: this one lies in the tests, and everything it brings works."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Depends
from fastapi.responses import Response
from tests.architecture.beside.selify_toy.settings import ToySettings

from selify.app import WINGS, create_server, open_worker
from selify.core import upkeep
from selify.core.clock import Clock, FrozenClock
from selify.core.container import Container
from selify.core.database import Actor, Tx
from selify.core.ids import first_id
from selify.core.invariants import Violation
from selify.core.opening import open_container
from selify.core.permissions import EVERYONE, MEMBER, Permission, allows, vocabulary
from selify.core.pruning import Rule
from selify.core.queue import jobs, outbox
from selify.core.queue.inbox import Event, Incoming, Intake
from selify.core.queue.jobs import Job
from selify.core.queue.outbox import OutboxMessage, Outcome, Sent
from selify.core.queue.payload import Payload
from selify.core.queue.worker import Routine, Worker
from selify.core.settings import Settings, load
from selify.core.web.access import addresses
from selify.core.wiring import Service, Wing, Work, as_system
from selify.core.wrong_clocks import Bound
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Inset, Pages, Part, Room
from selify.dash.rendering import page

SYSTEM = Actor.system("toy")
INSTALLED = Path(__file__).parent / "beside"
PLAY = Permission("toy.blocks.play", MEMBER, "play with the blocks")
router = APIRouter(prefix="/toy")
rooms = APIRouter(prefix="/toy")


@dataclass
class Box:
    """What the wing offers, and what became of everything it was asked to do."""

    played: list[str] = field(default_factory=list)
    colour: str = ""


class Block(Payload):
    personal = frozenset({"builder"})

    colour: str
    builder: str = ""


@router.get("/blocks")
@allows(EVERYONE)
async def blocks() -> list[str]:
    return ["red", "green"]


def colour_of(colour: str = "red") -> str:
    return colour


async def show_floor(_: PageContext, view: str) -> dict[str, Any]:
    return {"count": {"red": 3}.get(view, 0)}


async def show_nothing(_: PageContext, __: object) -> dict[str, Any]:
    return {}


@rooms.get("/floor")
@allows(PLAY)
async def floor(ctx: OpenPage, view: Annotated[str, Depends(colour_of)]) -> Response:
    return await page(ctx, "toy/blocks.html", view=view, **await show_floor(ctx, view))


PAGES = Pages(
    routers=[rooms],
    templates=Path(__file__).parent / "toy_templates",
    rooms=[Room(path="/toy/floor", title="The floor", icon="gift", order=25, permission=PLAY)],
    parts=[
        Part(
            name="blocks",
            template="toy/floor.html",
            draw=show_floor,
            permissions=(PLAY,),
            tables=("toys",),
            view=colour_of,
        )
    ],
    insets=[Inset(place="banner", order=5, template="toy/banner.html", draw=show_nothing)],
    words=SimpleNamespace(TITLE="Blocks"),
    confirmations={"tidied": "The floor is tidy."},
)


class Builder:
    def __init__(self, box: Box) -> None:
        self._box = box

    async def run(self, job: Job) -> None:
        self._box.played.append(f"built {Block.read(job.payload).colour}")

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None: ...


class Thrower:
    def __init__(self, box: Box) -> None:
        self._box = box

    async def send(self, delivery: OutboxMessage) -> Outcome:
        self._box.played.append(f"threw {Block.read(delivery.payload).colour}")
        return Sent({})

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        return await self.send(delivery)

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None: ...


class NothingOnTheFloor:
    name = "nothing_on_the_floor"
    sentence = "No block lies on the floor."
    seldom = False

    async def violations(self, tx: Tx) -> list[Violation]:
        return [Violation("the red one")]


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    container.offer(Box, Box(colour=container.settings.of(ToySettings).toy_colour))
    yield


@asynccontextmanager
async def _serve(container: Container) -> AsyncIterator[Service]:
    yield Service(state={"box": container.one(Box)})


async def _work(container: Container) -> Work:
    box = container.one(Box)

    async def hear(_: Tx, event: Event) -> Mapping[str, Any]:
        box.played.append(f"heard {event.payload['said']}")
        return {}

    async def tidy(_: Tx) -> None:
        box.played.append("tidied up")

    return Work(
        handlers={"toy": hear},
        channels={"toy": Thrower(box)},
        jobs={"toy": Builder(box)},
        routines=[Routine("toy", 3600, as_system(container, tidy))],
    )


def _invariants(_: Clock) -> list[NothingOnTheFloor]:
    return [NothingOnTheFloor()]


TOY = Wing(
    name="toy",
    routers=[router],
    permissions=[PLAY],
    body_limits={"/toy/.*": 10},
    request_costs={"/toy/": 0.5},
    pruned=[Rule("internal.toys", "created_at", timedelta(days=1))],
    bounds=[Bound("internal.toys", "created_at")],
    payloads={"toy": Block},
    invariants=_invariants,
    media_hosts=lambda _: ("toys.example:443",),
    brings=[PAGES],
    opens=_open,
    serve=_serve,
    work=_work,
)
ALL = (*WINGS, TOY)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return load(ToySettings, database_url=database_url, data_dir=tmp_path)


def selify(folder: Path, *arguments: str, **environment: str) -> str:
    """What the real command line says where the toy is installed."""
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(INSTALLED), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "selify", *arguments],
        env={**own, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


async def test_its_route_is_served_within_its_limits(settings: Settings) -> None:
    app = create_server(settings, ALL)
    assert "GET /toy/blocks" in {str(address) for address in addresses(app)}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client,
    ):
        assert (await client.get("/toy/blocks")).json() == ["red", "green"]
        assert app.state.box.played == []
        assert (await client.post("/toy/blocks", content=b"x" * 11)).status_code == 413


async def test_its_page_stands_in_the_navigation_and_its_parts_are_drawn_again(
    database_url: str, tmp_path: Path
) -> None:
    url = "http://127.0.0.1:8123"
    settings = load(ToySettings, database_url=database_url, data_dir=tmp_path, public_url=url)
    app = create_server(settings, ALL)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url=url,
            headers={"Accept": "text/html", "Origin": url},
            follow_redirects=True,
        ) as browser,
    ):
        person = {"email": "kim@people.example", "password": "three words i like"}
        for door in ("/sign-up", "/sign-in"):
            await browser.post(door, data=person)
        settings_page = (await browser.post("/brands", data={"name": "Nordlicht"})).text
        shown = (await browser.get("/toy/floor", params={"done": "tidied"})).text
        blue = await browser.get("/fragments/blocks", params={"colour": "blue"})
        described = (await browser.get("/openapi.json")).json()["paths"]
    rooms = re.findall(r'<a href="([^"]*)"(.*?)>(.*?)</a>', shown.split("</nav>")[0])
    places = [place for place, _, _ in rooms]
    assert places.index("/posts") + 1 == places.index("/toy/floor") == places.index("/wardrobe") - 1
    assert any(
        place == "/toy/floor" and "aria-current" in here and "<span>The floor</span>" in title
        for place, here, title in rooms
    )
    assert "<h1>Blocks, to play with</h1>" in shown
    assert "<p>3 red blocks lie on the floor.</p>" in shown
    assert "&amp;colour=red" in shown
    assert "sse:everything, sse:toys" in shown
    assert "The floor is tidy." in shown
    assert "Mind the blocks of Nordlicht." in shown
    assert "Mind the blocks of Nordlicht." in settings_page
    assert (blue.status_code, blue.text) == (200, "<p>0 blue blocks lie on the floor.</p>")
    assert "/toy/blocks" in described
    assert "/toy/floor" not in described


def test_two_wings_cannot_show_the_same() -> None:
    twin = Wing(name="twin", brings=[Pages(parts=PAGES.parts)])
    with pytest.raises(ValueError, match="two wings plug in blocks"):
        create_server(Settings(), (*ALL, twin))


async def drain(worker: Worker) -> None:
    for queue in worker.queues.values():
        while await queue.run_once():
            pass


async def test_its_events_messages_jobs_and_routines_are_worked_on(
    settings: Settings, clock: FrozenClock
) -> None:
    clock.advance(datetime.now(UTC) + timedelta(minutes=1) - clock.now())
    boxes: list[Box] = []

    @asynccontextmanager
    async def open_and_tell(container: Container) -> AsyncIterator[None]:
        async with _open(container):
            boxes.append(container.one(Box))
            yield

    toy = replace(TOY, opens=open_and_tell)
    async with open_worker(settings, (*WINGS, toy), clock=clock) as worker:
        database = worker.database
        said = Incoming("toy", "said", {"said": "hello"}, ordering_key="", account_ref="")
        await Intake(database, clock).receive([said])
        async with database.tx(SYSTEM) as tx:
            await jobs.start(tx, kind="toy", key="1", payload=Block(colour="red"), now=clock.now())
            await outbox.enqueue(
                tx,
                channel="toy",
                key="1",
                ordering_key="1",
                payload=Block(colour="green"),
                now=clock.now(),
            )
        await drain(worker)
        jobs_done = worker.queues["jobs"]
        await jobs_done.finish_running()  # type: ignore[attr-defined]
        (routine,) = [one for one in worker.routines if one.name == "toy"]
        await routine.run()
    assert sorted(boxes[0].played) == ["built red", "heard hello", "threw green", "tidied up"]


async def test_what_it_declares_is_kept(
    settings: Settings, clock: FrozenClock, database_url: str
) -> None:
    """One toy is old, one was put away by a clock that was wrong, and of a third nobody need know any more
    who built with it.
    """
    owner = await asyncpg.connect(database_url)
    await owner.execute("CREATE TABLE internal.toys (name text, created_at timestamptz)")
    await owner.execute("GRANT ALL ON internal.toys TO service_role")
    now = clock.now()
    await owner.executemany(
        "INSERT INTO internal.toys VALUES ($1, $2)",
        [("old", now - timedelta(days=2)), ("ahead", now + timedelta(days=2))],
    )
    built = now - timedelta(hours=settings.photo_hours + 1)
    await owner.executemany(
        """
        INSERT INTO internal.jobs (id, kind, key, state, payload, last_error, created_at, run_after)
        VALUES ($1, $2, 'a', 'done', '{"colour": "red", "builder": "Ana"}', $3, $4, $4)
        """,
        [
            (first_id(built), "toy", "it fell", built),
            (
                first_id(built + timedelta(seconds=1)),
                "of nobody",
                "no brick at https://toys.example/ana",
                built,
            ),
        ],
    )
    async with open_container(settings, ALL, clock=clock) as container:
        kept = {routine.name: routine for routine in upkeep.routines(container, ALL)}
        for name in ("pruning", "clocks", "invariant nothing_on_the_floor", "personal data"):
            await kept[name].run()
    left = await owner.fetch("SELECT name, created_at FROM internal.toys")
    found = await owner.fetchval(
        "SELECT subject FROM internal.invariant_findings WHERE invariant = 'nothing_on_the_floor'"
    )
    said = await owner.fetch(
        "SELECT payload ->> 'builder', payload ->> 'colour', last_error FROM internal.jobs ORDER BY kind"
    )
    await owner.close()
    assert [tuple(row) for row in left] == [("ahead", now)]
    assert found == "the red one"
    assert [tuple(row) for row in said] == [("Ana", "red", "no brick at "), ("", "red", "it fell")]


async def test_its_setting_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("SELIFY_TOY_COLOUR", "blue")
    blue = load(ToySettings, database_url=database_url, data_dir=tmp_path)
    async with open_container(blue, ALL) as container:
        assert container.one(Box).colour == "blue"


def test_its_setting_is_shown_and_explained_with_all_others(tmp_path: Path) -> None:
    shown = selify(tmp_path, "settings", SELIFY_TOY_COLOUR="green")
    assert re.search("SELIFY_TOY_COLOUR +│ green +│ Colour of the first block", shown)
    assert "SELIFY_PORT" in shown
    page = selify(tmp_path, "settings", "--markdown")
    assert "\n| `SELIFY_TOY_COLOUR` | `red` | Colour of the first block. | selify_toy |\n" in page


def test_its_command_runs_beside_ours(tmp_path: Path) -> None:
    listed = selify(tmp_path, "--help")
    assert "\n  blocks " in listed
    assert "\n  up " in listed
    assert selify(tmp_path, "blocks", SELIFY_TOY_COLOUR="green") == "A green block.\n"


def test_its_permission_is_a_word_of_the_vocabulary() -> None:
    words = vocabulary(permission for wing in ALL for permission in wing.permissions)
    assert words["toy.blocks.play"] is PLAY


async def test_two_wings_cannot_do_the_same(settings: Settings) -> None:
    twin = Wing(name="twin", work=_work)
    with pytest.raises(ValueError, match="two wings plug in toy"):
        async with open_worker(settings, (*ALL, twin)):
            pass
