"""The client against real HTTP servers: what it asks, what it understands, how it fails."""

import json
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from selify.messaging.ports import Action, Credentials, NotNow, ReadStep
from selify.vendors.instagram.adapter import InstagramMessenger
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import WEBHOOK_FIELDS, InstagramConfig
from selify.vendors.instagram.errors import GraphError
from selify.vendors.instagram.payloads import Card, LinkButton, QuickReply, text_message
from selify.vendors.instagram.transport import MAX_ANSWER_BYTES
from selify.vendors.instagram.types import Sent, Usage

TOKEN = "IGAAtest0token"
SECRET = "very-secret-app-secret"
SENT = {"recipient_id": "900", "message_id": "mid.X"}


def config(url: str) -> InstagramConfig:
    return InstagramConfig(
        app_id="77",
        app_secret=SECRET,
        verify_token="word",
        www_url=url,
        api_url=url,
        graph_url=url,
        connect_timeout=timedelta(seconds=2),
        read_timeout=timedelta(milliseconds=300),
        total_timeout=timedelta(seconds=2),
    )


@pytest.fixture
def client(graph, http) -> InstagramClient:
    return InstagramClient(http, replace(config(graph.url), read_timeout=timedelta(seconds=20)))


def body_of(graph) -> dict:
    return json.loads(graph.last.body)


# What it asks


async def test_a_text_goes_out_with_the_token_in_the_header_only(client, graph):
    graph.will_answer(SENT)
    sent = await client.send_text(TOKEN, "900", "olá 👗")
    assert sent == Sent(recipient_id="900", message_id="mid.X")
    assert (graph.last.method, graph.last.path) == ("POST", "/v26.0/me/messages")
    assert graph.last.headers["authorization"] == f"Bearer {TOKEN}"
    assert graph.last.query == {}
    assert body_of(graph) == {"recipient": {"id": "900"}, "message": {"text": "olá 👗"}}
    assert TOKEN.encode() not in graph.last.body


async def test_every_kind_of_message_has_its_body(client, graph):
    for _ in range(5):
        graph.will_answer(SENT)
    await client.send_image(TOKEN, "900", "https://shop.example/a.jpg")
    assert body_of(graph)["message"] == {
        "attachment": {"type": "image", "payload": {"url": "https://shop.example/a.jpg"}}
    }
    await client.send_quick_replies(TOKEN, "900", "Again?", [QuickReply("Yes", "AGAIN")])
    assert body_of(graph)["message"] == {
        "text": "Again?",
        "quick_replies": [{"content_type": "text", "title": "Yes", "payload": "AGAIN"}],
    }
    card = Card(
        title="Linen shirt",
        subtitle="39 €",
        link_url="https://shop.example/p",
        buttons=(LinkButton("Buy", "https://shop.example/p"),),
    )
    await client.send_cards(TOKEN, "900", [card])
    assert body_of(graph)["message"]["attachment"]["payload"] == {
        "template_type": "generic",
        "elements": [
            {
                "title": "Linen shirt",
                "subtitle": "39 €",
                "default_action": {"type": "web_url", "url": "https://shop.example/p"},
                "buttons": [{"type": "web_url", "title": "Buy", "url": "https://shop.example/p"}],
            }
        ],
    }
    await client.send_private_reply(TOKEN, "183304", text_message("Hi!"))
    assert body_of(graph) == {"recipient": {"comment_id": "183304"}, "message": {"text": "Hi!"}}
    message = text_message("this")
    await client.send(TOKEN, {"id": "900"}, message, reply_to="mid.Y")
    assert body_of(graph)["reply_to"] == {"mid": "mid.Y"}


