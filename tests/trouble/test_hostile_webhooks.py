"""The webhook's door against everything that is not a well-behaved platform, over real HTTP.

Twice: as it is answered, beside the framework, and as the same route of the framework would.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from tests.infra.settings import Settings
from tests.infra.site import served

from selify.core.database import Actor, Database
from selify.core.queue.inbox import Intake
from selify.core.web import middleware
from selify.vendors.instagram.webhook import MAX_BODY_BYTES, sign

SYSTEM = Actor.system("test")
DOOR = "/webhooks/instagram"
SECRET, OLD_SECRET, VERIFY = "the-secret", "the-secret-before", "the-verify-token"
PROBLEM = "application/problem+json"
ACCOUNT = "17841400000000001"


def by_the_framework(patch: pytest.MonkeyPatch) -> None:
    """As if nothing were answered beside it."""
    patch.setattr(middleware, "_plain_post", lambda scope: None)


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["plain", "framework"])
async def site(
    request: pytest.FixtureRequest,
    shared_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        data_dir=Path(tmp_path_factory.mktemp("site")),
        database_url=shared_database_url,
        instagram_app_secret=SECRET,
        instagram_previous_secrets=(OLD_SECRET,),
        instagram_verify_token=VERIFY,
    )
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "framework":
            by_the_framework(patch)
        async with served(settings) as client:
            yield client


@pytest.fixture
def books(swept_database: Database) -> Database:
    return swept_database


async def count(books: Database, table: str) -> int:
    async with books.tx(SYSTEM) as tx:
        return int(await tx.fetch_value(f"SELECT count(*) FROM public.{table}"))


async def nothing_was_stored(books: Database) -> bool:
    return not (
        await count(books, "webhook_events") + await count(books, "instagram_message_queue")
    )


def message(number: int = 1, text: str = "try on", **extra: Any) -> dict[str, Any]:
    """One update of an entry: somebody wrote."""
    return {
        "sender": {"id": f"9{number}"},
        "recipient": {"id": ACCOUNT},
        "timestamp": 1_763_000_000_000 + number,
        "message": {"mid": f"mid.{number}", "text": text, **extra},
    }


def delivery(*updates: Any) -> bytes:
    """One entry with these updates."""
    entry = {"id": ACCOUNT, "time": 1_763_000_000_000, "messaging": list(updates)}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


async def knock(
    site: httpx.AsyncClient, body: bytes, *, secret: str | None = SECRET, **headers: str
) -> httpx.Response:
    signature = {"X-Hub-Signature-256": sign(body, secret)} if secret else {}
    kind = {"Content-Type": "application/json"}
    return await site.post(DOOR, content=body, headers={**kind, **signature, **headers})


def refused(answer: httpx.Response, status: int) -> bool:
    return answer.status_code == status and answer.headers["content-type"] == PROBLEM


# Signatures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha256=" + "é" * 64},
        {"X-Hub-Signature": sign(delivery(message()), SECRET)},
        {"X-Hub-Signature-256": sign(delivery(message()), SECRET).removeprefix("sha256=")},
        {"X-Hub-Signature-256": sign(delivery(message()), SECRET).upper()},
        {"X-Hub-Signature-256": sign(delivery(message(2)), SECRET)},
        {"X-Hub-Signature-256": sign(delivery(message()), "somebody else's")},
        {"X-Hub-Signature-256": sign(delivery(message()), "")},
    ],
    ids=lambda headers: str(headers)[:60],
)
async def test_what_is_not_signed_by_us_is_refused(
    site: httpx.AsyncClient, books: Database, headers: dict[str, str]
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await site.post(DOOR, content=delivery(message()), headers=raw)
    assert refused(answer, 403)
    assert answer.json()["code"] == "instagram_signature_wrong"
    assert await nothing_was_stored(books)


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
async def test_the_current_and_the_previous_secret_are_accepted(
    site: httpx.AsyncClient, books: Database, secret: str
) -> None:
    answer = await knock(site, delivery(message()), secret=secret)
    assert (answer.status_code, answer.text) == (200, "EVENT_RECEIVED")
    assert await count(books, "webhook_events") == 1


async def test_one_changed_byte_breaks_the_signature(
    site: httpx.AsyncClient, books: Database
) -> None:
    body = delivery(message())
    signature = sign(body, SECRET)
    headers = {"X-Hub-Signature-256": signature}
    answer = await site.post(DOOR, content=body.replace(b"try on", b"try in"), headers=headers)
    assert refused(answer, 403)
    assert await nothing_was_stored(books)


# Size --------------------------------------------------------------------------------------------


async def test_too_large_is_refused_before_it_is_read(
    site: httpx.AsyncClient, books: Database
) -> None:
    """By its announced length: not a byte of the body has been sent."""
    host, port = site.base_url.host, site.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        f"POST {DOOR} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {10**12}\r\n\r\n".encode()
    )
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert await nothing_was_stored(books)


async def test_too_large_without_a_length_is_refused_while_it_is_read(
    site: httpx.AsyncClient, books: Database
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65536 + 2):
            yield b" " * 65536

    answer = await site.post(DOOR, content=chunks(), headers={"X-Hub-Signature-256": "sha256=0"})
    assert refused(answer, 413)
    assert await nothing_was_stored(books)


async def test_a_delivery_in_many_small_chunks_is_one_delivery(
    site: httpx.AsyncClient, books: Database
) -> None:
    body = delivery(message())

    async def chunks() -> AsyncIterator[bytes]:
        for byte in body:
            yield bytes([byte])

    headers = {"X-Hub-Signature-256": sign(body, SECRET)}
    assert (await site.post(DOOR, content=chunks(), headers=headers)).status_code == 200
    assert await count(books, "webhook_events") == 1


@pytest.mark.parametrize("length", ["-1", "1e3", "twelve", "٣"])
async def test_a_length_that_is_no_number_is_refused(site: httpx.AsyncClient, length: str) -> None:
    reader, writer = await asyncio.open_connection(site.base_url.host, site.base_url.port)
    writer.write(
        b"POST "
        + DOOR.encode()
        + b" HTTP/1.1\r\nHost: x\r\nContent-Length: "
        + length.encode()
        + b"\r\n\r\n{}"
    )
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()


async def test_a_thousand_entries_in_one_delivery_are_a_thousand_events(
    site: httpx.AsyncClient, books: Database
) -> None:
    entries = [
        {"id": ACCOUNT, "time": 1_763_000_000_000 + n, "messaging": [message(n)]}
        for n in range(1000)
    ]
    body = json.dumps({"object": "instagram", "entry": entries}).encode()
    assert (await knock(site, body)).status_code == 200
    assert await count(books, "webhook_events") == 1000


# Again and again -----------------------------------------------------------------------------------


async def test_replayed_a_thousand_times_is_stored_once(
    site: httpx.AsyncClient, books: Database
) -> None:
    body = delivery(message(1), message(2))
    few = asyncio.Semaphore(50)

    async def replay() -> int:
        async with few:
            return (await knock(site, body)).status_code

    assert set(await asyncio.gather(*(replay() for _ in range(1000)))) == {200}
    assert await count(books, "webhook_events") == 2


async def test_a_retry_with_another_time_of_sending_is_the_same_event(
    site: httpx.AsyncClient, books: Database
) -> None:
    first = json.loads(delivery(message()))
    first["entry"][0]["time"] += 77
    assert (await knock(site, delivery(message()))).status_code == 200
    assert (await knock(site, json.dumps(first, indent=1).encode())).status_code == 200
    assert await count(books, "webhook_events") == 1


# What is no delivery -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"\xff\xfe\x00",
        b'{"object": "instagram", "entry": [{"id": "\xc3\x28"}]}',
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000,
        b'{"object": "instagram", "entry": NaN}',
        b"\x00",
        b'\xef\xbb\xbf{"object": "instagram", "entry": []}',
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_signed_but_unreadable_is_the_senders_fault(
    site: httpx.AsyncClient, books: Database, body: bytes
) -> None:
    answer = await knock(site, body)
    assert refused(answer, 400)
    assert answer.json()["code"] == "instagram_delivery_unreadable"
    assert await nothing_was_stored(books)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b'{"object": "page", "entry": [{"id": "1", "messaging": [{}]}]}',
        b'{"object": "instagram", "entry": {"id": "1"}}',
        b'{"object": "instagram", "entry": 1e999}',
        b'{"object": "instagram", "entry": [null, 7, "x", [], {}]}',
        b'{"object": "instagram", "entry": [{"id": {"a": 1}, "messaging": [{}]}]}',
        b'{"object": "instagram", "entry": [{"id": "1"}]}',
        b'{"object": "instagram", "entry": [{"id": "1", "messaging": 7}]}',
        b'{"object": "instagram", "entry": [{"id": "1", "changes": [{"field": 7, "value": []}]}]}',
        b'{"object": "instagram", "entry": [{"id": "1", "messaging": [{"sender": "nobody"}]}]}',
        delivery(
            {"sender": {"id": "9"}, "recipient": {"id": ACCOUNT}, "timestamp": 1, "hologram": {}}
        ),
        json.dumps(
            {
                "object": "instagram",
                "entry": [{"id": ACCOUNT, "changes": [{"field": "telepathy", "value": {"a": 1}}]}],
            }
        ).encode(),
    ],
    ids=lambda body: body[:64].decode(),
)
async def test_what_nobody_understands_is_kept_and_never_an_error(
    site: httpx.AsyncClient, books: Database, body: bytes
) -> None:
    assert (await knock(site, body)).status_code == 200
    kept = await count(books, "instagram_message_queue") + await count(books, "webhook_events")
    assert kept > 0 or json.loads(body) == []


async def test_one_bad_update_does_not_lose_its_neighbours(
    site: httpx.AsyncClient, books: Database
) -> None:
    assert (await knock(site, delivery(message(1), 5, message(2)))).status_code == 200
    assert await count(books, "webhook_events") == 2
    assert await count(books, "instagram_message_queue") == 1


@pytest.mark.parametrize(
    "text",
    ["a\0b", "\ud800", "\udfff\ud800", "😀" * 5000, "\u202e\u0000\uffff", "'; DROP TABLE x; --"],
)
async def test_texts_that_the_database_cannot_hold_are_held_all_the_same(
    site: httpx.AsyncClient, books: Database, text: str
) -> None:
    assert (await knock(site, delivery(message(1, text)))).status_code == 200
    async with books.tx(SYSTEM) as tx:
        stored = await tx.fetch_value("SELECT payload::text FROM public.webhook_events")
    assert stored
    assert "\0" not in stored


@pytest.mark.parametrize("stamp", [-1, 0, 10**18, 10**400, 1.5, "soon", None, True, []])
async def test_impossible_times_are_no_error(
    site: httpx.AsyncClient, books: Database, stamp: Any
) -> None:
    update = {**message(), "timestamp": stamp}
    assert (await knock(site, delivery(update))).status_code == 200
    assert await count(books, "webhook_events") + await count(books, "instagram_message_queue") == 1


async def test_ids_of_any_size_are_no_error(site: httpx.AsyncClient, books: Database) -> None:
    update = message()
    update["sender"]["id"] = "9" * 100_000
    update["message"]["mid"] = "m" * 100_000
    assert (await knock(site, delivery(update, message(2)))).status_code == 200
    assert await count(books, "webhook_events") + await count(books, "instagram_message_queue") == 2


# The handshake -----------------------------------------------------------------------------------


async def shake(site: httpx.AsyncClient, **changes: str | None) -> httpx.Response:
    query = {"mode": "subscribe", "verify_token": VERIFY, "challenge": "1158201444", **changes}
    return await site.get(
        DOOR, params={f"hub.{name}": value for name, value in query.items() if value is not None}
    )


async def test_the_handshake_gives_the_bare_challenge(site: httpx.AsyncClient) -> None:
    answer = await shake(site)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("token", ["wrong", "", None, VERIFY.upper(), VERIFY + "\0", "é"])
async def test_another_verify_token_is_refused(site: httpx.AsyncClient, token: str | None) -> None:
    answer = await shake(site, verify_token=token)
    assert refused(answer, 403)
    assert "1158201444" not in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "unsubscribe"},
        {"mode": None},
        {"challenge": None},
        {"challenge": ""},
        {"challenge": "<script>alert(1)</script>"},
        {"challenge": "1\r\nSet-Cookie: a=b"},
        {"challenge": "1" * 5000},
    ],
    ids=str,
)
async def test_a_challenge_is_letters_and_digits_or_nothing(
    site: httpx.AsyncClient, changes: dict[str, str | None]
) -> None:
    answer = await shake(site, **changes)
    assert refused(answer, 400)
    assert "script" not in answer.text
    assert "set-cookie" not in answer.headers


# Signed requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/deauthorize", "/data-deletion"])
@pytest.mark.parametrize(
    "form", [{}, {"signed_request": ""}, {"signed_request": "a.b"}, {"signed_request": "." * 9000}]
)
async def test_forged_signed_requests_do_nothing(
    site: httpx.AsyncClient, books: Database, path: str, form: dict[str, str]
) -> None:
    answer = await site.post(DOOR + path, data=form)
    assert answer.status_code in (400, 403, 422)
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(site: httpx.AsyncClient, method: str) -> None:
    assert refused(await site.request(method, DOOR), 405)


# The two ways ------------------------------------------------------------------------------------

TRACED = {"X-Trace-Id": "one-and-the-same"}
ALIKE: dict[str, tuple[bytes, dict[str, str]]] = {
    "stored": (delivery(message()), {}),
    "parked": (b'{"object": "page"}', {}),
    "unreadable": (b"{", {}),
    "unsigned": (delivery(message()), {"X-Hub-Signature-256": "sha256=0"}),
    "too large": (b" " * (MAX_BODY_BYTES + 1), {}),
    "another type": (delivery(message(3)), {"Content-Type": "text/html; charset=utf-16"}),
    "a form": (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}),
}


async def ask(site: httpx.AsyncClient, case: str) -> tuple[int, dict[str, str], str]:
    body, headers = ALIKE[case]
    signed = {"X-Hub-Signature-256": sign(body, SECRET), "Content-Type": "application/json"}
    answer = await site.post(DOOR, content=body, headers={**signed, **TRACED, **headers})
    told = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, told, answer.text


@pytest.mark.parametrize("case", ALIKE)
async def test_both_ways_answer_alike(
    site: httpx.AsyncClient, books: Database, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Status, headers and text, to the letter."""
    first = await ask(site, case)
    assert "content-security-policy" in first[1]
    by_the_framework(monkeypatch)
    assert await ask(site, case) == first


async def test_both_ways_say_alike_that_the_database_is_away(
    site: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> int:
        raise asyncpg.ConnectionDoesNotExistError("connection was closed")

    monkeypatch.setattr(Intake, "receive_unread", away)
    first = await ask(site, "stored")
    assert first[0] == 503
    assert "retry-after" in first[1]
    by_the_framework(monkeypatch)
    assert await ask(site, "stored") == first


async def test_the_documentation_still_has_it(site: httpx.AsyncClient) -> None:
    document = (await site.get("/openapi.json")).json()
    assert set(document["paths"][DOOR]) == {"get", "post"}
