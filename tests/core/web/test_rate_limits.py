"""One mechanism, three keys: sign-in or token, person, address."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Request
from tests.infra.settings import Settings

from selify import app as composition
from selify.core.clock import FrozenClock
from selify.core.database import Actor
from selify.core.errors import Unauthenticated
from selify.core.web import http
from selify.core.web.rate_limits import Buckets, RateLimiter, RequestRates

RATES = RequestRates(6, 10, 12, {"/free": 0.0, "/parts/": 0.1})
OFFICE = "203.0.113.7"
ELSEWHERE = "198.51.100.4"
PEOPLE = {"mira": uuid4(), "jonas": uuid4()}


@dataclass
class House:
    """An app that knows sessions by their secret, and a clock that is moved by hand."""

    clock: FrozenClock
    sessions: dict[str, UUID] = field(default_factory=dict)
    rates: RequestRates = RATES

    def __post_init__(self) -> None:
        self.app = FastAPI()
        http.install(self.app, https=False, rates=self.rates)
        self.app.state.clock = self.clock
        self.app.state.authenticate = self._authenticate
        for path in ("/api/v1/things", "/parts/one"):
            self.app.get(path)(_whoever)
        self.app.get("/free")(_nobody_asks)

    async def _authenticate(self, request: Request) -> Actor:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        secret = bearer or request.cookies.get(http.SESSION_COOKIE, "")
        user_id = self.sessions.get(secret)
        if bearer and user_id is None:
            raise Unauthenticated("The access token is not valid.")
        return Actor.user(user_id) if user_id else Actor.visitor()

    async def get(
        self,
        path: str = "/api/v1/things",
        *,
        address: str = OFFICE,
        cookie: str = "",
        token: str = "",
        language: str = "en",
    ) -> httpx.Response:
        headers = {"Accept-Language": language}
        headers |= {"Cookie": f"other=1; {http.SESSION_COOKIE}={cookie}"} if cookie else {}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self.app, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            return await client.get(path, headers=headers)

    async def admitted(self, tries: int, **request: Any) -> int:
        """How many of so many get through."""
        answers = [await self.get(**request) for _ in range(tries)]
        assert {answer.status_code for answer in answers} <= {200, 401, 429}
        return sum(answer.status_code != 429 for answer in answers)

    async def known(self, secret: str, person: str, **request: Any) -> None:
        """A session that was seen to work; that request counts for the address."""
        self.sessions[secret] = PEOPLE[person]
        assert (await self.get(cookie=secret, **request)).status_code == 200


async def _whoever(actor: http.AnyActor) -> dict[str, str]:
    return {"who": str(actor.user_id)}


async def _nobody_asks() -> dict[str, str]:
    return {}


@pytest.fixture
def container(clock: FrozenClock) -> House:
    return House(clock)


async def test_a_key_has_its_quota(container: House) -> None:
    await container.known("one", "mira")
    assert await container.admitted(8, cookie="one") == 6


async def test_a_token_is_a_key_too(container: House) -> None:
    container.sessions["jwt"] = PEOPLE["mira"]
    await container.get(token="jwt")
    assert await container.admitted(8, token="jwt") == 6


async def test_a_person_has_one_quota_for_all_keys(container: House) -> None:
    for secret in ("one", "two", "three"):
        await container.known(secret, "mira")
    found = [await container.admitted(4, cookie=secret) for secret in ("one", "two", "three")]
    assert found == [4, 4, 2]


async def test_an_address_has_a_quota_for_whoever_is_not_signed_in(container: House) -> None:
    assert await container.admitted(14) == 12
    assert await container.admitted(2, address=ELSEWHERE) == 2


async def test_a_key_that_never_worked_counts_for_the_address(container: House) -> None:
    """Whoever invents a new one for each request gets no further than without."""
    found = [await container.admitted(1, cookie=f"invented {number}") for number in range(14)]
    assert sum(found) == 12
    assert await container.admitted(1, token="invented") == 0


async def test_a_key_that_ended_counts_for_the_address_again(container: House) -> None:
    await container.known("one", "mira")
    del container.sessions["one"]
    assert (
        await container.admitted(20, cookie="one") == 1 + 11
    )  # the address had one of them before


async def test_an_office_is_not_punished_for_one_of_its_people(container: House) -> None:
    await container.known("mira's", "mira")
    await container.known("jonas's", "jonas")
    assert await container.admitted(20, cookie="mira's") == 6
    assert await container.admitted(20) == 10  # a visitor behind the same address floods it
    assert await container.admitted(6, cookie="jonas's") == 6
    assert (await container.get("/free")).status_code == 200


async def test_a_refusal_says_what_and_for_how_long(container: House) -> None:
    await container.known("one", "mira")
    await container.admitted(6, cookie="one")
    refused = await container.get(cookie="one")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "10"
    said = refused.json()
    assert said["code"] == "too_many_requests"
    assert said["violated-policies"] == ["key"]
    assert said["detail"] == "More than 6 requests a minute come from this sign-in or access token."
    assert said["hint"] == "Wait 10 seconds, then go on more slowly."
    gesagt = (await container.get(cookie="one", language="de")).json()
    assert gesagt["detail"] == (
        "Von dieser Anmeldung oder diesem Zugriffstoken kommen mehr als 6 Anfragen pro Minute."
    )
    assert gesagt["hint"] == "Warten Sie 10 Sekunden, und machen Sie dann langsamer weiter."
    assert said["trace"] == refused.headers["x-trace-id"]


async def test_every_answer_says_how_much_is_left(container: House) -> None:
    visitor = await container.get()
    assert visitor.headers["ratelimit-policy"] == '"address";q=12;w=60'
    assert visitor.headers["ratelimit"] == '"address";r=11;t=5'
    await container.known("one", "mira")
    answers = [await container.get(cookie="one") for _ in range(7)]
    policies = '"key";q=6;w=60, "person";q=10;w=60'
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {policies}
    assert answers[0].headers["ratelimit"] == '"key";r=5;t=10, "person";r=9;t=6'
    assert answers[5].headers["ratelimit"] == '"key";r=0;t=60, "person";r=4;t=36'
    assert answers[6].headers["ratelimit"] == '"key";r=0;t=60, "person";r=3;t=42'
    assert "ratelimit" not in (await container.get("/free")).headers


async def test_it_comes_back_steadily(container: House) -> None:
    await container.known("one", "mira")
    await container.admitted(7, cookie="one")
    container.clock.advance(timedelta(seconds=9))
    assert await container.admitted(1, cookie="one") == 0
    container.clock.advance(timedelta(seconds=1))
    assert await container.admitted(2, cookie="one") == 1
    container.clock.advance(timedelta(minutes=5))
    assert await container.admitted(8, cookie="one") == 6


async def test_a_refused_request_takes_nothing(container: House) -> None:
    """Whoever goes on trying does not stay out for ever, nor empties another bucket."""
    await container.known("one", "mira")
    await container.known("two", "mira")
    await container.admitted(40, cookie="one")
    assert await container.admitted(8, cookie="two") == 4  # of the person's ten
    container.clock.advance(timedelta(seconds=10))
    assert await container.admitted(2, cookie="one") == 1


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_set_keeps_nobody_out(container: House, hours: int) -> None:
    await container.known("one", "mira")
    await container.admitted(7, cookie="one")
    container.clock.advance(timedelta(hours=hours))
    await container.get(cookie="one")
    container.clock.advance(timedelta(seconds=60))
    assert await container.admitted(8, cookie="one") == 6


async def test_what_a_page_fetches_by_itself_weighs_little(container: House) -> None:
    await container.known("one", "mira")
    assert await container.admitted(70, path="/parts/one", cookie="one") == 60


async def test_nothing_is_limited_where_nobody_says_so(clock: FrozenClock) -> None:
    container = House(clock, rates=RequestRates(0, 0, 0))
    await container.known("one", "mira")
    assert await container.admitted(30, cookie="one") == 30
    assert "ratelimit" not in (await container.get()).headers


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_an_address_of_ipv6_is_its_network(one: str, other: str, together: bool) -> None:
    limiter = RateLimiter(RequestRates(1, 1, 1))
    assert not limiter.ask(None, one, 1, 0)[0].wait
    assert bool(limiter.ask(None, other, 1, 0)[0].wait) is together


@pytest.mark.parametrize("address", [None, "", "not:an:address"])
def test_who_has_no_address_is_not_counted_with_others(address: str | None) -> None:
    assert RateLimiter(RequestRates(1, 1, 1)).ask(None, address, 1, 0) == []


def test_memory_is_bounded_and_forgets_the_one_unused_for_longest() -> None:
    limiter = RateLimiter(RequestRates(2, 2, 2), most=3)
    for number in range(1000):
        key = number.to_bytes(4, "big")
        limiter.remember(key, UUID(int=number))
        limiter.ask(key, None, 1, 0)
        limiter.ask(None, f"192.0.2.{number}", 1, 0)
    held = (limiter._by_key, limiter._by_person, limiter._by_address)
    assert [len(buckets) for (buckets,) in held] == [3, 3, 3]
    assert len(limiter._people) == 3
    buckets = Buckets("key", 2, most=2)
    for who in (b"a", b"b", b"a", b"c"):
        buckets.acquire(buckets.draw(who, 1, 0))
    assert [bool(buckets.draw(who, 1, 0).wait) for who in (b"a", b"b")] == [True, False]


def costs(path: str) -> float:
    return RateLimiter(RequestRates(1, 1, 1, composition.request_costs())).cost(path)


def test_what_has_its_own_protection_does_not_count() -> None:
    uncounted = (
        "/webhooks/instagram",
        "/healthz",
        "/readyz",
        "/metrics",
        "/static/selify.css",
        "/files/abc",
        "/sign-in",
        "/api/v1/auth/sign-in",
        "/api/v1/auth/sign-up",
    )
    assert {path: costs(path) for path in uncounted} == dict.fromkeys(uncounted, 0)
    counted = ("/", "/api/v1/workspaces", "/api/v1/auth/token", "/api/v1/auth/me", "/posts")
    assert {path: costs(path) for path in counted} == dict.fromkeys(counted, 1)


def test_a_page_that_is_open_for_the_day_never_meets_it() -> None:
    """Eight parts, each drawn again after every hint, and hints as fast as a page gathers them; in five
    windows of one person, from one browser.
    """
    rates = RequestRates(*Settings().requests_per_minute, composition.request_costs())
    limiter = RateLimiter(rates)
    limiter.remember(b"key", PEOPLE["mira"])
    cost = limiter.cost("/fragments/thread")
    waits = [
        draw.wait
        for hint in range(int(120 / 0.15))
        for _ in range(5 * 8)
        for draw in limiter.ask(b"key", None, cost, hint * 0.15)
    ]
    assert len(waits) == 2 * 5 * 8 * int(120 / 0.15)
    assert not any(waits)


def test_the_server_limits_by_its_settings() -> None:
    app = composition.create_server(Settings(requests_per_minute_per_key=7))
    known = [one.kwargs["rates"] for one in app.user_middleware if "rates" in one.kwargs]
    assert [rates.per_key for rates in known] == [7]
    assert known[0].costs == composition.request_costs()
