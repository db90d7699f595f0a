"""The hosted engines, one row each: what the suite of their contract has to know about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from selify.core.files.fetch import SafeFetcher
from selify.core.money import MicroUnits
from selify.tryon.ports import TryOnEngine
from selify.tryon.types import GarmentCategory, RefusalCode, RenderOptions
from selify.vendors.fal.client import INPUTS_BY_MODEL, FalConfig, FalEngine
from selify.vendors.gemini.client import GeminiConfig, GeminiEngine
from selify.vendors.replicate.client import ReplicateConfig, ReplicateEngine
from selify_sandbox.fal.app import create_app as create_fal
from selify_sandbox.gemini.app import create_app as create_gemini
from selify_sandbox.replicate.app import create_app as create_replicate

LOCAL = ("127.0.0.1",)
VERSION = "0123456789abcdef" * 4


@dataclass(frozen=True, slots=True)
class Trouble:
    """What an engine says of trouble of its own; ``made``: the picture was, and costs."""

    words: str
    retry_after: float | None = None
    made: bool = False


@dataclass(frozen=True)
class HostedEngine:
    """``config`` takes the base address and ``settings``, which are one of ``models``.

    ``jobs`` and ``cancelled`` read the stand-in's memory; without ``cancelled`` the provider has
    nothing to cancel, because it answers in one call. Bodies may hold ``BASE/``, the address of
    who answers.
    """

    name: str
    price: MicroUnits
    create_stand_in: Callable[[], Any]
    config: Callable[..., Any]
    engine: Callable[[Any, httpx.AsyncClient, SafeFetcher], TryOnEngine]
    jobs: Callable[[Any], list[Any]]
    refusals: Mapping[str, RefusalCode]
    troubles: Mapping[str, Trouble]
    sat_out: tuple[str, ...]
    strange_bodies: tuple[bytes, ...]
    cancelled: Callable[[Any], list[bool]] | None = None
    models: tuple[dict[str, Any], ...] = ({},)
    options: RenderOptions = field(default=RenderOptions(GarmentCategory.TOP))
    wrong_key: str = "does not accept our key"
    too_late: str = "within"
    fetches: bool = True  # the picture is at an address, which must be expected
    uploads: bool = False  # large pictures travel apart

    def __str__(self) -> str:
        return self.name


FAL = HostedEngine(
    name="fal",
    price=MicroUnits(7_500),
    create_stand_in=create_fal,
    config=lambda url, **settings: FalConfig(
        **{"api_key": "id:key", "price": FAL.price, "base_url": url, "result_hosts": LOCAL}
        | {"poll": 0.01}
        | settings
    ),
    engine=FalEngine,
    jobs=lambda app: list(app.state.sandbox.jobs.values()),
    cancelled=lambda app: [job.cancelled for job in FAL.jobs(app)],
    models=tuple({"model": model} for model in INPUTS_BY_MODEL),
    refusals={
        "refused": RefusalCode.CONTENT_REFUSED,
        "no_person": RefusalCode.PERSON_NOT_FOUND,
        "no_picture": RefusalCode.QUALITY_TOO_LOW,
    },
    troubles={
        "rate_limited": Trouble("too many", 7.0),
        "overloaded": Trouble("No runner"),
        "no_credit": Trouble("Exhausted balance"),
        "retired": Trouble("no such model"),
        "failed": Trouble("internal_server_error"),
        "not_json": Trouble("foreign address"),
        "foreign_address": Trouble("foreign address"),
        "foreign_picture": Trouble("did not arrive", made=True),
        "broken_picture": Trouble("cannot be used", made=True),
    },
    sat_out=("slow", "flaky"),
    strange_bodies=(
        b"",
        b"null",
        b"[1]",
        b"[" * 100_000,
        b'{"status_url": 7, "response_url": [], "cancel_url": {}}',
        b'{"status_url": "BASE/", "response_url": "BASE/", "cancel_url": "BASE/"}',
        (
            b'{"status_url": "BASE/", "response_url": "BASE/", "cancel_url": "BASE/",'
            b' "status": "COMPLETED", "image": {"url": "BASE/x.png"}}'
        ),
        (
            b'{"detail": [3, null, {"type": []}, {"type": "content_policy_violation"}],'
            b' "error_type": {}}'
        ),
        b'{"detail": {"type": 3}}',
    ),
)


def _gemini_config(
    url: str, models: tuple[str, ...] = ("gemini-3.1-flash-image",), **settings: Any
) -> GeminiConfig:
    own = {"api_key": "key", "prices": dict.fromkeys(models, GEMINI.price), "base_url": url}
    return GeminiConfig(**own | {"models": models} | settings)


GEMINI = HostedEngine(
    name="gemini",
    price=MicroUnits(3_000),
    create_stand_in=create_gemini,
    config=_gemini_config,
    engine=lambda config, http, _fetcher: GeminiEngine(config, http),
    jobs=lambda app: app.state.requests,
    refusals={
        "refused": RefusalCode.CONTENT_REFUSED,
        "blocked": RefusalCode.CONTENT_REFUSED,
        "no_picture": RefusalCode.QUALITY_TOO_LOW,
        "failed": RefusalCode.QUALITY_TOO_LOW,
        "not_json": RefusalCode.QUALITY_TOO_LOW,
    },
    troubles={
        "rate_limited": Trouble("too many", 7.0),
        "overloaded": Trouble("status 503"),
        "no_credit": Trouble("may not"),
        "broken_picture": Trouble("cannot be used", made=True),
    },
    sat_out=("slow",),
    strange_bodies=(
        b"",
        b"null",
        b"[1, 2]",
        b"[" * 100_000,
        b'{"candidates": 7}',
        b'{"candidates": [null, 5, "x"]}',
        b'{"candidates": [{"content": null, "finishReason": 3}]}',
        b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": "%%%"}}]}}]}',
        b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": 12}}]}}]}',
        b'{"promptFeedback": []}',
    ),
    wrong_key="API key not valid",
    too_late="within|no answer",  # one call, which gives up at the same moment
    fetches=False,
)

REPLICATE = HostedEngine(
    name="replicate",
    price=MicroUnits(3_900),
    create_stand_in=create_replicate,
    config=lambda url, **settings: ReplicateConfig(
        **{"api_key": "r8_key", "price": REPLICATE.price, "base_url": url, "result_hosts": LOCAL}
        | {"model": "google/nano-banana", "poll": 0.01}
        | settings
    ),
    engine=ReplicateEngine,
    jobs=lambda app: list(app.state.sandbox.predictions.values()),
    cancelled=lambda app: [job.status == "canceled" for job in REPLICATE.jobs(app)],
    models=(
        {"model": "google/nano-banana"},
        {"model": "cuuupid/idm-vton"},
        {"model": VERSION},
        {"model": f"acme/tryon:{VERSION}"},
        {"model": "deployments/acme/tryon"},
    ),
    options=RenderOptions(GarmentCategory.DRESS),
    refusals={"refused": RefusalCode.CONTENT_REFUSED},
    troubles={
        "rate_limited": Trouble("too many", 7.0),
        "overloaded": Trouble("status 503"),
        "no_credit": Trouble("no credit"),
        "retired": Trouble("no such model"),
        "failed": Trouble("out of memory"),
        "not_json": Trouble("no prediction"),
        "no_picture": Trouble("no picture", made=True),
        "foreign_picture": Trouble("did not arrive", made=True),
        "broken_picture": Trouble("cannot be used", made=True),
    },
    sat_out=("slow", "flaky"),
    strange_bodies=(
        b"",
        b"null",
        b"[1]",
        b"[" * 100_000,
        b'{"id": 7}',
        b'{"id": "p1", "status": []}',
        b'{"id": "p1", "status": "succeeded", "output": {"a": 1}}',
        b'{"id": "p1", "status": "succeeded", "output": [[]]}',
        b'{"id": "p1", "status": "succeeded", "output": "not a url"}',
        b'{"id": "p1", "status": "failed", "error": {"code": "NSFW"}}',
        b'{"id": "p1", "urls": {"get": "BASE/x"}, "status": "failed"}',
        b'{"id": "p1", "urls": {"get": "https://elsewhere.example/x"}}',
        b'{"detail": [1], "title": {}}',
    ),
    uploads=True,
)

HOSTED_ENGINES = (FAL, GEMINI, REPLICATE)