async def test_sender_actions_are_alone_in_their_request(client, graph):
    for _ in range(4):
        graph.will_answer({"recipient_id": "900"})
    for act, name in (
        (client.typing_on, "typing_on"),
        (client.typing_off, "typing_off"),
        (client.mark_seen, "mark_seen"),
    ):
        await act(TOKEN, "900")
        assert body_of(graph) == {"recipient": {"id": "900"}, "sender_action": name}
    await client.react(TOKEN, "900", "mid.Z")
    assert body_of(graph)["payload"] == {"message_id": "mid.Z", "reaction": "love"}


async def test_a_public_answer_asks_for_no_fields(client, graph):
    graph.will_answer({"id": "5"})
    assert (await client.reply_to_comment(TOKEN, "183304", "Look in your messages")).value == "5"
    assert graph.last.path == "/v26.0/183304/replies"
    assert graph.last.query == {}
    assert body_of(graph) == {"message": "Look in your messages"}


@pytest.mark.parametrize("wrapped", [True, False])
async def test_me_is_understood_wrapped_and_flat(client, graph, wrapped):
    account = {"id": "26", "user_id": 17841467300055120, "username": "atelier", "media_count": 3}
    graph.will_answer({"data": [account]} if wrapped else account)
    me = (await client.me(TOKEN)).value
    assert (me.id, me.user_id, me.username, me.media_count) == (
        "26",
        "17841467300055120",
        "atelier",
        3,
    )
    assert "user_id" in graph.last.query["fields"]


async def test_posts_come_in_pages(client, graph):
    post = {
        "id": "180",
        "caption": "Linen",
        "media_type": "CAROUSEL_ALBUM",
        "timestamp": "2026-11-01T10:00:00+0000",
        "like_count": 4,
        "children": {"data": [{"id": "181", "media_url": "https://scontent.cdninstagram.com/1"}]},
    }
    graph.will_answer({"data": [post], "paging": {"cursors": {"after": "QVF"}}})
    page = await client.media(TOKEN)
    assert page.after == "QVF"
    assert page.items[0].posted_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert page.items[0].children[0].id == "181"
    graph.will_answer({"data": []})
    last = await client.media(TOKEN, page.after)
    assert (last.items, last.after) == ((), None)
    assert graph.last.query["after"] == "QVF"


async def test_one_post_its_figures_and_its_comments(client, graph):
    graph.will_answer({"id": "180", "timestamp": "yesterday", "like_count": "many"})
    post = (await client.media_item(TOKEN, "180")).value
    assert (post.posted_at, post.like_count, post.caption) == (None, 0, "")
    graph.will_answer(
        {
            "data": [
                {"name": "reach", "values": [{"value": 12}]},
                {"name": "views", "total_value": {"value": 40}},
                {"name": "saved", "values": []},
            ]
        }
    )
    figures = await client.insights(TOKEN, "180", ["reach", "views", "saved"])
    assert figures.value == {"reach": 12, "views": 40}
    assert graph.last.query["metric"] == "reach,views,saved"
    comment = {"id": "5", "text": "try on", "from": {"id": "9", "username": "ana"}}
    graph.will_answer({"data": [comment]})
    (item,) = (await client.comments(TOKEN, "180")).items
    assert (item.person_id, item.username) == ("9", "ana")
    graph.will_answer({**comment, "timestamp": "2026-11-01T10:00:00+0000", "media": {"id": "180"}})
    assert (await client.comment(TOKEN, "5")).value.media_id == "180"


async def test_a_persons_profile(client, graph):
    graph.will_answer({"username": "ana", "is_user_follow_business": True, "follower_count": 7})
    person = (await client.profile(TOKEN, "900")).value
    assert (person.id, person.username, person.follows_account) == ("900", "ana", True)


