"""A crowd of half-sent requests before the real server, which has as few files as a small machine."""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from selify.supervisor import free_port

PATIENCE = 90.0
CROWD = 1100
FILES = 1024
HALF = {
    "nothing at all": b"",
    "half a line": b"GET /healthz HT",
    "a head without an end": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-More: ",
    "half a webhook": b"POST /webhooks/instagram HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    "half a sign-in": b"POST /api/v1/auth/sign-in HTTP/1.1\r\nHost: x\r\n"
    b'Content-Type: application/json\r\nContent-Length: 60\r\n\r\n{"email":',
}


@contextlib.asynccontextmanager
async def small_server(folder: Path, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """`selify serve` that may open ``FILES`` files, and not one more."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'ulimit -n {FILES}; exec "$0" -m selify serve', sys.executable),
        env={
            "PATH": "/usr/bin:/bin",
            "SELIFY_DATABASE_URL": database_url,
            "SELIFY_DATA_DIR": str(folder),
            "SELIFY_PORT": str(port),
            "SELIFY_PUBLIC_URL": url,
            "SELIFY_LOG_LEVEL": "WARNING",
        },
    )
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
            async with asyncio.timeout(PATIENCE):
                while not await is_well(client, "/readyz"):
                    assert process.returncode is None, "it ended instead of starting"
                    await asyncio.sleep(0.1)
            yield client
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """For this process: it is the crowd."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2 * CROWD), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def is_well(client: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await client.get(path, headers={"Connection": "close"})).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.slow
async def test_a_crowd_of_half_sent_requests_keeps_nobody_out(
    database_url: str, tmp_path: Path
) -> None:
    with many_files():
        async with small_server(tmp_path, database_url) as client:
            for kind, sent in HALF.items():
                crowd = await asyncio.gather(*(half_sent(client, sent) for _ in range(CROWD)))
                assert await is_well(client, "/healthz"), kind
                # It has files left for the database and for what it keeps.
                assert await is_well(client, "/readyz"), kind
                for writer in crowd:
                    writer.transport.abort()


async def half_sent(client: httpx.AsyncClient, sent: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(sent)
    return writer
