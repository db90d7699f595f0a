"""What is special to fal: its queue's own words, and answers only it can give.

What it has in common with the others: tests/vendors/test_hosted_engines.py.
"""

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.vendors.hosted_engines import FAL

from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import GarmentCategory, Refusal, RefusalCode
from selify.vendors.fal.client import FalConfig

FASHN = "fal-ai/fashn/tryon/v1.6"


@pytest.fixture
def hosted():
    return FAL


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
    options = replace(FAL.options, category=category, attempt=1)
    await engine_for().render(person, garment, options)
    await engine_for(model=FASHN).render(person, garment, options)
    first, second = (job.inputs for job in FAL.jobs(standin.app))
    assert (first["garment_type"], first["seed"]) == (leffa, 1)
    assert first["human_image_url"].startswith("data:image/jpeg;base64,")
    assert first["garment_image_url"].startswith("data:image/png;base64,")
    assert (second["category"], second["seed"]) == (fashn, 1)
    assert second["model_image"] == first["human_image_url"]


def test_an_unknown_model_is_refused_when_it_is_configured():
    with pytest.raises(ValueError, match="leffa"):
        FalConfig("key", FAL.price, model="fal-ai/something-else")


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
    result = await engine_for(server=server).render(person, garment, FAL.options)
    assert isinstance(result, Refusal)
    assert (result.code, result.cost) == (RefusalCode.CONTENT_REFUSED, FAL.price)


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
        await engine_for(server=server).render(person, garment, FAL.options)
