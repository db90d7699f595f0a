"""How many requests a key, a person and an address may send, so that one program that runs wild takes
nothing from the others.

A key is what a request shows: a session's cookie or an access token. Whoever shows one that was good
before counts by key and by person, and by nothing else: colleagues behind one address do not spend
each other's. Everybody else, also with a key that nobody has seen work yet, counts by address.

Each has a bucket that holds a minute's requests and fills up steadily. Buckets live in this process,
for there is one server process, and are limited in number: beyond it the one unused for longest is
forgotten, which fills it. Signing in has a throttle of its own (``auth/throttle.py``), which counts in
the database.
"""

import hashlib
import ipaddress
import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from starlette.types import ASGIApp, Receive, Scope, Send

from selify.core import metrics
from selify.core.clock import Clock
from selify.core.errors import TooMany
from selify.core.language import N_, _, _n
from selify.core.web import middleware, problems

WINDOW: Final = 60.0
MOST: Final = 20_000  # buckets of one kind, and keys that are known
# Far below what one request takes, far above what adding up small floats loses.
_CLOSE: Final = 1e-4
_SHOWN: Final = "selify.rate_limits"
_COOKIE: Final = re.compile(rb"(?:^|;\s*)(?:__Host-)?selify_session=([^;]+)")
_TOO_MANY: Final = {
    "key": N_("More than %(count)s requests a minute come from this sign-in or access token."),
    "person": N_("More than %(count)s requests a minute come from you."),
    "address": N_("More than %(count)s requests a minute come from this address."),
}


@dataclass(frozen=True, slots=True)
class RequestRates:
    """Requests a minute; 0: as many as they like. ``costs``: what a request below a path counts, where
    that is not 1; the first prefix that fits decides.
    """

    per_key: int
    per_person: int
    per_address: int
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draw:
    """What one request would leave in a bucket that is full again at ``full_at``."""

    buckets: "Buckets"
    who: bytes
    full_at: float
    now: float

    @property
    def wait(self) -> float:
        """Seconds until there is enough in it; 0 where there is."""
        missing = self.full_at - self.now - WINDOW
        return missing if missing > _CLOSE else 0.0

    def state(self) -> str:
        """As a member of the RateLimit header: what is left, and when the bucket is full again."""
        left = (WINDOW - (self.full_at - self.now) + _CLOSE) / self.buckets.interval
        seconds = math.ceil(min(self.full_at - self.now, WINDOW))
        return f'"{self.buckets.name}";r={max(0, int(left))};t={seconds}'


class Buckets:
    """One for each subject of a kind. A bucket is one number: the time at which it is full again."""

    def __init__(self, name: str, per_minute: int, *, most: int = MOST) -> None:
        self.name = name
        self.per_minute = per_minute
        self.policy = f'"{name}";q={per_minute};w={WINDOW:.0f}'
        self.interval = WINDOW / per_minute
        self._most = most
        self._full_at: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def draw(self, who: bytes, cost: float, now: float) -> Draw:
        """Nothing is taken yet. A bucket is never emptier than empty: whatever a clock that was set
        back says, it is full again in a minute.
        """
        full_at = max(self._full_at.get(who, now), now)
        if full_at > now + WINDOW:
            full_at = self._full_at[who] = now + WINDOW
        return Draw(self, who, full_at + cost * self.interval, now)

    def acquire(self, draw: Draw) -> None:
        self._full_at[draw.who] = draw.full_at
        self._full_at.move_to_end(draw.who)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)


