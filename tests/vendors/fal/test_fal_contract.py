"""Client against stand-in, over real HTTP: fal's queue."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from selify.core.files.fetch import AllowList, SafeFetcher
from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import GarmentCategory, Refusal, RefusalCode, Rendering, RenderOptions
from selify.vendors.fal.client import INPUTS_BY_MODEL, FalConfig, FalEngine
from selify_sandbox.fal.app import create_app

OPTIONS = RenderOptions(GarmentCategory.TOP)
PRICE = MicroUnits(7_500)
FASHN = "fal-ai/fashn/tryon/v1.6"


@pytest.fixture
def standin(serve):
    return serve(create_app())


@pytest.fixture
async def engine_for(standin):
    """Makes engines against the stand-in; ``trouble`` is what their requests will meet."""
    clients: list[httpx.AsyncClient] = []

    def make(trouble: str = "", server=standin, on_response=None, **changes) -> FalEngine:
        config = FalConfig(
            "id:key", PRICE, base_url=server.url, result_hosts=("127.0.0.1",), poll=0.01
        )
        http = httpx.AsyncClient(trust_env=False, headers={"x-sandbox-trouble": trouble})
        http.event_hooks = {"response": [on_response] if on_response else []}
        clients.append(http)
        fetcher = SafeFetcher(AllowList.of(server.host_and_port))
        return FalEngine(replace(config, **changes), http, fetcher)

    yield make
    for client in clients:
        await client.aclose()


def jobs(standin):
    return list(standin.app.state.sandbox.jobs.values())


@pytest.mark.parametrize("model", INPUTS_BY_MODEL)
async def test_a_picture_comes_back_and_costs_its_price(
    engine_for, person, garment, looks_dressed, model
):
    result = await engine_for(model=model).render(person, garment, OPTIONS)
    assert isinstance(result, Rendering)
    assert (result.engine, result.cost) == ("fal", PRICE)
    assert looks_dressed(result.picture)


@pytest.mark.parametrize(
    ("category", "leffa", "fashn"),
    [
        (GarmentCategory.TOP, "upper_body", "tops"),
        (GarmentCategory.BOTTOM, "lower_body", "bottoms"),
        (GarmentCategory.DRESS, "dresses", "one-pieces"),
    ],
)
async def test_each_model_is_told_the_category_in_its_own_words(
    engine_for, standin, person, garment, category, leffa, fashn
):
    options = replace(OPTIONS, category=category, attempt=1)
    await engine_for().render(person, garment, options)
    await engine_for(model=FASHN).render(person, garment, options)
    first, second = (job.inputs for job in jobs(standin))
    assert (first["garment_type"], first["seed"]) == (leffa, 1)
    assert first["human_image_url"].startswith("data:image/jpeg;base64,")
    assert first["garment_image_url"].startswith("data:image/png;base64,")
    assert (second["category"], second["seed"]) == (fashn, 1)
    assert second["model_image"] == first["human_image_url"]


def test_an_unknown_model_is_refused_when_it_is_configured():
    with pytest.raises(ValueError, match="leffa"):
        FalConfig("key", PRICE, model="fal-ai/something-else")


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("refused", RefusalCode.CONTENT_REFUSED),
        ("no_person", RefusalCode.PERSON_NOT_FOUND),
        ("no_picture", RefusalCode.QUALITY_TOO_LOW),
    ],
)
async def test_what_the_model_says_about_the_photo_is_a_refusal(
    engine_for, person, garment, trouble, code
):
    result = await engine_for(trouble).render(person, garment, OPTIONS)
    assert isinstance(result, Refusal)
    assert (result.code, result.engine) == (code, "fal")
    assert result.sentence
    assert result.hint


@pytest.mark.parametrize(
    ("trouble", "words", "retry_after"),
    [
        ("rate_limited", "too many", 7.0),
        ("overloaded", "No runner", None),
        ("no_credit", "Exhausted balance", None),
        ("retired", "no such model", None),
        ("failed", "internal_server_error", None),
        ("babble", "foreign address", None),
        ("foreign_address", "foreign address", None),
        ("foreign_picture", "did not arrive", None),
        ("broken_picture", "cannot be used", None),
    ],
)
async def test_the_engines_own_trouble_makes_it_unavailable(
    engine_for, person, garment, trouble, words, retry_after
):
    with pytest.raises(EngineUnavailable, match=words) as missing:
        await engine_for(trouble).render(person, garment, OPTIONS)
    assert (missing.value.engine, missing.value.retry_after) == ("fal", retry_after)
    made = trouble in {"no_picture", "foreign_picture", "broken_picture"}
    assert missing.value.cost == (PRICE if made else MicroUnits(0)), "a picture made is paid for"


async def test_a_wrong_key_makes_it_unavailable(engine_for, person, garment):
    with pytest.raises(EngineUnavailable, match="does not accept our key"):
        await engine_for(api_key="wrong").render(person, garment, OPTIONS)


@pytest.mark.parametrize("trouble", ["slow", "stumbling"])
async def test_a_long_queue_and_a_stumbling_gateway_are_sat_out(
    engine_for, standin, person, garment, trouble
):
    result = await engine_for(trouble).render(person, garment, OPTIONS)
    assert isinstance(result, Rendering)
    assert len(jobs(standin)) == 1


async def test_what_takes_too_long_is_cancelled_there(engine_for, standin, person, garment):
    with pytest.raises(EngineUnavailable, match="within"):
        await engine_for("endless", timeout=0.3).render(person, garment, OPTIONS)
    assert [job.cancelled for job in jobs(standin)] == [True]


async def test_when_we_are_stopped_the_job_is_cancelled_there(engine_for, standin, person, garment):
    waiting = asyncio.Event()

    async def on_response(response: httpx.Response) -> None:
        if response.request.url.path.endswith("/status"):
            waiting.set()

    engine = engine_for("endless", on_response=on_response)
    task = asyncio.create_task(engine.render(person, garment, OPTIONS))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [job.cancelled for job in jobs(standin)] == [True]


async def test_pictures_come_only_from_the_hosts_configured(engine_for, person, garment):
    with pytest.raises(EngineUnavailable, match="no file was expected"):
        await engine_for(result_hosts=("fal.media",)).render(person, garment, OPTIONS)


async def test_a_withheld_picture_is_refused_and_still_paid(serve, engine_for, person, garment):
    async def answer(request):
        if request.method == "POST":
            base = f"{str(request.base_url).rstrip('/')}/fal-ai/leffa/requests/r-1"
            names = {"status_url": f"{base}/status", "response_url": base, "cancel_url": base}
            return JSONResponse({"request_id": "r-1", **names})
        if request.url.path.endswith("/status"):
            return JSONResponse({"status": "COMPLETED"})
        return JSONResponse({"image": {"url": "https://x/black.png"}, "has_nsfw_concepts": [True]})

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))
    result = await engine_for(server=server).render(person, garment, OPTIONS)
    assert isinstance(result, Refusal)
    assert (result.code, result.cost) == (RefusalCode.CONTENT_REFUSED, PRICE)


@pytest.mark.parametrize(
    "output", [{}, {"image": None}, {"image": {"url": 7}}, {"images": []}, {"images": [3]}]
)
async def test_an_output_without_a_picture_makes_it_unavailable(
    serve, engine_for, person, garment, output
):
    async def answer(request):
        base = f"{str(request.base_url).rstrip('/')}/r"
        if request.method == "POST":
            return JSONResponse(
                {f"{n}_url": f"{base}/{n}" for n in ("status", "response", "cancel")}
            )
        done = {"status": "COMPLETED"}
        return JSONResponse(done if request.url.path.endswith("/status") else output)

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))
    with pytest.raises(EngineUnavailable, match="no picture"):
        await engine_for(server=server).render(person, garment, OPTIONS)


STRANGE_BODIES = [
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
    b'{"detail": [3, null, {"type": []}, {"type": "content_policy_violation"}], "error_type": {}}',
    b'{"detail": {"type": 3}}',
]


@pytest.mark.parametrize("body", STRANGE_BODIES, ids=range(len(STRANGE_BODIES)))
@pytest.mark.parametrize("status", [200, 422, 500])
async def test_whatever_comes_back_it_ends_in_a_refusal_or_unavailability(
    serve, engine_for, person, garment, body, status
):
    async def answer(request):
        base = str(request.base_url).encode()
        return Response(body.replace(b"BASE/", base), status, media_type="application/json")

    methods = ["GET", "POST", "PUT", "DELETE"]
    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=methods)]))
    try:
        result = await engine_for(server=server, timeout=0.5).render(person, garment, OPTIONS)
    except EngineUnavailable:
        return
    assert isinstance(result, Refusal)
