"""What is special to Replicate: the ways to name a model, its files, its predictions' states.

What it has in common with the others: tests/vendors/test_hosted_engines.py.
"""

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.vendors.hosted_engines import REPLICATE, VERSION

from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import Rendering
from selify.vendors.replicate.client import InputStyle, ReplicateConfig


@pytest.fixture
def hosted():
    return REPLICATE


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
async def test_every_way_to_name_a_model_is_asked_for_as_the_api_has_it(
    engine_for, standin, person, garment, model, shown, version
):
    await engine_for(model=model).render(person, garment, REPLICATE.options)
    (prediction,) = REPLICATE.jobs(standin.app)
    assert (prediction.model, prediction.version) == (shown, version)


async def test_models_get_their_pictures_under_their_own_names(
    engine_for, standin, person, garment
):
    await engine_for(model="google/nano-banana").render(person, garment, REPLICATE.options)
    await engine_for(model="cuuupid/idm-vton").render(
        person, garment, replace(REPLICATE.options, attempt=1)
    )
    await engine_for(model=VERSION, style=InputStyle.NAMED).render(
        person, garment, REPLICATE.options
    )
    prompted, named, chosen = (prediction.inputs for prediction in REPLICATE.jobs(standin.app))
    assert "whole body" in prompted["prompt"]
    assert [uri.partition(";")[0] for uri in prompted["image_input"]] == [
        "data:image/jpeg",
        "data:image/png",
    ]
    assert (named["category"], named["seed"]) == ("dresses", 1)
    assert named["human_img"] == prompted["image_input"][0]
    assert set(chosen) == set(named)


async def test_we_ask_to_wait_and_set_a_deadline(engine_for, standin, person, garment):
    await engine_for(timeout=89.5).render(person, garment, REPLICATE.options)
    (prediction,) = REPLICATE.jobs(standin.app)
    assert (prediction.headers["prefer"], prediction.headers["cancel-after"]) == ("wait=60", "90s")


async def test_a_large_picture_is_uploaded_and_deleted_afterwards(
    engine_for, standin, person, large_garment
):
    assert len(large_garment.data) > 256 * 1024
    result = await engine_for().render(person, large_garment, REPLICATE.options)
    assert isinstance(result, Rendering)
    (prediction,) = REPLICATE.jobs(standin.app)
    assert prediction.inputs["image_input"][1] == f"{standin.url}/v1/files/file1"
    state = standin.app.state.sandbox
    assert (state.uploads, state.files) == (1, {})


async def test_the_upload_is_deleted_even_when_nothing_comes_of_it(
    engine_for, standin, person, large_garment
):
    with pytest.raises(EngineUnavailable):
        await engine_for("failed").render(person, large_garment, REPLICATE.options)
    state = standin.app.state.sandbox
    assert (state.uploads, state.files) == (1, {})


@pytest.mark.parametrize("state", ["canceled", "aborted", "failed", "something new"])
async def test_every_end_without_success_makes_it_unavailable(
    serve, engine_for, person, garment, state
):
    async def answer(_request):
        return JSONResponse({"id": "p1", "status": state, "error": None}, 201)

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]))
    with pytest.raises(EngineUnavailable, match=state):
        await engine_for(server=server).render(person, garment, REPLICATE.options)


async def test_an_id_that_is_a_path_is_not_followed(serve, engine_for, person, garment):
    async def answer(_request):
        return JSONResponse({"id": "../account", "status": "starting"}, 201)

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]))
    with pytest.raises(EngineUnavailable, match="no prediction"):
        await engine_for(server=server).render(person, garment, REPLICATE.options)


@pytest.mark.parametrize(
    "model", ["", "nano-banana", "a/b/c", "a/b:short", "https://evil/x", "../x/y", "a/b?c"]
)
def test_a_senseless_model_is_refused_when_it_is_configured(model):
    with pytest.raises(ValueError, match="owner/name"):
        ReplicateConfig("key", REPLICATE.price, model)