async def test_a_thread_is_read_back_request_by_request(client, graph):
    messenger, sender = InstagramMessenger(client), Credentials("178", TOKEN)
    since = datetime(2026, 11, 1, 10, 15, tzinfo=UTC)

    async def step(cursor, answer, status=200):
        graph.will_answer(answer, status)
        return await messenger.read_back(sender, "900", since=since, cursor=cursor)

    listed = await step({}, {"data": [{"id": "conv1"}]})
    assert graph.last.query == {"platform": "instagram", "user_id": "900"}
    ids = {"messages": {"data": [{"id": f"m{n}"} for n in range(30)]}, "id": "conv1"}
    read = await step(listed.cursor, ids)
    assert read.cursor == {"messages": [f"m{n}" for n in range(20)]}, "Instagram shows 20"
    refused = await step(read.cursor, {"error": {"code": 613, "message": "too fast"}}, 400)
    assert refused == NotNow(2)

    def message(sender_id, minute, **more):
        at = f"2026-11-01T10:{minute}:00+0000"
        return {"id": "m0", "from": {"id": sender_id}, "created_time": at, **more}

    theirs = await step(read.cursor, message("900", 30, message="hi"))
    assert (theirs.message, theirs.cursor["messages"][0]) == (None, "m1")
    ours = await step(theirs.cursor, message("178", 20, message="hello"))
    assert (ours.message.text, len(ours.cursor["messages"])) == ("hello", 18)
    gone = await step(ours.cursor, {"error": {"code": 9000001, "message": "deleted"}}, 400)
    assert (gone.message, len(gone.cursor["messages"])) == (None, 17)
    assert await step(gone.cursor, message("178", 10)) == ReadStep(None), "before that: not ours"
    assert await step({}, {"data": []}) == ReadStep(None), "no thread at all"
    assert await step({"conversation": "c"}, {"messages": {"data": []}}) == ReadStep(None)


async def test_webhooks_of_an_account_are_switched_on_listed_and_off(client, graph):
    graph.will_answer({"success": True})
    await client.subscribe(TOKEN, WEBHOOK_FIELDS)
    assert graph.last.path == "/v26.0/me/subscribed_apps"
    assert graph.last.query == {"subscribed_fields": ",".join(WEBHOOK_FIELDS)}
    graph.will_answer({"data": [{"id": "77", "subscribed_fields": ["comments", "messages"]}]})
    assert await client.subscriptions(TOKEN) == ("comments", "messages")
    graph.will_answer({"success": True})
    await client.unsubscribe(TOKEN)
    assert graph.last.method == "DELETE"
    graph.will_answer({"success": False})
    with pytest.raises(GraphError) as failed:
        await client.subscribe(TOKEN, WEBHOOK_FIELDS)
    assert failed.value.action is Action.LATER


@pytest.mark.parametrize("strange", ["../me", "a/b", "a?b=c", "a#b", "%2e%2e", "é"])
async def test_an_id_from_outside_leads_nowhere_else(client, graph, strange):
    graph.will_answer({"id": "1"})
    await client.media_item(TOKEN, strange)
    assert graph.last.path.startswith("/v26.0/")
    assert graph.last.path.count("/") == 2
    assert list(graph.last.query) == ["fields"]


@pytest.mark.parametrize("strange", ["", ".", ".."])
async def test_an_id_that_is_none_is_refused(client, strange):
    with pytest.raises(ValueError, match="id"):
        await client.media_item(TOKEN, strange)


async def test_one_accounts_cookies_do_not_travel_with_anothers_token(client, graph):
    graph.will_answer({"success": True})
    graph.answers[0].set_cookie("session", "of-account-one")
    await client.subscribe(TOKEN, WEBHOOK_FIELDS)
    graph.will_answer({"success": True})
    await client.subscribe("IGAAother", WEBHOOK_FIELDS)
    assert "cookie" not in graph.last.headers


# What the headers say


def usage_headers(**entry) -> dict[str, str]:
    entry = {"type": "instagram", "call_count": 10, "total_time": 61, "total_cputime": 5} | entry
    return {
        "X-App-Usage": json.dumps({"call_count": 28, "total_time": 25, "total_cputime": 3}),
        "X-Business-Use-Case-Usage": json.dumps({"17841467300055120": [entry]}),
    }


