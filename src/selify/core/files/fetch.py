"""Fetching what strangers point at, without being led into our own network.

A URL from a webhook, a CSV or a provider's answer may name our database, the cloud's metadata
service, or a name that resolves harmlessly when checked and otherwise when connected. So: the
name is resolved here, **every** answer must be a public address, the connection goes to exactly
the checked address (with the name kept for Host and certificate), and each redirect starts over.
``AddressGuard`` alone serves whatever else connects to a host a user typed in (mail servers).
"""

import asyncio
import ipaddress
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import httpx

from selify.core.errors import Invalid, TooLarge, Unavailable, UnsupportedMedia
from selify.core.language import _

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_URL: Final = 2048
MAX_HOST: Final = 253
PORTS: Final = frozenset({80, 443})
CONNECT_SECONDS: Final = 5.0  # for each address, so that a dead one leaves time for the next
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

# An explicit list, because `is_global` says yes to NAT64, 6to4, multicast and more (Python 3.11),
# and knows nothing of cloud metadata hosts. Source: IANA special-purpose registries.
_FORBIDDEN_V4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT; one cloud's metadata service
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local; most clouds' metadata services
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; one cloud's metadata service
            "192.0.2.0/24",  # documentation, as are 198.51.100.0/24 and 203.0.113.0/24
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "168.63.129.16/32",  # one cloud's metadata service, within a public range
        ),
    )
)
# IPv6: only what is handed out for the public internet, less its special corners.
_PUBLIC_V6: Final = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_V6: Final = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, among them Teredo
            "2001:db8::/32",  # documentation, as is 3fff::/20
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "2620:4f:8000::/48",  # sink of private reverse look-ups
            "3fff::/20",
        ),
    )
)
_FORBIDDEN_NAMES: Final = ("localhost", "local", "internal", "intranet", "home.arpa", "onion")
_HOST_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)


class UrlRefused(Invalid):
    code, title = "url_refused", _("This address cannot be used")


class FetchFailed(Unavailable):
    code, title = "fetch_failed", _("The file could not be fetched")


class FetchTooLarge(TooLarge):
    code, title = "fetch_too_large", _("The file behind this address is too large")


class FetchWrongType(UnsupportedMedia):
    code, title = "fetch_wrong_type", _("The file behind this address is of another kind")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Exact ``host:port`` pairs that may be fetched wherever they are: stand-ins on this machine.

    Given in the settings object of whoever fetches; there is no switch that turns the check off.
    """

    entries: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *entries: str) -> Self:
        for entry in entries:
            host, _, port = entry.rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError(f"{entry!r} is not of the form host:port")
        return cls(frozenset(entry.lower() for entry in entries))

    def admits(self, host: str, port: int) -> bool:
        name = f"[{host}]" if ":" in host else host
        return f"{name}:{port}" in self.entries


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bytes are counted after decompression; seconds cover names, redirects and body together."""

    max_bytes: int = 30 * 1024 * 1024
    timeout: float = 20.0
    max_redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """``content_type`` without parameters, lower case; empty where the server named none."""

    data: bytes
    content_type: str
    final_url: str


