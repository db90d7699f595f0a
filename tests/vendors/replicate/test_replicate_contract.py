"""Client against stand-in, over real HTTP: Replicate's predictions and files."""

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
from selify.vendors.replicate.client import InputStyle, ReplicateConfig, ReplicateEngine
from selify_sandbox.replicate.app import create_app

OPTIONS = RenderOptions(GarmentCategory.DRESS)
PRICE = MicroUnits(3_900)
VERSION = "0123456789abcdef" * 4


@pytest.fixture
def standin(serve):
    return serve(create_app())


@pytest.fixture
async def engine_for(standin):
    async with httpx.AsyncClient(trust_env=False) as http:

        def make(model: str = "google/nano-banana", server=standin, **changes) -> ReplicateEngine:
            config = ReplicateConfig(
                "r8_key", PRICE, model, base_url=server.url, result_hosts=("127.0.0.1",), poll=0.01
            )
            fetcher = SafeFetcher(AllowList.of(server.host_and_port))
            return ReplicateEngine(replace(config, **changes), http, fetcher)

        make.http = http
        yield make


def predictions(standin):
    return list(standin.app.state.sandbox.predictions.values())


@pytest.mark.parametrize(
    ("model", "shown", "version"),
    [
        ("google/nano-banana", "google/nano-banana", ""),
        ("cuuupid/idm-vton", "cuuupid/idm-vton", ""),
        (VERSION, "", VERSION),
        (f"acme/tryon:{VERSION}", "", VERSION),
        ("deployments/acme/tryon", "acme/tryon", ""),
    ],
)
async def test_a_picture_comes_back_by_every_way_to_name_a_model(
    engine_for, standin, person, garment, looks_dressed, model, shown, version
):
    result = await engine_for(model).render(person, garment, OPTIONS)
    assert isinstance(result, Rendering)
    assert (result.engine, result.cost) == ("replicate", PRICE)
    assert looks_dressed(result.picture)
    (prediction,) = predictions(standin)
    assert (prediction.model, prediction.version) == (shown, version)


async def test_models_get_their_pictures_under_their_own_names(
    engine_for, standin, person, garment
):
    await engine_for("google/nano-banana").render(person, garment, OPTIONS)
    await engine_for("cuuupid/idm-vton").render(person, garment, replace(OPTIONS, attempt=1))
    await engine_for(VERSION, style=InputStyle.NAMED).render(person, garment, OPTIONS)
    prompted, named, chosen = (prediction.inputs for prediction in predictions(standin))
    assert "whole body" in prompted["prompt"]
    assert [uri.partition(";")[0] for uri in prompted["image_input"]] == [
        "data:image/jpeg",
        "data:image/png",
    ]
    assert (named["category"], named["seed"]) == ("dresses", 1)
    assert named["human_img"] == prompted["image_input"][0]
    assert set(chosen) == set(named)


async def test_we_ask_to_wait_and_set_a_deadline(engine_for, standin, person, garment):
    await engine_for(timeout=89.5).render(person, garment, OPTIONS)
    (prediction,) = predictions(standin)
    assert (prediction.headers["prefer"], prediction.headers["cancel-after"]) == ("wait=60", "90s")


async def test_a_large_picture_is_uploaded_and_deleted_afterwards(
    engine_for, standin, person, large_garment
):
    assert len(large_garment.data) > 256 * 1024
    result = await engine_for().render(person, large_garment, OPTIONS)
    assert isinstance(result, Rendering)
    (prediction,) = predictions(standin)
    assert prediction.inputs["image_input"][1] == f"{standin.url}/v1/files/file1"
    state = standin.app.state.sandbox
    assert (state.uploads, state.files) == (1, {})


async def test_the_upload_is_deleted_even_when_nothing_comes_of_it(
    engine_for, standin, person, large_garment
):
    with pytest.raises(EngineUnavailable):
        await engine_for("acme/m--failed").render(person, large_garment, OPTIONS)
    state = standin.app.state.sandbox
    assert (state.uploads, state.files) == (1, {})


@pytest.mark.parametrize("trouble", ["slow", "stumbling"])
async def test_a_long_prediction_is_polled_to_its_end(
    engine_for, standin, person, garment, trouble
):
    result = await engine_for(f"acme/m--{trouble}").render(person, garment, OPTIONS)
    assert isinstance(result, Rendering)
    assert len(predictions(standin)) == 1


