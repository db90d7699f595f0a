"""Requests and redirects must stay in our own house."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import httpx
from fastapi import Request

from selify.core.errors import Forbidden
from selify.core.language import _

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# One slash, then no second slash and no backslash (which browsers read as one); nothing invisible.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}", re.ASCII)
# A path, or an address of a host that is listed: no name before it, no port, nothing coded.
_ELSEWHERE = re.compile(
    r"https://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?P<path>/[!-\[\]-~]{0,1000})?",
    re.ASCII | re.IGNORECASE,
)
# No page, and one that would sign out at once; and pages that only lead on.
_NOT_A_PAGE = ("/api/", "/sign-out")
_DOORS = ("/sign-in", "/sign-up")
# As browsers write it: nothing behind the port, nobody before the host, and only one.
_ORIGIN = re.compile(r"https?://[^\s/?#@,\\]+", re.IGNORECASE)


class CrossSite(Forbidden):
    code = "cross_site_request"
    title = _("This request came from another website")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port; names in their ASCII form, and no port where it is the scheme's own."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def of(cls, url: str) -> Self | None:
        """Of a whole address; None where there is none."""
        try:
            parsed = httpx.URL(url.lower())
            host = parsed.raw_host.decode()
        except (httpx.InvalidURL, ValueError):
            return None
        known = parsed.scheme in ("http", "https") and host
        return cls(parsed.scheme, host, parsed.port) if known else None

    @property
    def is_this_machine(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def demand_same_origin(request: Request, *, public_url: str, hidden: bool = False) -> None:
    """Refuse a state-changing request that another website made the browser send (CSRF).

    Browsers say where a request comes from in ``Origin``, and most in ``Sec-Fetch-Site`` as well.
    What counts is the configured public address, scheme and port included: ``Host`` and whatever a
    proxy forwards are the sender's to choose, and say nothing about the scheme. A request that says
    nothing is no browser's, and only browsers send cookies without being told to.

    ``hidden``: the form's page says nobody where it is (``Referrer-Policy: no-referrer``), for its address is
    a secret. Then browsers say that the origin is "null". It has to be ours by their other word, which they
    give by https and at home; where they cannot, what the form brings along has to prove it.
    """
    if request.method in _SAFE_METHODS:
        return
    sites, origins = (request.headers.getlist(name) for name in ("sec-fetch-site", "origin"))
    if hidden and origins == ["null"]:
        same = sites == ["same-origin"] or (not sites and not public_url.startswith("https:"))
    elif origins:
        same = len(origins) == 1 and _is_ours(origins[0], sites, Origin.of(public_url))
    else:
        same = sites in ([], ["same-origin"], ["none"])
    if not same:
        raise CrossSite(
            _("It was refused for your safety."),
            hint=_("Open our own page, %(public_url)s, and try again.", public_url=public_url),
        )


def _is_ours(value: str, sites: list[str], own: Origin | None) -> bool:
    origin = Origin.of(value) if _ORIGIN.fullmatch(value) else None
    if origin is None or own is None:
        return False
    if origin == own:
        return True
    # On one's own machine an address has many names: localhost, 127.0.0.1, a forwarded port. There,
    # and only there, the browser's word for it is enough.
    at_home = own.is_this_machine and origin.is_this_machine
    return at_home and sites == ["same-origin"]


def safe_return_to(
    value: str | None,
    *,
    public_url: str,
    hosts: Sequence[str] = (),
    doors: bool = False,
    otherwise: str = "/",
) -> str:
    """Where to go after signing in: a path of our own, or a page by https on one of these hosts; never
    another website's address, nor one of ours that leads on by itself (unless ``doors`` will do).
    """
    goal = (value or "").removeprefix(public_url)
    elsewhere = _ELSEWHERE.fullmatch(goal)
    listed = elsewhere is not None and elsewhere["host"].lower() in hosts
    path = (elsewhere["path"] or "/") if elsewhere and listed else goal
    leads_on = path.startswith(_DOORS) or "return_to=" in path
    if not _OWN_PATH.fullmatch(path) or path.startswith(_NOT_A_PAGE) or (leads_on and not doors):
        return otherwise
    return goal
