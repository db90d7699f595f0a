"""`selify up` as an operator knows it: started, stopped, killed, and started again."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from tests.infra.settings import Settings
from tests.infra.stack import ROOT, quick_folder

from selify.core.web.listening import CannotListen, PortBusy, check_port
from selify.supervisor import Program, Supervisor, free_port
from selify.vendors.instagram.webhook import sign

PATIENCE = 90.0
WHO = {"email": "owner@people.example", "password": "correct horse battery"}


@dataclass(slots=True)
class Up:
    """A running ``selify up``."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def until_ready(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                assert self.process.returncode is None, "it ended instead of starting"
                with contextlib.suppress(httpx.HTTPError):
                    if (await self.http.get("/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)

    def programs(self) -> list[psutil.Process]:
        """The server and the workers, with whatever they started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    async def end(self, number: signal.Signals) -> int:
        """Its exit code, once it has gone."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SELIFY_")},
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        "SELIFY_DATA_DIR": str(folder),
        "SELIFY_PORT": str(port),
        "SELIFY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SELIFY_LOG_LEVEL": "WARNING",
        **more,
    }


@contextlib.asynccontextmanager
async def selify_up(settings: Mapping[str, str]) -> AsyncIterator[Up]:
    """Ready; whatever is left of it afterwards is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "selify", "up", env=dict(settings), stdin=asyncio.subprocess.DEVNULL
    )
    url = settings["SELIFY_PUBLIC_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        up = Up(process, http)
        try:
            await up.until_ready()
            yield up
        finally:
            if process.returncode is None:
                await up.end(signal.SIGTERM)


async def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether every one of them ends, given time."""
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, timeout=PATIENCE)
    return not alive


async def deliver(http: httpx.AsyncClient, mid: str = "mid.kept") -> None:
    """A signed webhook, answered only once it is stored."""
    update = {
        "sender": {"id": "9001"},
        "recipient": {"id": "17841400000000001"},
        "timestamp": 1_763_000_000_000,
        "message": {"mid": mid, "text": "hello"},
    }
    entry = {"id": "17841400000000001", "time": 1_763_000_000_000, "messaging": [update]}
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    signature = sign(body, Settings().instagram_app_secret.get_secret_value())
    answer = await http.post(
        "/webhooks/instagram", content=body, headers={"X-Hub-Signature-256": signature}
    )
    assert answer.status_code == 200


async def kept(database_url: str) -> int:
    db = await asyncpg.connect(database_url)
    try:
        return int(
            await db.fetchval(
                "SELECT count(*) FROM public.webhook_events WHERE payload::text LIKE '%mid.kept%'"
            )
        )
    finally:
        await db.close()


@pytest.mark.slow
async def test_what_was_stored_outlives_every_kind_of_stop() -> None:
    with quick_folder() as folder:
        settings = environment(folder, free_port())
        async with selify_up(settings) as up:
            signed_up = await up.http.post(
                "/api/v1/auth/sign-up", json={**WHO, "full_name": "Nora Lind"}
            )
            assert signed_up.status_code == 202
            await deliver(up.http)
            programs = up.programs()
            assert len(programs) >= 2
            assert await up.end(signal.SIGINT) == 0
            assert await all_gone(programs)
            assert not (folder / "postgres" / "postmaster.pid").exists()

        async with selify_up(settings) as up:
            assert (await up.http.post("/api/v1/auth/sign-in", json=WHO)).status_code == 200
            programs = up.programs()
            await up.end(signal.SIGKILL)
            assert await all_gone(programs), "orphans would hold the port against the next start"

        async with selify_up(settings) as up:
            assert (await up.http.post("/api/v1/auth/sign-in", json=WHO)).status_code == 200
            assert await up.end(signal.SIGTERM) == 0


@pytest.mark.slow
async def test_a_database_of_ones_own_is_brought_up_to_date_and_left_running(
    empty_database_url: str, tmp_path: Path
) -> None:
    settings = environment(tmp_path, free_port(), SELIFY_DATABASE_URL=empty_database_url)
    async with selify_up(settings) as up:
        await deliver(up.http)
        assert await up.end(signal.SIGINT) == 0
    assert await kept(empty_database_url) == 1
    assert not (tmp_path / "postgres").exists()


