"""fal's webhook signature: the known vector, every way to fail, and the key cache."""

import base64
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from selify.core.clock import FrozenClock, SystemClock
from selify.vendors.fal.sandbox import create_app, sign
from selify.vendors.fal.webhook import (
    SignatureWrong,
    UnreadableDelivery,
    WebhookVerifier,
    parse,
    parse_key_set,
    verify,
)

BODY = (
    b'{"request_id":"r-1","gateway_request_id":"r-1","status":"OK",'
    b'"payload":{"images":[{"url":"https://x/y.png"}]}}'
)
KEY_SET = json.dumps(
    {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}]}
).encode()
HEADERS = {
    "x-fal-webhook-request-id": "r-1",
    "x-fal-webhook-user-id": "user-1",
    "x-fal-webhook-timestamp": "1760000000",
    "x-fal-webhook-signature": (
        "875507ed0e2b0c30de4adfc5c93d86d105c1dc103cfb14648bf437f067214a7c"
        "c6dd957681fa8f4a7da7a9f76fcaa129749965cc453c16aaab51b2b00e71b40f"
    ),
}
THEN = datetime.fromtimestamp(1_760_000_000, UTC)
KEYS = parse_key_set(KEY_SET)


def test_the_known_vector_passes_and_is_made_again():
    verify(HEADERS, BODY, KEYS, THEN)
    made = sign(
        Ed25519PrivateKey.from_private_bytes(bytes(range(32))), "r-1", "user-1", 1760000000, BODY
    )
    assert made["x-fal-webhook-signature"] == HEADERS["x-fal-webhook-signature"]


def test_any_of_the_keys_may_fit():
    verify(HEADERS, BODY, [Ed25519PrivateKey.generate().public_key(), *KEYS], THEN)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_tolerated(seconds):
    verify(HEADERS, BODY, KEYS, THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_delivery_from_another_time_is_refused(seconds):
    with pytest.raises(SignatureWrong, match="old"):
        verify(HEADERS, BODY, KEYS, THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "change",
    [
        {"x-fal-webhook-request-id": "r-2"},
        {"x-fal-webhook-user-id": "user-2"},
        {"x-fal-webhook-timestamp": "1760000001"},
        {"x-fal-webhook-timestamp": ""},
        {"x-fal-webhook-timestamp": "-1760000000"},
        {"x-fal-webhook-timestamp": "１７６００００００0"},
        {"x-fal-webhook-timestamp": "9" * 400},
        {"x-fal-webhook-signature": ""},
        {"x-fal-webhook-signature": "zz"},
        {"x-fal-webhook-signature": "00" * 64},
    ],
)
def test_any_change_of_a_header_is_noticed(change):
    with pytest.raises(SignatureWrong) as refused:
        verify(HEADERS | change, BODY, KEYS, THEN)
    assert (refused.value.status, refused.value.code) == (403, "fal_signature_wrong")


@given(at=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
def test_any_change_of_the_body_is_noticed(at, flip):
    changed = bytearray(BODY)
    changed[at] ^= flip
    with pytest.raises(SignatureWrong):
        verify(HEADERS, bytes(changed), KEYS, THEN)


def test_without_keys_nothing_passes():
    with pytest.raises(SignatureWrong):
        verify(HEADERS, BODY, [], THEN)


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"{}", b'{"keys": 7}', b'{"keys": [1]}', b"[" * 100_000,
     b'{"keys": [{"kty": "RSA"}, {"kty": "OKP", "crv": "Ed25519", "x": "!"}]}'],
)  # fmt: skip
def test_a_senseless_key_set_holds_no_keys(data):
    assert parse_key_set(data) == []


def test_a_finished_request_is_read():
    event = parse(BODY)
    assert (event.request_id, event.succeeded, event.error) == ("r-1", True, "")
    assert event.payload == {"images": [{"url": "https://x/y.png"}]}
    failed = parse(b'{"request_id": "r-2", "status": "ERROR", "payload": null, "error": "boom"}')
    assert (failed.succeeded, failed.payload, failed.error) == (False, None, "boom")
    lost = parse(b'{"request_id": "r-3", "status": "OK", "payload": null, "payload_error": "big"}')
    assert (lost.succeeded, lost.error) == (False, "big")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"request_id": 7, "status": "OK"}', b'{"request_id": "r", "status": []}',
     b'{"request_id": "", "status": "OK"}', b'{"request_id": "r", "status": "MAYBE"}'],
)  # fmt: skip
def test_anything_else_is_unreadable(body):
    with pytest.raises(UnreadableDelivery):
        parse(body)


