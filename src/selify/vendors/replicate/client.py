"""Try-on by a model on Replicate: one prediction, waited for, then polled.

Source: Replicate's HTTP API reference; its guide on input files (a data URL up to 256 KB, an
upload beyond); prediction deadlines (``Cancel-After``).
"""

import math
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import httpx

from selify.core.errors import SelifyError
from selify.core.files.fetch import SafeFetcher
from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import Picture, Refusal, RefusalCode, Rendering, RenderOptions
from selify.vendors.hosted import (
    Answer,
    ProviderApi,
    data_uri,
    instruction,
    opened,
    refusal,
    time_limit,
)

ENGINE: Final = "replicate"
MAX_DATA_URL_BYTES: Final = 256 * 1024
MAX_WAIT_SECONDS: Final = 60
MIN_DEADLINE_SECONDS: Final = 5

_VERSION: Final = re.compile(r"(?:[\w.-]+/[\w.-]+:)?([0-9a-f]{64})")
_MODEL: Final = re.compile(r"[\w.-]+/[\w.-]+")
_DEPLOYMENT: Final = re.compile(r"deployments/([\w.-]+/[\w.-]+)")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_RUNNING: Final = frozenset({"starting", "processing"})
# There is no machine-readable cause; these words stand in the errors of filters in use there.
_CONTENT_WORDS: Final = re.compile(
    r"nsfw|safety|sensitive|flagged|moderation|prohibited", re.IGNORECASE
)


class InputStyle(StrEnum):
    """How a model wants its two pictures."""

    PROMPTED = "prompted"  # `prompt`, and both in `image_input`
    NAMED = "named"  # `human_img`, `garm_img`, `category`


STYLE_BY_MODEL: Final = {"cuuupid/idm-vton": InputStyle.NAMED}


@dataclass(frozen=True, slots=True)
class ReplicateConfig:
    """``price`` per picture; ``timeout`` and ``poll`` in seconds.

    ``model`` is ``owner/name``, ``owner/name:version``, a version id alone, or
    ``deployments/owner/name``. ``style`` is known for known models and ``PROMPTED`` for others.
    """

    api_key: str = field(repr=False)
    price: MicroUnits
    model: str = "google/nano-banana"
    style: InputStyle | None = None
    base_url: str = "https://api.replicate.com"
    result_hosts: tuple[str, ...] = ("replicate.delivery",)
    timeout: float = 90.0
    poll: float = 0.5

    def __post_init__(self) -> None:
        if not any(form.fullmatch(self.model) for form in (_VERSION, _MODEL, _DEPLOYMENT)):
            raise ValueError(
                f"{self.model!r} is no model of Replicate: write owner/name, owner/name:version, "
                "a version id of 64 digits, or deployments/owner/name"
            )

    @property
    def input_style(self) -> InputStyle:
        known = STYLE_BY_MODEL.get(self.model.partition(":")[0], InputStyle.PROMPTED)
        return self.style or known


