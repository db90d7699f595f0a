"""Client against stand-in, over real HTTP: the Gemini image models' wire protocol."""

import base64
from dataclasses import replace
from io import BytesIO

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from selify.core.files.pictures import open_picture
from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import GarmentCategory, Refusal, RefusalCode, Rendering, RenderOptions
from selify.vendors.gemini.client import GeminiConfig, GeminiEngine
from selify.vendors.gemini.framing import cut_back, framed, nearest_aspect_ratio
from selify_sandbox.gemini.app import create_app
from selify_sandbox.hosted import as_png

OPTIONS = RenderOptions(GarmentCategory.TOP)
PRICE = MicroUnits(3_000)


@pytest.fixture
def standin(serve):
    return serve(create_app())


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def config_for(standin, *models: str, **changes) -> GeminiConfig:
    chosen = models or ("gemini-3.1-flash-image",)
    config = GeminiConfig("key", dict.fromkeys(chosen, PRICE), chosen, standin.url)
    return replace(config, **changes)


async def test_a_picture_comes_back_and_costs_its_price(
    standin, http, person, garment, looks_dressed
):
    engine = GeminiEngine(config_for(standin), http)
    result = await engine.render(person, garment, OPTIONS)
    assert isinstance(result, Rendering)
    assert (result.engine, result.cost) == ("gemini", PRICE)
    assert (result.picture.width, result.picture.height) == (300, 400)
    assert looks_dressed(result.picture)


async def test_the_request_is_what_the_api_documents(standin, http, person, garment):
    await GeminiEngine(config_for(standin), http).render(
        person, garment, replace(OPTIONS, category=GarmentCategory.BOTTOM, attempt=2)
    )
    (request,) = standin.app.state.requests
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


async def test_each_attempt_asks_in_other_words(standin, http, person, garment):
    engine = GeminiEngine(config_for(standin), http)
    for attempt in (0, 1):
        await engine.render(person, garment, replace(OPTIONS, attempt=attempt))
    texts = [r["body"]["contents"][0]["parts"][2]["text"] for r in standin.app.state.requests]
    assert texts[0] != texts[1]


async def test_a_photo_of_an_odd_ratio_is_padded_and_the_picture_cut_back(standin, http, garment):
    """The stand-in pastes the garment over the middle of what it is sent."""
    photo = Image.new("RGB", (300, 800), (240, 240, 245))
    photo.paste((20, 120, 40), (0, 0, 300, 40))
    person = open_picture(as_png(photo))
    result = await GeminiEngine(config_for(standin), http).render(person, garment, OPTIONS)
    (request,) = standin.app.state.requests
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


async def test_the_result_is_no_larger_than_asked_for(standin, http, person, garment):
    engine = GeminiEngine(config_for(standin), http)
    result = await engine.render(person, garment, replace(OPTIONS, max_side=200))
    assert (result.picture.width, result.picture.height) == (150, 200)


async def test_a_retired_model_gives_way_to_the_next_and_is_not_asked_again(
    standin, http, person, garment
):
    models = ("gemini-old--retired", "gemini-older--retired", "gemini-new")
    engine = GeminiEngine(config_for(standin, *models), http)
    for _ in range(2):
        assert isinstance(await engine.render(person, garment, OPTIONS), Rendering)
    assert [r["model"] for r in standin.app.state.requests] == [*models, "gemini-new"]


async def test_the_model_that_answers_is_the_one_that_is_paid(standin, http, person, garment):
    prices = {"gemini-old--retired": PRICE, "gemini-new": PRICE * 2}
    engine = GeminiEngine(config_for(standin, *prices, prices=prices), http)
    assert (await engine.render(person, garment, OPTIONS)).cost == PRICE * 2


def test_a_model_without_a_price_is_not_used():
    with pytest.raises(ValueError, match="gemini-new costs"):
        GeminiConfig("key", {"gemini-old": PRICE}, ("gemini-old", "gemini-new"))


async def test_when_every_model_is_retired_the_engine_is_unavailable(
    standin, http, person, garment
):
    engine = GeminiEngine(config_for(standin, "gemini-old--retired"), http)
    with pytest.raises(EngineUnavailable, match="gemini-old"):
        await engine.render(person, garment, OPTIONS)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("refused", RefusalCode.CONTENT_REFUSED),
        ("blocked", RefusalCode.CONTENT_REFUSED),
        ("no_picture", RefusalCode.QUALITY_TOO_LOW),
        ("failed", RefusalCode.QUALITY_TOO_LOW),
        ("babble", RefusalCode.QUALITY_TOO_LOW),
    ],
)
async def test_no_picture_is_a_refusal_that_costs_nothing(
    standin, http, person, garment, trouble, code
):
    engine = GeminiEngine(config_for(standin, f"m--{trouble}"), http)
    result = await engine.render(person, garment, OPTIONS)
    assert isinstance(result, Refusal)
    assert (result.code, result.engine, result.cost) == (code, "gemini", MicroUnits(0))
    assert result.sentence.endswith(".")
    assert result.hint


