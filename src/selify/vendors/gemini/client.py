"""Try-on by a Gemini image model: one ``generateContent`` call with both pictures inline.

Source: the Gemini API reference, ``models.generateContent`` (v1beta).
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from selify.core.logging import get_logger
from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import Picture, Refusal, RefusalCode, Rendering, RenderOptions
from selify.vendors.gemini.framing import Framed, cut_back, framed
from selify.vendors.hosted import (
    Answer,
    ProviderApi,
    as_seconds,
    instruction,
    opened,
    refusal,
    time_limit,
)

ENGINE: Final = "gemini"
RETIRED_FOR_SECONDS: Final = 3600.0
# `finishReason` and `blockReason` that speak about what is to be seen, not about the machine.
_CONTENT_REASONS: Final = frozenset(
    {
        "SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT",
        "BLOCKLIST", "SPII",
    }
)  # fmt: skip

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GeminiConfig:
    """``models`` in order of preference; ``prices`` per picture, by model; ``timeout`` in seconds.

    ``image_size`` is 512, 1K, 2K or 4K where the model knows it; empty leaves it to the model.
    """

    api_key: str = field(repr=False)
    prices: Mapping[str, MicroUnits]
    models: tuple[str, ...] = ("gemini-3.1-flash-image", "gemini-3-pro-image")
    base_url: str = "https://generativelanguage.googleapis.com"
    image_size: str = "1K"
    timeout: float = 60.0

    def __post_init__(self) -> None:
        if unpriced := set(self.models) - set(self.prices):
            raise ValueError(f"nobody has said what {', '.join(sorted(unpriced))} costs")


class GeminiEngine:
    """Implements ``tryon.ports.TryOnEngine``. The HTTP client is the caller's to open and close."""

    name = ENGINE

    def __init__(self, config: GeminiConfig, http: httpx.AsyncClient) -> None:
        self._config = config
        self._api = ProviderApi(ENGINE, config.base_url, {"x-goog-api-key": config.api_key}, http)
        self._retired_until: dict[str, float] = {}

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        started = time.monotonic()
        async with time_limit(ENGINE, self._config.timeout) as bill:
            frame = await asyncio.to_thread(framed, person)
            model, answer = await self._generate(self._request(frame, garment, options))
            image = _image_of(answer.body)
            if image is None:
                return _refusal_of(answer.body)
            bill.due = self._config.prices[model]
            picture = await opened(ENGINE, image, options)
            picture = await asyncio.to_thread(cut_back, picture, frame)
        return Rendering(picture, ENGINE, time.monotonic() - started, bill.due)

    def _request(self, frame: Framed, garment: Picture, options: RenderOptions) -> dict[str, Any]:
        image_config = {"aspectRatio": frame.ratio}
        if self._config.image_size:
            image_config["imageSize"] = self._config.image_size
        parts = [_inline(frame.picture), _inline(garment), {"text": instruction(options)}]
        return {
            "contents": [{"role": "user", "parts": parts}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": image_config,
                "seed": options.attempt,
            },
        }

    async def _generate(self, request: dict[str, Any]) -> tuple[str, Answer]:
        """The first model that still exists, and its answer. What is retired is not asked for an
        hour.
        """
        for model in self._config.models:
            if self._retired_until.get(model, 0.0) > time.monotonic():
                continue
            url = self._api.url(f"/v1beta/models/{model}:generateContent")
            answer = await self._api.call("POST", url, json=request, timeout=self._config.timeout)
            if answer.ok:
                return model, answer
            if answer.status not in {404, 410}:
                raise self._failure(answer)
            self._retired_until[model] = time.monotonic() + RETIRED_FOR_SECONDS
            logger.warning("image model is retired or unknown", engine=ENGINE, model=model)
        raise self._api.unavailable(
            f"none of its models is left: {', '.join(self._config.models)}", RETIRED_FOR_SECONDS
        )

    def _failure(self, answer: Answer) -> EngineUnavailable:
        error = answer.body.get("error")
        error = error if isinstance(error, Mapping) else {}
        words = f"{error.get('status', '')} {error.get('message', '')}".strip()
        delays = (
            as_seconds(detail.get("retryDelay"))
            for detail in _mappings(error.get("details"))
            if "retryDelay" in detail
        )
        return self._api.failure(answer, words, next(delays, None))


def _inline(picture: Picture) -> dict[str, Any]:
    data = base64.b64encode(picture.data).decode("ascii")
    return {"inlineData": {"mimeType": picture.content_type, "data": data}}


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects in what should be a list of objects."""
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, Mapping))


def _image_of(body: Mapping[str, Any]) -> bytes | None:
    """The last picture that is not a sketch of the model's own thinking."""
    images: list[bytes] = []
    for candidate in _mappings(body.get("candidates")):
        content = candidate.get("content")
        for part in _mappings(content.get("parts") if isinstance(content, Mapping) else None):
            inline = part.get("inlineData")
            if isinstance(inline, Mapping) and not part.get("thought"):
                image = _decoded(inline.get("data"))
                images += [image] if image else []
    return images[-1] if images else None


def _decoded(data: object) -> bytes | None:
    """Base64 in either alphabet."""
    try:
        return base64.b64decode(str(data or "").translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error:
        return None


def _refusal_of(body: Mapping[str, Any]) -> Refusal:
    """Why there is no picture: the model's view of the content, or that it just made none."""
    feedback = body.get("promptFeedback")
    blocked = feedback.get("blockReason") if isinstance(feedback, Mapping) else None
    finished = [str(c.get("finishReason", "")) for c in _mappings(body.get("candidates"))]
    reason = str(blocked or next(iter(finished), "") or "NO_IMAGE")
    is_content = reason in _CONTENT_REASONS
    code = RefusalCode.CONTENT_REFUSED if is_content else RefusalCode.QUALITY_TOO_LOW
    return refusal(ENGINE, code, reason)
