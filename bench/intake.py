"""Webhook intake: signed deliveries over HTTP, answered once they are safely on the disk.

Against the same server with an empty handler, as the framework answers and as the intake is answered
beside it (what HTTP costs), and against pgbench inserting the same columns one by one (what the
database costs).
"""

import itertools
from collections.abc import Awaitable, Callable

import orjson

from bench.instruments import http_load, pgbench, stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, Series, take_turns
from selify.core.database import Database
from selify.vendors.instagram.webhook import sign

FIGURE = "intake"
SECRET = "bench-secret"
ACCOUNT = "17841400000000001"
CONNECTIONS = 32
AIM, AIM_PLAIN, AIM_SLOWEST = 0.6, 0.25, 2.0
PATH = "/webhooks/instagram"

# Every column that an arriving event sets; one row, one transaction.
INSERT = """
\\set n random(1, 1000000000000000)
INSERT INTO public.webhook_events
       (platform, event_type, event_fingerprint, platform_message_id, payload, parsed_data,
        connected_account_id)
VALUES ('instagram', 'comment_received', encode(sha256(int8send(:n)), 'hex'), NULL,
        jsonb_build_object('event_type', 'comment_received', 'account_id', '17841400000000001',
                           'person_id', (:n)::text, 'occurred_at', '2026-11-18T09:30:00Z',
                           'comment_id', (:n)::text, 'text', 'try on please',
                           'username', 'ben.walks.dogs', 'media_id', '18061120457739004',
                           'media_product_type', 'FEED'),
        jsonb_build_object('ordering_key', '17841400000000001:' || (:n)::text,
                           'account_ref', '17841400000000001', 'trace', (:n)::text),
        (SELECT id FROM public.connected_social_accounts
          WHERE platform = 'instagram' AND platform_account_id = '17841400000000001'))
ON CONFLICT DO NOTHING
"""

_numbers = itertools.count(10**15)


async def measure(where: stage.Stage, effort: Effort) -> list[Line]:
    """Rates, and the ninety-ninth percentile of the answer's time."""
    url = await where.database("bench_intake")
    await _connect_account(url)
    settings = {"SELIFY_INSTAGRAM_APP_SECRET": SECRET}
    async with (
        stage.server(where, url, "selify", "serve", environment=settings) as real,
        stage.server(where, url, "bench.empty_handler", environment=settings) as empty,
        stage.server(where, url, "bench.empty_handler", "plain", environment=settings) as plain,
    ):
        slowest: dict[str, list[float]] = {"real": [], "empty": [], "plain": []}
        contenders = {
            "real": await _sending(real, effort, slowest["real"]),
            "empty": await _sending(empty, effort, slowest["empty"]),
            "plain": await _sending(plain, effort, slowest["plain"]),
            "insert": lambda: pgbench.transactions_per_second(
                url, INSERT, clients=CONNECTIONS, seconds=effort.seconds
            ),
        }
        rates = await take_turns(contenders, effort.rounds)
    # The warm-up's latencies come first, as its rate did.
    p99 = {name: Series(tuple(values[-effort.rounds :])) for name, values in slowest.items()}
    return _lines(rates, p99)


def _lines(rates: dict[str, Series], p99: dict[str, Series]) -> list[Line]:
    real, empty, plain = rates["real"], rates["empty"], rates["plain"]
    insert = rates["insert"]
    return [
        Line(
            FIGURE,
            f"Webhooks stored and answered, {CONNECTIONS} connections",
            real.median,
            "/s",
            "the same server, empty handler",
            empty.median,
            real.ratio_to(empty),
            AIM,
        ),
        Line(
            FIGURE,
            "",
            real.median,
            "/s",
            "an empty handler beside the framework",
            plain.median,
            real.ratio_to(plain),
            AIM_PLAIN,
        ),
        Line(
            FIGURE,
            "",
            real.median,
            "/s",
            "the bare INSERT in pgbench, as many clients",
            insert.median,
            real.ratio_to(insert),
        ),
        Line(
            FIGURE,
            "Slowest hundredth of the answers takes",
            p99["real"].median * 1000,
            "ms",
            "the same server, empty handler",
            p99["empty"].median * 1000,
            p99["real"].ratio_to(p99["empty"]),
            AIM_SLOWEST,
            ratio_is_limited=True,
        ),
    ]


async def _sending(
    address: str, effort: Effort, slowest: list[float]
) -> Callable[[], Awaitable[float]]:
    """Measures the rate with as many deliveries as this server takes in the effort's seconds."""
    trial = await http_load.send_all(address, deliveries(500), connections=CONNECTIONS)
    count = max(500, round(trial.rate * effort.seconds))

    async def send() -> float:
        load = await http_load.send_all(address, deliveries(count), connections=CONNECTIONS)
        slowest.append(load.p99)
        return load.rate

    return send


def deliveries(count: int) -> list[bytes]:
    """Requests with one comment each, all of different people, signed."""
    return [_delivery(number) for number in itertools.islice(_numbers, count)]


def _delivery(number: int) -> bytes:
    comment = {
        "id": str(number),
        "from": {"id": str(number), "username": "ben.walks.dogs"},
        "text": "try on please ✨",
        "media": {"id": "18061120457739004", "media_product_type": "FEED"},
    }
    change = {"field": "comments", "value": comment}
    entry = {"id": ACCOUNT, "time": 1_794_990_600, "changes": [change]}
    body = orjson.dumps({"object": "instagram", "entry": [entry]})
    headers = [("content-type", "application/json"), ("x-hub-signature-256", sign(body, SECRET))]
    return http_load.post(PATH, body, headers)


async def _connect_account(url: str) -> None:
    database = await Database.connect(url, max_size=1)
    async with database.tx(stage.SYSTEM) as tx:
        workspace = await stage.open_workspace(tx, "Bench")
        await tx.execute(
            """
            INSERT INTO public.connected_social_accounts
                   (workspace_id, platform, platform_account_id, access_token)
            VALUES ($1, 'instagram', $2, 'sealed')
            """,
            workspace,
            ACCOUNT,
        )
    await database.close()
