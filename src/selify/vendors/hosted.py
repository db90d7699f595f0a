"""What the clients of hosted try-on engines share: the call, its failures, and the picture.

An answer from a provider is as hostile as an upload: its size is limited, its JSON may be anything,
its picture is opened and encoded afresh.
"""

import asyncio
import base64
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from selify.core.errors import SelifyError
from selify.core.files.pictures import open_picture
from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import GarmentCategory, Picture, Refusal, RefusalCode, RenderOptions

MAX_ANSWER_BYTES: Final = 48 * 1024 * 1024
TIDY_UP_SECONDS: Final = 5.0
POLL_PATIENCE: Final = 3
_REASON_CHARACTERS: Final = 200

_REASON_BY_STATUS: Final = {
    401: "it does not accept our key",
    402: "our account there has no credit left",
    403: "our key may not do this",
    404: "there is no such model",
    429: "too many requests",
}
_SENTENCES: Final = {
    RefusalCode.CONTENT_REFUSED: (
        "We cannot make a picture from this photo.",
        "Please send another photo: everyday clothes, only yourself in view.",
    ),
    RefusalCode.QUALITY_TOO_LOW: (
        "The picture did not turn out well enough to send.",
        "Another photo may work better.",
    ),
    RefusalCode.PERSON_NOT_FOUND: (
        "We could not find a person in this photo.",
        "Please send a photo from the front, head to hips in view, good light.",
    ),
}
_WORN: Final = {
    GarmentCategory.TOP: "upper body, in place of what they wear there",
    GarmentCategory.BOTTOM: "lower body, in place of what they wear there",
    GarmentCategory.DRESS: "whole body, in place of everything they wear",
}


# --- Asking ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer. ``body`` is empty where it was no JSON object."""

    status: int
    headers: httpx.Headers
    body: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header; its date form is not used by these providers."""
        return as_seconds(self.headers.get("retry-after", ""))


class ProviderApi:
    """One provider's HTTP interface: base address, key, and failures as ``EngineUnavailable``.

    The key goes to the base address only; a URL out of an answer must pass ``is_own`` first.
    """

    def __init__(
        self, engine: str, base_url: str, headers: Mapping[str, str], http: httpx.AsyncClient
    ) -> None:
        self.engine = engine
        self._base = httpx.URL(base_url.rstrip("/"))
        self._headers = dict(headers)
        self._http = http

    def url(self, path: str) -> str:
        return f"{self._base}".rstrip("/") + path

    def is_own(self, url: object) -> bool:
        """Whether a URL from an answer has our base address's scheme, host and port."""
        try:
            parsed = httpx.URL(str(url))
        except httpx.InvalidURL:
            return False
        return not parsed.userinfo and _origin(parsed) == _origin(self._base)

    async def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **content: Any
    ) -> Answer:
        """One request, without redirects. Whatever the status, it is the caller's to judge."""
        if not self.is_own(url):
            raise self.unavailable("it pointed us to a foreign address")
        sent = {**self._headers, **(headers or {})}
        try:
            async with self._http.stream(
                method, url, headers=sent, follow_redirects=False, **content
            ) as response:
                data = await self._read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.unavailable(f"no answer ({type(error).__name__})") from error
        return Answer(response.status_code, response.headers, _as_object(data))

    async def _read(self, response: httpx.Response) -> bytes:
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > MAX_ANSWER_BYTES:
                raise self.unavailable("its answer is too long")
        return bytes(data)

    def unavailable(self, reason: str, retry_after: float | None = None) -> EngineUnavailable:
        return EngineUnavailable(self.engine, reason[:_REASON_CHARACTERS], retry_after)

    def failure(
        self, answer: Answer, words: str = "", retry_after: float | None = None
    ) -> EngineUnavailable:
        """What a status without a picture means. ``words`` are the provider's own."""
        reason = _REASON_BY_STATUS.get(answer.status, f"status {answer.status}")
        told = answer.retry_after if retry_after is None else retry_after
        return self.unavailable(f"{reason}: {words}" if words else reason, told)

    async def poll(
        self, url: str, is_done: Callable[[Mapping[str, Any]], bool], pause: float
    ) -> Answer:
        """GET until the body says that it is done, or a lasting error comes back.

        A few passing failures in a row are sat out: the picture is being paid for.
        """
        failures, longest = 0, pause * 4
        while True:
            try:
                answer = await self._asked_once(url)
            except EngineUnavailable:
                failures += 1
                if failures > POLL_PATIENCE:
                    raise
            else:
                if not answer.ok or is_done(answer.body):
                    return answer
                failures = 0
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, longest)

    async def _asked_once(self, url: str) -> Answer:
        answer = await self.call("GET", url)
        if answer.status == httpx.codes.TOO_MANY_REQUESTS or answer.status >= 500:
            raise self.failure(answer)
        return answer

    async def tidy_up(self, method: str, url: str) -> None:
        """Cancelling and deleting: best effort, within seconds."""
        try:
            async with asyncio.timeout(TIDY_UP_SECONDS):
                await self.call(method, url)
        except (EngineUnavailable, TimeoutError):
            return


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.raw_host.lower(), default if url.port is None else url.port


