"""From a photo to a picture with nothing faked but the engine's art: real fetches, files, database.

Whatever dies in between, the shopper gets one picture, pays once, and hears everything once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from tests.infra.world import ACCOUNT, ANA, SYSTEM, Brand, World

from selify import billing, commerce
from selify.core import retention
from selify.core.files.fetch import AllowList, SafeFetcher
from selify.core.money import MicroUnits
from selify.core.queue import jobs
from selify.core.queue.jobs import LEASE, JobRunner
from selify.messaging import accounts
from selify.messaging.types import Attachment, AttachmentKind, Handler, MessageUnsent
from selify.tryon import posts, texts
from selify.tryon.dialogue import Stage
from selify.tryon.invariants import PicturesArePaidFor
from selify.tryon.job import ENGINE_PATIENCE, PhotoRules, TryOnJob
from selify.tryon.ports import EngineUnavailable
from selify.tryon.routing import TryOnRouter
from selify.tryon.types import (
    Picture,
    QualityScores,
    ReadPicture,
    Refusal,
    RefusalCode,
    Rendering,
    RenderOptions,
    RenderWarning,
)

GOOD = QualityScores(1.0, 1.0, 1.0, 0.9, None, 0.9, 0.9)
KEEP = timedelta(hours=24)
MEGABYTE = 1024 * 1024


def jpeg(side: int = 64, colour: str = "navy") -> bytes:
    out = BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "JPEG")
    return out.getvalue()


class PhotoServer:
    """The platform's picture host. What it answers can be changed at any time."""

    def __init__(self) -> None:
        self.status, self.body, self.content_type = 200, jpeg(), "image/jpeg"
        self.asked = 0
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        head = (
            f"HTTP/1.1 {self.status} X\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + self.body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.close()
            await writer.wait_closed()


@pytest_asyncio.fixture(loop_scope="session")
async def photos() -> AsyncIterator[PhotoServer]:
    host = PhotoServer()
    server = await asyncio.start_server(host, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    yield host
    server.close()
    await server.wait_closed()


class Painter:
    """A deterministic engine: the same photo and garment make the same picture."""

    name = "painter"

    def __init__(self) -> None:
        self.answer: Refusal | Exception | None = None
        self.warnings: tuple[RenderWarning, ...] = ()
        self.before: Callable[[], Any] | None = None
        self.painted = 0
        self.reads, self.found = b"", None

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        if self.before:
            await self.before()
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer:
            return self.answer
        self.painted += 1
        assert isinstance(garment, ReadPicture)
        self.found = garment.garment_file
        file = self.reads if self.reads and self.found != self.reads else None
        picture = Picture(jpeg(80, "green"), "image/jpeg", 80, 80)
        made = Rendering(picture, self.name, 0.5, MicroUnits(100), self.warnings, GOOD)
        return replace(made, garment_files={options.category: file} if file else {})


async def already_scored(*_: object) -> Rendering:
    raise AssertionError("the painter scores its own pictures")


class Killed(Exception):
    """The process died here."""


class Fuse:
    """Blows at the n-th step: before and after everything that leaves a trace outside."""

    def __init__(self, blows_at: int | None = None) -> None:
        self.blows_at, self.steps = blows_at, 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.blows_at:
            raise Killed(f"at step {self.steps}")

    def around(self, real: Any, *names: str) -> Any:
        """The real thing, with the fuse before and after these methods."""

        def wrapped(method: Callable[..., Any]) -> Callable[..., Any]:
            async def call(*args: Any, **more: Any) -> Any:
                self.step()
                answer = await method(*args, **more)
                self.step()
                return answer

            return call

        class Fused:
            def __getattr__(self, name: str) -> Any:
                found = getattr(real, name)
                return wrapped(found) if name in names else found

        return Fused()

    def database(self, real: Any) -> Any:
        fuse = self

        class Fused:
            @contextlib.asynccontextmanager
            async def tx(self, actor: Any) -> AsyncIterator[Any]:
                fuse.step()
                async with real.tx(actor) as tx:
                    yield tx
                    fuse.step()  # everything done, nothing committed
                fuse.step()  # committed, and nobody told

        return Fused()


class Studio:
    """The job's kind, wired to the world."""

    def __init__(self, world: World, photos: PhotoServer) -> None:
        self.world, self.photos = world, photos
        self.painter = Painter()
        self.fuse = Fuse()
        self.rules = PhotoRules(MEGABYTE, KEEP, ("127.0.0.1",))

    def job(self) -> TryOnJob:
        fuse, world = self.fuse, self.world
        fetcher = SafeFetcher(AllowList.of(f"127.0.0.1:{self.photos.port}"))
        router = TryOnRouter([self.painter], already_scored)
        return TryOnJob(
            fuse.database(world.database),
            fuse.around(world.storage, "put", "get"),
            fuse.around(fetcher, "fetch"),
            fuse.around(router, "render"),
            clock=world.clock,
            rules=self.rules,
        )

    async def killed_at_every_step(self) -> AsyncIterator[int]:
        """After a job that ran through: for each of its steps somebody new asks, whose worker is killed there. All end with
        one picture.
        """
        world, steps = self.world, self.fuse.steps
        for number in range(1, steps + 1):
            person = f"person{number}"
            world.platform.sent.clear()
            await world.sql("DELETE FROM internal.jobs")
            world.platform.readers.clear()
            comment = world.comment(person_ref=person, username=person)
            world.platform.readers[comment.comment_ref] = person
            await world.say(comment)
            await world.say(self.photo(person_ref=person))
            self.fuse = Fuse(blows_at=number)
            await self.work()
            await world.deliver()
            assert self.fuse.steps == number, "it blew"
            await self.work_until_over()
            await world.deliver()
            assert [text[:10] for text in world.platform.texts] == [
                "Hi! I'm At",
                "Got your p",
                "[picture]",
                "Here you a",
                "How do you",
            ], f"killed at step {number}"
            yield number

    async def work(self) -> None:
        """Run what is due, once."""
        runner = JobRunner(
            self.world.database, {"tryon": self.job()}, clock=self.world.clock, worker_id="w"
        )
        await runner.recover()
        await runner.run_once()
        await runner.finish_running()

    async def work_until_over(self) -> None:
        for _ in range(5):
            await self.work()
            self.world.clock.advance(timedelta(seconds=45))

    def photo(self, **more: Any) -> Any:
        url = f"http://127.0.0.1:{self.photos.port}/ana.jpg"
        return self.world.message(attachments=(Attachment(AttachmentKind.IMAGE, url),), **more)

    async def ask(self) -> Any:
        """A comment, answered, and a photo; the try-on is queued."""
        await self.world.say(self.world.comment())
        photo = self.photo()
        await self.world.say(photo)
        return photo

    async def said_after(self) -> list[str]:
        """What the shopper heard after "got your photo"."""
        await self.world.deliver()
        return self.world.platform.texts[2:]

    async def files(self) -> set[str]:
        """Kinds of stored files of shoppers."""
        keys = await self.world.sql(
            "SELECT payload ->> 'account_id' || '/' || (payload ->> 'message_ref') AS key,"
            " workspace_id AS w FROM internal.jobs"
        )
        found = set()
        for row in keys:
            for kind in ("photos", "results"):
                name = f"workspaces/{row['w']}/{kind}/{retention.safe_name(row['key'])}.jpg"
                if await self.world.storage.exists(name):
                    found.add(kind)
        return found

    async def sweep(self) -> int:
        return await retention.sweep(
            self.world.database, self.world.storage, now=self.world.clock.now()
        )


@pytest_asyncio.fixture(loop_scope="session")
async def studio(world: World, brand: Brand, photos: PhotoServer) -> Studio:
    async with world.database.tx(SYSTEM) as tx:
        garment = await commerce.garment_picture(tx, brand.garment_id)
    assert garment
    await world.storage.put(garment.storage_path, jpeg(64, "red"), content_type="image/jpeg")
    return Studio(world, photos)


async def check_one_picture(world: World, studio: Studio) -> None:
    """The whole promise: one charge, one picture, everything said once and in order."""
    picture, result, feedback = await studio.said_after()
    assert picture == "[picture]"
    assert result == "Here you are in Forest Tee! $39.00 · Only 4 left · https://brand.example/tee"
    assert "How do you like" in feedback
    assert [reply.title for reply in world.platform.sent[-1].quick_replies] == [
        "❤️ Love it",
        "Not quite",
        "📸 Another photo",
    ]
    assert await world.charges() == ["completed"]
    assert (await world.state()).stage is Stage.AWAITING_FEEDBACK
    (row,) = await world.interactions()
    assert (row["generation_successful"], row["bot_responded"]) == (True, True)
    assert await world.value("SELECT count(*) FROM public.wardrobe_usage_events") == 1
    assert await world.value("SELECT state FROM internal.jobs") == "done"


# --- The good end ---


async def test_what_was_read_of_a_garment_is_there_for_the_next_shopper(
    world: World, studio: Studio
) -> None:
    """Also where what lies there is of an engine that has been replaced since."""
    for reads in (b"of this engine", b"of the next"):
        studio.painter.reads = reads
        for found in (studio.painter.found, reads):
            world.platform.sent.clear()
            await studio.ask()
            await studio.work()
            await world.deliver()
            assert studio.painter.found == found
    assert studio.painter.painted == 4


async def test_a_photo_becomes_a_picture(world: World, studio: Studio) -> None:
    await studio.ask()
    await studio.work()
    await check_one_picture(world, studio)
    charge = (await world.sql("SELECT metadata FROM public.workspace_usage_events"))[0]["metadata"]
    stored = await world.storage.get(charge["result"])
    assert Image.open(BytesIO(stored)).size == (80, 80)
    assert charge["quality"]["face"] == 1.0
    (entry,) = charge["tries"]
    assert (entry["engine"], entry["outcome"]) == ("painter", "passed")
    assert (await world.state()).result_id == (await world.interactions())[0]["id"]


async def test_several_people_are_mentioned(world: World, studio: Studio) -> None:
    studio.painter.warnings = (RenderWarning.SEVERAL_PEOPLE,)
    await studio.ask()
    await studio.work()
    assert "several people" in (await studio.said_after())[1]


async def test_the_photo_goes_in_time_and_the_result_stays(world: World, studio: Studio) -> None:
    await studio.ask()
    await studio.work()
    assert await studio.files() == {"photos", "results"}
    world.clock.advance(KEEP - timedelta(seconds=1))
    assert await studio.sweep() == 0
    world.clock.advance(timedelta(seconds=2))
    assert await studio.sweep() == 1
    assert await studio.files() == {"results"}
    assert await world.value("SELECT count(*) FROM internal.retention") == 0


async def test_the_job_forgets_where_the_photo_was_once_it_is_ours(
    world: World, studio: Studio
) -> None:
    await studio.ask()
    address = "SELECT payload ->> 'photo_url' FROM internal.jobs"
    assert await world.value(address) != ""
    studio.painter.answer = EngineUnavailable("painter", "quota", retry_after=20)
    await studio.work()
    assert await world.value(address) == "", "although it is not over yet"


async def test_keeping_nothing_deletes_as_soon_as_it_is_over(world: World, studio: Studio) -> None:
    studio.rules = replace(studio.rules, keep=timedelta(0))
    await studio.ask()
    studio.painter.before = studio.sweep
    await studio.work()
    await check_one_picture(world, studio)
    await studio.sweep()
    assert await studio.files() == {"results"}


# --- Killed anywhere ---


async def test_killed_at_every_step_it_still_ends_once(
    world: World, brand: Brand, studio: Studio
) -> None:
    await studio.ask()
    await studio.work()
    await world.deliver()
    steps = studio.fuse.steps
    assert steps > 15
    async for _ in studio.killed_at_every_step():
        assert await world.value("SELECT state FROM internal.jobs") == "done"
    assert set(await world.charges()) == {"completed"}
    assert len(await world.charges()) == steps + 1


@pytest.mark.parametrize("code", [RefusalCode.PERSON_NOT_FOUND, RefusalCode.GARMENT_NOT_FOUND])
async def test_a_refusal_killed_at_every_step_refunds_once(
    world: World, brand: Brand, studio: Studio, code: RefusalCode
) -> None:
    studio.painter.answer = Refusal(code, "No.", "Try.")
    await studio.ask()
    await studio.work()
    await world.deliver()
    for number in range(1, studio.fuse.steps + 1):
        world.platform.sent.clear()
        await world.sql("DELETE FROM internal.jobs")
        await world.say(studio.photo())
        studio.fuse = Fuse(blows_at=number)
        await studio.work()
        await studio.work_until_over()
        await world.deliver()
        assert len(world.platform.texts) == 2, f"killed at step {number}"
        assert (await world.state()).stage is Stage.AWAITING_PHOTO
    assert set(await world.charges()) == {"refunded"}
    assert len(await world.interactions()) == 1, "one wish, however many photos"
    async with world.database.tx(SYSTEM) as tx:
        assert (await billing.balance(tx, world.clock, brand.workspace_id)).week_used.value == 0


async def test_a_slow_runner_and_its_successor_end_it_once(world: World, studio: Studio) -> None:
    """The first lost its lease while painting; both finish."""
    await studio.ask()
    successor = Studio(world, studio.photos)

    async def overtaken() -> None:
        world.clock.advance(LEASE + timedelta(seconds=1))
        await successor.work()

    studio.painter.before = overtaken
    await studio.work()
    assert (studio.painter.painted, successor.painter.painted) == (1, 1)
    await check_one_picture(world, studio)


async def test_what_ended_well_is_not_refunded_when_it_runs_again(
    world: World, studio: Studio
) -> None:
    await studio.ask()
    await studio.work()
    await world.handle(world.echo("Nora here: how lovely!"))
    await world.sql("UPDATE internal.jobs SET state = 'queued', attempts = 0")
    await studio.work()
    assert await world.charges() == ["completed"]


@pytest.mark.parametrize(("kills", "charge"), [(4, "completed"), (5, "refunded")])
async def test_killed_workers_spend_no_tries_of_a_try_on_but_it_ends(
    world: World, studio: Studio, kills: int, charge: str
) -> None:
    """Deployments, or others that took all the memory: the picture comes. One that kills its worker
    every time is given up, paid back and apologised for.
    """
    await studio.ask()
    for _ in range(kills):
        async with world.database.tx(SYSTEM) as tx:
            now = world.clock.now()
            assert await jobs.claim(tx, worker_id="dead", now=now, limit=1, kinds=["tryon"])
            await tx.execute("UPDATE internal.jobs SET started_at = now()")
        world.clock.advance(LEASE + timedelta(seconds=1))
        await JobRunner(world.database, {}, clock=world.clock, worker_id="w").recover()
        world.clock.advance(timedelta(minutes=2))
    await studio.work()
    assert await world.charges() == [charge]
    assert studio.painter.painted == (charge == "completed")
    assert len(await studio.said_after()) >= 1


# --- Refusals ---


@pytest.mark.parametrize("code", list(RefusalCode))
async def test_every_refusal_gives_the_money_back_and_says_why(
    world: World, studio: Studio, code: RefusalCode
) -> None:
    studio.painter.answer = Refusal(code, "No.", "Try.")
    await studio.ask()
    await studio.work()
    said = await studio.said_after()
    assert len(said) == 1
    filled = {"garment": "Forest Tee", "framing": texts.say("framing", "en")}
    assert said[0] == texts.say(f"refusals.{code.value}", "en", **filled)
    assert await world.charges() == ["refunded"]
    tried = (await world.value("SELECT metadata FROM public.workspace_usage_events"))["tries"]
    assert {entry["engine"] for entry in tried} == {"painter"}
    assert {entry["why"] for entry in tried} == {code.value}
    state = await world.state()
    assert (state.stage, state.photo_ref) == (Stage.AWAITING_PHOTO, "")
    fault = code in (RefusalCode.GARMENT_NOT_FOUND, RefusalCode.GARMENT_CATEGORY_MISSING)
    assert await world.notified() == (["garment_unusable"] if fault else [])


@pytest.mark.parametrize(
    ("code", "reason", "advice", "never"),
    [
        (RefusalCode.PERSON_CROPPED, "legs", "legs", "hips"),
        (RefusalCode.QUALITY_TOO_LOW, "seated", "stand upright", "arms"),
    ],
)
async def test_the_advice_is_about_what_this_photo_lacks(
    studio: Studio, code: RefusalCode, reason: str, advice: str, never: str
) -> None:
    studio.painter.answer = Refusal(code, "No.", "Try.", details={"reason": reason})
    await studio.ask()
    await studio.work()
    (said,) = await studio.said_after()
    assert advice in said
    assert never not in said


async def test_what_a_refused_try_on_cost_us_is_booked(world: World, studio: Studio) -> None:
    studio.painter.answer = Refusal(
        RefusalCode.CONTENT_REFUSED, "No.", "Try.", cost=MicroUnits(6_830)
    )
    await studio.ask()
    await studio.work()
    charge = await world.value("SELECT id FROM public.workspace_usage_events")
    async with world.database.tx(SYSTEM) as tx:
        told = await billing.explain(tx, charge)
    assert await world.charges() == ["refunded"]
    assert (told.provider_cost, told.engine) == (MicroUnits(6_830), "painter")


async def test_what_was_paid_for_and_lost_is_not_bought_again_and_again(
    world: World, studio: Studio
) -> None:
    studio.painter.answer = EngineUnavailable("painter", "no file", cost=MicroUnits(6_830))
    await studio.ask()
    await studio.work()
    assert await world.value("SELECT state FROM internal.jobs") == "done"
    assert await world.charges() == ["refunded"]
    assert "longer than it should" in (await studio.said_after())[0]


async def gone(photos: PhotoServer) -> None:
    photos.status = 403


async def huge(photos: PhotoServer) -> None:
    photos.body = b"\xff" * (MEGABYTE + 1)


async def text(photos: PhotoServer) -> None:
    photos.body, photos.content_type = b"<html>", "text/html"


async def broken(photos: PhotoServer) -> None:
    photos.body = jpeg()[:200]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(gone, "download"), (huge, "too large"), (text, "open this file"), (broken, "open this file")],
)
async def test_photos_that_cannot_be_had(
    world: World, studio: Studio, photos: PhotoServer, trouble: Callable[..., Any], words: str
) -> None:
    await trouble(photos)
    await studio.ask()
    await studio.work()
    (said,) = await studio.said_after()
    assert words in said
    assert await world.charges() == ["refunded"]
    assert await studio.files() == set()


