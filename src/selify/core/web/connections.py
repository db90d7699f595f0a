"""Who may stay connected, and for how long: what uvicorn leaves to whoever stands in front of it.

A request that arrives is given time to arrive whole: its head a fixed while, its body as long as it
keeps coming; an answer as long as it is being taken. Whoever is slower is told so (408) and cut
off. Time that we ourselves take (a handler at work, a live page that is open, an upload that waits
for us) counts for nobody.

When the server is full, the connection that has been silent longest gives way to the new one: half
a request, however often it is sent, never keeps others out. Only where every connection is being
answered is the new one refused (503). So no limit need be set so low that it hurts a reverse proxy,
which brings everybody from one address.
"""

import contextlib
import enum
import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from selify.core import metrics
from selify.core.errors import BadRequest, HeadTooLarge, SelifyError, TooSlow, Unavailable
from selify.core.language import _
from selify.core.logging import get_logger, traced
from selify.core.web import problems
from selify.core.web.middleware import KIB, STREAM, Envelope, envelope_headers

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Times in seconds. ``trusted``: proxies' addresses and networks (or ``*``), for which
    ``per_address`` does not count. ``least_rate``: bytes a second of a body or an answer.
    """

    connections: int = 2000
    per_address: int = 200
    trusted: Sequence[str] = ("127.0.0.1", "::1")
    head: float = 20.0
    silence: float = 30.0
    linger: float = 2.0
    least_rate: int = 4 * KIB
    head_bytes: int = 32 * KIB
    headers: int = 100


class Phase(enum.Enum):
    """Where the request that arrives now has got to."""

    NONE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()
    REFUSED = enum.auto()  # whatever still comes is thrown away


class Connections:
    """All connections of one server."""

    def __init__(self, limits: ConnectionLimits, *, https: bool) -> None:
        self.limits = limits
        self.https = https
        self.full = Envelope(_answer_full, https=https)
        self._all: set[Connection] = set()
        # Those that wait for their peer; the one that has been silent longest comes first.
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._by_address: Counter[str] = Counter()
        self._everybody = "*" in limits.trusted
        self._proxies = [ipaddress.ip_network(a) for a in limits.trusted if a != "*"]
        self._refused: Counter[str] = Counter()

    def admit(self, new: "Connection") -> bool:
        """Whether there is room; makes some by letting go of whoever has been silent longest."""
        self._all.add(new)
        self._waiting[new] = None
        self._by_address[new.address] += 1
        while (silent := self._next_to_give_way(new)) is not None:
            self.count("full")
            if silent is new:
                return False
            silent.give_way()
            self.forget(silent)
        return True

    def _next_to_give_way(self, new: "Connection") -> "Connection | None":
        """Nobody where there is room. Who was refused is counted until it is gone: more may have to go
        than came.
        """
        if self._by_address[new.address] > self.limits.per_address and not self._trusts(new):
            return next(other for other in self._waiting if other.address == new.address)
        if len(self._all) > self.limits.connections:
            return next(iter(self._waiting))
        return None

    def _trusts(self, one: "Connection") -> bool:
        if self._everybody:
            return True
        try:
            address = ipaddress.ip_address(one.address)
        except ValueError:  # a unix socket
            return True
        return any(address in proxies for proxies in self._proxies)

    def forget(self, one: "Connection") -> None:
        """Harmless to repeat."""
        if one not in self._all:
            return
        self._all.discard(one)
        self._waiting.pop(one, None)
        self._by_address[one.address] -= 1
        if not self._by_address[one.address]:
            del self._by_address[one.address]

    def heard(self, one: "Connection") -> None:
        """Something came: it is now the last that would give way."""
        if one in self._waiting:
            self._waiting.move_to_end(one)

    def wait_for(self, one: "Connection") -> None:
        if one in self._all:
            self._waiting[one] = None
            self._waiting.move_to_end(one)

    def wait_no_more(self, one: "Connection") -> None:
        self._waiting.pop(one, None)

    def count(self, reason: str) -> None:
        self._refused[reason] += 1
        metrics.connections_refused.labels(reason).inc()

    def sweep(self, now: float) -> None:
        """Cut off who is too slow. Called every second."""
        for one in list(self._all):
            one.check(now)
        if self._refused:  # one line a second, however many there are
            log.warning("connections were refused or cut off", **self._refused)
            self._refused.clear()


class Connection(HttpToolsProtocol):
    """One connection. What uvicorn does is left as it is; this watches it."""

    def __init__(
        self, config: uvicorn.Config, *args: Any, connections: Connections, **options: Any
    ) -> None:
        super().__init__(config, *args, **options)
        self._house = connections
        self._limits = connections.limits
        self.address = ""
        self._phase = Phase.NONE
        self._since = self._heard = 0.0
        self._received = 0
        self._headers_count = self._head_bytes = 0
        self._loose_bytes = 0  # since the last whole thing: a head, a piece of a body
        self._whole = False
        self._refusal: SelifyError | None = None
        self._unsent_since: float | None = None
        self._unsent = 0

    # What uvicorn's server and the transport tell us

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._phase = Phase.HEAD
        self._since = self._heard = self.loop.time()
        if not self._house.admit(self):
            self.app = self._house.full

    def connection_lost(self, exc: Exception | None) -> None:
        self._house.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._phase is Phase.REFUSED:
            return
        self._heard = self.loop.time()
        if self._phase is Phase.NONE:
            self._phase, self._since = Phase.HEAD, self._heard
        self._house.heard(self)
        self._whole = False
        super().data_received(data)
        self._loose_bytes = 0 if self._whole else self._loose_bytes + len(data)
        # A header without an end, or a trailer: nothing the parser has told us of yet.
        if self._loose_bytes > self._limits.head_bytes:
            self._refuse(self._too_large(), "head too large")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent_since, self._unsent = self.loop.time(), self._unsent_now()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unsent_since = None

    def shutdown(self) -> None:
        """The server stops: what would not end by itself ends now."""
        if self._phase is Phase.REFUSED or self._streams():
            self._end()
        elif self._phase is Phase.BODY:
            self._refuse(Unavailable(_("The server is being stopped. Please send this again.")), "")
            self.transport.close()
        else:
            super().shutdown()

    # What the parser tells us

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase, self._whole = Phase.HEAD, True
        self._headers_count = self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._headers_count += 1
        self._count_head(len(name) + len(value))

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._phase, self._whole = Phase.BODY, True
        self._since, self._received = self._heard, 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._received += len(body)
        self._whole = True

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._phase, self._whole = Phase.NONE, True
        self._since = self._heard
        if not self._answered():
            self._house.wait_no_more(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Half a request that came meanwhile had to wait for us, and begins now.
        self._since = self._heard = self.loop.time()
        if self._answered():
            self._house.wait_for(self)

    def send_400_response(self, msg: str) -> None:
        reason = "head too large" if self._refusal else "unreadable"
        self._refuse(self._refusal or BadRequest(msg), reason)

    # Whose turn it is

    def check(self, now: float) -> None:
        """Cut off what is too slow."""
        if self._is_unread_for_long(now):
            self._house.count("slow reader")
            self._end()
        elif self._phase is Phase.REFUSED:
            if now - self._since > self._limits.linger:
                self.transport.abort()
        elif self._phase is Phase.BODY:
            self._check_body(now)
        elif self._answered() and not self.transport.is_closing():
            if self._phase is Phase.HEAD and now - self._since > self._limits.head:
                self._refuse(_too_slow("head", self._limits.head), "slow head")
            elif self._phase is Phase.NONE and now - self._since > self._limits.silence:
                self.transport.close()

    def _check_body(self, now: float) -> None:
        if self.flow.read_paused:  # it waits for us
            self._since = self._heard = now
            self._received = 0
            return
        allowed = self._limits.silence
        if not self._answered():
            allowed += self._received / self._limits.least_rate
        silent = now - self._heard > self._limits.silence
        if silent or now - self._since > allowed:
            self._refuse(_too_slow("body", self._limits.silence), "slow body")

    def _is_unread_for_long(self, now: float) -> bool:
        """Whether what we wrote is not being taken."""
        unsent = self._unsent_now()
        if not unsent:
            self._unsent_since = None
        elif self._unsent_since is None:
            self._unsent_since, self._unsent = now, unsent
        else:
            allowed = self._limits.silence + self._unsent / self._limits.least_rate
            return now - self._unsent_since > allowed
        return False

    def _unsent_now(self) -> int:
        return int(self.transport.get_write_buffer_size())

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _streams(self) -> bool:
        return not self._answered() and bool(self.cycle.scope.get(STREAM))

    def _may_answer(self) -> bool:
        """Whether what we write would be taken for the answer to the request that arrives now."""
        if self._phase is not Phase.BODY:
            return self._answered()
        return not (self.cycle.response_started or self.pipeline)

    # Letting go

    def give_way(self) -> None:
        """To another connection: at once, for its place is wanted now."""
        if self._phase is Phase.NONE or self._phase is Phase.REFUSED or self._unsent_now():
            self._end()
        else:
            self._refuse(_full(), "")
            self.transport.close()

    def _refuse(self, error: SelifyError, reason: str) -> None:
        """Answer where nothing has been answered yet, and read on for a moment: closing over what
        still arrives would take the answer away from who is sending.
        """
        if self._phase is Phase.REFUSED or self.transport.is_closing():
            return
        if reason:
            self._house.count(reason)
        if not self._may_answer() or self._unsent_now():
            self._end()
            return
        self._let_go()
        self.transport.write(self._written(error))
        self._phase, self._since = Phase.REFUSED, self.loop.time()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            with contextlib.suppress(OSError):  # they have hung up meanwhile
                self.transport.write_eof()

    def _end(self) -> None:
        """Without a word."""
        self._let_go()
        if self._unsent_now():
            self.transport.abort()
        else:
            self.transport.close()

    def _let_go(self) -> None:
        """Whoever answers hears that nobody is there any more."""
        for cycle in (self.cycle, *(cycle for cycle, _app in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.flow.resume_writing()

    def _written(self, error: SelifyError) -> bytes:
        with traced(None) as trace:
            answer = problems.problem(error)
        phrase = HTTPStatus(answer.status_code).phrase
        headers = [
            *self.server_state.default_headers,
            *answer.raw_headers,
            *envelope_headers("/api/", https=self._house.https),
            (b"x-trace-id", trace.encode()),
            (b"connection", b"close"),
        ]
        head = [f"HTTP/1.1 {answer.status_code} {phrase}".encode()]
        head += [name + b": " + value for name, value in headers]
        return b"\r\n".join([*head, b"", bytes(answer.body)])

    def _count_head(self, size: int) -> None:
        """Raises HeadTooLarge; the parser stops, and ``send_400_response`` is called."""
        self._head_bytes += size
        limits = self._limits
        if self._head_bytes > limits.head_bytes or self._headers_count > limits.headers:
            self._refusal = self._too_large()
            raise self._refusal

    def _too_large(self) -> HeadTooLarge:
        limits = self._limits
        return HeadTooLarge(
            _(
                "The first line and the headers may have %(size)s KB in all, and"
                " there may be %(headers)s headers.",
                size=limits.head_bytes // KIB,
                headers=limits.headers,
            ),
            hint=_("Where this comes from a browser, deleting this site's cookies helps."),
        )


def _too_slow(part: str, seconds: float) -> TooSlow:
    return TooSlow(
        _(
            "The %(part)s of the request did not arrive within %(seconds)s seconds.",
            part=part,
            seconds=seconds,
        ),
        hint=_("Send it again over a better connection."),
    )


def _full() -> Unavailable:
    return Unavailable(_("Too many connections are open. Please try again in a moment."))


async def _answer_full(scope: Scope, receive: Receive, send: Send) -> None:
    answer = problems.problem(_full())
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)
