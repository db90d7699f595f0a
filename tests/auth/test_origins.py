import pytest

from selify.auth.origins import safe_return_to

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