async def test_other_hosts_are_not_asked(world: World, studio: Studio) -> None:
    await studio.ask()
    await world.sql(
        'UPDATE internal.jobs SET payload = payload || \'{"photo_url": "http://127.0.0.2/x"}\''
    )
    await studio.work()
    assert "download" in (await studio.said_after())[0]


@pytest.mark.parametrize("status", [500, 429])
async def test_a_host_in_trouble_is_asked_again(
    world: World, studio: Studio, photos: PhotoServer, status: int
) -> None:
    photos.status = status
    await studio.ask()
    await studio.work()
    assert await world.charges() == ["reserved"]
    photos.status = 200
    world.clock.advance(timedelta(minutes=1))
    await studio.work()
    await check_one_picture(world, studio)


async def test_giving_up_refunds_and_apologises(
    world: World, studio: Studio, photos: PhotoServer
) -> None:
    photos.status = 500
    await studio.ask()
    await studio.work_until_over()
    assert await world.value("SELECT state FROM internal.jobs") == "failed"
    (said,) = await studio.said_after()
    assert "longer than it should" in said
    assert await world.charges() == ["refunded"]
    photos.status = 200
    await world.say(studio.photo())
    await studio.work()
    assert await world.charges() == ["refunded", "completed"]


async def test_trouble_with_our_own_files_is_not_the_garment_s_fault(
    world: World, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selify.core.files.storage import StorageUnavailable

    async def down(key: str) -> bytes:
        raise StorageUnavailable("the disk is full")

    await studio.ask()
    with monkeypatch.context() as patched:
        patched.setattr(world.storage, "get", down)
        await studio.work()
    assert await world.charges() == ["reserved"]
    assert await world.notified() == []
    world.clock.advance(timedelta(minutes=1))
    await studio.work()
    await check_one_picture(world, studio)


async def test_what_cannot_be_stored_is_not_painted_and_not_given_up(
    world: World, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selify.core.files.storage import StorageFull

    async def full() -> None:
        raise StorageFull("Nothing can be stored: the disk of the files is full.")

    await studio.ask()
    with monkeypatch.context() as patched:
        patched.setattr(world.storage, "check_room", full)
        for _ in range(20):
            await studio.work()
            world.clock.advance(timedelta(seconds=30))
    assert studio.painter.painted == 0, "an engine is paid for each picture"
    assert await world.charges() == ["reserved"]
    (waiting,) = await world.sql("SELECT state, attempts, last_error FROM internal.jobs")
    assert (waiting["state"], waiting["attempts"]) == ("queued", 0)
    assert "the disk of the files is full" in waiting["last_error"]
    await studio.work()
    await check_one_picture(world, studio)


async def test_engines_at_rest_are_waited_for_without_using_up_tries(
    world: World, studio: Studio
) -> None:
    studio.painter.answer = EngineUnavailable("painter", "quota", retry_after=20)
    await studio.ask()
    for _ in range(5):
        await studio.work()
        world.clock.advance(timedelta(seconds=61))
    assert await world.charges() == ["reserved"]
    studio.painter.answer = None
    await studio.work()
    await check_one_picture(world, studio)


async def test_engines_at_rest_for_too_long_are_given_up(world: World, studio: Studio) -> None:
    studio.painter.answer = EngineUnavailable("painter", "quota")
    await studio.ask()
    world.clock.advance(ENGINE_PATIENCE)
    await studio.work_until_over()
    assert await world.charges() == ["refunded"]
    assert "longer than it should" in (await studio.said_after())[0]


# --- Nobody waits for it any more ---


async def test_unsent_while_rendering(world: World, studio: Studio) -> None:
    photo = await studio.ask()
    unsent = MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now())
    studio.painter.before = lambda: world.handle(unsent)
    await studio.work()
    assert await studio.said_after() == []
    assert await world.charges() == ["refunded"]
    assert (await world.state()).stage is Stage.AWAITING_PHOTO
    await studio.sweep()
    assert await studio.files() == set()


async def test_unsent_before_it_began(world: World, studio: Studio, photos: PhotoServer) -> None:
    photo = await studio.ask()
    await world.handle(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    await studio.work()
    assert (photos.asked, studio.painter.painted) == (0, 0)
    assert await world.charges() == ["refunded"]


async def test_unsent_after_the_result_takes_the_result_too(world: World, studio: Studio) -> None:
    photo = await studio.ask()
    await studio.work()
    await check_one_picture(world, studio)
    await world.handle(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    await studio.sweep()
    assert await studio.files() == set()
    pictures = await world.sql(
        "SELECT attachments AS a FROM public.social_messages WHERE message_type = 'image'"
    )
    assert [row["a"] for row in pictures] == [[]], "no link to a file that is gone"


async def test_unsent_before_the_picture_left_nothing_of_it_leaves(
    world: World, studio: Studio
) -> None:
    photo = await studio.ask()
    await studio.work()
    await world.handle(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    assert await studio.said_after() == []
    assert await world.queued("cancelled") == ["result_picture", "result", "feedback"]
    await studio.sweep()
    assert await studio.files() == set()


async def test_unsent_while_the_picture_leaves_it_is_not_sent_again(
    world: World, studio: Studio
) -> None:
    photo = await studio.ask()
    await studio.work()
    await world.sql(
        "UPDATE internal.outbox SET state = 'sending', leased_until = now()"
        " WHERE payload ->> 'purpose' = 'result_picture'"
    )
    await world.handle(MessageUnsent(ACCOUNT, ANA, photo.message_ref, world.clock.now()))
    await world.sql(
        "UPDATE internal.outbox SET state = 'queued', leased_until = NULL WHERE state = 'sending'"
    )
    assert await studio.said_after() == []
    assert await world.failures() == ["taken_back"]
    assert await world.charges() == ["refunded"]


@pytest.mark.parametrize("finished", [True, False])
async def test_a_photo_that_came_meanwhile_is_next_when_the_first_is_taken_back(
    world: World, studio: Studio, *, finished: bool
) -> None:
    """Also when the first one's picture was made already, and had not left."""
    first = await studio.ask()
    await world.handle(studio.photo())
    if finished:
        await studio.work()
    await world.handle(MessageUnsent(ACCOUNT, ANA, first.message_ref, world.clock.now()))
    assert (await world.state()).stage is Stage.GENERATING
    await studio.work()
    said = [text[:10] for text in await studio.said_after()]
    assert said == ["Got this o", "Got your p", "[picture]", "Here you a", "How do you"]


@pytest.mark.parametrize("dressed", [True, False], ids=["dressed", "refused"])
async def test_a_photo_that_came_meanwhile_is_next_however_the_first_ends(
    world: World, studio: Studio, *, dressed: bool
) -> None:
    """Of several the latest. Each picture is paid for once, and each refusal given back."""
    if not dressed:
        studio.painter.answer = Refusal(RefusalCode.PHOTO_BLURRED, "No.", "Try.")
    await studio.ask()
    skipped, latest = studio.photo(), studio.photo()
    await world.say(skipped, latest, latest)
    assert await world.charges() == ["reserved"]
    await studio.work()
    await world.later(timedelta(seconds=1))
    state = await world.state()
    assert (state.stage, state.photo_ref) == (Stage.GENERATING, latest.message_ref)
    assert state.waiting_ref == ""
    studio.painter.answer = None
    await studio.work()
    await world.later(timedelta(seconds=1))
    assert await world.charges() == ["completed" if dressed else "refunded", "completed"]
    first = ["[picture]", "Here you a", "How do you"] if dressed else ["This photo"]
    said = [text[:10] for text in world.platform.texts[2:]]
    assert said == [
        *["Got this o"] * 2,
        *first,
        *["Got your p", "[picture]", "Here you a", "How do you"],
    ]
    assert (await world.state()).stage is Stage.AWAITING_FEEDBACK
    assert len(await world.interactions()) == (2 if dressed else 1)
    await world.say(latest)
    await studio.work()
    assert len(await world.charges()) == 2, "it was its turn once"


@pytest.mark.parametrize("what", ["taken back", "a person", "stop"])
async def test_a_photo_that_waits_is_not_dressed_when_it_is_not_wanted_any_more(
    world: World, studio: Studio, what: str
) -> None:
    await studio.ask()
    waiting = studio.photo()
    await world.say(waiting)
    match what:
        case "taken back":
            unsent = MessageUnsent(ACCOUNT, ANA, waiting.message_ref, world.clock.now())
            await world.say(unsent)
        case "a person":
            await world.say(world.message("can I talk to a real person?"))
        case "stop":
            await world.say(world.message("stop"))
    await studio.work_until_over()
    await world.later(timedelta(seconds=1))
    await studio.work()
    assert await world.charges() == ["completed" if what == "taken back" else "refunded"]
    assert (await world.state()).stage is not Stage.GENERATING or what == "a person"


async def test_words_while_the_picture_is_made_wait_and_the_picture_answers_them(
    world: World, studio: Studio
) -> None:
    await studio.ask()
    await world.handle(world.message("😍"), world.message("try on please"))
    assert await world.queued() == ["still_generating"] * 2
    await studio.work()
    assert await world.queued() == ["result_picture", "result", "feedback"]
    await check_one_picture(world, studio)


async def test_a_purge_finds_a_paid_picture_that_was_never_sent(
    world: World, brand: Brand, studio: Studio
) -> None:
    await studio.ask()
    await studio.work()
    await world.sql("DELETE FROM internal.jobs")
    async with world.database.tx(SYSTEM) as tx:
        await accounts.purge(tx, world.clients, brand.account.id)
    due = await world.sql(
        "SELECT object_key AS k FROM internal.retention WHERE delete_after < now()"
    )
    assert ["/results/" in row["k"] for row in due] == [True]


@pytest.mark.parametrize("what", ["a person answers", "stop", "stop and start", "disconnected"])
async def test_silence_and_a_refund(world: World, brand: Brand, studio: Studio, what: str) -> None:
    await studio.ask()

    async def meanwhile() -> None:
        match what:
            case "a person answers":
                await world.handle(world.echo("Nora here!"))
            case "stop":
                await world.handle(world.message("stop"))
            case "stop and start":
                await world.handle(world.message("stop"), world.message("start"))
            case "disconnected":
                async with world.database.tx(SYSTEM) as tx:
                    await accounts.disconnect(
                        tx, world.clients, world.clock, brand.account, user_id=None, reason="bye"
                    )

    studio.painter.before = meanwhile
    await studio.work()
    assert "[picture]" not in await studio.said_after()
    assert await world.charges() == ["refunded"]
    assert (await world.state()).photo_ref == ""
    await studio.sweep()
    assert await studio.files() == set()


async def test_handed_back_in_time_it_is_delivered(world: World, studio: Studio) -> None:
    await studio.ask()
    for handler in (Handler.HUMAN, Handler.BOT):
        await world.sql(
            "UPDATE public.social_conversations"
            " SET conversation_state = conversation_state || jsonb_build_object('handler', $1::text)",
            handler.value,
        )
    await studio.work()
    await check_one_picture(world, studio)


async def test_a_charge_given_back_by_somebody_else_ends_it(world: World, studio: Studio) -> None:
    await studio.ask()

    async def refunded() -> None:
        charge = await world.value("SELECT id FROM public.workspace_usage_events")
        async with world.database.tx(SYSTEM) as tx:
            await billing.refund(tx, world.clock, charge, reason="An operator did.", code="manual")

    studio.painter.before = refunded
    await studio.work()
    assert await studio.said_after() == []
    await studio.sweep()
    assert await studio.files() == set()
    state = await world.state()
    assert (state.stage, state.photo_ref) == (Stage.AWAITING_PHOTO, "")
    studio.painter.before = None
    world.clock.advance(timedelta(seconds=1))
    await world.say(studio.photo())
    await studio.work()
    assert await world.charges() == ["refunded", "completed"]


async def test_a_purged_account_s_try_on_ends(world: World, brand: Brand, studio: Studio) -> None:
    await studio.ask()

    async def purged() -> None:
        async with world.database.tx(SYSTEM) as tx:
            await accounts.purge(tx, world.clients, brand.account.id)

    studio.painter.before = purged
    await studio.work()
    assert await world.charges() == ["refunded"]
    await studio.sweep()
    assert await studio.files() == set()


async def test_a_garment_taken_off_the_post_is_not_met_with_silence(
    world: World, studio: Studio
) -> None:
    await studio.ask()
    post = await world.value(
        "SELECT id FROM public.social_posts WHERE platform_post_id = $1", f"post-{ACCOUNT}"
    )
    async with world.database.tx(SYSTEM) as tx:
        assert await posts.unbind(tx, post)
    await studio.work()
    (said,) = await studio.said_after()
    assert "Something is wrong with our picture" in said
    assert await world.charges() == ["refunded"]


async def test_another_garment_chosen_meanwhile_gets_its_own_row(
    world: World, brand: Brand, studio: Studio
) -> None:
    studio.painter.answer = Refusal(RefusalCode.PHOTO_BLURRED, "No.", "Try.")
    await studio.ask()
    shared = Attachment(AttachmentKind.POST, "", f"second-{ACCOUNT}")
    await world.say(world.message(attachments=(shared,)))
    await studio.work()
    studio.painter.answer = None
    await world.say(studio.photo())
    await studio.work()
    first, second = await world.interactions()
    assert (first["binding_id"], second["binding_id"]) == tuple(brand.bindings.values())
    assert (first["generation_successful"], second["generation_successful"]) == (False, True)


async def test_a_deleted_category_is_the_garment_s_fault(world: World, studio: Studio) -> None:
    await studio.ask()
    await world.sql("UPDATE public.wardrobe_garments SET leffa_metadata = NULL")
    await studio.work()
    await world.deliver()
    assert await world.notified() == ["garment_unusable"]


# --- Pictures and money belong together ---

PICTURE = "payload ->> 'purpose' = 'result_picture'"
OLD = "updated_at = now() - interval '2 hours'"
# What is done to the rows by hand, and whether it breaks the rule.
BENT = {
    "the charge was never settled": (
        "UPDATE public.workspace_usage_events SET status = 'reserved', completed_at = NULL",
        "a picture was sent without a settled charge",
    ),
    "the charge was given back later": (
        "UPDATE public.workspace_usage_events SET status = 'refunded', refunded_at = now()",
        None,
    ),
    "there is no picture": (
        f"DELETE FROM internal.outbox WHERE {PICTURE}",
        "a try-on was charged and no picture was sent",
    ),
    "the picture was taken back long ago": (
        f"UPDATE internal.outbox SET state = 'cancelled', {OLD} WHERE {PICTURE}",
        "a try-on was charged and no picture was sent",
    ),
    "the picture was taken back just now": (
        f"UPDATE internal.outbox SET state = 'cancelled', updated_at = now() WHERE {PICTURE}",
        None,
    ),
    "it may have arrived": (
        (
            f"UPDATE internal.outbox SET state = 'failed', result = '{{\"code\": \"unconfirmed\"}}',"
            f" {OLD} WHERE {PICTURE}"
        ),
        None,
    ),
}


@pytest.mark.parametrize(("bend", "why"), BENT.values(), ids=BENT.keys())
async def test_pictures_sent_and_charges_settled_belong_together(
    world: World, studio: Studio, bend: str, why: str | None
) -> None:
    async def found() -> list[str]:
        async with world.database.tx(SYSTEM) as tx:
            seen = await PicturesArePaidFor(world.clock).violations(tx)
        return [violation.detail["why"] for violation in seen]

    await studio.ask()
    await studio.work()
    await check_one_picture(world, studio)
    assert await found() == []
    await world.sql(bend)
    assert await found() == ([why] if why else [])


async def test_what_was_paid_for_a_purged_account_is_no_riddle(
    world: World, brand: Brand, studio: Studio
) -> None:
    await studio.ask()
    await studio.work()
    async with world.database.tx(SYSTEM) as tx:
        await accounts.purge(tx, world.clients, brand.account.id)
        assert await PicturesArePaidFor(world.clock).violations(tx) == []
        assert await tx.fetch_value("SELECT status FROM public.workspace_usage_events")
