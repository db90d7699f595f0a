"""Only Instagram's own delivery hosts (and the stand-in's, when told) are fetched from."""

import pytest

from selify.vendors.instagram.config import InstagramConfig
from selify.vendors.instagram.media_hosts import is_instagram_cdn


@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=x",
        "https://scontent.cdninstagram.com/v/t51/1.jpg?oe=67",
        "https://scontent-fra3-1.cdninstagram.com:443/a.jpg",
        "https://SCONTENT.XX.fbcdn.net/a.jpg",
    ],
)
def test_instagrams_hosts_are_trusted(url):
    assert is_instagram_cdn(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lookaside.fbsbx.com/a",
        "http://lookaside.fbsbx.com/a",
        "https://lookaside.fbsbx.com:8443/a",
        "https://fbsbx.com/a",
        "https://evil.fbsbx.com/a",
        "https://lookaside.fbsbx.com.evil.example/a",
        "https://evilcdninstagram.com/a",
        "https://cdninstagram.com.evil.example/a",
        "https://user:pass@scontent.cdninstagram.com/a",
        "https://scontent.cdninstagram.com@evil.example/a",
        "https://evil.example\\.cdninstagram.com/a",
        "https://evil.example#.cdninstagram.com",
        "https://evil.example/.cdninstagram.com",
        "https://scontent.cdninstagram.com\n.evil.example/",
        "https://scontent。cdninstagram.com/a",
        "https://scontent.ｃdninstagram.com/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://[/a",
        "https://scontent.cdninstagram.com:99999/a",
        "file:///etc/passwd",
        "ftp://scontent.cdninstagram.com/a",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_nobody_else_is(url):
    assert not is_instagram_cdn(url)


def test_further_hosts_are_exact():
    extra = ("127.0.0.1:8701", "Media.example")
    assert is_instagram_cdn("http://127.0.0.1:8701/media/1.jpg", extra)
    assert is_instagram_cdn("https://media.example/1.jpg", extra)
    for url in (
        "http://127.0.0.1:8702/1.jpg",
        "http://127.0.0.1/1.jpg",
        "http://x.media.example/1.jpg",
        "ftp://127.0.0.1:8701/1.jpg",
        "http://u@127.0.0.1:8701/1.jpg",
    ):
        assert not is_instagram_cdn(url, extra)


def test_a_config_that_cannot_work_is_refused():
    good = {"app_id": "1", "app_secret": "s", "verify_token": "v"}
    config = InstagramConfig(**good, previous_secrets=("old", ""))
    assert config.signing_secrets == ("s", "old")
    assert "'s'" not in repr(config)
    for wrong in (
        {"app_secret": ""},
        {"version": "26"},
        {"graph_url": "graph.instagram.com"},
        {"api_url": "https://api.instagram.com/"},
    ):
        with pytest.raises(ValueError, match=r"."):
            InstagramConfig(**good | wrong)
