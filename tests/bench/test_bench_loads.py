"""What the loads send and understand: HTTP on the wire, pgbench's report, the shared statement."""

import asyncio
import re

import orjson
import pytest
from bench.instruments import http_load, pgbench, stage
from bench.instruments.rounds import WrongResult

from bench import charges, intake
from selify import billing
from selify.core.clock import SystemClock
from selify.core.database import Database
from selify.vendors.instagram import webhook

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\nok"


@pytest.mark.parametrize(
    ("received", "size"),
    [(b"", None), (OK[:30], None), (OK[:-1], len(OK)), (OK, len(OK)), (OK + b"HTTP", len(OK))],
)
def test_an_answer_is_as_long_as_its_headers_say(received: bytes, size: int | None) -> None:
    assert http_load.answer_size(received) == size


def test_an_answer_of_unknown_length_is_no_answer() -> None:
    with pytest.raises(WrongResult, match="how long"):
        http_load.answer_size(b"HTTP/1.1 200 OK\r\n\r\n")


async def _serve(answers: list[bytes]) -> tuple[asyncio.Server, str]:
    """A server giving one answer per request, cut in two to arrive in pieces."""
    left = iter(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
            answer = next(left)
            for part in (answer[:20], answer[20:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""


async def test_every_request_is_sent_once_and_every_answer_counted() -> None:
    server, address = await _serve([OK] * 7)
    requests = [http_load.post("/", b"body", []) for _ in range(7)]
    load = await http_load.send_all(address, requests, connections=3)
    server.close()
    await server.wait_closed()
    assert len(load.latencies) == 7
    assert load.rate == 7 / load.seconds
    assert load.p99 == max(load.latencies)


async def test_a_refusal_ends_the_measurement() -> None:
    server, address = await _serve([OK, OK.replace(b"200 OK", b"403 No")])
    requests = [http_load.post("/", b"body", []) for _ in range(2)]
    with pytest.raises(WrongResult, match="403"):
        await http_load.send_all(address, requests, connections=1)
    server.close()
    await server.wait_closed()


def test_deliveries_are_signed_comments_of_different_people() -> None:
    bodies = []
    for request in intake.deliveries(3):
        head, body = request.split(b"\r\n\r\n", 1)
        signature = re.search(rb"x-hub-signature-256: (\S+)", head)[1].decode()
        webhook.verify_signature(body, signature, (intake.SECRET,))
        assert orjson.loads(body)["object"] == "instagram"
        bodies.append(body)
    delivered = [webhook.parse(body, received_at=SystemClock().now()) for body in bodies]
    assert all(len(one.events) == 1 and not one.unparsed for one in delivered)
    assert len({one.events[0].dedupe_key for one in delivered}) == 3


@pytest.mark.parametrize("batch", [1, 3])
async def test_pgbench_runs_the_products_own_statements(database: Database, batch: int) -> None:
    async with database.tx(stage.SYSTEM) as tx:
        await billing.seed(tx)
        shop = await stage.open_workspace(tx, "Brand")
        await tx.execute("UPDATE public.workspace_quotas SET weekly_credits_limit = 10000")
        await tx.execute("CREATE TEMPORARY TABLE bench_shops (n integer, id uuid)")
        await tx.execute("INSERT INTO bench_shops VALUES (1, $1)", shop)
        script = charges.reserve_script(batch).replace("internal.bench_shops", "bench_shops")
        chosen = {
            **{f":shop{n}": "1" for n in range(batch)},
            **{f":source{n}": str(n) for n in range(batch)},
        }
        made = _without_pgbench(script, chosen).removesuffix("\\gset")
        ids = await tx.fetch_value(made)
        assert len(set(ids)) == batch
        named = "ARRAY[" + ", ".join(f"'{one}'::uuid" for one in ids) + "]"
        await tx.execute(_without_pgbench(charges.settle_script(batch), {":ids": named}))
        for one in ids:
            assert await billing.status_of(tx, one) == "completed"


def _without_pgbench(script: str, values: dict[str, str]) -> str:
    """The statement alone, with what pgbench would have put in."""
    statement = "\n".join(line for line in script.splitlines() if not line.startswith("\\"))
    return re.sub(r":[a-z]+\d*", lambda name: values.get(name[0], name[0]), statement)


def test_the_rate_is_read_from_pgbenchs_report() -> None:
    said = "number of clients: 8\nlatency average = 2.5 ms\ntps = 3110.489639 (without …)\n"
    assert pgbench.parse_rate(said) == 3110.489639
    with pytest.raises(ValueError, match="no rate"):
        pgbench.parse_rate("pgbench: error: aborted")
