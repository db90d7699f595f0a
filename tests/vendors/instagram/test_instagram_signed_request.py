"""Meta's signed_request: the sheet's vector, tampering, and whatever strangers send."""

import base64
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from selify.core.clock import SystemClock
from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.endpoints import PlatformRequests, WebhookReceiver, router
from selify.vendors.instagram.signed_request import SignedRequestWrong, parse_signed_request
from selify_sandbox.instagram.state.signatures import signed_request

SECRET = "test-app-secret"
VECTOR = (
    "O0DHdg8bEw_-kLcnL9yZ0j9JXbELJFPZOzAkfn8J45w."
    "eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImV4cGlyZXMiOjEyOTE4NDA0MDAsImlzc3VlZF9hdCI6MTI5MTgzNjgwMCwi"
    "dXNlcl9pZCI6IjIxODQ3MSJ9"
)


def build_signed_request(payload: dict, secret: str) -> str:
    """What the platform would send, as its stand-in signs it."""
    return signed_request({"algorithm": "HMAC-SHA256", **payload}, secret)


async def test_the_door_says_who_took_back_and_when() -> None:
    """It may arrive after the owner has connected the account again: its time tells."""
    told: list[tuple[str, datetime | None]] = []

    async def deauthorise(app_scoped_id: str, issued_at: datetime | None) -> None:
        told.append((app_scoped_id, issued_at))

    receiver = WebhookReceiver(
        InstagramConfig(app_id="app", app_secret=SECRET, verify_token="verify"),
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        SystemClock(),
    )
    app = FastAPI()
    app.include_router(router(receiver, PlatformRequests(deauthorise, None, None, "")))  # type: ignore[arg-type]
    door = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=door, base_url="http://selify.test") as client:
        answer = await client.post(
            "/webhooks/instagram/deauthorize", data={"signed_request": VECTOR}
        )
    assert answer.json() == {"success": True}
    assert told == [("218471", datetime(2010, 12, 8, 19, 33, 20, tzinfo=UTC))]


def test_the_sheets_vector():
    request = parse_signed_request(VECTOR, [SECRET])
    assert request.user_id == "218471"
    assert request.issued_at == datetime(2010, 12, 8, 19, 33, 20, tzinfo=UTC)
    assert request.expires_at == datetime(2010, 12, 8, 20, 33, 20, tzinfo=UTC)
    members = {"expires": 1291840400, "issued_at": 1291836800, "user_id": "218471"}
    assert build_signed_request(members, SECRET) == VECTOR


def test_a_previous_secret_still_signs():
    assert parse_signed_request(VECTOR, ["newer", SECRET]).user_id == "218471"


def flipped(text: str, position: int) -> str:
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]


@pytest.mark.parametrize("position", [0, 20, 42, 44, 60, 120])
def test_a_changed_request_is_refused(position):
    with pytest.raises(SignedRequestWrong):
        parse_signed_request(flipped(VECTOR, position), [SECRET])


@pytest.mark.parametrize("secrets", [[], [""], ["another"]])
def test_another_secret_is_refused(secrets):
    with pytest.raises(SignedRequestWrong) as refused:
        parse_signed_request(VECTOR, secrets)
    assert refused.value.status == 400


def test_an_empty_secret_signs_nothing():
    forged = build_signed_request({"user_id": "1"}, "")
    with pytest.raises(SignedRequestWrong):
        parse_signed_request(forged, ["", SECRET])


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"user_id": ""},
        {"user_id": None},
        {"user_id": ["1"]},
        {"user_id": "1", "algorithm": "none"},
        {"user_id": "1", "algorithm": None},
    ],
)
def test_well_signed_and_still_no_request(payload):
    with pytest.raises(SignedRequestWrong):
        parse_signed_request(build_signed_request(payload, SECRET), [SECRET])


def test_a_number_as_user_id_is_an_id():
    assert (
        parse_signed_request(build_signed_request({"user_id": 7}, SECRET), [SECRET]).user_id == "7"
    )


def test_padding_in_the_parts_does_no_harm():
    signature, payload = VECTOR.split(".")
    padded = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    ).decode()
    assert padded.endswith("=")
    with pytest.raises(SignedRequestWrong):
        parse_signed_request(f"{padded}.{payload}=!", [SECRET])


@settings(deadline=None)
@given(st.text(max_size=300) | st.from_regex(r"[\w.=-]{0,200}", fullmatch=True))
def test_whatever_a_stranger_sends_is_refused(text):
    with pytest.raises(SignedRequestWrong):
        parse_signed_request(text, [SECRET])


def test_an_endless_request_is_refused():
    with pytest.raises(SignedRequestWrong):
        parse_signed_request("a" * 100_000 + ".b", [SECRET])