# --- The key cache --------------------------------------------------------------------------------


class Published:
    """fal's key set as it stands, and how often it was asked for."""

    def __init__(self, data: bytes = KEY_SET) -> None:
        self.data = data
        self.asked = 0

    async def __call__(self) -> bytes:
        self.asked += 1
        if not self.data:
            raise OSError("down")
        return self.data


def key_set_of(key: Ed25519PrivateKey) -> bytes:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).decode()
    return json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}).encode()


def signed_at(clock: FrozenClock, key: Ed25519PrivateKey) -> dict[str, str]:
    return sign(key, "r-1", "user-1", int(clock.now().timestamp()), BODY)


async def test_keys_are_fetched_once_and_kept_for_a_day():
    published, clock, key = Published(), FrozenClock(THEN), Ed25519PrivateKey.generate()
    published.data = key_set_of(key)
    verifier = WebhookVerifier(published, clock)
    for _ in range(3):
        await verifier.verify(signed_at(clock, key), BODY)
    assert published.asked == 1
    clock.advance(timedelta(hours=24))
    await verifier.verify(signed_at(clock, key), BODY)
    assert published.asked == 2


async def test_a_new_key_is_found_at_once():
    published, clock = Published(), FrozenClock(THEN)
    verifier = WebhookVerifier(published, clock)
    await verifier.verify(HEADERS, BODY)
    clock.advance(timedelta(minutes=2))
    new = Ed25519PrivateKey.generate()
    published.data = key_set_of(new)
    await verifier.verify(signed_at(clock, new), BODY)
    assert published.asked == 2


async def test_a_flood_of_forgeries_asks_for_keys_once_a_minute():
    published, clock = Published(), FrozenClock(THEN)
    verifier = WebhookVerifier(published, clock)
    forged = HEADERS | {"x-fal-webhook-signature": "00" * 64}
    for _ in range(20):
        with pytest.raises(SignatureWrong):
            await verifier.verify(forged, BODY)
    assert published.asked == 1
    clock.advance(timedelta(minutes=1))
    with pytest.raises(SignatureWrong):
        await verifier.verify(forged, BODY)
    assert published.asked == 2


async def test_an_old_forgery_asks_for_nothing():
    published = Published()
    verifier = WebhookVerifier(published, FrozenClock(THEN + timedelta(days=1)))
    with pytest.raises(SignatureWrong, match="old"):
        await verifier.verify(HEADERS, BODY)
    assert published.asked == 0


async def test_while_fal_is_down_the_kept_keys_serve_until_they_are_a_day_old():
    published, clock, key = Published(), FrozenClock(THEN), Ed25519PrivateKey.generate()
    published.data = key_set_of(key)
    verifier = WebhookVerifier(published, clock)
    await verifier.verify(signed_at(clock, key), BODY)
    published.data = b""
    clock.advance(timedelta(hours=23))
    await verifier.verify(signed_at(clock, key), BODY)
    clock.advance(timedelta(hours=2))
    with pytest.raises(SignatureWrong):
        await verifier.verify(signed_at(clock, key), BODY)


async def test_a_webhook_of_the_stand_in_passes_with_the_stand_ins_keys(serve, person, garment):
    """From the queue to our endpoint and back to the key set, over real HTTP."""
    standin = serve(create_app())
    received: list[tuple[dict[str, str], bytes]] = []

    async def endpoint(request):
        received.append((dict(request.headers), await request.body()))
        return JSONResponse({})

    ours = serve(Starlette(routes=[Route("/hook", endpoint, methods=["POST"])]))
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(
            f"{standin.url}/fal-ai/leffa/virtual-tryon",
            params={"fal_webhook": f"{ours.url}/hook"},
            headers={"Authorization": "Key id:key"},
            json={"human_image_url": "data:image/png;base64,AAAA"},
        )

        async def fetch() -> bytes:
            return (await http.get(f"{standin.url}/.well-known/jwks.json")).content

        while not received:
            await http.get(f"{standin.url}/.well-known/jwks.json")
        headers, body = received[0]
        await WebhookVerifier(fetch, SystemClock()).verify(headers, body)
    event = parse(body)
    assert (event.request_id, event.succeeded, event.error) == ("r-1", False, "image_load_error")