class RateLimiter:
    """Who may send another request."""

    def __init__(self, rates: RequestRates, *, most: int = MOST) -> None:
        def buckets(name: str, per_minute: int) -> tuple[Buckets, ...]:
            return (Buckets(name, per_minute, most=most),) if per_minute else ()

        self._by_key = buckets("key", rates.per_key)
        self._by_person = buckets("person", rates.per_person)
        self._by_address = buckets("address", rates.per_address)
        self._costs = tuple(rates.costs.items())
        self._free = tuple(prefix for prefix, cost in self._costs if not cost)
        self._most = most
        self._people: OrderedDict[bytes, bytes] = OrderedDict()  # of the keys that worked

    def cost(self, path: str) -> float:
        if path.startswith(self._free):
            return 0
        return next((cost for prefix, cost in self._costs if path.startswith(prefix)), 1)

    def ask(self, key: bytes | None, address: str | None, cost: float, now: float) -> list[Draw]:
        """From each bucket that counts; taken from all of them, or where one has not enough, from none."""
        person = self._people.get(key) if key else None
        if key and person:
            of = [(one, key) for one in self._by_key] + [(one, person) for one in self._by_person]
        else:
            place = _network(address)
            of = [(one, place) for one in self._by_address if place]
        draws = [buckets.draw(who, cost, now) for buckets, who in of]
        if not any(draw.wait for draw in draws):
            for draw in draws:
                draw.buckets.acquire(draw)
        return draws

    def remember(self, key: bytes, person: UUID | None) -> None:
        """Whose key it has turned out to be; None: nobody's (any more)."""
        if person is None:
            self._people.pop(key, None)
            return
        self._people[key] = person.bytes
        self._people.move_to_end(key)
        if len(self._people) > self._most:
            self._people.popitem(last=False)


class LimitRates:
    """Answers 429 where a bucket is empty, and says on every answer how full they are (RateLimit and
    RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers has them).
    """

    def __init__(self, app: ASGIApp, *, rates: RequestRates) -> None:
        self._app = app
        self._limiter = RateLimiter(rates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cost = self._limiter.cost(scope["path"]) if scope["type"] == "http" else 0
        if not cost:
            await self._app(scope, receive, send)
            return
        clock: Clock = scope["app"].state.clock
        key, client = _key(scope), scope.get("client")
        if key:
            scope[_SHOWN] = (self._limiter, key)
        draws = self._limiter.ask(key, client[0] if client else None, cost, clock.now().timestamp())
        if draws:
            scope[middleware.EXTRA_HEADERS] += _headers(draws)
        empty = max(draws, key=lambda draw: draw.wait, default=None)
        if empty is None or not empty.wait:
            await self._app(scope, receive, send)
            return
        metrics.requests_refused.labels(empty.buckets.name).inc()
        await problems.problem(_refusal(empty))(scope, receive, send)


def remember(scope: Scope, person: UUID | None) -> None:
    """After it was found out who is asking: the key that the request shows is this person's, or
    nobody's.
    """
    shown: tuple[RateLimiter, bytes] | None = scope.get(_SHOWN)
    if shown is not None:
        limiter, key = shown
        limiter.remember(key, person)


def _refusal(empty: Draw) -> TooMany:
    buckets, seconds = empty.buckets, math.ceil(empty.wait)
    return TooMany(
        _(_TOO_MANY[buckets.name], count=buckets.per_minute),
        retry_after=seconds,
        hint=_n(
            "Wait %(count)s second, then go on more slowly.",
            "Wait %(count)s seconds, then go on more slowly.",
            count=seconds,
        ),
        **{"violated-policies": [buckets.name]},
    )


def _headers(draws: list[Draw]) -> list[tuple[bytes, bytes]]:
    policies = ", ".join(draw.buckets.policy for draw in draws)
    states = ", ".join(draw.state() for draw in draws)
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", states.encode())]


def _key(scope: Scope) -> bytes | None:
    """What tells a key from another without being one: it stays in memory."""
    shown = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            shown = value
            break
        if name == b"cookie" and (found := _COOKIE.search(value)):
            shown = found[1]
    return hashlib.blake2b(shown, digest_size=16).digest() if shown else None


def _network(address: str | None) -> bytes | None:
    """One address of IPv4; of IPv6 the network that one customer has. None where nobody can tell (a unix
    socket): those are not counted together.
    """
    if address is None or ":" not in address:
        return address.encode() if address else None
    try:
        known = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return None
    return known.ipv4_mapped.exploded.encode() if known.ipv4_mapped else known.packed[:8]
