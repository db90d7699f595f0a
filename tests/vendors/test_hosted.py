"""What every hosted engine's client relies on: the key stays home, and answers stay small."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.vendors import hosted
from selify.vendors.hosted import ProviderApi, as_seconds


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def api_at(url: str, http: httpx.AsyncClient) -> ProviderApi:
    return ProviderApi("test", url, {"Authorization": "Key secret"}, http)


@pytest.mark.parametrize(
    "url",
    [
        "https://queue.example:444/x",
        "http://queue.example/x",
        "https://queue.example.evil/x",
        "https://evil/queue.example",
        "https://queue.example@evil/x",
        "https://someone@queue.example/x",
        "/x",
        "",
        None,
        7,
        "https://[",
    ],
)
def test_a_foreign_address_is_not_our_own(http, url):
    assert not api_at("https://queue.example", http).is_own(url)


@pytest.mark.parametrize("url", ["https://queue.example/x", "HTTPS://Queue.Example:443/y?z"])
def test_our_own_address_is(http, url):
    assert api_at("https://queue.example/", http).is_own(url)


async def test_the_key_is_never_sent_to_a_foreign_address(serve, http):
    asked: list[str] = []

    async def answer(request):
        asked.append(request.headers.get("authorization", ""))
        return JSONResponse({})

    app = Starlette(routes=[Route("/{path:path}", answer)])
    ours, foreign = serve(app), serve(app)
    api = api_at(ours.url, http)
    with pytest.raises(EngineUnavailable, match="foreign address"):
        await api.call("GET", f"{foreign.url}/x")
    assert not asked
    await api.call("GET", api.url("/x"))
    assert asked == ["Key secret"]


async def test_an_endless_answer_is_cut_off(serve, http, monkeypatch):
    async def answer(request):
        async def forever():
            while not await request.is_disconnected():
                yield b"x" * 65_536

        return StreamingResponse(forever())

    monkeypatch.setattr(hosted, "MAX_ANSWER_BYTES", 1_000_000)
    api = api_at(serve(Starlette(routes=[Route("/x", answer)])).url, http)
    with pytest.raises(EngineUnavailable, match="too long"):
        await api.call("GET", api.url("/x"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30.0), ("1.5s", 1.5), (7, 7.0), ("", None), ("soon", None), ("nan", None),
     ("inf", None), ("-1", None), (None, None), ({}, None)],
)  # fmt: skip
def test_seconds_are_read_in_every_spelling(text, seconds):
    assert as_seconds(text) == seconds


@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize("late", [False, True])
async def test_a_picture_that_was_made_and_lost_is_paid_for(made, late):
    with pytest.raises(EngineUnavailable) as missing:
        async with hosted.time_limit("test", 0.01 if late else 5) as bill:
            if made:
                bill.due = MicroUnits(7)
            if late:
                await asyncio.Event().wait()
            raise EngineUnavailable("test", "its picture did not arrive")
    assert missing.value.cost == MicroUnits(7 if made else 0)