async def test_a_filters_word_is_a_refusal(engine_for, person, garment):
    result = await engine_for("acme/m--refused").render(person, garment, OPTIONS)
    assert isinstance(result, Refusal)
    assert (result.code, result.engine) == (RefusalCode.CONTENT_REFUSED, "replicate")


@pytest.mark.parametrize(
    ("trouble", "words", "retry_after"),
    [
        ("rate_limited", "too many", 7.0),
        ("overloaded", "status 503", None),
        ("no_credit", "no credit", None),
        ("retired", "no such model", None),
        ("failed", "out of memory", None),
        ("babble", "no prediction", None),
        ("no_picture", "no picture", None),
        ("foreign_picture", "did not arrive", None),
        ("broken_picture", "cannot be used", None),
    ],
)
async def test_the_engines_own_trouble_makes_it_unavailable(
    engine_for, person, garment, trouble, words, retry_after
):
    with pytest.raises(EngineUnavailable, match=words) as missing:
        await engine_for(f"acme/m--{trouble}").render(person, garment, OPTIONS)
    assert (missing.value.engine, missing.value.retry_after) == ("replicate", retry_after)
    made = trouble in {"no_picture", "foreign_picture", "broken_picture"}
    assert missing.value.cost == (PRICE if made else MicroUnits(0)), "a picture made is paid for"


async def test_a_wrong_key_makes_it_unavailable(engine_for, person, garment, large_garment):
    for piece in (garment, large_garment):
        with pytest.raises(EngineUnavailable, match="does not accept our key"):
            await engine_for(api_key="wrong").render(person, piece, OPTIONS)


async def test_what_takes_too_long_is_cancelled_there(engine_for, standin, person, garment):
    with pytest.raises(EngineUnavailable, match="within"):
        await engine_for("acme/m--endless", timeout=0.3).render(person, garment, OPTIONS)
    assert [p.status for p in predictions(standin)] == ["canceled"]


async def test_when_we_are_stopped_it_is_cancelled_there(engine_for, standin, person, garment):
    waiting = asyncio.Event()

    async def on_response(response: httpx.Response) -> None:
        if response.request.method == "GET":
            waiting.set()

    engine_for.http.event_hooks = {"response": [on_response]}
    engine = engine_for("acme/m--endless")
    task = asyncio.create_task(engine.render(person, garment, OPTIONS))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [p.status for p in predictions(standin)] == ["canceled"]


@pytest.mark.parametrize("state", ["canceled", "aborted", "failed", "something new"])
async def test_every_end_without_success_makes_it_unavailable(
    serve, engine_for, person, garment, state
):
    async def answer(_request):
        return JSONResponse({"id": "p1", "status": state, "error": None}, 201)

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]))
    with pytest.raises(EngineUnavailable, match=state):
        await engine_for(server=server).render(person, garment, OPTIONS)


async def test_an_id_that_is_a_path_is_not_followed(serve, engine_for, person, garment):
    async def answer(_request):
        return JSONResponse({"id": "../account", "status": "starting"}, 201)

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]))
    with pytest.raises(EngineUnavailable, match="no prediction"):
        await engine_for(server=server).render(person, garment, OPTIONS)


@pytest.mark.parametrize(
    "model", ["", "nano-banana", "a/b/c", "a/b:short", "https://evil/x", "../x/y", "a/b?c"]
)
def test_a_senseless_model_is_refused_when_it_is_configured(model):
    with pytest.raises(ValueError, match="owner/name"):
        ReplicateConfig("key", PRICE, model)


STRANGE_BODIES = [
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
]


@pytest.mark.parametrize("body", STRANGE_BODIES, ids=range(len(STRANGE_BODIES)))
@pytest.mark.parametrize("status", [200, 422, 500])
async def test_whatever_comes_back_it_ends_in_a_refusal_or_unavailability(
    serve, engine_for, person, large_garment, body, status
):
    async def answer(request):
        base = str(request.base_url).encode()
        return Response(body.replace(b"BASE/", base), status, media_type="application/json")

    methods = ["GET", "POST", "PUT", "DELETE"]
    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=methods)]))
    try:
        result = await engine_for(server=server, timeout=0.5).render(person, large_garment, OPTIONS)
    except EngineUnavailable:
        return
    assert isinstance(result, Refusal)
