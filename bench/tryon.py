"""Seconds per try-on with the embedded engine, warm, and the most memory its process took.

The drawn person in a drawn garment always; real photos too, where they lie beside the clone. Beside each: the engine
without its large networks, for where memory is short.
"""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import psutil

from bench.instruments import stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, WrongResult
from selify import assets
from selify.core.files.pictures import open_picture
from selify.tryon.engine.codec import decode
from selify.tryon.engine.engine import EmbeddedEngine, ReadGarment
from selify.tryon.types import GarmentCategory, Picture, Refusal, RenderOptions
from selify_sandbox.drawn_garments import wardrobe
from selify_sandbox.drawn_people import draw_person

FIGURE = "tryon"
PHOTOS = Path(__file__).parents[2] / "shared" / "photos"
SIDE = 1024
# On a busy machine a measurement is slow, not missing.
PATIENCE = 300.0
MOST_SECONDS = 4.0
MOST_MB = 1200.0
SMALL = "without the large networks"
CORES = "all cores together"
MEBI = 1024 * 1024
TOP = GarmentCategory.TOP


@dataclass(frozen=True, slots=True)
class _Look:
    """A person and what they try on."""

    what: str
    person: Picture
    garment: Picture


@dataclass(frozen=True, slots=True)
class Measured:
    """``value`` None: the engine made no picture. ``most``: what we want it to stay below."""

    what: str
    value: float | None
    unit: str
    most: float | None = None


@dataclass(frozen=True, slots=True)
class _Taken:
    """Seconds of one call: on the clock, and of all cores together."""

    wall: float
    cores: float


async def measure(_where: stage.Stage, effort: Effort) -> list[Line]:
    """Per look a garment that is new and a try-on, each on the clock and in processor time; and the memory."""
    return lines(await _measured(effort, small=False), await _measured(effort, small=True))


def lines(full: Sequence[Measured], small: Sequence[Measured]) -> list[Line]:
    """``small``: the same, without the large networks. Raises WrongResult where the full engine made no picture."""
    return [_line(ours, beside) for ours, beside in zip(full, small, strict=True)]


def _line(ours: Measured, beside: Measured) -> Line:
    if ours.value is None:
        raise WrongResult(f"{ours.what}: no picture was made")
    compared, limited = "" if beside.value is None else SMALL, ours.most is not None
    return Line(
        FIGURE,
        ours.what,
        ours.value,
        ours.unit,
        compared,
        beside.value,
        aim=ours.most,
        aim_is_limit=limited,
    )


async def _measured(effort: Effort, *, small: bool) -> list[Measured]:
    found = []
    async with _engine(small=small) as (engine, process):
        for look in _looks():
            read = await _reading(engine, process, look)
            worn = await _trying(engine, process, look, effort.rounds)
            found += _rows(f"A garment's picture read, {look.what}", read)
            what = f"A try-on, {look.what}, {SIDE} px, on the processor"
            found += _rows(what, worn, MOST_SECONDS)
        peak = Measured("The engine's process at its largest", _peak(process) / MEBI, "MB", MOST_MB)
    return [*found, peak]


def _rows(what: str, taken: _Taken | None, most: float | None = None) -> list[Measured]:
    wall, cores = (None, None) if taken is None else (taken.wall, taken.cores)
    return [Measured(what, wall, "s", most), Measured(f"{what}, {CORES}", cores, "s")]


@asynccontextmanager
async def _engine(*, small: bool) -> AsyncIterator[tuple[EmbeddedEngine, psutil.Process]]:
    """And its process, which has loaded its networks."""
    models = assets.ensure("tryon-models")
    async with aclosing(EmbeddedEngine(models, small=small, time_limit=PATIENCE)) as engine:
        person = _looks()[0].person
        other = _picture(_png(wardrobe()[0].on_backdrop()))
        await engine.render(person, other, RenderOptions(category=TOP))
        (pid,) = engine.process_ids
        yield engine, psutil.Process(pid)


async def _reading(engine: EmbeddedEngine, process: psutil.Process, look: _Look) -> _Taken:
    async def read() -> None:
        answer = await engine.read_garment(look.garment, TOP)
        if not isinstance(answer, ReadGarment):
            raise WrongResult(f"{look.what}: {answer}")

    return await _taken(process, read)


async def _trying(
    engine: EmbeddedEngine, process: psutil.Process, look: _Look, rounds: int
) -> _Taken | None:
    """The garment was read before. None where the engine refuses."""
    options = RenderOptions(category=TOP, max_side=SIDE)
    if isinstance(await engine.render(look.person, look.garment, options), Refusal):
        return None

    async def render() -> None:
        await engine.render(look.person, look.garment, options)

    taken = [await _taken(process, render) for _ in range(rounds)]
    return _Taken(
        statistics.median(one.wall for one in taken),
        statistics.median(one.cores for one in taken),
    )


async def _taken(process: psutil.Process, call: Callable[[], Awaitable[None]]) -> _Taken:
    before, started = process.cpu_times(), time.perf_counter()
    await call()
    after, wall = process.cpu_times(), time.perf_counter() - started
    return _Taken(wall, after.user + after.system - before.user - before.system)


def _looks() -> list[_Look]:
    drawn = next(garment for garment in wardrobe() if garment.slug == "tee-forest")
    person = _picture(_png(_sized(draw_person())))
    looks = [_Look("drawn", person, _picture(_png(drawn.on_backdrop())))]
    photo, garment = PHOTOS / "people/man_front_tee.png", PHOTOS / "garments/tee_yellow.png"
    if photo.exists() and garment.exists():
        person = _picture(_png(_sized(decode(photo.read_bytes(), SIDE).bgr)))
        looks.append(_Look("photographs", person, _picture(garment.read_bytes())))
    return looks


def _sized(image: "cv2.typing.MatLike") -> "cv2.typing.MatLike":
    """With ``SIDE`` as its longest side."""
    scale = SIDE / max(image.shape[:2])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _picture(data: bytes) -> Picture:
    image = open_picture(data)
    return Picture(data, "image/png", image.width, image.height)


def _png(image: "cv2.typing.MatLike") -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def _peak(process: psutil.Process) -> int:
    """The most resident bytes so far, where the system keeps count; else those of now."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return int(process.memory_info().rss)
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
