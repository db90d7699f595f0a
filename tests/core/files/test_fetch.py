"""The safe fetcher: every way of being led astray that we know of, against a real local server."""

import asyncio
import datetime as dt
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from selify.core.files.fetch import (
    AddressGuard,
    AllowList,
    FetchFailed,
    FetchLimits,
    FetchTooLarge,
    FetchWrongType,
    SafeFetcher,
    UrlRefused,
    _gunzipped,
    is_host_within,
    is_public,
    resolve,
)

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
PUBLIC = "93.184.215.14"


def http(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    named = {"content-length": str(len(body)), "connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@dataclass
class Origin:
    """A server that says exactly what a test wrote down, and remembers what it was asked."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = head[0].split(" ")[1]
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            self.requests.append((path, {k.lower(): v for k, v in headers.items()}))
            answer = self.answers.get(path, http("404 Not Found"))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def origin_on(
    host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Origin]:
    origin = Origin()
    server = await asyncio.start_server(origin.serve, host, 0, ssl=tls)
    origin.port = server.sockets[0].getsockname()[1]
    async with server:
        yield origin


@pytest.fixture
async def origin():
    async with origin_on() as running:
        yield running


def resolver_of(**names: list[str]):
    """A resolver that knows these names (dots written as underscores) and counts its calls."""
    calls: list[str] = []

    async def resolver(host: str, _port: int) -> list[str]:
        calls.append(host)
        await asyncio.sleep(0)
        if host.replace(".", "_") not in names:
            raise OSError("no such name")
        return names[host.replace(".", "_")]

    resolver.calls = calls
    return resolver


def local(origin: Origin, name: str = "127.0.0.1") -> SafeFetcher:
    resolver = resolver_of(**{name.replace(".", "_"): ["127.0.0.1"]})
    return SafeFetcher(AllowList.of(f"{name}:{origin.port}"), resolver)


# --- Addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "172.16.0.1", "172.31.255.255",
        "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1",
        "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1",
        "ff02::1", "not an address", "",
    ],
)  # fmt: skip
def test_an_address_outside_the_public_internet_is_known_as_such(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::6810:84e5",
     "2a00:1450:4001::200e"],
)  # fmt: skip
def test_a_public_address_is_known_as_such(address):
    assert is_public(address)


@pytest.mark.parametrize("bad", ["127.0.0.1", "10.0.0.1", "::1", "169.254.169.254"])
async def test_one_bad_answer_among_good_ones_spoils_the_name(bad):
    guard = AddressGuard(resolver=resolver_of(shop_example=[PUBLIC, bad]))
    with pytest.raises(UrlRefused):
        await guard.addresses("shop.example", 443)


async def test_good_answers_pass_in_their_order():
    guard = AddressGuard(resolver=resolver_of(shop_example=[PUBLIC, "1.1.1.1"]))
    assert await guard.addresses("shop.example", 443) == [PUBLIC, "1.1.1.1"]


async def test_an_unknown_name_is_a_failure_not_a_refusal():
    with pytest.raises(FetchFailed):
        await AddressGuard(resolver=resolver_of()).addresses("shop.example", 443)


async def test_the_machines_own_resolver_gives_bare_addresses():
    assert set(await resolve("localhost", 80)) <= {"127.0.0.1", "::1"}


# --- URLs -----------------------------------------------------------------------------------------

BAD_URLS = [
    "file:///etc/passwd",
    "ftp://shop.example/a",
    "gopher://shop.example/a",
    "data:image/png;base64,AAAA",
    "//shop.example/a",
    "shop.example/a",
    "http:///a",
    "http://",
    "",
    "https://user:secret@shop.example/a",
    "https://shop.example@127.0.0.1/a",
    "http://shop.example\\@127.0.0.1/",
    "http://shop.example /a",
    "http://shop.example/a\r\nHost: other",
    "http://shop.example:22/a",
    "http://shop.example:0/a",
    "http://shop.example:8080/a",
    "https://shop.example:99999/a",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1%25eth0]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://１２７.０.０.１/",
    "http://①②⑦.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://db.local/",
    "http://-shop.example/",
    "http://shop..example/",
    f"http://{'a' * 64}.example/",
    "http://shop.example/" + "a" * 2048,
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
async def test_a_bad_url_is_refused_before_anything_is_asked(url):
    # This resolver would make every host look harmless: the refusal must not depend on it.
    asked: list[str] = []

    async def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        await asyncio.sleep(0)
        return [host if host[0].isdigit() or ":" in host else PUBLIC]

    with pytest.raises(UrlRefused) as refused:
        await SafeFetcher(resolver=resolver).fetch(url)
    assert (refused.value.status, refused.value.code) == (422, "url_refused")
    for host in asked:
        ipaddress.ip_address(host)  # a literal address needs the resolver's word, no name does


@pytest.mark.parametrize("form", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
async def test_what_the_resolver_makes_of_numbers_is_what_counts(form):
    """Without the check on spelling, the check on the resolved address still stands."""
    answers = await resolve(form, 80)
    assert answers == ["127.0.0.1"]
    assert not is_public(answers[0])


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://shop.example/a.png", "shop.example", 443),
        ("HTTPS://SHOP.example/a.png", "shop.example", 443),
        ("http://shop.example:80/a", "shop.example", 80),
        ("http://shop.example:443/a", "shop.example", 443),
        ("https://bücher.example/a", "xn--bcher-kva.example", 443),
        ("https://a_b.cdn.shop.example./a?x=1#y", "a_b.cdn.shop.example", 443),
    ],
)
async def test_a_good_url_gets_as_far_as_its_resolved_name(url, host, port):
    asked: list[tuple[str, int]] = []

    async def resolver(name: str, number: int) -> list[str]:
        asked.append((name, number))
        await asyncio.sleep(0)
        raise OSError("far enough")

    with pytest.raises(FetchFailed):
        await SafeFetcher(resolver=resolver).fetch(url)
    assert asked == [(host, port)]


@pytest.mark.parametrize("entry", ["127.0.0.1", ":80", "host:", "host:http"])
def test_an_allow_list_entry_needs_host_and_port(entry):
    with pytest.raises(ValueError, match="host:port"):
        AllowList.of(entry)


def test_an_allow_list_admits_exactly_what_it_lists():
    listed = AllowList.of("127.0.0.1:9100", "[::1]:9100", "Stand-In:80")
    assert listed.admits("127.0.0.1", 9100)
    assert listed.admits("::1", 9100)
    assert listed.admits("stand-in", 80)
    assert not listed.admits("127.0.0.1", 9101)
    assert not listed.admits("127.0.0.2", 9100)
    assert not AllowList().admits("127.0.0.1", 80)


# --- Fetching -------------------------------------------------------------------------------------


async def test_a_file_arrives_with_type_and_address(origin):
    origin.answers["/a.png"] = http(body=b"picture", content_type="Image/PNG; charset=binary")
    fetched = await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a.png", accept={"image/*"})
    assert (fetched.data, fetched.content_type) == (b"picture", "image/png")
    assert fetched.final_url.endswith("/a.png")


async def test_without_the_allow_list_the_same_server_is_out_of_reach(origin):
    with pytest.raises(UrlRefused):
        await SafeFetcher().fetch(f"http://127.0.0.1:{origin.port}/a.png")
    assert not origin.requests


async def test_the_connection_goes_to_the_checked_address_under_the_given_name(origin):
    origin.answers["/a"] = http(body=b"x")
    fetcher = local(origin, "pictures.example")
    await fetcher.fetch(f"http://pictures.example:{origin.port}/a")
    assert origin.requests[0][1]["host"] == f"pictures.example:{origin.port}"


async def test_a_name_is_resolved_once_so_that_it_cannot_change_in_between(origin):
    origin.answers["/a"] = http(body=b"x")
    resolver = resolver_of(pictures_example=["127.0.0.1"])
    fetcher = SafeFetcher(AllowList.of(f"pictures.example:{origin.port}"), resolver)
    await fetcher.fetch(f"http://pictures.example:{origin.port}/a")
    assert resolver.calls == ["pictures.example"]


async def test_a_dead_address_is_passed_over_for_the_next(origin):
    origin.answers["/a"] = http(body=b"x")
    resolver = resolver_of(pictures_example=["127.0.0.2", "127.0.0.1"])
    fetcher = SafeFetcher(AllowList.of(f"pictures.example:{origin.port}"), resolver)
    assert (await fetcher.fetch(f"http://pictures.example:{origin.port}/a")).data == b"x"


async def test_nobody_listening_is_a_failure(origin):
    resolver = resolver_of(pictures_example=["127.0.0.2"])
    fetcher = SafeFetcher(AllowList.of(f"pictures.example:{origin.port}"), resolver)
    with pytest.raises(FetchFailed, match="could not be reached"):
        await fetcher.fetch(f"http://pictures.example:{origin.port}/a")


async def test_proxies_of_the_environment_are_not_used(origin, monkeypatch):
    origin.answers["/a"] = http(body=b"straight")
    async with origin_on() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        fetched = await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a")
    assert fetched.data == b"straight"
    assert not proxy.requests


# --- Redirects ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(origin, status):
    origin.answers["/a"] = http(f"{status} Moved", location="/b")
    origin.answers["/b"] = http(body=b"x")
    fetched = await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a")
    assert (fetched.data, fetched.final_url[-2:]) == (b"x", "/b")


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        "file:///etc/passwd",
        "http://user@127.0.0.1/",
        "//metadata.google.internal/",
        "http://inside.example/",
    ],
)
async def test_a_redirect_into_our_own_network_is_refused(origin, location):
    origin.answers["/a"] = http("302 Found", location=location)
    resolver = resolver_of(
        **{"127_0_0_1": ["127.0.0.1"], "inside_example": ["10.0.0.7"],
           "169_254_169_254": ["169.254.169.254"], "::1": ["::1"]}
    )  # fmt: skip
    fetcher = SafeFetcher(AllowList.of(f"127.0.0.1:{origin.port}"), resolver)
    with pytest.raises(UrlRefused):
        await fetcher.fetch(f"http://127.0.0.1:{origin.port}/a")
    assert len(origin.requests) == 1


async def test_the_number_of_redirects_is_limited(origin):
    for step in range(9):
        origin.answers[f"/{step}"] = http("302 Found", location=f"/{step + 1}")
    origin.answers["/5"] = http(body=b"five steps are fine")
    fetcher = local(origin)
    await fetcher.fetch(f"http://127.0.0.1:{origin.port}/0")
    origin.answers["/5"] = http("302 Found", location="/6")
    origin.requests.clear()
    with pytest.raises(FetchFailed, match="without end"):
        await fetcher.fetch(f"http://127.0.0.1:{origin.port}/0")
    assert len(origin.requests) == 6


async def test_a_redirect_to_nowhere_ends(origin):
    origin.answers["/a"] = http("302 Found")
    with pytest.raises(FetchFailed):
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a")


async def test_credentials_do_not_travel_to_another_host(origin):
    async with origin_on() as other:
        origin.answers["/a"] = http("302 Found", location="/b")
        origin.answers["/b"] = http("302 Found", location=f"http://127.0.0.1:{other.port}/c")
        other.answers["/c"] = http(body=b"x")
        allowed = AllowList.of(f"127.0.0.1:{origin.port}", f"127.0.0.1:{other.port}")
        await SafeFetcher(allowed).fetch(
            f"http://127.0.0.1:{origin.port}/a", headers={"Authorization": "Bearer secret"}
        )
    assert [headers.get("authorization") for _, headers in origin.requests] == ["Bearer secret"] * 2
    assert "authorization" not in other.requests[0][1]


async def test_a_file_is_fetched_only_from_the_hosts_expected(origin):
    origin.answers["/a"] = http("302 Found", location=f"http://other.example:{origin.port}/b")
    resolver = resolver_of(cdn_shop_example=["127.0.0.1"], other_example=["127.0.0.1"])
    allowed = AllowList.of(f"cdn.shop.example:{origin.port}", f"other.example:{origin.port}")
    fetcher = SafeFetcher(allowed, resolver)
    with pytest.raises(UrlRefused, match="no file was expected"):
        await fetcher.fetch(
            f"http://cdn.shop.example:{origin.port}/a", only_hosts=("shop.example",)
        )
    assert len(origin.requests) == 1


def test_a_host_is_within_a_domain_by_whole_labels():
    assert is_host_within("fal.example", ["fal.example"])
    assert is_host_within("v3.fal.example", ["fal.example"])
    assert not is_host_within("notfal.example", ["fal.example"])
    assert not is_host_within("fal.example.evil", ["fal.example"])


# --- Limits ---------------------------------------------------------------------------------------


async def test_a_file_announced_as_too_large_is_not_even_read(origin):
    origin.answers["/a"] = http(content_length="1001", body=b"")
    with pytest.raises(FetchTooLarge) as refused:
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a", max_bytes=1000)
    assert (refused.value.status, refused.value.code) == (413, "fetch_too_large")


async def test_an_endless_file_is_cut_off(origin):
    async def forever(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    origin.answers["/a"] = forever
    with pytest.raises(FetchTooLarge):
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a", max_bytes=1_000_000)


async def test_a_limit_is_the_most_that_passes(origin):
    origin.answers["/a"] = http(body=b"x" * 1000)
    origin.answers["/z"] = http(body=gzip.compress(b"x" * 1000), content_encoding="gzip")
    for path in ("/a", "/z"):
        url = f"http://127.0.0.1:{origin.port}{path}"
        assert len((await local(origin).fetch(url, max_bytes=1000)).data) == 1000
        with pytest.raises(FetchTooLarge):
            await local(origin).fetch(url, max_bytes=999)


async def test_a_packed_bomb_counts_with_its_unpacked_bytes(origin):
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    origin.answers["/a"] = http(body=bomb, content_encoding="gzip")
    with pytest.raises(FetchTooLarge):
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a", max_bytes=1_000_000)


async def test_a_packed_bomb_is_never_unpacked_beyond_the_limit():
    async def one_chunk() -> AsyncIterator[bytes]:
        yield gzip.compress(b"\0" * 50_000_000)

    pieces = [len(piece) async for piece in _gunzipped(one_chunk(), 1000)]
    assert pieces == [1001]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "gzip"),
        (b"not packed at all", "gzip"),
        (b"whatever", "br"),
        (b"whatever", "gzip, gzip"),
        (b"whatever", "deflate"),
    ],
)
async def test_a_badly_or_unexpectedly_packed_file_is_a_failure(origin, body, encoding):
    origin.answers["/a"] = http(body=body, content_encoding=encoding)
    with pytest.raises(FetchFailed, match="damaged"):
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a")


async def test_the_whole_fetch_has_one_time_limit(origin):
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    origin.answers["/a"] = drip
    with pytest.raises(FetchFailed, match="within"):
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a", timeout=0.2)


async def test_a_resolver_that_never_answers_counts_too():
    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    fetcher = SafeFetcher(resolver=silent, limits=FetchLimits(timeout=0.05))
    with pytest.raises(FetchFailed, match="within"):
        await fetcher.fetch("https://shop.example/a")


@pytest.mark.parametrize(
    "status", ["204 No Content", "401 Unauthorized", "404 Not Found", "500 No"]
)
async def test_any_answer_but_a_file_is_a_failure(origin, status):
    origin.answers["/a"] = http(status)
    with pytest.raises(FetchFailed) as failed:
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a")
    assert failed.value.extra["upstream_status"] == int(status[:3])


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", ""])
async def test_another_kind_of_file_is_refused(origin, content_type):
    origin.answers["/a"] = http(body=b"<x/>", content_type=content_type)
    with pytest.raises(FetchWrongType) as refused:
        await local(origin).fetch(
            f"http://127.0.0.1:{origin.port}/a", accept={"image/png", "image/jpeg"}
        )
    assert refused.value.status == 415


@pytest.mark.parametrize(
    "answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"]
)
async def test_a_server_that_breaks_off_or_babbles_is_a_failure(origin, answer):
    origin.answers["/a"] = answer
    with pytest.raises(FetchFailed):
        await local(origin).fetch(f"http://127.0.0.1:{origin.port}/a")


# --- Certificates ---------------------------------------------------------------------------------


def certificate_for(name: str, folder) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server shows, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(("name", "good"), [("pictures.example", True), ("other.example", False)])
async def test_the_certificate_is_checked_by_name_although_the_address_is_pinned(
    tmp_path, name, good
):
    server, trusting = certificate_for(name, tmp_path)
    async with origin_on(tls=server) as origin:
        origin.answers["/a"] = http(body=b"x")
        fetcher = SafeFetcher(
            AllowList.of(f"pictures.example:{origin.port}"),
            resolver_of(pictures_example=["127.0.0.1"]),
            ssl_context=trusting,
        )
        url = f"https://pictures.example:{origin.port}/a"
        if good:
            assert (await fetcher.fetch(url)).data == b"x"
        else:
            with pytest.raises(FetchFailed):
                await fetcher.fetch(url)


async def test_a_redirect_from_encrypted_to_plain_is_refused(tmp_path):
    server, trusting = certificate_for("pictures.example", tmp_path)
    async with origin_on(tls=server) as origin:
        origin.answers["/a"] = http(
            "302 Found", location=f"http://pictures.example:{origin.port}/b"
        )
        fetcher = SafeFetcher(
            AllowList.of(f"pictures.example:{origin.port}"),
            resolver_of(pictures_example=["127.0.0.1"]),
            ssl_context=trusting,
        )
        with pytest.raises(UrlRefused, match="unencrypted"):
            await fetcher.fetch(f"https://pictures.example:{origin.port}/a")
