"""How far a photo walks: from the webhook that brings it to the picture, sent and written down.

Server, worker and database are the real ones, in this process; Instagram's stand-in listens on a socket;
the person and the garment are drawn and the engine is the embedded one. ``pytest -s`` shows the walk.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import cv2
import pytest
import pytest_asyncio
from tests.infra.settings import Settings
from tests.infra.site import served
from tests.infra.walks import Walker, not_walking

from selify.app import open_worker
from selify.core.queue.jobs import JobRunner
from selify.core.queue.worker import Queue, Worker
from selify.running import prepare
from selify.supervisor import Supervisor, free_port
from selify_sandbox import demo, drawn_people
from selify_sandbox.instagram.config import SandboxConfig
from selify_sandbox.instagram.serve import build_server

pytestmark = pytest.mark.slow
SHOPPER = "mia"
MOST_FUNCTIONS, MOST_STATEMENTS = 229, 70
PIECES = demo.PIECES[-1:]


@dataclass
class Shop:
    """The demo brand, its worker's queues, and the phone of its shoppers."""

    brand: demo.Brand
    post: str
    worker: Worker
    database_url: str

    async def arrived(self) -> None:
        """Until the inbox has something, and its delivery was answered."""
        connection = await asyncpg.connect(self.database_url)
        waits = "SELECT count(*) FROM public.webhook_events WHERE status = 'pending'"
        try:
            async with asyncio.timeout(30):
                while not await connection.fetchval(waits):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.1)
        finally:
            await connection.close()

    async def until_quiet(self, walker: Walker) -> None:
        """Each queue in turn, until all have nothing to do."""
        busy = True
        while busy:
            busy = False
            for name, queue in self.worker.queues.items():
                found = await walker.during(name, partial(_turn, queue))
                busy = busy or found > 0


async def _turn(queue: Queue) -> int:
    """What a queue began is over when its turn is."""
    found = await queue.run_once()
    if isinstance(queue, JobRunner):
        with not_walking():
            await queue.finish_running()
    return found


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The stand-in's address, and the port of the server that it tells."""
    port, server_port = free_port(), free_port()
    url, ours = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{server_port}"
    defaults = Settings()
    server = build_server(
        SandboxConfig(
            data_dir=tmp_path / "phone",
            public_url=url,
            callback_url=f"{ours}/webhooks/instagram",
            app_id=defaults.instagram_app_id,
            app_secret=defaults.instagram_app_secret.get_secret_value(),
            verify_token=defaults.instagram_verify_token.get_secret_value(),
        ),
        port=port,
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield url, server_port
    server.should_exit = True
    thread.join(timeout=20)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(phone: tuple[str, int], database_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    url, port = phone
    settings = Settings(
        tryon_small=True,
        data_dir=tmp_path,
        database_url=database_url,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        instagram_www_url=url,
        instagram_api_url=url,
        instagram_graph_url=url,
        instagram_media_hosts=(url.removeprefix("http://"),),
        log_level="ERROR",
    )
    await prepare(settings.database_addresses)
    async with served(settings, port=port) as client, open_worker(settings) as worker:
        stack = demo.Stack(str(client.base_url), url, database_url, Supervisor([]), None)
        async with demo.Brand(stack) as brand:
            await brand.set_up(PIECES)
            await brand.phone.faults(echoes=False)
            [post] = await brand.of_workspace("/posts")
            yield Shop(brand, post["post_ref"], worker, database_url)


def _photo() -> bytes:
    done, encoded = cv2.imencode(".jpg", drawn_people.draw_person())
    assert done
    return encoded.tobytes()


async def test_a_photo_passes_few_functions_and_statements(shop: Shop) -> None:
    walker = Walker()
    with walker.following():
        await _try_on(shop, "leo", Walker())
        await _try_on(shop, SHOPPER, walker)
    walk = walker.walk
    print(f"\n{walk}")
    assert walk.functions < MOST_FUNCTIONS
    assert len(walk.statements) < MOST_STATEMENTS


async def _try_on(shop: Shop, shopper: str, walker: Walker) -> None:
    """A conversation is open, then comes the photo, which ``walker`` follows."""
    phone = shop.brand.phone
    await phone.create_shopper(shopper, name=shopper.title())
    await phone.comment(shopper, shop.post, demo.COMMENT)
    await shop.arrived()
    await shop.until_quiet(Walker())
    photo = _photo()
    with walker.everywhere("the webhook"):
        await phone.send_photo(shopper, demo.USERNAME, photo)
        await shop.arrived()
    await shop.until_quiet(walker)
    thread = await phone.thread(shopper, demo.USERNAME)
    pictures = [said for said in await phone.messages(thread) if said.pictures and said.from_brand]
    assert len(pictures) == 1
