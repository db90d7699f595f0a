"""Consent, code, tokens, refresh: against a real HTTP server."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from selify.core.clock import FrozenClock
from selify.messaging.ports import Action
from selify.vendors.instagram.config import SCOPES, InstagramConfig
from selify.vendors.instagram.errors import GraphError
from selify.vendors.instagram.oauth import (
    CallbackWrong,
    ConsentDenied,
    InstagramOAuth,
    Token,
    TokenNotRefreshable,
    authorize_url,
    check_refreshable,
    read_callback,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECRET = "very-secret-app-secret"
REDIRECT = "https://shop.example/instagram/callback"
SHORT = "IGAAshort"
LONG = "IGAAlong"
BASIC = "instagram_business_basic"


def config(url: str) -> InstagramConfig:
    return InstagramConfig(
        app_id="77",
        app_secret=SECRET,
        verify_token="word",
        www_url=url,
        api_url=url,
        graph_url=url,
    )


@pytest.fixture
def clock():
    return FrozenClock(NOW)


@pytest.fixture
def oauth(graph, http, clock) -> InstagramOAuth:
    return InstagramOAuth(http, config(graph.url), clock)


def token(**members) -> Token:
    base = {
        "access_token": SHORT,
        "user_id": "178",
        "permissions": (BASIC,),
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=60),
    }
    return Token(**base | members)


def test_the_consent_page_asks_for_our_scopes():
    url = urlsplit(
        authorize_url(
            InstagramConfig(app_id="77", app_secret="s", verify_token="v"),
            redirect_uri=REDIRECT,
            state="a&b",
            force_reauth=True,
            enable_fb_login=False,
        )
    )
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://www.instagram.com/oauth/authorize"
    assert parse_qs(url.query) == {
        "client_id": ["77"],
        "redirect_uri": [REDIRECT],
        "response_type": ["code"],
        "scope": [",".join(SCOPES)],
        "state": ["a&b"],
        "force_reauth": ["true"],
        "enable_fb_login": ["false"],
    }


@pytest.mark.parametrize("code", ["AQB-x", "AQB-x#_"])
def test_the_code_comes_without_its_tail(code):
    assert read_callback({"code": code, "state": "s"}) == "AQB-x"


def test_a_no_is_told_as_such():
    with pytest.raises(ConsentDenied) as denied:
        read_callback({"error": "access_denied", "error_reason": "user_denied"})
    assert denied.value.status == 403
    assert denied.value.extra["reason"] == "user_denied"


@pytest.mark.parametrize("params", [{}, {"code": ""}, {"code": "#_"}, {"state": "s"}])
def test_a_callback_without_code_is_refused(params):
    with pytest.raises(CallbackWrong):
        read_callback(params)


@pytest.mark.parametrize("permissions", [f"{BASIC},other", [BASIC, "other"]])
@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_code_becomes_a_short_lived_token(oauth, graph, wrapped, permissions):
    answer = {"access_token": SHORT, "user_id": 17841467300055120, "permissions": permissions}
    graph.will_answer({"data": [answer]} if wrapped else answer)
    got = await oauth.exchange_code("AQB-x", redirect_uri=REDIRECT)
    assert got == token(
        user_id="17841467300055120",
        permissions=(BASIC, "other"),
        expires_at=NOW + timedelta(hours=1),
    )
    assert (graph.last.method, graph.last.path) == ("POST", "/oauth/access_token")
    assert parse_qs(graph.last.body.decode()) == {
        "client_id": ["77"],
        "client_secret": [SECRET],
        "grant_type": ["authorization_code"],
        "redirect_uri": [REDIRECT],
        "code": ["AQB-x"],
    }
    assert graph.last.query == {}


async def test_a_short_lived_token_becomes_a_long_lived_one(oauth, graph):
    graph.will_answer({"access_token": LONG, "token_type": "bearer", "expires_in": 5183944})
    got = await oauth.exchange_for_long_lived(token(expires_at=NOW + timedelta(hours=1)))
    assert got == token(access_token=LONG, expires_at=NOW + timedelta(seconds=5183944))
    assert graph.last.path == "/access_token"
    assert graph.last.query == {
        "grant_type": "ig_exchange_token",
        "client_secret": SECRET,
        "access_token": SHORT,
    }


async def test_a_token_is_refreshed_for_another_sixty_days(oauth, graph, clock):
    clock.advance(timedelta(days=50))
    graph.will_answer({"access_token": LONG, "expires_in": 5184000})
    got = await oauth.refresh(token())
    assert got.issued_at == NOW + timedelta(days=50)
    assert got.expires_at == NOW + timedelta(days=110)
    assert got.permissions == (BASIC,)
    assert graph.last.path == "/refresh_access_token"
    assert graph.last.query == {"grant_type": "ig_refresh_token", "access_token": SHORT}


@pytest.mark.parametrize(
    ("members", "age", "reason"),
    [
        ({}, timedelta(hours=23, minutes=59), "too_young"),
        ({}, timedelta(days=60), "expired"),
        ({}, timedelta(days=400), "expired"),
        ({"permissions": ("other",)}, timedelta(days=2), "permission_missing"),
    ],
)
async def test_what_cannot_be_refreshed_is_not_asked_for(oauth, graph, clock, members, age, reason):
    clock.advance(age)
    with pytest.raises(TokenNotRefreshable) as refused:
        await oauth.refresh(token(**members))
    assert refused.value.extra["reason"] == reason
    assert graph.seen == []


@pytest.mark.parametrize("age", [timedelta(hours=24), timedelta(days=59, hours=23)])
def test_from_the_first_day_to_the_last(age):
    check_refreshable(token(), NOW + age)
    check_refreshable(token(permissions=()), NOW + age)


async def test_a_refused_code_means_start_again(oauth, graph):
    answer = {"error_type": "OAuthException", "code": 400, "error_message": f"Used {SECRET} AQB-x"}
    graph.will_answer(answer, status=400)
    with pytest.raises(GraphError) as failed:
        await oauth.exchange_code("AQB-x", redirect_uri=REDIRECT)
    assert failed.value.action is Action.REAUTHORISE
    assert failed.value.verdict.reason == "sign_in_refused"
    assert failed.value.fault.message == "Used … …"


async def test_a_sign_in_code_is_an_http_status_and_no_row_of_the_table(oauth, graph):
    graph.will_answer({"error_type": "OAuthException", "code": 10, "error_message": "x"}, 400)
    with pytest.raises(GraphError) as failed:
        await oauth.exchange_code("c", redirect_uri=REDIRECT)
    assert failed.value.verdict.reason == "sign_in_refused"


async def test_a_dead_token_cannot_be_refreshed(oauth, graph, clock):
    clock.advance(timedelta(days=30))
    graph.will_refuse(190, 463)
    with pytest.raises(GraphError) as failed:
        await oauth.refresh(token())
    assert failed.value.action is Action.REAUTHORISE


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        ({"data": []}, Action.UNKNOWN),
        ({"user_id": "1"}, Action.UNKNOWN),
        ({"access_token": ""}, Action.UNKNOWN),
    ],
)
async def test_a_lost_code_is_unknown_because_it_works_once(oauth, graph, answer, action):
    graph.will_answer(answer)
    with pytest.raises(GraphError) as failed:
        await oauth.exchange_code("c", redirect_uri=REDIRECT)
    assert failed.value.action is action


@pytest.mark.parametrize("life", [0, -1, "soon", None, 10**12])
async def test_a_life_that_makes_no_sense_is_no_token(oauth, graph, life):
    graph.will_answer({"access_token": LONG, "expires_in": life})
    with pytest.raises(GraphError) as failed:
        await oauth.exchange_for_long_lived(token())
    assert failed.value.action is Action.LATER


async def test_nothing_secret_is_logged_or_shown(oauth, graph, our_log):
    graph.will_answer({"access_token": LONG, "expires_in": 5184000})
    got = await oauth.exchange_for_long_lived(token())
    graph.will_answer({"data": [{"access_token": SHORT, "user_id": "1"}]})
    short = await oauth.exchange_code("AQB-x", redirect_uri=REDIRECT)
    told = our_log() + repr(got) + repr(short) + repr(config(graph.url))
    assert "access_token?…" in told
    for secret in (SECRET, SHORT, LONG):
        assert secret not in told
