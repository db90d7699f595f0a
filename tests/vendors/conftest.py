"""Stand-ins behind real sockets: uvicorn in a thread, on 127.0.0.1 and a free port."""

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import pytest
import uvicorn
from PIL import Image, ImageDraw
from tests.vendors.hosted_engines import HostedEngine

from selify.core.files.fetch import AllowList, SafeFetcher
from selify.core.files.pictures import Picture, Transparency, open_picture
from selify.tryon.ports import TryOnEngine
from selify_sandbox.hosted import TROUBLE_HEADER

SKIN, RED = (224, 172, 105), (200, 30, 30)


@dataclass(frozen=True)
class Served:
    url: str
    app: Any

    @property
    def host_and_port(self) -> str:
        return self.url.removeprefix("http://")


Running = list[tuple[uvicorn.Server, threading.Thread]]


@pytest.fixture(scope="session")
def all_servers() -> Iterator[Running]:
    """Servers told to stop are waited for once, at the very end."""
    started: Running = []
    yield started
    for _, thread in started:
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.fixture
def serve(all_servers: Running) -> Iterator[Callable[[Any], Served]]:
    """Serves an ASGI application until the test is over."""
    running: Running = []

    def start(app: Any) -> Served:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        running.append((server, thread))
        return Served(f"http://127.0.0.1:{listener.getsockname()[1]}", app)

    yield start
    for server, _ in running:
        server.should_exit = True
    all_servers += running


@pytest.fixture
def standin(hosted: HostedEngine, serve: Callable[[Any], Served]) -> Served:
    return serve(hosted.create_stand_in())


@pytest.fixture
async def engine_for(
    hosted: HostedEngine, standin: Served
) -> AsyncIterator[Callable[..., TryOnEngine]]:
    """Makes engines against the stand-in, or another server; ``trouble`` is what they will meet."""
    clients: list[httpx.AsyncClient] = []

    def make(
        trouble: str = "", server: Served = standin, on_response: Any = None, **settings: Any
    ) -> TryOnEngine:
        http = httpx.AsyncClient(trust_env=False, headers={TROUBLE_HEADER: trouble})
        http.event_hooks = {"response": [on_response] if on_response else []}
        clients.append(http)
        config = hosted.config(settings.pop("base_url", server.url), **settings)
        return hosted.engine(config, http, SafeFetcher(AllowList.of(server.host_and_port)))

    yield make
    for client in clients:
        await client.aclose()


def _opened(image: Image.Image, transparency: Transparency) -> Picture:
    out = BytesIO()
    image.save(out, "PNG")
    return open_picture(out.getvalue(), transparency=transparency)


@pytest.fixture(scope="session")
def person() -> Picture:
    """A drawn person, 300 × 400, as intake leaves it."""
    image = Image.new("RGB", (300, 400), (240, 240, 245))
    draw = ImageDraw.Draw(image)
    draw.ellipse((120, 30, 180, 100), fill=SKIN)
    draw.rectangle((90, 105, 210, 260), fill=(60, 90, 160))
    return _opened(image, Transparency.FLATTEN)


@pytest.fixture(scope="session")
def garment() -> Picture:
    """A red piece of cloth with see-through surroundings."""
    image = Image.new("RGBA", (120, 120), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((10, 10, 109, 109), fill=(*RED, 255))
    return _opened(image, Transparency.KEEP)


@pytest.fixture(scope="session")
def large_garment() -> Picture:
    """More bytes than fit into a data URL."""
    return _opened(Image.effect_noise((900, 900), 100).convert("RGBA"), Transparency.FLATTEN)


@pytest.fixture(scope="session")
def looks_dressed() -> Callable[[Picture], bool]:
    """Whether the stand-in's composition arrived: garment on the torso, background as it was."""

    def check(picture: Picture) -> bool:
        image = Image.open(BytesIO(picture.data)).convert("RGB")
        torso = image.getpixel((image.width // 2, image.height * 45 // 100))
        corner = image.getpixel((5, 5))
        near = [abs(a - b) < 12 for a, b in zip(torso + corner, (*RED, 240, 240, 245), strict=True)]
        return all(near)

    return check
