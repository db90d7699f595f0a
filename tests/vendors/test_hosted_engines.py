"""Each hosted engine's client against its stand-in, over real HTTP: one suite, a row per engine.

What is special to one of them stands in its own folder.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.vendors.hosted_engines import HOSTED_ENGINES

from selify import vendors
from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import Refusal, Rendering

METHODS = ["GET", "POST", "PUT", "DELETE"]


@pytest.fixture(params=HOSTED_ENGINES, ids=str)
def hosted(request):
    return request.param


def rows(name):
    """Each engine with each of what it has under this name."""
    found = [(hosted, value) for hosted in HOSTED_ENGINES for value in getattr(hosted, name)]
    return pytest.mark.parametrize(
        ("hosted", "case"), found, ids=[f"{hosted}-{str(case)[:60]}" for hosted, case in found]
    )


def fetching():
    return pytest.mark.parametrize("hosted", [h for h in HOSTED_ENGINES if h.fetches], ids=str)


def cancelling():
    return pytest.mark.parametrize("hosted", [h for h in HOSTED_ENGINES if h.cancelled], ids=str)


def answering(answer):
    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


def test_each_client_of_a_hosted_engine_has_its_row():
    clients = Path(vendors.__file__).parent.glob("*/client.py")
    hosted = {one.parent.name for one in clients if "selify.vendors.hosted" in one.read_text()}
    assert hosted == {engine.name for engine in HOSTED_ENGINES}


@rows("models")
async def test_a_picture_comes_back_and_costs_its_price(
    hosted, case, engine_for, person, garment, looks_dressed
):
    result = await engine_for(**case).render(person, garment, hosted.options)
    assert isinstance(result, Rendering)
    assert (result.engine, result.cost) == (hosted.name, hosted.price)
    assert (result.picture.width, result.picture.height) == (300, 400)
    assert looks_dressed(result.picture)


async def test_the_result_is_no_larger_than_asked_for(hosted, engine_for, person, garment):
    result = await engine_for().render(person, garment, replace(hosted.options, max_side=200))
    assert (result.picture.width, result.picture.height) == (150, 200)


@rows("refusals")
async def test_what_it_says_about_the_photo_is_a_refusal_that_costs_nothing(
    hosted, case, engine_for, person, garment
):
    result = await engine_for(case).render(person, garment, hosted.options)
    assert isinstance(result, Refusal)
    assert (result.code, result.engine) == (hosted.refusals[case], hosted.name)
    assert result.cost == MicroUnits(0)
    assert result.sentence.endswith(".")
    assert result.hint


@rows("troubles")
async def test_its_own_trouble_makes_it_unavailable(hosted, case, engine_for, person, garment):
    trouble = hosted.troubles[case]
    with pytest.raises(EngineUnavailable, match=trouble.words) as missing:
        await engine_for(case).render(person, garment, hosted.options)
    assert (missing.value.engine, missing.value.retry_after) == (hosted.name, trouble.retry_after)
    due = hosted.price if trouble.made else MicroUnits(0)
    assert missing.value.cost == due, "a picture made is paid for"


@pytest.mark.parametrize("large", [False, True])
async def test_a_wrong_key_makes_it_unavailable(
    hosted, engine_for, person, garment, large_garment, large
):
    piece = large_garment if large else garment
    with pytest.raises(EngineUnavailable, match=hosted.wrong_key):
        await engine_for(api_key="wrong").render(person, piece, hosted.options)


def test_a_key_is_told_to_nobody(hosted):
    assert "hush" not in repr(hosted.config("https://engine.example", api_key="hush"))


async def test_nobody_there_makes_it_unavailable(hosted, engine_for, person, garment):
    engine = engine_for(base_url="http://127.0.0.1:9")
    with pytest.raises(EngineUnavailable, match="no answer"):
        await engine.render(person, garment, hosted.options)


async def test_a_redirect_does_not_take_the_key_along(serve, hosted, engine_for, person, garment):
    seen: list[str] = []

    async def thief(request):
        seen.append(request.url.path)
        return JSONResponse({})

    other = serve(answering(thief))

    async def redirect(_request):
        return Response(status_code=307, headers={"location": f"{other.url}/take"})

    engine = engine_for(server=serve(answering(redirect)))
    with pytest.raises(EngineUnavailable, match="307"):
        await engine.render(person, garment, hosted.options)
    assert not seen


@rows("sat_out")
async def test_a_long_wait_and_a_flaky_gateway_are_sat_out(
    hosted, case, engine_for, standin, person, garment
):
    result = await engine_for(case).render(person, garment, hosted.options)
    assert isinstance(result, Rendering)
    assert len(hosted.jobs(standin.app)) == 1


async def test_what_takes_too_long_is_not_waited_for(hosted, engine_for, person, garment):
    with pytest.raises(EngineUnavailable, match=hosted.too_late):
        await engine_for("endless", timeout=0.3).render(person, garment, hosted.options)


@cancelling()
async def test_what_takes_too_long_is_cancelled_there(hosted, engine_for, standin, person, garment):
    with pytest.raises(EngineUnavailable, match="within"):
        await engine_for("endless", timeout=0.3).render(person, garment, hosted.options)
    assert hosted.cancelled(standin.app) == [True]


@cancelling()
async def test_when_we_are_stopped_the_job_is_cancelled_there(
    hosted, engine_for, standin, person, garment
):
    waiting = asyncio.Event()

    async def on_response(response: httpx.Response) -> None:
        if response.request.method == "GET":
            waiting.set()

    engine = engine_for("endless", on_response=on_response)
    task = asyncio.create_task(engine.render(person, garment, hosted.options))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hosted.cancelled(standin.app) == [True]


@fetching()
async def test_pictures_come_only_from_the_hosts_configured(hosted, engine_for, person, garment):
    engine = engine_for(result_hosts=("pictures.example",))
    with pytest.raises(EngineUnavailable, match="no file was expected"):
        await engine.render(person, garment, hosted.options)


@rows("strange_bodies")
@pytest.mark.parametrize("status", [200, 422, 500])
async def test_whatever_comes_back_it_ends_in_a_refusal_or_unavailability(
    hosted, case, serve, engine_for, person, garment, large_garment, status
):
    async def answer(request):
        base = str(request.base_url).encode()
        return Response(case.replace(b"BASE/", base), status, media_type="application/json")

    piece = large_garment if hosted.uploads else garment
    engine = engine_for(server=serve(answering(answer)), timeout=0.5)
    try:
        result = await engine.render(person, piece, hosted.options)
    except EngineUnavailable:
        return
    assert isinstance(result, Refusal)
