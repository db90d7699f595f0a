"""Try-on by a model on fal: submit to the queue, ask for the status, fetch the result.

Source: fal's documentation of the queue API and of model errors; the input names are those of each
model's own page.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from selify.core.errors import SelifyError
from selify.core.files.fetch import SafeFetcher
from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    Refusal,
    RefusalCode,
    Rendering,
    RenderOptions,
)
from selify.vendors.hosted import (
    Answer,
    Bill,
    ProviderApi,
    data_uri,
    opened,
    refusal,
    time_limit,
)

ENGINE: Final = "fal"
PICTURE_LIFETIME_SECONDS: Final = 3600
_FASHN_CATEGORY: Final = {
    GarmentCategory.TOP: "tops",
    GarmentCategory.BOTTOM: "bottoms",
    GarmentCategory.DRESS: "one-pieces",
}
_REFUSAL_BY_ERROR_TYPE: Final = {
    "content_policy_violation": RefusalCode.CONTENT_REFUSED,
    "face_detection_error": RefusalCode.PERSON_NOT_FOUND,
    "no_media_generated": RefusalCode.QUALITY_TOO_LOW,
}

Inputs = Callable[[Picture, Picture, RenderOptions], dict[str, Any]]


def _leffa_inputs(person: Picture, garment: Picture, options: RenderOptions) -> dict[str, Any]:
    return {
        "human_image_url": data_uri(person),
        "garment_image_url": data_uri(garment),
        "garment_type": options.category.leffa,
        "seed": options.attempt,
        "output_format": "png",
    }


def _fashn_inputs(person: Picture, garment: Picture, options: RenderOptions) -> dict[str, Any]:
    return {
        "model_image": data_uri(person),
        "garment_image": data_uri(garment),
        "category": _FASHN_CATEGORY[options.category],
        "mode": "balanced",
        "seed": options.attempt,
        "num_samples": 1,
        "output_format": "png",
    }


INPUTS_BY_MODEL: Final[dict[str, Inputs]] = {
    "fal-ai/leffa/virtual-tryon": _leffa_inputs,
    "fal-ai/fashn/tryon/v1.6": _fashn_inputs,
}


@dataclass(frozen=True, slots=True)
class FalConfig:
    """``price`` per picture; ``timeout`` and ``poll`` in seconds.

    ``result_hosts`` are the domains pictures may come from.
    """

    api_key: str = field(repr=False)
    price: MicroUnits
    model: str = "fal-ai/leffa/virtual-tryon"
    base_url: str = "https://queue.fal.run"
    result_hosts: tuple[str, ...] = ("fal.media",)
    timeout: float = 90.0
    poll: float = 0.5

    def __post_init__(self) -> None:
        if self.model not in INPUTS_BY_MODEL:
            known = ", ".join(INPUTS_BY_MODEL)
            raise ValueError(f"{self.model!r} is no try-on model we know on fal; known: {known}")


@dataclass(frozen=True, slots=True)
class _Job:
    """A place in the queue. The addresses are fal's own: they drop the model's sub path."""

    status_url: str
    response_url: str
    cancel_url: str


class FalEngine:
    """Implements ``tryon.ports.TryOnEngine``. The HTTP client is the caller's to open and close."""

    name = ENGINE

    def __init__(self, config: FalConfig, http: httpx.AsyncClient, fetcher: SafeFetcher) -> None:
        self._config = config
        self._api = ProviderApi(
            ENGINE, config.base_url, {"Authorization": f"Key {config.api_key}"}, http
        )
        self._fetcher = fetcher

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        started = time.monotonic()
        inputs = INPUTS_BY_MODEL[self._config.model](person, garment, options)
        async with time_limit(ENGINE, self._config.timeout) as bill:
            output = await self._run(inputs, bill)
            if isinstance(output, Refusal):
                return output
            picture = await self._picture(output, options)
        return Rendering(picture, ENGINE, time.monotonic() - started, bill.due)

    async def _run(self, inputs: dict[str, Any], bill: Bill) -> Mapping[str, Any] | Refusal:
        job = await self._submit(inputs)
        try:
            answer = await self._api.poll(job.status_url, _is_completed, self._config.poll)
        except BaseException:  # also when we are cancelled: nobody will look at the picture
            await self._api.tidy_up("PUT", job.cancel_url)
            raise
        if answer.ok:
            bill.due = self._config.price
            answer = await self._api.call("GET", job.response_url)
        if not answer.ok:  # completed for the worse, which is not charged
            bill.due = MicroUnits.zero()
            return self._refused(answer)
        if answer.body.get("has_nsfw_concepts") in ([True], True):
            return refusal(ENGINE, RefusalCode.CONTENT_REFUSED, "nsfw", bill.due)
        return answer.body

    async def _submit(self, inputs: dict[str, Any]) -> _Job:
        lifetime = {"expiration_duration_seconds": PICTURE_LIFETIME_SECONDS}
        answer = await self._api.call(
            "POST",
            self._api.url(f"/{self._config.model}"),
            json=inputs,
            headers={
                "X-Fal-Request-Timeout": f"{self._config.timeout:g}",
                "X-Fal-Object-Lifecycle-Preference": json.dumps(lifetime),
            },
        )
        if not answer.ok:
            raise self._failure(answer)
        urls = [answer.body.get(f"{name}_url") for name in ("status", "response", "cancel")]
        if not all(self._api.is_own(url) for url in urls):
            raise self._api.unavailable("its queue pointed us to a foreign address")
        return _Job(*map(str, urls))

    def _refused(self, answer: Answer) -> Refusal:
        """A model's word about the pictures; anything else raises EngineUnavailable."""
        for kind in _error_types(answer):
            if code := _REFUSAL_BY_ERROR_TYPE.get(kind):
                return refusal(ENGINE, code, kind)
        raise self._failure(answer)

    def _failure(self, answer: Answer) -> EngineUnavailable:
        detail = answer.body.get("detail")
        words = detail if isinstance(detail, str) else " ".join(_error_types(answer))
        return self._api.failure(answer, words)

    async def _picture(self, output: Mapping[str, Any], options: RenderOptions) -> Picture:
        """Copied at once: the file is gone there after a while."""
        url = _picture_url(output)
        if url is None:
            raise self._api.unavailable("it named no picture")
        try:
            fetched = await self._fetcher.fetch(
                url, accept=("image/*",), only_hosts=self._config.result_hosts
            )
        except SelifyError as error:
            raise self._api.unavailable(f"its picture did not arrive: {error.detail}") from error
        return await opened(ENGINE, fetched.data, options)


def _is_completed(body: Mapping[str, Any]) -> bool:
    """Completed for better or worse: only the result tells which."""
    return body.get("status") == "COMPLETED"


def _error_types(answer: Answer) -> list[str]:
    """Machine-readable causes: of each error in ``detail``, of the body, and of the header."""
    detail = answer.body.get("detail")
    errors = detail if isinstance(detail, list) else []
    types = [
        str(error["type"]) for error in errors if isinstance(error, Mapping) and "type" in error
    ]
    types += [str(answer.body.get("error_type") or ""), answer.headers.get("x-fal-error-type", "")]
    return list(dict.fromkeys(filter(None, types)))


def _picture_url(output: Mapping[str, Any]) -> str | None:
    image = output.get("image")
    images = output.get("images")
    if isinstance(images, list) and images:
        image = images[0]
    url = image.get("url") if isinstance(image, Mapping) else None
    return url if isinstance(url, str) else None
