"""Where a sign-in may lead: a path of ours, or a host of the list."""

from dataclasses import replace

import pytest

from selify.auth.settings import AuthSettings
from selify.core.web.origins import safe_return_to

HOSTS = ("dash.selify.test", "vr.selify.test", "nordlicht.selify.test")
OWN = "https://selify.test"
ROWS = [
    ("/dash/posts?page=2", "/dash/posts?page=2"),
    ("https://vr.selify.test/rooms/1", "https://vr.selify.test/rooms/1"),
    ("https://VR.selify.test/rooms/1", "https://VR.selify.test/rooms/1"),
    ("https://vr.selify.test", "https://vr.selify.test"),
    ("//evil.example/", "/"),
    ("/\\evil.example", "/"),
    ("\\\\evil.example", "/"),
    ("/%5Cevil.example", "/%5Cevil.example"),
    ("https://selify.test.evil.example/", "/"),
    ("https://evilselify.test/", "/"),
    ("https://unknown.selify.test/", "/"),
    ("https://dash.selify.test@evil.example/", "/"),
    ("https://evil.example@dash.selify.test/", "/"),
    ("https://dash.selify.test:8443/", "/"),
    ("https://dash.selify.test:443/", "/"),
    ("http://dash.selify.test/", "/"),
    ("https://dash.selify.test%2eevil.example/", "/"),
    ("https://dash.selify.test\\.evil.example/", "/"),
    ("https:evil.example", "/"),
    ("https:/evil.example", "/"),
    ("https:///evil.example", "/"),
    ("javascript:alert(1)", "/"),
    ("data:text/html,x", "/"),
    ("/\tevil", "/"),
    ("/dash\r\nSet-Cookie: a=b", "/"),
    ("https://d\u0430sh.selify.test/", "/"),
    ("https://dash.selify.test./", "/"),
    ("https://dash.selify.test/\r\nx", "/"),
    ("https://dash.selify.test//evil.example", "/"),
    ("/api/v1/me", "/"),
    ("https://dash.selify.test/api/v1/me", "/"),
    ("/sign-out", "/"),
    ("https://dash.selify.test/sign-out", "/"),
    ("/sign-in", "/"),
    ("/sign-in?return_to=/sign-in", "/"),
    ("/a" + "a" * 5000, "/"),
    ("https://dash.selify.test/" + "a" * 5000, "/"),
    ("/dash/posts&return_to=//evil.example", "/"),
    ("https://selify.test/posts", "/posts"),
    ("https://selify.test", "/"),
    ("", "/"),
    (" /posts", "/"),
]


@pytest.mark.parametrize(("value", "goal"), ROWS, ids=lambda value: ascii(value)[:40])
def test_where_it_leads(value: str, goal: str) -> None:
    assert safe_return_to(value, public_url=OWN, hosts=HOSTS) == goal


@pytest.mark.parametrize("value", ["https://vr.selify.test/", "https://dash.selify.test/x"])
def test_without_a_list_there_are_no_others(value: str) -> None:
    assert safe_return_to(value, public_url=OWN) == "/"


def test_the_list_is_a_setting(container) -> None:
    hosts = AuthSettings(sign_in_hosts="VR.selify.test, dash.selify.test").sign_in_hosts
    assert hosts == ("vr.selify.test", "dash.selify.test")
    authenticator = replace(container.authenticator, hosts=hosts)
    goal = "https://vr.selify.test/rooms/1"
    assert authenticator.safe_return_to(goal) == goal
    assert container.authenticator.safe_return_to(goal) == "/"


@pytest.mark.parametrize("host", ["https://vr.selify.test", "vr.selify.test:8443", "vr", "*.x.y"])
def test_what_is_no_host_is_said_so(host: str) -> None:
    with pytest.raises(ValueError, match="name of a host"):
        AuthSettings(sign_in_hosts=host)
