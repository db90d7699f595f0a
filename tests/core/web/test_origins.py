import pytest
from fastapi import Request

from selify.core.web.origins import CrossSite, demand_same_origin, safe_return_to

HOME = "https://shop.example"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("/wardrobe", "/wardrobe"),
        ("/conversations/1?tab=all#last", "/conversations/1?tab=all#last"),
        ("https://shop.example/wardrobe", "/wardrobe"),
        ("/", "/"),
    ],
)
def test_own_pages_are_returned_to(value, path):
    assert safe_return_to(value, public_url=HOME) == path


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/ok\r\nSet-Cookie: a=b",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://shop.example//evil.example",
        "https://shop.example\\@evil.example",
        "javascript:alert(1)",
        "wardrobe",
        "/\u2044evil",
        "/" + "x" * 5000,
        "/api/v1/auth/sign-out",
        "/sign-out",
    ],
)
def test_nothing_else_is(value):
    assert safe_return_to(value, public_url=HOME, otherwise="/home") == "/home"


def post(public_url, *headers):
    """A form sent by a browser; raises CrossSite."""
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": raw})
    demand_same_origin(request, public_url=public_url)


OURS = [
    (HOME, "https://shop.example"),
    (HOME, "https://SHOP.example"),
    (HOME, "HTTPS://shop.example:443"),
    ("https://Shop.Example:443", "https://shop.example"),
    ("https://shop.example/selify", "https://shop.example"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ("http://shop.example:80", "http://shop.example"),
    ("https://shop.example:8443", "https://shop.example:8443"),
    ("http://[::1]:8700", "http://[::1]:8700"),
]
OTHERS = [
    (HOME, "http://shop.example"),  # who listens on the line could have written that page
    (HOME, "https://shop.example:80"),
    (HOME, "https://shop.example:8443"),
    ("https://shop.example:8443", "https://shop.example"),
    ("http://shop.example", "https://shop.example"),
    (HOME, "https://shop.example."),
    (HOME, "https://www.shop.example"),
    (HOME, "https://shop.example.evil.example"),
    (HOME, "https://shop.example@evil.example"),
    (HOME, "https://evil.example/https://shop.example"),
    (HOME, "https://shop.example/"),
    (HOME, "https://shop.example?"),
    (HOME, "https://shop.example https://evil.example"),
    (HOME, "https://shop.example,https://evil.example"),
    (HOME, "https://shop.example\t"),
    (HOME, "https://sh\xf6p.example"),
    (HOME, "null"),
    (HOME, ""),
    (HOME, "shop.example"),
    (HOME, "//shop.example"),
    (HOME, "file://"),
    (HOME, "https://"),
    (HOME, "https://[shop.example"),
    (HOME, "https://shop.example:99999999999"),
    (HOME, "https://shop.example:port"),
    ("http://127.0.0.1:8700", "http://127.0.0.1:3000"),
    ("http://127.0.0.1:8700", "http://localhost:8700"),
]


@pytest.mark.parametrize(("public_url", "origin"), OURS)
def test_our_own_origin_is_known_however_it_is_written(public_url, origin):
    post(public_url, ("Origin", origin))
    # Behind a proxy that renames the host, the browser's view of the two differs from ours.
    post(public_url, ("Origin", origin), ("Sec-Fetch-Site", "cross-site"))


@pytest.mark.parametrize(("public_url", "origin"), OTHERS)
def test_every_other_origin_is_refused_whatever_it_says_of_the_host(public_url, origin):
    host = origin.partition("://")[2]
    for more in (
        [],
        [("Host", host)],
        [("X-Forwarded-Host", host), ("X-Forwarded-Proto", "https")],
    ):
        with pytest.raises(CrossSite) as refused:
            post(public_url, ("Origin", origin), *more)
        assert public_url in refused.value.hint, "who is refused learns which page is the right one"


def test_several_origins_are_none_of_ours():
    for origins in ([HOME, HOME], [HOME, "https://evil.example"], ["https://evil.example", HOME]):
        with pytest.raises(CrossSite):
            post(HOME, *(("Origin", origin) for origin in origins))
    with pytest.raises(CrossSite):
        post(HOME, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site"))


def test_at_home_an_address_has_many_names_if_the_browser_says_so():
    own, said = "http://127.0.0.1:8700", ("Sec-Fetch-Site", "same-origin")
    for origin in ("http://localhost:8700", "http://[::1]:8700", "http://localhost:9000"):
        post(own, ("Origin", origin), said)
    for public_url, origin in ((own, "http://evil.example"), (HOME, "http://localhost:8700")):
        with pytest.raises(CrossSite):
            post(public_url, ("Origin", origin), said)
    with pytest.raises(CrossSite):
        post(own, ("Origin", "http://localhost:3000"), ("Sec-Fetch-Site", "same-site"))