@pytest.mark.parametrize(
    ("trouble", "words", "retry_after", "cost"),
    [
        ("rate_limited", "too many", 7.0, 0),
        ("overloaded", "status 503", None, 0),
        ("no_credit", "may not", None, 0),
        ("broken_picture", "cannot be used", None, PRICE.value),
    ],
)
async def test_the_engines_own_trouble_makes_it_unavailable(
    standin, http, person, garment, trouble, words, retry_after, cost
):
    engine = GeminiEngine(config_for(standin, f"m--{trouble}"), http)
    with pytest.raises(EngineUnavailable, match=words) as missing:
        await engine.render(person, garment, OPTIONS)
    assert (missing.value.engine, missing.value.retry_after) == ("gemini", retry_after)
    assert missing.value.cost == MicroUnits(cost)


async def test_a_wrong_key_is_told_without_telling_the_key(standin, http, person, garment):
    config = config_for(standin, api_key="wrong")
    with pytest.raises(EngineUnavailable, match="API key not valid"):
        await GeminiEngine(config, http).render(person, garment, OPTIONS)
    assert "wrong" not in repr(config)


async def test_a_slow_answer_is_waited_for_and_an_endless_one_is_not(
    standin, http, person, garment
):
    slow = GeminiEngine(config_for(standin, "m--slow"), http)
    assert isinstance(await slow.render(person, garment, OPTIONS), Rendering)
    endless = GeminiEngine(config_for(standin, "m--endless", timeout=0.3), http)
    with pytest.raises(EngineUnavailable):
        await endless.render(person, garment, OPTIONS)


async def test_nobody_there_makes_it_unavailable(http, person, garment):
    config = GeminiConfig("key", {"m": PRICE}, ("m",), "http://127.0.0.1:9")
    with pytest.raises(EngineUnavailable, match="no answer"):
        await GeminiEngine(config, http).render(person, garment, OPTIONS)


STRANGE_BODIES = [
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
]


@pytest.mark.parametrize("body", STRANGE_BODIES, ids=range(len(STRANGE_BODIES)))
@pytest.mark.parametrize("status", [200, 500])
async def test_whatever_comes_back_it_ends_in_a_refusal_or_unavailability(
    serve, http, person, garment, body, status
):
    async def answer(_request):
        return Response(body, status, media_type="application/json")

    strange = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]))
    engine = GeminiEngine(config_for(strange), http)
    try:
        result = await engine.render(person, garment, OPTIONS)
    except EngineUnavailable:
        return
    assert isinstance(result, Refusal)


async def test_the_last_picture_counts_that_is_no_thought(serve, http, person, garment):
    def part(colour: str, *, thought: bool = False) -> dict[str, object]:
        data = base64.b64encode(as_png(Image.new("RGB", (64, 64), colour))).decode()
        return {"inlineData": {"mimeType": "image/png", "data": data}, "thought": thought}

    async def answer(_request):
        parts = [part("black"), part("white"), {"text": "done"}, part("black", thought=True)]
        return JSONResponse({"candidates": [{"content": {"parts": parts}}]})

    server = serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]))
    result = await GeminiEngine(config_for(server), http).render(person, garment, OPTIONS)
    assert Image.open(BytesIO(result.picture.data)).getpixel((30, 30)) == (255, 255, 255)


async def test_a_redirect_does_not_take_the_key_along(serve, http, person, garment):
    seen: list[str] = []

    async def thief(request):
        seen.append(request.headers.get("x-goog-api-key", ""))
        return JSONResponse({})

    other = serve(Starlette(routes=[Route("/{path:path}", thief, methods=["GET", "POST"])]))

    async def redirect(_request):
        return Response(status_code=307, headers={"location": f"{other.url}/take"})

    first = serve(Starlette(routes=[Route("/{path:path}", redirect, methods=["POST"])]))
    with pytest.raises(EngineUnavailable, match="307"):
        await GeminiEngine(config_for(first), http).render(person, garment, OPTIONS)
    assert not seen


@pytest.mark.parametrize("spelling", ["inlineData", "inline_data"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
async def test_the_stand_in_reads_both_spellings_of_official_clients(
    standin, http, person, garment, spelling, encode
):
    kind = "mimeType" if spelling == "inlineData" else "mime_type"
    parts = [
        {spelling: {kind: picture.content_type, "data": encode(picture.data).decode()}}
        for picture in (person, garment)
    ]
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
