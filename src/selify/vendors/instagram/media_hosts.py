"""Where shoppers' media may be fetched from: Instagram's own delivery hosts and nobody else.

The fetch itself, safe against addresses inside our network, is ``selify.core.files.fetch``.
"""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

# No spaces, no control characters, no backslash, no letters that only look like ASCII.
_PLAIN = re.compile(r"[!-\[\]-~]+")

CDN_HOSTS = ("lookaside.fbsbx.com",)
CDN_DOMAINS = ("cdninstagram.com", "fbcdn.net")
# Where the fetching of a photo may lead by redirects: the whole domains, to which those hosts belong.
MEDIA_DOMAINS = ("fbsbx.com", *CDN_DOMAINS)


def is_instagram_cdn(url: str, extra_hosts: Iterable[str] = ()) -> bool:
    """Whether this is an address of Instagram's media hosts, over HTTPS on its own port.

    ``extra_hosts`` (``host`` or ``host:port``) are trusted too, over HTTP as well: the stand-in's.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if not _PLAIN.fullmatch(url) or "@" in parts.netloc:
        return False
    if parts.scheme in {"http", "https"} and _netloc(parts, port) in {
        host.lower() for host in extra_hosts
    }:
        return True
    return parts.scheme == "https" and port in {None, 443} and _is_cdn_host(parts.hostname or "")


def _is_cdn_host(host: str) -> bool:
    return host in CDN_HOSTS or any(host.endswith(f".{domain}") for domain in CDN_DOMAINS)


def _netloc(parts: SplitResult, port: int | None) -> str:
    host = parts.hostname or ""
    return f"{host}:{port}" if port is not None else host