def _as_object(data: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def as_seconds(text: object) -> float | None:
    """Seconds out of ``30``, ``"30"`` or ``"30s"``; None for anything else."""
    try:
        seconds = float(str(text).removesuffix("s"))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


@dataclass(slots=True)
class Bill:
    """``due``: what this rendering has cost, from the moment the provider has made its picture."""

    due: MicroUnits = field(default_factory=MicroUnits.zero)


@asynccontextmanager
async def time_limit(engine: str, seconds: float) -> AsyncIterator[Bill]:
    """The whole of a rendering: longer than this, and the shopper has left.

    Whatever makes the engine unavailable once its picture is made costs that picture.
    """
    bill = Bill()
    try:
        async with asyncio.timeout(seconds):
            yield bill
    except TimeoutError as error:
        late = f"no picture within {seconds:g} seconds"
        raise EngineUnavailable(engine, late, cost=bill.due) from error
    except EngineUnavailable as error:
        error.cost = bill.due
        raise


# --- Pictures and refusals ------------------------------------------------------------------------


def data_uri(picture: Picture) -> str:
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.data).decode('ascii')}"


async def opened(engine: str, data: bytes, options: RenderOptions) -> Picture:
    """The provider's picture, checked and encoded afresh."""
    try:
        return await asyncio.to_thread(open_picture, data, max_side=options.max_side)
    except SelifyError as error:
        raise EngineUnavailable(engine, f"its picture cannot be used: {error.detail}") from error


def refusal(engine: str, code: RefusalCode, reason: str, cost: MicroUnits | None = None) -> Refusal:
    """A refusal in words for the shopper; ``reason`` is the provider's, for us."""
    sentence, hint = _SENTENCES[code]
    return Refusal(
        code,
        sentence,
        hint,
        engine=engine,
        details={"reason": reason[:_REASON_CHARACTERS]},
        cost=cost or MicroUnits.zero(),
    )


def instruction(options: RenderOptions) -> str:
    """The task in words, for models that take words. Later attempts insist on what went wrong."""
    words = (
        "The first picture shows a person, the second a garment. Show the same person wearing "
        f"exactly this garment on their {_WORN[options.category]}. Keep the person's face, hair, "
        "skin, hands, pose and body shape, the background, the light and the framing exactly as "
        "they are. Keep the garment's colours, pattern, print, length and cut. Add nothing else."
    )
    if options.attempt == 0:
        return words
    return (
        f"{words} Change no pixel outside the clothing: the face and the background must be "
        "identical to the first picture, and print and colours identical to the second."
    )
