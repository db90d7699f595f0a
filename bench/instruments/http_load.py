"""A load generator that leaves the processor to what it measures.

Connections stay open, each with one request under way; requests are finished bytes, made before the
clock starts; of an answer only its status and length are looked at.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from bench.instruments.rounds import WrongResult, percentile

_LENGTH = b"content-length: "
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. Latencies in seconds."""

    seconds: float
    latencies: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    @property
    def p99(self) -> float:
        return percentile(self.latencies, 0.99)


def post(path: str, body: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: bench", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + _END + body


async def send_all(address: str, requests: list[bytes], *, connections: int) -> Load:
    """Every request once, over so many connections. Raises WrongResult."""
    url = urlsplit(address)
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    latencies: list[float] = []
    clients = [
        (await loop.create_connection(lambda: _Client(latencies), url.hostname, url.port))[1]
        for _ in range(connections)
    ]
    started = time.perf_counter()
    try:
        await asyncio.gather(*(client.run(waiting) for client in clients))
    finally:
        for client in clients:
            client.close()
    return Load(time.perf_counter() - started, tuple(latencies))


class _Client(asyncio.Protocol):
    """One connection: the next request leaves when the last answer is complete."""

    def __init__(self, latencies: list[float]) -> None:
        self._latencies = latencies
        self._received = b""
        self._requests: Iterator[bytes] = iter(())
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # TCP gives no other

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server hung up"))

    async def run(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._send_next()
        await self._done

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        size = answer_size(self._received)
        if size is None or len(self._received) < size:
            return
        answer, self._received = self._received[:size], self._received[size:]
        self._latencies.append(time.perf_counter() - self._sent)
        if not answer.startswith(b"HTTP/1.1 200 "):
            if not self._done.done():
                self._done.set_exception(WrongResult(answer.decode(errors="replace")))
            return
        self._send_next()

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            if not self._done.done():
                self._done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


def answer_size(received: bytes) -> int | None:
    """The bytes of the whole answer at the front, or None while its headers are incomplete."""
    head = received.find(_END)
    if head < 0:
        return None
    start = received[:head].lower().find(_LENGTH)
    if start < 0:
        raise WrongResult("the answer does not say how long it is")
    length = received[start + len(_LENGTH) : head].split(b"\r\n", 1)[0]
    return head + len(_END) + int(length)
