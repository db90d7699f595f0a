"""Requests and redirects must stay in our own house."""

import re
from urllib.parse import urlsplit

from fastapi import Request

from selify.core.errors import Forbidden

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# One slash, then no second slash and no backslash (which browsers read as one); nothing invisible.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}", re.ASCII)
_NOT_A_PAGE = ("/api/", "/sign-out")


class CrossSite(Forbidden):
    code = "cross_site_request"
    title = "This request came from another website"


def demand_same_origin(request: Request, *, public_url: str) -> None:
    """Refuse a state-changing request that another website made the browser send (CSRF).

    Browsers say where a request comes from in ``Sec-Fetch-Site``, or, where that is missing
    (plain http, older browsers), in ``Origin``. A request with neither is no browser's, and only
    browsers send cookies without being told to.
    """
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if origin is not None and origin == public_url:
        return
    if site is not None:
        same = site in ("same-origin", "none")
    else:
        same = origin is None or _host_of(origin) == request.headers.get("host")
    if not same:
        raise CrossSite("It was refused for your safety.", hint="Open our own page and try again.")


def _host_of(origin: str) -> str | None:
    """``host:port``; None for ``null`` and for what is no origin at all."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def safe_return_to(value: str | None, *, public_url: str, otherwise: str = "/") -> str:
    """Where to go after signing in: a path of our own, never another website's address."""
    path = (value or "").removeprefix(public_url)
    if not _OWN_PATH.fullmatch(path) or path.startswith(_NOT_A_PAGE):
        return otherwise
    return path
