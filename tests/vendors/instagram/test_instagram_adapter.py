"""From Instagram's refusals to what the social domain does about them, over real HTTP."""

from datetime import timedelta

import httpx
import pytest
from starlette.responses import HTMLResponse

from selify.messaging.ports import Accepted, Action, Credentials, OutgoingMessage, Refused
from selify.vendors.instagram.adapter import InstagramMessenger
from selify.vendors.instagram.client import InstagramClient
from selify.vendors.instagram.config import InstagramConfig

SENDER = Credentials("17841", "IGAAtest0token")
TEXT = OutgoingMessage(person_ref="900", text="hi")
PRIVATE = OutgoingMessage(comment_ref="c1", text="hi")
TYPING = OutgoingMessage(person_ref="900", typing=True)


def messenger_at(url: str, http: httpx.AsyncClient) -> InstagramMessenger:
    config = InstagramConfig(
        app_id="77",
        app_secret="very-secret",
        verify_token="word",
        www_url=url,
        api_url=url,
        graph_url=url,
        connect_timeout=timedelta(seconds=5),
        read_timeout=timedelta(seconds=20),
        total_timeout=timedelta(seconds=20),
    )
    return InstagramMessenger(InstagramClient(http, config))


@pytest.fixture
def messenger(graph, http) -> InstagramMessenger:
    return messenger_at(graph.url, http)


async def refusal(messenger: InstagramMessenger, message: OutgoingMessage) -> Refused:
    answer = await messenger.send(SENDER, message)
    assert not isinstance(answer, Accepted)
    return answer


@pytest.mark.parametrize(
    ("code", "subcode", "action", "alert", "grows"),
    [
        (368, 0, Action.PAUSE_ACCOUNT, True, True),
        (4, 2207051, Action.PAUSE_ACCOUNT, True, True),
        (100, 2534029, Action.PAUSE_ACCOUNT, True, False),
        (10, 1893063, Action.PAUSE_ACCOUNT, True, True),
        (613, 2534040, Action.PAUSE_ACCOUNT, False, True),
        (4, 0, Action.PAUSE_PLATFORM, False, True),
        (10, 0, Action.ASK_OWNER, True, False),
        (200, 2534041, Action.ASK_OWNER, True, False),
        (613, 2534013, Action.LATER, False, False),
        (100, 2018047, Action.RETRY, False, False),
        (100, 0, Action.STOP, True, False),
    ],
)
async def test_who_waits_and_who_is_told(messenger, graph, code, subcode, action, alert, grows):
    graph.will_refuse(code, subcode)
    said = await refusal(messenger, TEXT)
    assert (said.action, said.alert, said.grows) == (action, alert, grows)


@pytest.mark.parametrize("subcode", [2534022, 2534025])
async def test_a_second_private_reply_is_done_whatever_reason_is_named(messenger, graph, subcode):
    graph.will_refuse(10, subcode)
    assert (await refusal(messenger, PRIVATE)).action is Action.ALREADY_DONE


async def test_a_closed_window_is_one_where_it_is_no_private_reply(messenger, graph):
    graph.will_refuse(10, 2534022)
    assert (await refusal(messenger, TEXT)).action is Action.WINDOW_CLOSED


async def test_where_nobody_answers_the_whole_account_waits_a_moment(messenger, graph, http):
    graph.answers.append(HTMLResponse("<h1>busy</h1>", 503))
    busy = await refusal(messenger, TEXT)
    away = await refusal(messenger_at("http://127.0.0.1:1", http), TYPING)
    assert busy.action is away.action is Action.PAUSE_ACCOUNT
    assert (busy.retry_after, away.retry_after) == (15, 5)
    assert busy.grows
    assert away.grows


async def test_where_they_say_how_long_it_does_not_grow(messenger, graph):
    graph.answers.append(HTMLResponse("<h1>busy</h1>", 503, headers={"Retry-After": "70"}))
    said = await refusal(messenger, TEXT)
    assert (said.retry_after, said.grows) == (70, False)
