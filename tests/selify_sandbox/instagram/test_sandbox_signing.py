"""Signatures against the protocol sheet's own vectors, and the fields language."""

import json

import pytest

from selify_sandbox.instagram.state.errors import GraphError
from selify_sandbox.instagram.state.signatures import (
    cdn_signature,
    cdn_signature_ok,
    signed_request,
    webhook_body,
    webhook_signature,
)
from selify_sandbox.instagram.wire.fields import Wanted, page, parse_fields, project

SECRET = "test-app-secret"
PAYLOAD = {
    "object": "instagram",
    "entry": [
        {
            "id": "17841400000000001",
            "time": 1760000000123,
            "messaging": [
                {
                    "sender": {"id": "900000000001"},
                    "recipient": {"id": "17841400000000001"},
                    "timestamp": 1760000000001,
                    "message": {"mid": "mid.A1", "text": "olá"},
                }
            ],
        }
    ],
}


def test_webhook_body_is_escaped_ascii_and_signed_as_the_sheet_says() -> None:
    body = webhook_body(PAYLOAD)
    assert rb"ol\u00e1" in body
    assert json.loads(body) == PAYLOAD
    assert (
        webhook_signature(body, SECRET)
        == "sha256=7aec16731f6248dd23facce211482386caf63265418dd4d3e53f88a4866c9617"
    )


def test_signed_request_matches_the_vector() -> None:
    payload = {
        "algorithm": "HMAC-SHA256",
        "expires": 1291840400,
        "issued_at": 1291836800,
        "user_id": "218471",
    }
    assert signed_request(payload, SECRET) == (
        "O0DHdg8bEw_-kLcnL9yZ0j9JXbELJFPZOzAkfn8J45w."
        "eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImV4cGlyZXMiOjEyOTE4NDA0MDAsImlzc3VlZF9hdCI6MTI5MTgz"
        "NjgwMCwidXNlcl9pZCI6IjIxODQ3MSJ9"
    )


def test_a_cdn_signature_holds_for_one_file_and_one_expiry_only() -> None:
    good = cdn_signature("file", 100, SECRET)
    assert cdn_signature_ok("file", 100, SECRET, good)
    assert not cdn_signature_ok("other", 100, SECRET, good)
    assert not cdn_signature_ok("file", 101, SECRET, good)


def test_fields_nest_and_take_limits() -> None:
    assert parse_fields("id,messages.limit(5){text,from{id}}") == {
        "id": Wanted(),
        "messages": Wanted({"text": Wanted(), "from": Wanted({"id": Wanted()})}, 5),
    }


@pytest.mark.parametrize("text", ["a{b", "a}", "{a}", "a..b", "a(5)", "a{b}}c", "a,,b"])
def test_malformed_fields_are_a_bad_parameter(text: str) -> None:
    with pytest.raises(GraphError) as refused:
        parse_fields(text)
    assert refused.value.refusal.code == 100


def test_projection_refuses_unknown_fields_and_drops_empty_ones() -> None:
    assert project({"id": "1", "a": 2, "b": None}, parse_fields("a,b")) == {"id": "1", "a": 2}
    with pytest.raises(GraphError, match="nonexisting field"):
        project({"id": "1"}, parse_fields("c"))


def test_pages_walk_forward_and_back() -> None:
    numbers = list(range(7))
    first = page(numbers, {"limit": "3"})
    second = page(numbers, {"limit": "3", "after": first["paging"]["cursors"]["after"]})
    back = page(numbers, {"limit": "3", "before": second["paging"]["cursors"]["before"]})
    assert (first["data"], second["data"], back["data"]) == ([0, 1, 2], [3, 4, 5], [0, 1, 2])
    assert page([], {}) == {"data": []}