class ReplicateEngine:
    """Implements ``tryon.ports.TryOnEngine``. The HTTP client is the caller's to open and close."""

    name = ENGINE

    def __init__(
        self, config: ReplicateConfig, http: httpx.AsyncClient, fetcher: SafeFetcher
    ) -> None:
        self._config = config
        self._api = ProviderApi(
            ENGINE, config.base_url, {"Authorization": f"Bearer {config.api_key}"}, http
        )
        self._fetcher = fetcher

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        started = time.monotonic()
        async with time_limit(ENGINE, self._config.timeout) as bill:
            async with self._sent(person) as person_uri, self._sent(garment) as garment_uri:
                prediction = await self._run(self._inputs(person_uri, garment_uri, options))
                if prediction.get("status") == "succeeded":
                    bill.due = self._config.price
            if prediction.get("status") != "succeeded":
                return self._refused(prediction)
            picture = await self._picture(prediction, options)
        return Rendering(picture, ENGINE, time.monotonic() - started, bill.due)

    # --- Input ---

    def _inputs(self, person: str, garment: str, options: RenderOptions) -> dict[str, Any]:
        if self._config.input_style is InputStyle.NAMED:
            return {
                "human_img": person,
                "garm_img": garment,
                "garment_des": "garment",
                "category": options.category.leffa,
                "seed": options.attempt,
            }
        return {
            "prompt": instruction(options),
            "image_input": [person, garment],
            "aspect_ratio": "match_input_image",
            "output_format": "png",
        }

    @asynccontextmanager
    async def _sent(self, picture: Picture) -> AsyncIterator[str]:
        """The picture as a URL the model can read; an uploaded one is deleted afterwards."""
        if len(picture.data) <= MAX_DATA_URL_BYTES:
            yield data_uri(picture)
            return
        file_id, url = await self._upload(picture)
        try:
            yield url
        finally:
            await self._api.tidy_up("DELETE", self._api.url(f"/v1/files/{file_id}"))

    async def _upload(self, picture: Picture) -> tuple[str, str]:
        extension = picture.content_type.rpartition("/")[2]
        answer = await self._api.call(
            "POST",
            self._api.url("/v1/files"),
            files={"content": (f"picture.{extension}", picture.data, picture.content_type)},
        )
        if not answer.ok:
            raise self._failure(answer)
        file_id, urls = answer.body.get("id"), answer.body.get("urls")
        url = urls.get("get") if isinstance(urls, Mapping) else None
        if not _is_id(file_id) or not self._api.is_own(url):
            raise self._api.unavailable("it named no address for the uploaded picture")
        return str(file_id), str(url)

    # --- The prediction ---

    async def _run(self, inputs: dict[str, Any]) -> Mapping[str, Any]:
        """The prediction in its last state. Cancelled there when we stop waiting for it."""
        prediction = await self._create(inputs)
        prediction_id = prediction.get("id")
        if not _is_id(prediction_id):
            raise self._api.unavailable("it named no prediction")
        try:
            return await self._finished(prediction, str(prediction_id))
        except BaseException:
            cancel_url = self._api.url(f"/v1/predictions/{prediction_id}/cancel")
            await self._api.tidy_up("POST", cancel_url)
            raise

    async def _create(self, inputs: dict[str, Any]) -> Mapping[str, Any]:
        path, body = self._target(inputs)
        seconds = max(MIN_DEADLINE_SECONDS, math.ceil(self._config.timeout))
        wait = max(1, min(MAX_WAIT_SECONDS, math.ceil(self._config.timeout)))
        answer = await self._api.call(
            "POST",
            self._api.url(path),
            json=body,
            headers={"Prefer": f"wait={wait}", "Cancel-After": f"{seconds}s"},
            timeout=self._config.timeout,
        )
        if not answer.ok:
            raise self._failure(answer)
        return answer.body

    def _target(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        model = self._config.model
        if version := _VERSION.fullmatch(model):
            return "/v1/predictions", {"version": version[1], "input": inputs}
        if deployment := _DEPLOYMENT.fullmatch(model):
            return f"/v1/deployments/{deployment[1]}/predictions", {"input": inputs}
        return f"/v1/models/{model}/predictions", {"input": inputs}

    async def _finished(
        self, prediction: Mapping[str, Any], prediction_id: str
    ) -> Mapping[str, Any]:
        if _is_finished(prediction):
            return prediction
        url = self._api.url(f"/v1/predictions/{prediction_id}")
        answer = await self._api.poll(url, _is_finished, self._config.poll)
        if not answer.ok:
            raise self._failure(answer)
        return answer.body

    def _refused(self, prediction: Mapping[str, Any]) -> Refusal:
        """A filter's word about the pictures; anything else raises EngineUnavailable."""
        error = str(prediction.get("error") or "")
        if _CONTENT_WORDS.search(error):
            return refusal(ENGINE, RefusalCode.CONTENT_REFUSED, error)
        raise self._api.unavailable(f"prediction {prediction.get('status')}: {error}")

    def _failure(self, answer: Answer) -> EngineUnavailable:
        return self._api.failure(
            answer, str(answer.body.get("detail") or answer.body.get("title") or "")
        )

    async def _picture(self, prediction: Mapping[str, Any], options: RenderOptions) -> Picture:
        """Copied at once: the file is deleted there after an hour."""
        url = _output_url(prediction.get("output"))
        if url is None:
            raise self._api.unavailable("it named no picture")
        try:
            fetched = await self._fetcher.fetch(
                url, accept=("image/*",), only_hosts=self._config.result_hosts
            )
        except SelifyError as error:
            raise self._api.unavailable(f"its picture did not arrive: {error.detail}") from error
        return await opened(ENGINE, fetched.data, options)


def _is_finished(prediction: Mapping[str, Any]) -> bool:
    return str(prediction.get("status")) not in _RUNNING


def _is_id(value: object) -> bool:
    """Ids become part of a path with our key on it."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _output_url(output: object) -> str | None:
    """One URL, or the last of several: models that show their work put the result last."""
    last = output[-1] if isinstance(output, list) and output else output
    return last if isinstance(last, str) else None