async def handled(http: httpx.AsyncClient, number: int) -> None:
    """Once the server's metrics say that workers have handled so many events."""
    async with asyncio.timeout(PATIENCE):
        while True:
            shown = (await http.get("/metrics")).text
            counted = re.findall(r"^selify_events_handled_total{.*} (\S+)$", shown, re.MULTILINE)
            if sum(map(float, counted)) >= number:
                return
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_the_server_shows_what_workers_count_also_after_one_was_killed(
    database_url: str, tmp_path: Path
) -> None:
    settings = environment(tmp_path, free_port(), SELIFY_DATABASE_URL=database_url)
    async with selify_up(settings) as up:
        await deliver(up.http, "mid.first")
        await handled(up.http, 1)
        [worker] = [program for program in up.programs() if "worker" in program.cmdline()]
        worker.kill()
        await deliver(up.http, "mid.second")
        await handled(up.http, 2)
        assert 'selify_waiting{queue="inbox"} 0.0' in (await up.http.get("/metrics")).text
        assert await up.end(signal.SIGINT) == 0


async def test_a_lone_worker_is_scraped_at_a_port_of_its_own(
    database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "selify", "worker"),
        env=environment(
            tmp_path,
            free_port(),
            SELIFY_DATABASE_URL=database_url,
            SELIFY_METRICS_PORT=str(port),
        ),
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(PATIENCE):
            while not await _answers(http, f"http://127.0.0.1:{port}/metrics"):
                assert process.returncode is None
                await asyncio.sleep(0.05)
            shown = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        assert "selify_events_handled_total" in shown
        process.terminate()
        assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "selify",
            "up",
            env={**environment(tmp_path, port), "COLUMNS": "200"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    assert process.returncode == 1
    problem, advice = said.decode().strip().splitlines()
    assert f"Port {port} on 127.0.0.1 is in use" in problem
    assert "SELIFY_PORT" in advice
    assert is_empty(tmp_path), "nothing was started or written"


async def test_only_a_port_that_is_taken_is_called_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortBusy):
            check_port("127.0.0.1", taken.getsockname()[1], "SELIFY_PORT")
    with pytest.raises(CannotListen) as refused:
        check_port("192.0.2.1", free_port(), "SELIFY_PORT")  # kept for documentation: nobody's
    assert "in use" not in refused.value.detail
    assert "SELIFY_HOST" in refused.value.hint


async def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/sandbox/api/world"
    program = Program(
        "phone",
        ("phone", "--port", str(port), "--server", "http://127.0.0.1:9"),
        environment(tmp_path, port),
        url,
    )
    supervisor, ready = Supervisor([program]), asyncio.Event()
    running = asyncio.create_task(supervisor.run(ready.set))
    async with asyncio.timeout(PATIENCE):
        await ready.wait()
        killed = supervisor.pid("phone")
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        async with httpx.AsyncClient(trust_env=False) as http:
            while supervisor.pid("phone") in (None, killed) or not await _answers(http, url):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    last = supervisor.pid("phone")
    supervisor.stop()
    await running
    assert last is not None
    assert not psutil.pid_exists(last)
    assert supervisor.pid("phone") is None


async def test_a_child_that_cannot_be_started_now_is_started_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the machine has no process left for it: its interpreter is not there for a moment."""
    port = free_port()
    program = Program(
        "phone",
        ("phone", "--port", str(port), "--server", "http://127.0.0.1:9"),
        environment(tmp_path, port),
        f"http://127.0.0.1:{port}/sandbox/api/world",
    )
    interpreter = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(interpreter))
    supervisor, ready = Supervisor([program]), asyncio.Event()
    running = asyncio.create_task(supervisor.run(ready.set))
    async with asyncio.timeout(PATIENCE):
        await asyncio.sleep(0.5)
        assert supervisor.pid("phone") is None
        monkeypatch.undo()
        await ready.wait()
    supervisor.stop()
    await running


async def test_the_supervisor_gives_the_signals_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    supervisor = Supervisor([])
    running = asyncio.create_task(supervisor.run(lambda: None))
    await asyncio.sleep(0)
    supervisor.stop()
    await running
    assert signal.getsignal(signal.SIGTERM) == before


def is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.HTTPError:
        return False
