"""The driver, and what survives a restart or a kill."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from selify_sandbox.instagram import SandboxDriver
from selify_sandbox.instagram.driver import NothingCame, SandboxError

from .conftest import (
    PATIENCE,
    SECRET,
    Sandbox,
    config_for,
    free_socket,
    furnish,
    picture,
    sandbox_at,
)


async def test_creating_twice_is_harmless(bare):
    first = await bare.driver.create_account("nord")
    assert await bare.driver.create_account("nord", name="Other") == first
    post = await bare.driver.create_post("nord", picture(), key="mint")
    assert await bare.driver.create_post("nord", picture("red"), key="mint") == post
    assert await bare.driver.posts(first) == [post]
    person = await bare.driver.create_shopper("ana")
    assert await bare.driver.create_shopper("ana") == person
    world = (await bare.http.get("/sandbox/api/world")).json()
    assert [len(world[name]) for name in ("accounts", "posts", "shoppers")] == [1, 1, 1]


async def test_waiting_takes_the_first_that_fits(sandbox):
    await sandbox.driver.write("ana", "nord", "hi")
    thread = await sandbox.driver.thread("ana", "nord")
    waiting = asyncio.create_task(
        sandbox.driver.wait_for_message(thread, lambda message: "two" in message.text)
    )
    for text in ("one", "two"):
        await sandbox.send({"id": thread.igsid}, message={"text": text})
    found = await waiting
    assert found.text == "two"
    later = await sandbox.driver.messages(thread, after=found.seq)
    assert later == []


async def test_waiting_in_vain_says_what_is_there(sandbox):
    await sandbox.driver.write("ana", "nord", "hi")
    thread = await sandbox.driver.thread("ana", "nord")
    with pytest.raises(NothingCame, match="shopper: hi"):
        await sandbox.driver.wait_for_message(thread, timeout=0.2)


async def test_a_waiting_driver_is_woken_at_once_for_each_of_many(sandbox):
    """Fifty conversations wait at the same time; each gets its own answer and no other."""
    names = [f"shopper{number}" for number in range(50)]
    for name in names:
        await sandbox.driver.create_shopper(name)
        await sandbox.driver.write(name, "nord", "hi")
    threads = [await sandbox.driver.thread(name, "nord") for name in names]
    waiting = [asyncio.create_task(sandbox.driver.wait_for_message(t)) for t in threads]
    for name, thread in zip(names, threads, strict=True):
        await sandbox.send({"id": thread.igsid}, message={"text": f"for {name}"})
    got = await asyncio.gather(*waiting)
    assert [message.text for message in got] == [f"for {name}" for name in names]


@pytest.mark.parametrize("text", ["", "x" * 1001])
async def test_refusals_carry_status_and_words(sandbox, text):
    with pytest.raises(SandboxError) as refused:
        await sandbox.driver.write("ana", "nord", text)
    assert refused.value.status == 422


async def test_a_blocked_account_cannot_be_written_to(sandbox):
    await sandbox.driver.relate("ana", "nord", blocked=True)
    with pytest.raises(SandboxError) as refused:
        await sandbox.driver.write("ana", "nord", "hm")
    assert refused.value.status == 409


async def test_an_empty_upload_is_refused(sandbox):
    with pytest.raises(SandboxError) as refused:
        await sandbox.driver.send_photo("ana", "nord", b"")
    assert refused.value.status == 400


async def test_any_bytes_can_be_sent_and_arrive_unchanged(sandbox):
    sent = await sandbox.driver.send_photo("ana", "nord", b"not a picture at all")
    assert await sandbox.driver.picture(sent[0].pictures[0]) == b"not a picture at all"


async def test_only_the_own_messages_can_be_taken_back(sandbox):
    mine = await sandbox.driver.write("ana", "nord", "mine")
    with pytest.raises(SandboxError) as stranger:
        await sandbox.driver.unsend("tom", mine.mid)
    theirs = await sandbox.driver.owner_writes("nord", "ana", "theirs")
    with pytest.raises(SandboxError) as brand:
        await sandbox.driver.unsend("ana", theirs.mid)
    await sandbox.driver.unsend("ana", mine.mid)
    with pytest.raises(SandboxError) as twice:
        await sandbox.driver.unsend("ana", mine.mid)
    statuses = [one.value.status for one in (stranger, brand, twice)]
    assert statuses == [404, 400, 409]


async def test_everything_survives_a_restart(tmp_path, receiver):
    async with sandbox_at(tmp_path, receiver) as before:
        await furnish(before)
        await before.driver.send_photo("ana", "nord", picture(), text="me")
        await before.driver.faults(delay_seconds=600, usage_percent=40)
        await before.driver.write("ana", "nord", "undelivered")
        token = before.token
    async with sandbox_at(tmp_path, receiver) as after:
        after.token = token
        thread = await after.driver.thread("ana", "nord")
        messages = await after.driver.messages(thread)
        assert [message.text for message in messages] == ["", "me", "undelivered"]
        assert await after.driver.picture(messages[0].pictures[0]) == picture()
        assert (await after.driver.faults())["usage_percent"] == 40
        assert (await after.get("/me", fields="username")).is_success
        await after.driver.calm()
        await receiver.message("undelivered")


async def test_links_end_with_their_life(tmp_path, receiver):
    async with sandbox_at(tmp_path, receiver, cdn_lifetime=-5.0) as sandbox:
        await furnish(sandbox)
        await sandbox.driver.send_photo("ana", "nord", picture())
        await receiver.expect("message")
        item = receiver.of("message")[0]["message"]["attachments"][0]
        dead = await sandbox.http.get(item["payload"]["url"])
        assert (dead.status_code, dead.text) == (403, "URL signature expired")


PROGRAM = """
import sys
from pathlib import Path
from selify_sandbox.instagram import SandboxConfig, serve
folder, port, callback, secret = sys.argv[1:]
serve(SandboxConfig(data_dir=Path(folder), public_url=f"http://127.0.0.1:{port}",
    callback_url=callback, app_id="app-1", app_secret=secret, verify_token="verify-me",
    retry_delays=(0.0,) + (0.2,) * 200), port=int(port))
