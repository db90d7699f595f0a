"""Seconds per try-on with the embedded engine, warm, and the most memory its process took.

The drawn person in a drawn garment always; real photos too, where they lie beside the clone.
"""

import statistics
from dataclasses import dataclass
from pathlib import Path

import cv2
import psutil

from bench.instruments import stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, WrongResult, seconds_of
from selify import assets
from selify.core.files.pictures import open_picture
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.types import GarmentCategory, Picture, Rendering, RenderOptions
from selify_sandbox.drawn_garments import wardrobe
from selify_sandbox.drawn_people import draw_person

FIGURE = "tryon"
PHOTOS = Path(__file__).parents[2] / "shared" / "photos"
MEBI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Look:
    """A person and what they try on."""

    what: str
    person: Picture
    garment: Picture


async def measure(_where: stage.Stage, effort: Effort) -> list[Line]:
    """One line per look, and one for the memory."""
    engine = EmbeddedEngine(assets.ensure("tryon-models"))
    try:
        lines = [await _time(engine, look, effort.rounds) for look in _looks()]
        return [*lines, _memory()]
    finally:
        await engine.aclose()


async def _time(engine: EmbeddedEngine, look: _Look, rounds: int) -> Line:
    options = RenderOptions(category=GarmentCategory.TOP)

    async def render() -> None:
        answer = await engine.render(look.person, look.garment, options)
        if not isinstance(answer, Rendering):
            raise WrongResult(f"{look.what}: {answer}")

    await render()  # the first one starts the process and loads the networks
    seconds = [await seconds_of(render()) for _ in range(rounds)]
    return Line(FIGURE, f"A try-on, {look.what}, on the processor", statistics.median(seconds), "s")


def _looks() -> list[_Look]:
    drawn = next(garment for garment in wardrobe() if garment.slug == "tee-forest")
    looks = [_Look("drawn", _picture(_png(draw_person())), _picture(drawn.png()))]
    person, garment = PHOTOS / "people/man_front_tee.png", PHOTOS / "garments/tee_yellow.png"
    if person.exists() and garment.exists():
        looks.append(
            _Look("photographs", _picture(person.read_bytes()), _picture(garment.read_bytes()))
        )
    return looks


def _picture(data: bytes) -> Picture:
    image = open_picture(data)
    return Picture(data, "image/png", image.width, image.height)


def _png(image: "cv2.typing.MatLike") -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def _memory() -> Line:
    return Line(
        FIGURE, "The engine's process at its largest", _peak(_engine_process()) / MEBI, "MB"
    )


def _engine_process() -> psutil.Process:
    return next(
        child
        for child in psutil.Process().children()
        if "selify.tryon.engine.worker" in child.cmdline()
    )


def _peak(process: psutil.Process) -> int:
    """The most resident bytes so far, where the system keeps count; else those of now."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return int(process.memory_info().rss)
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
