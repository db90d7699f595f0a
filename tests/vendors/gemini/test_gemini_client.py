"""What is special to Gemini: one call, its models one after the other, and the few ratios it makes.

What it has in common with the others: tests/vendors/test_hosted_engines.py.
"""

import base64
from dataclasses import replace
from io import BytesIO

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.vendors.hosted_engines import GEMINI

from selify.core.files.pictures import open_picture
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import GarmentCategory, Rendering
from selify.vendors.gemini.client import GeminiConfig
from selify.vendors.gemini.framing import cut_back, framed, nearest_aspect_ratio
from selify_sandbox.hosted import as_png


@pytest.fixture
def hosted():
    return GEMINI


async def test_the_request_is_what_the_api_documents(engine_for, standin, person, garment):
    await engine_for().render(
        person, garment, replace(GEMINI.options, category=GarmentCategory.BOTTOM, attempt=2)
    )
    (request,) = GEMINI.jobs(standin.app)
    (content,) = request["body"]["contents"]
    first, second, text = content["parts"]
    assert content["role"] == "user"
    assert first["inlineData"]["mimeType"] == "image/jpeg"
    assert base64.b64decode(first["inlineData"]["data"]) == person.data
    assert second["inlineData"]["mimeType"] == "image/png"
    assert "lower body" in text["text"]
    assert request["body"]["generationConfig"] == {
        "responseModalities": ["IMAGE"],
        "imageConfig": {"aspectRatio": "3:4", "imageSize": "1K"},
        "seed": 2,
    }


async def test_each_attempt_asks_in_other_words(engine_for, standin, person, garment):
    engine = engine_for()
    for attempt in (0, 1):
        await engine.render(person, garment, replace(GEMINI.options, attempt=attempt))
    texts = [r["body"]["contents"][0]["parts"][2]["text"] for r in GEMINI.jobs(standin.app)]
    assert texts[0] != texts[1]


async def test_a_photo_of_an_odd_ratio_is_padded_and_the_picture_cut_back(
    engine_for, standin, garment
):
    """The stand-in pastes the garment over the middle of what it is sent."""
    photo = Image.new("RGB", (300, 800), (240, 240, 245))
    photo.paste((20, 120, 40), (0, 0, 300, 40))
    person = open_picture(as_png(photo))
    result = await engine_for().render(person, garment, GEMINI.options)
    (request,) = GEMINI.jobs(standin.app)
    sent = request["body"]["contents"][0]["parts"][0]["inlineData"]["data"]
    assert Image.open(BytesIO(base64.b64decode(sent))).size == (450, 800)
    assert request["body"]["generationConfig"]["imageConfig"]["aspectRatio"] == "9:16"
    assert (result.picture.width, result.picture.height) == (300, 800)
    image = Image.open(BytesIO(result.picture.data)).convert("RGB")
    for x in (4, 295):
        near = zip(image.getpixel((x, 20)), (20, 120, 40), strict=True)
        assert all(abs(a - b) < 12 for a, b in near), "the photo's own edge, not the padding"


def test_a_picture_that_came_back_in_another_frame_is_not_cut():
    frame = framed(open_picture(as_png(Image.new("RGB", (300, 800), "white"))))
    unpadded = open_picture(as_png(Image.new("RGB", (600, 1600), "white")))
    assert cut_back(unpadded, frame) is unpadded
    larger = open_picture(as_png(Image.new("RGB", (768, 1344), "white")))
    cut = cut_back(larger, frame)
    assert (cut.width, cut.height) == (512, 1344)


async def test_a_retired_model_gives_way_to_the_next_and_is_not_asked_again(
    engine_for, standin, person, garment
):
    models = ("gemini-old--retired", "gemini-older--retired", "gemini-new")
    engine = engine_for(models=models)
    for _ in range(2):
        assert isinstance(await engine.render(person, garment, GEMINI.options), Rendering)
    assert [r["model"] for r in GEMINI.jobs(standin.app)] == [*models, "gemini-new"]


async def test_the_model_that_answers_is_the_one_that_is_paid(engine_for, standin, person, garment):
    prices = {"gemini-old--retired": GEMINI.price, "gemini-new": GEMINI.price * 2}
    engine = engine_for(models=tuple(prices), prices=prices)
    assert (await engine.render(person, garment, GEMINI.options)).cost == GEMINI.price * 2


def test_a_model_without_a_price_is_not_used():
    with pytest.raises(ValueError, match="gemini-new costs"):
        GeminiConfig("key", {"gemini-old": GEMINI.price}, ("gemini-old", "gemini-new"))


async def test_when_every_model_is_retired_the_engine_is_unavailable(
    engine_for, standin, person, garment
):
    engine = engine_for(models=("gemini-old--retired",))
    with pytest.raises(EngineUnavailable, match="gemini-old"):
        await engine.render(person, garment, GEMINI.options)


async def test_the_last_picture_counts_that_is_no_thought(serve, engine_for, person, garment):
    def part(colour: str, *, thought: bool = False) -> dict[str, object]:
        data = base64.b64encode(as_png(Image.new("RGB", (64, 64), colour))).decode()
        return {"inlineData": {"mimeType": "image/png", "data": data}, "thought": thought}

    async def answer(_request):
        parts = [part("black"), part("white"), {"text": "done"}, part("black", thought=True)]
        return JSONResponse({"candidates": [{"content": {"parts": parts}}]})

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]))
    result = await engine_for(server=server).render(person, garment, GEMINI.options)
    assert Image.open(BytesIO(result.picture.data)).getpixel((30, 30)) == (255, 255, 255)


@pytest.mark.parametrize("spelling", ["inlineData", "inline_data"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
async def test_the_stand_in_reads_both_spellings_of_official_clients(
    standin, person, garment, spelling, encode
):
    kind = "mimeType" if spelling == "inlineData" else "mime_type"
    parts = [
        {spelling: {kind: picture.content_type, "data": encode(picture.data).decode()}}
        for picture in (person, garment)
    ]
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{standin.url}/v1beta/models/m:generateContent",
            headers={"x-goog-api-key": "key"},
            json={"contents": [{"parts": parts}]},
        )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((600, 800), "3:4"), ((800, 600), "4:3"), ((1000, 1000), "1:1"), ((900, 1600), "9:16"),
     ((100, 900), "9:16"), ((900, 100), "21:9"), ((1001, 1500), "2:3")],
)  # fmt: skip
def test_the_nearest_ratio_on_offer_is_asked_for(size, ratio):
    assert nearest_aspect_ratio(*size) == ratio