async def test_usage_comes_with_every_answer(client, graph):
    graph.will_answer(SENT, headers=usage_headers())
    sent = await client.send_text(TOKEN, "900", "hi")
    assert sent.usage == Usage(app_percent=28, account_percent=61)
    assert sent.usage.percent == 61
    graph.will_answer({"data": []}, headers=usage_headers(estimated_time_to_regain_access=7))
    page = await client.media(TOKEN)
    assert page.usage.regain_after == timedelta(minutes=7)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-app-usage": "nonsense"},
        {"x-app-usage": "[1]"},
        {"x-app-usage": '{"call_count":"many","total_time":-4,"total_cputime":NaN}'},
        {"x-business-use-case-usage": '{"1":[{"call_count":true},7],"2":"x"}'},
    ],
)
def test_usage_headers_that_make_no_sense_count_as_unused(headers):
    assert Usage.read(httpx.Headers(headers)) == Usage()


async def test_a_throttle_lasts_as_long_as_instagram_says(client, graph):
    graph.will_answer(
        {"error": {"message": "slow down", "code": 80002}},
        status=400,
        headers=usage_headers(call_count=100, estimated_time_to_regain_access=19),
    )
    with pytest.raises(GraphError) as failed:
        await client.send_text(TOKEN, "900", "hi")
    assert failed.value.action is Action.PAUSE_ACCOUNT
    assert failed.value.retry_after == timedelta(minutes=19)
    assert failed.value.usage.account_percent == 100


# How it fails


async def test_a_refusal_says_what_to_do(client, graph):
    graph.will_refuse(10, 2534022, status=403)
    with pytest.raises(GraphError) as failed:
        await client.send_text(TOKEN, "900", "hi")
    error = failed.value
    assert error.action is Action.WINDOW_CLOSED
    assert (error.http_status, error.fault.code, error.fault.subcode) == (403, 10, 2534022)
    assert error.fault.trace_id == "Ab1"
    assert "24 hours" in error.verdict.explanation


async def test_an_error_inside_a_success_is_an_error(client, graph):
    graph.will_refuse(190, 463, status=200)
    with pytest.raises(GraphError) as failed:
        await client.send_text(TOKEN, "900", "hi")
    assert failed.value.action is Action.REAUTHORISE


@pytest.mark.parametrize(
    ("status", "send", "read"),
    [
        (500, Action.UNKNOWN, Action.LATER),
        (502, Action.UNKNOWN, Action.LATER),
        (503, Action.PAUSE_ACCOUNT, Action.PAUSE_ACCOUNT),
        (504, Action.UNKNOWN, Action.LATER),
        (408, Action.UNKNOWN, Action.LATER),
        (429, Action.PAUSE_ACCOUNT, Action.PAUSE_ACCOUNT),
        (400, Action.STOP, Action.STOP),
        (302, Action.STOP, Action.STOP),
    ],
)
async def test_a_gateways_page_instead_of_an_answer(client, graph, status, send, read):
    for _ in range(2):
        graph.answers.append(httpx_page(status))
    with pytest.raises(GraphError) as sending:
        await client.send_text(TOKEN, "900", "hi")
    with pytest.raises(GraphError) as reading:
        await client.me(TOKEN)
    assert (sending.value.action, reading.value.action) == (send, read)


def httpx_page(status: int):
    from starlette.responses import HTMLResponse

    return HTMLResponse("<h1>busy</h1>", status, headers={"location": "https://elsewhere.example"})


async def test_retry_after_is_obeyed(client, graph):
    for value in ("120", "soon", "999999999"):
        page = httpx_page(429)
        page.headers["Retry-After"] = value
        graph.answers.append(page)
    waits = []
    for _ in range(3):
        with pytest.raises(GraphError) as failed:
            await client.me(TOKEN)
        waits.append(failed.value.retry_after)
    assert waits == [timedelta(seconds=120), timedelta(seconds=2), timedelta(seconds=2)]