"""


async def _start(folder: Path, port: int, callback: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(folder), str(port), callback, SECRET
    )
    async with (
        asyncio.timeout(60),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=False) as http,
    ):
        while True:
            try:
                await http.get("/sandbox/api/world")
                return process
            except httpx.TransportError:
                assert process.returncode is None, "the stand-in did not start"
                await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_killed_stand_in_delivers_what_it_accepted(tmp_path, receiver):
    """kill -9 while the server under test is down; then both come back."""
    sock = free_socket()
    port = sock.getsockname()[1]
    sock.close()
    receiver.status = 503
    hook = receiver.callback_url
    process = await _start(tmp_path, port, hook)
    try:
        async with SandboxDriver(f"http://127.0.0.1:{port}") as driver:
            await driver.create_account("nord")
            await driver.create_shopper("ana")
            await _subscribe(driver, receiver, tmp_path, port)
            accepted = [(await driver.write("ana", "nord", f"{n}")).mid for n in range(20)]
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        receiver.status = 200
        process = await _start(tmp_path, port, hook)
        await receiver.until(
            lambda: {i["message"]["mid"] for i in receiver.of("message")} == set(accepted)
        )
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE) in {0, -signal.SIGTERM}


async def _subscribe(driver, receiver, folder: Path, port: int) -> None:
    with free_socket() as sock:
        config = replace(config_for(folder, receiver, sock), public_url=f"http://127.0.0.1:{port}")
    async with httpx.AsyncClient(base_url=config.public_url, verify=False) as http:
        sandbox = Sandbox(config, driver, http, receiver)
        sandbox.token = await sandbox.sign_in()
        answer = await sandbox.post("/me/subscribed_apps", subscribed_fields="messages")
        assert answer.json() == {"success": True}
