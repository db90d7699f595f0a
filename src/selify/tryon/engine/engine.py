"""The embedded try-on engine behind the port: on this machine's CPU, no network, no key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selify.core.money import MicroUnits
from selify.tryon.engine.frames import Frame
from selify.tryon.engine.process import WorkerLost, WorkerProcess
from selify.tryon.engine.reading import GarmentReading
from selify.tryon.engine.refusals import refusal
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    QualityScores,
    ReadPicture,
    Refusal,
    RefusalCode,
    Rendering,
    RenderOptions,
    RenderWarning,
)

TIME_LIMIT = 30.0
MAX_PIXELS = 52_000_000


@dataclass(frozen=True, slots=True)
class Assessed:
    """A hosted engine's result, scored; ``picture`` is the one to send, in the photo's frame."""

    picture: Picture
    scores: QualityScores


@dataclass(frozen=True, slots=True)
class ReadGarment:
    """``file``: for a ``ReadPicture``, so that it need not be read again; None where it will have to be."""

    reading: GarmentReading
    file: bytes | None


class EmbeddedEngine:
    """Dresses people in worker processes of its own. Close it with ``aclose``.

    ``models`` is the folder with the model files; ``small`` does without the large ones of them, where
    memory is short. ``processes``: how many pictures may be made at once; each takes up to 800 MB.
    The same pictures and options give the same bytes.
    """

    name = "embedded"

    def __init__(
        self,
        models: Path,
        *,
        small: bool = False,
        processes: int = 1,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self.time_limit = time_limit
        self._workers = [WorkerProcess(models, small=small) for _ in range(processes)]
        self._idle: asyncio.Queue[WorkerProcess] = asyncio.Queue()
        for worker in self._workers:
            self._idle.put_nowait(worker)

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        """Raises EngineUnavailable when the worker process cannot be run at all."""
        if _pixels(person) > MAX_PIXELS or _pixels(garment) > MAX_PIXELS:
            return refusal(RefusalCode.IMAGE_TOO_LARGE, engine=self.name)
        header = {
            "operation": "render",
            "category": options.category.value,
            "max_side": options.max_side,
        }
        answer = await self._ask(Frame(header, (person.data, *_with_file(garment))))
        if isinstance(answer, Refusal):
            return answer
        return self._rendering(answer, options.category)

    async def check(
        self, person: Picture, garment: Picture, category: GarmentCategory
    ) -> tuple[RenderWarning, ...] | Refusal:
        """Before a hosted engine is asked: why it need not be, or what to tell with its picture."""
        if _pixels(person) > MAX_PIXELS or _pixels(garment) > MAX_PIXELS:
            return refusal(RefusalCode.IMAGE_TOO_LARGE, engine=self.name)
        header = {"operation": "check", "category": category.value}
        answer = await self._ask(Frame(header, (person.data, *_with_file(garment))))
        return answer if isinstance(answer, Refusal) else _warnings(answer)

    async def assess(
        self, person: Picture, garment: Picture, result: Picture, category: GarmentCategory
    ) -> Assessed | Refusal:
        """Score what a hosted engine made; a Refusal if the photo cannot be read."""
        header = {"operation": "assess", "category": category.value}
        answer = await self._ask(Frame(header, (person.data, result.data, *_with_file(garment))))
        if isinstance(answer, Refusal):
            return answer
        sent = _picture(answer) if answer.parts else result
        return Assessed(sent, _scores(answer.header["scores"]))

    async def read_garment(
        self, picture: Picture, category: GarmentCategory | None
    ) -> ReadGarment | Refusal:
        """Colours, pattern and cut of a garment for the wardrobe."""
        header = {"operation": "read", "category": category.value if category else None}
        answer = await self._ask(Frame(header, (picture.data,)))
        if isinstance(answer, Refusal):
            return answer
        reading = GarmentReading.from_json(answer.header["reading"])
        return ReadGarment(reading, next(iter(answer.parts), None))

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the worker processes that run now."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    async def aclose(self) -> None:
        for worker in self._workers:
            await worker.kill()

    async def _ask(self, request: Frame) -> Frame | Refusal:
        async with self._worker() as worker:
            try:
                answer = await self._ask_twice(worker, request)
            except TimeoutError:
                return refusal(RefusalCode.TIMED_OUT, engine=self.name)
        if "fault" in answer.header:
            raise EngineUnavailable(self.name, str(answer.header["fault"]))
        if "refused" in answer.header:
            return self._refusal(answer.header)
        return answer

    async def _ask_twice(self, worker: WorkerProcess, request: Frame) -> Frame:
        """A process may end for reasons of its own; one that ends twice does so over the picture."""
        try:
            return await worker.ask(request, self.time_limit)
        except WorkerLost:
            pass
        try:
            return await worker.ask(request, self.time_limit)
        except WorkerLost as error:
            if worker.ever_ready:
                unreadable = RefusalCode.IMAGE_UNREADABLE.value
                return Frame({"refused": unreadable, "details": {"reason": "the decoder ended"}})
            raise EngineUnavailable(self.name, f"its process cannot be started: {error}") from error

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[WorkerProcess]:
        worker = await self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put_nowait(worker)

    def _refusal(self, header: dict[str, Any]) -> Refusal:
        refused = refusal(
            RefusalCode(header["refused"]),
            hint=str(header.get("hint", "")),
            engine=self.name,
            details=dict(header.get("details", {})),
        )
        return replace(refused, final=True)

    def _rendering(self, answer: Frame, category: GarmentCategory) -> Rendering:
        header = answer.header
        return Rendering(
            picture=_picture(answer),
            engine=self.name,
            seconds=float(header["seconds"]),
            cost=MicroUnits.zero(),
            warnings=_warnings(answer),
            scores=_scores(header["scores"]),
            final=True,
            garment_files={category: answer.parts[1]} if len(answer.parts) > 1 else {},
        )


def _with_file(garment: Picture) -> tuple[bytes, ...]:
    """The picture, and what was read out of it before."""
    file = garment.garment_file if isinstance(garment, ReadPicture) else None
    return (garment.data, file) if file else (garment.data,)


def _pixels(picture: Picture) -> int:
    return picture.width * picture.height


def _picture(answer: Frame) -> Picture:
    header = answer.header
    return Picture(answer.parts[0], "image/jpeg", int(header["width"]), int(header["height"]))


def _warnings(answer: Frame) -> tuple[RenderWarning, ...]:
    return tuple(RenderWarning(warning) for warning in answer.header["warnings"])


def _scores(scores: dict[str, Any]) -> QualityScores:
    named = {name: tuple(scores[name]) for name in ("misses", "doubts")}
    return QualityScores(**{**scores, **named})