@pytest.mark.parametrize("content", [{}, [], {"recipient_id": "900"}, "text", None])
async def test_a_success_without_a_message_id_is_unknown(client, graph, content):
    graph.will_answer(content)
    with pytest.raises(GraphError) as failed:
        await client.send_text(TOKEN, "900", "hi")
    assert failed.value.action is Action.UNKNOWN
    assert failed.value.verdict.reason == "unreadable_answer"


async def test_an_endless_answer_is_not_swallowed(client, graph):
    graph.will_answer({**SENT, "padding": "x" * MAX_ANSWER_BYTES})
    with pytest.raises(GraphError) as failed:
        await client.send_text(TOKEN, "900", "hi")
    assert failed.value.action is Action.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "stay_open"),
    [
        (b"", False),
        (b"", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", True),
        (b"nonsense\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc", False),
    ],
    ids=["cut", "silent", "cut-in-body", "silent-in-body", "not-http", "bad-gzip"],
)
async def test_after_the_request_arrived_a_send_is_unknown_and_a_read_is_repeated(
    http, raw_server, answer, stay_open
):
    async with raw_server(answer, stay_open=stay_open) as (url, received):
        client = InstagramClient(http, config(url))
        with pytest.raises(GraphError) as sending:
            await client.send_text(TOKEN, "900", "hi")
        with pytest.raises(GraphError) as reading:
            await client.me(TOKEN)
        with pytest.raises(GraphError) as typing:
            await client.typing_on(TOKEN, "900")
    assert sending.value.action is Action.UNKNOWN
    assert sending.value.http_status == 0
    assert reading.value.action is typing.value.action is Action.LATER
    assert b'"text":"hi"' in received[0]


async def test_an_answer_that_drips_for_ever_ends_at_the_total_time(http, raw_server):
    async with raw_server(b"HTTP/1.1 200 OK\r\n", stay_open=True) as (url, _):
        limits = config(url)
        limits = replace(limits, read_timeout=timedelta(seconds=60))
        limits = replace(limits, total_timeout=timedelta(milliseconds=300))
        with pytest.raises(GraphError) as failed:
            await InstagramClient(http, limits).send_text(TOKEN, "900", "hi")
    assert failed.value.action is Action.UNKNOWN


async def test_a_request_that_never_left_is_sent_again(http, raw_server):
    async with raw_server(b"", stay_open=False) as (url, _):
        pass
    with pytest.raises(GraphError) as failed:
        await InstagramClient(http, config(url)).send_text(TOKEN, "900", "hi")
    assert failed.value.action is Action.PAUSE_ACCOUNT
    assert failed.value.verdict.reason == "not_reached"


async def test_a_malformed_token_never_leaves(client, graph):
    for token in ("", "two words", "line\nbreak", "tökén"):
        with pytest.raises(GraphError) as failed:
            await client.me(token)
        assert failed.value.action is Action.REAUTHORISE
    assert graph.seen == []


async def test_no_token_in_errors_or_logs(client, graph, http, raw_server, our_log):
    graph.will_refuse(190, message=f"Malformed access token {TOKEN} or {'IGAA' + 'x' * 80}")
    errors = []
    with pytest.raises(GraphError) as failed:
        await client.me(TOKEN)
    errors.append(failed.value)
    async with raw_server(b"", stay_open=False) as (url, _):
        with pytest.raises(GraphError) as failed:
            await InstagramClient(http, config(url)).me(TOKEN)
    errors.append(failed.value)
    assert errors[0].fault.message == "Malformed access token … or …"
    for error in errors:
        told = "".join(traceback.format_exception(error)) + repr(vars(error))
        assert TOKEN not in told
        assert error.__context__ is None
    assert "httpx HTTP Request: GET" in our_log()
    assert TOKEN not in our_log()