# --- Which addresses ------------------------------------------------------------------------------


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of the name, by this machine's own resolver."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def is_public(address: str) -> bool:
    """Whether an address (never a name) belongs to the public internet."""
    try:
        parsed: IPAddress = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in net for net in _FORBIDDEN_V4)
    if parsed.scope_id is not None or parsed not in _PUBLIC_V6:
        return False
    return not any(parsed in net for net in _FORBIDDEN_V6)


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Says to which addresses one may connect for a host somebody else named."""

    allow_hosts: AllowList = field(default_factory=AllowList)
    resolver: Resolver = resolve

    async def addresses(self, host: str, port: int) -> list[str]:
        """The checked addresses, in the resolver's order; never empty.

        Raises ``UrlRefused`` when one of them is not public, ``FetchFailed`` when there is none.
        """
        allowed = self.allow_hosts.admits(host, port)
        if not allowed:
            _check_host(host)
        try:
            answers = list(await self.resolver(host, port))
        except (OSError, UnicodeError) as error:
            raise _unreachable(host) from error
        if not answers:
            raise _unreachable(host)
        if not allowed and not all(is_public(answer) for answer in answers):
            raise _refused(_("It leads to an address that is not on the public internet."))
        return answers


def _check_host(host: str) -> None:
    """Refuse what no public web address looks like; the resolved address is checked all the same."""
    if _is_address(host):
        return
    if not _HOST_NAME.match(host):
        raise _refused(_("Its host name is not valid."))
    labels = host.split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        raise _refused(_("Its host is a number in an unusual spelling."))
    if any(host == name or host.endswith(f".{name}") for name in _FORBIDDEN_NAMES):
        raise _refused(_("It leads into a private network."))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refused(why: str) -> UrlRefused:
    return UrlRefused(
        _("This address cannot be used. %(why)s", why=why),
        hint=_("Please give the full public address of the file, beginning with https://."),
    )


def _unreachable(host: str) -> FetchFailed:
    return FetchFailed(
        _("%(host)s could not be reached.", host=host),
        hint=_("Please check the address, or try again in a few minutes."),
    )


# --- Which URLs -----------------------------------------------------------------------------------


def _parse(url: str) -> httpx.URL:
    if len(url) > MAX_URL:
        raise _refused(_("It is longer than %(limit)s characters.", limit=MAX_URL))
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise _refused(_("It contains spaces, control characters or backslashes."))
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise _refused(_("It is not a valid address.")) from error
    if parsed.scheme not in {"http", "https"}:
        raise _refused(_("It does not begin with https:// or http://."))
    if parsed.userinfo:
        raise _refused(_("It contains a user name or password."))
    if not parsed.host or len(parsed.raw_host) > MAX_HOST:
        raise _refused(_("It names no valid host."))
    return parsed


def _host_and_port(url: httpx.URL) -> tuple[str, int]:
    """The host as the wire has it (IDNA, lower case, no final dot), and the port in force."""
    host = url.raw_host.decode("ascii").lower().removesuffix(".")
    default = 443 if url.scheme == "https" else 80
    return host, default if url.port is None else url.port


def is_host_within(host: str, names: Collection[str]) -> bool:
    """Whether the host is one of the names, or below one of them."""
    return any(host == name or host.endswith(f".{name}") for name in names)


# --- Fetching -------------------------------------------------------------------------------------


class SafeFetcher:
    """GETs public URLs. One object serves the whole process; it keeps no connections.

    ``ssl_context`` is for tests with an authority of their own.
    """

    def __init__(
        self,
        allow_hosts: AllowList | None = None,
        resolver: Resolver = resolve,
        limits: FetchLimits | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_hosts = allow_hosts or AllowList()
        self._guard = AddressGuard(self._allow_hosts, resolver)
        self._limits = limits or FetchLimits()
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)

    async def fetch(
        self,
        url: str,
        *,
        accept: Collection[str] = (),
        only_hosts: Collection[str] = (),
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 — the whole fetch, not one await
    ) -> Fetched:
        """The file behind the URL.

        ``accept`` lists content types (``image/png``, ``image/*``), ``only_hosts`` the domains the
        URL and all its redirects must stay within; empty means any. ``headers`` are dropped as
        soon as a redirect leaves the first host.

        Raises ``UrlRefused``, ``FetchFailed``, ``FetchTooLarge`` or ``FetchWrongType``.
        """
        limit = self._limits.max_bytes if max_bytes is None else max_bytes
        seconds = self._limits.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url, accept, only_hosts, dict(headers or {}), limit)
        except TimeoutError as error:
            raise FetchFailed(
                _("The file did not arrive within %(seconds)s seconds.", seconds=seconds),
                hint=_("Please try again in a few minutes."),
            ) from error

    async def _follow(
        self,
        url: str,
        accept: Collection[str],
        only_hosts: Collection[str],
        headers: dict[str, str],
        limit: int,
    ) -> Fetched:
        target = _parse(url)
        for _hop in range(self._limits.max_redirects + 1):
            addresses = await self._checked_addresses(target, only_hosts)
            async with self._client() as client:
                response = await self._connect(client, target, addresses, headers)
                if response.status_code not in REDIRECTS:
                    return await _receive(response, target, accept, limit)
            following = _next_url(response, target)
            if _host_and_port(following) != _host_and_port(target):
                headers = {}
            target = following
        raise FetchFailed(
            _("The address leads from one address to the next without end."),
            hint=_("Please give the address at which the file really is."),
        )

    async def _checked_addresses(self, url: httpx.URL, only_hosts: Collection[str]) -> list[str]:
        host, port = _host_and_port(url)
        if only_hosts and not is_host_within(host, only_hosts):
            raise _refused(_("It leads to a host from which no file was expected."))
        if port not in PORTS and not self._allow_hosts.admits(host, port):
            raise _refused(_("Its port is not one of the web (80 and 443)."))
        return await self._guard.addresses(host, port)

    def _client(self) -> httpx.AsyncClient:
        """Without proxies: one of them would resolve the name once more, on its own."""
        patience = httpx.Timeout(self._limits.timeout, connect=CONNECT_SECONDS)
        return httpx.AsyncClient(
            trust_env=False, follow_redirects=False, verify=self._ssl_context, timeout=patience
        )

    async def _connect(
        self,
        client: httpx.AsyncClient,
        url: httpx.URL,
        addresses: Sequence[str],
        headers: Mapping[str, str],
    ) -> httpx.Response:
        """The answer's head, from the first checked address that takes the connection."""
        host, _port = _host_and_port(url)
        for address in addresses:
            request = client.build_request(
                "GET",
                url.copy_with(host=address),
                headers={"Accept-Encoding": "gzip", **headers, "Host": url.netloc.decode("ascii")},
                extensions={"sni_hostname": host},
            )
            try:
                return await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
            except httpx.HTTPError as error:
                raise _unreachable(host) from error
        raise _unreachable(host) from failure


def _next_url(response: httpx.Response, current: httpx.URL) -> httpx.URL:
    try:
        following = current.join(response.headers.get("location", ""))
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise _refused(_("It leads on to something that is not a valid address.")) from error
    if current.scheme == "https" and following.scheme == "http":
        raise _refused(_("It leads from an encrypted address to an unencrypted one."))
    return _parse(str(following))


async def _receive(
    response: httpx.Response, url: httpx.URL, accept: Collection[str], limit: int
) -> Fetched:
    host, _port = _host_and_port(url)
    if response.status_code != httpx.codes.OK:
        raise FetchFailed(
            _(
                "%(host)s answered with status %(status_code)s.",
                host=host,
                status_code=response.status_code,
            ),
            hint=_("Please check that the file is still there and open to everybody."),
            upstream_status=response.status_code,
        )
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if accept and not _is_accepted(content_type, accept):
        raise FetchWrongType(
            _("The address leads to %(kind)s.", kind=content_type or _("something unnamed")),
            hint=_("Expected: %(kinds)s.", kinds=", ".join(sorted(accept))),
        )
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    try:
        data = await _read(response, limit)
    except httpx.HTTPError as error:
        raise _unreachable(host) from error
    return Fetched(data, content_type, str(url))


def _is_accepted(content_type: str, accept: Collection[str]) -> bool:
    main = content_type.partition("/")[0]
    return content_type in accept or f"{main}/*" in accept


async def _read(response: httpx.Response, limit: int) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    chunks = response.aiter_raw()
    if encoding in {"gzip", "x-gzip"}:
        chunks = _gunzipped(chunks, limit)
    elif encoding not in {"", "identity"}:
        raise _damaged(f"It is packed as “{encoding[:20]}”, which was not asked for.")
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


async def _gunzipped(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Unpacks at most one byte more than the limit, however small the bomb."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    left = limit + 1
    async for chunk in chunks:
        try:
            piece = unpacker.decompress(chunk, left)
        except zlib.error as error:
            raise _damaged(_("It cannot be unpacked.")) from error
        left -= len(piece)
        yield piece
        if left <= 0 or unpacker.eof:
            return
    raise _damaged(_("Its end is missing."))


def _too_large(limit: int) -> FetchTooLarge:
    return FetchTooLarge(
        _("The file is larger than %(size)s MB.", size=round(limit / (1024 * 1024), 1)),
        hint=_("Please use a smaller file."),
        max_bytes=limit,
    )


def _damaged(why: str) -> FetchFailed:
    return FetchFailed(_("The file arrived damaged. %(why)s", why=why), hint=_("Please try again."))
