"""Replicate's webhook signature: the known vectors, and every way to fail."""

import base64
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from selify.vendors.replicate.sandbox import create_app
from selify.vendors.replicate.webhook import SignatureWrong, UnreadableDelivery, parse, sign, verify

OWN_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
BODY = b'{"id":"p1","status":"succeeded","output":["https://x/y.png"]}'
HEADERS = {
    "webhook-id": "msg_1",
    "webhook-timestamp": "1760000000",
    "webhook-signature": "v1,C/hqqijQ+zRt/0h7tqiLEbMUsW9DOz5o8XCeiEFCjTM=",
}
THEN = datetime.fromtimestamp(1_760_000_000, UTC)

PUBLIC_VECTOR = (
    {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    b'{"test": 2432232314}',
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    datetime.fromtimestamp(1_614_265_330, UTC),
)


@pytest.mark.parametrize(
    ("headers", "body", "secret", "when"), [PUBLIC_VECTOR, (HEADERS, BODY, OWN_SECRET, THEN)]
)
def test_the_known_vectors_pass(headers, body, secret, when):
    verify(headers, body, [secret], when)


def test_any_secret_and_any_signature_may_fit():
    other = "whsec_" + base64.b64encode(b"another secret of ours").decode()
    several = f"v1a,xyz v1,AAAA {HEADERS['webhook-signature']}"
    verify(HEADERS | {"webhook-signature": several}, BODY, [other, OWN_SECRET], THEN)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_either_way_are_tolerated(seconds):
    verify(HEADERS, BODY, [OWN_SECRET], THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_delivery_from_another_time_is_refused(seconds):
    with pytest.raises(SignatureWrong, match="old"):
        verify(HEADERS, BODY, [OWN_SECRET], THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1760000001"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "C/hqqijQ+zRt/0h7tqiLEbMUsW9DOz5o8XCeiEFCjTM="},
        {"webhook-signature": "v2,C/hqqijQ+zRt/0h7tqiLEbMUsW9DOz5o8XCeiEFCjTM="},
        {"webhook-signature": "v1,é"},
    ],
)
def test_any_change_of_a_header_is_noticed(change):
    with pytest.raises(SignatureWrong) as refused:
        verify(HEADERS | change, BODY, [OWN_SECRET], THEN)
    assert (refused.value.status, refused.value.code) == (403, "replicate_signature_wrong")


@given(at=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
def test_any_change_of_the_body_is_noticed(at, flip):
    changed = bytearray(BODY)
    changed[at] ^= flip
    with pytest.raises(SignatureWrong):
        verify(HEADERS, bytes(changed), [OWN_SECRET], THEN)


def test_without_a_secret_nothing_passes():
    with pytest.raises(SignatureWrong):
        verify(HEADERS, BODY, [], THEN)


def test_a_secret_that_is_none_is_our_own_mistake():
    with pytest.raises(ValueError, match="whsec_"):
        sign("whsec_not base64!", b"x")


@pytest.mark.parametrize(
    ("state", "final"),
    [("starting", False), ("processing", False), ("succeeded", True), ("failed", True),
     ("canceled", True), ("aborted", True)],
)  # fmt: skip
def test_a_prediction_is_read(state, final):
    body = {"id": "p1", "status": state, "output": "https://x/y", "metrics": {"predict_time": 2}}
    event = parse(HEADERS, json.dumps(body).encode())
    assert (event.delivery_id, event.prediction_id, event.state) == ("msg_1", "p1", state)
    assert (event.is_final, event.predict_seconds) == (final, 2.0)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"id": 7, "status": "failed"}', b'{"id": "p", "status": []}',
     b'{"id": "p", "status": "new"}', b"[" * 100_000],
)  # fmt: skip
def test_anything_else_is_unreadable(body):
    with pytest.raises(UnreadableDelivery):
        parse(HEADERS, body)


async def test_a_webhook_of_the_stand_in_passes_with_the_secret_it_hands_out(serve):
    standin = serve(create_app())
    received: list[tuple[dict[str, str], bytes]] = []

    async def endpoint(request):
        received.append((dict(request.headers), await request.body()))
        return JSONResponse({})

    ours = serve(Starlette(routes=[Route("/hook", endpoint, methods=["POST"])]))
    authorised = {"Authorization": "Bearer r8_key"}
    async with httpx.AsyncClient(trust_env=False, headers=authorised) as http:
        await http.post(
            f"{standin.url}/v1/models/acme/m/predictions",
            json={"input": {}, "webhook": f"{ours.url}/hook"},
        )
        while not received:
            secret = (await http.get(f"{standin.url}/v1/webhooks/default/secret")).json()["key"]
    headers, body = received[0]
    verify(headers, body, [secret], datetime.now(UTC))
    event = parse(headers, body)
    assert (event.prediction_id, event.state, event.is_final) == ("p1", "failed", True)
