"""How calls are answered when the switchboard says so; and the switchboard itself."""

import httpx
import pytest

from selify_sandbox.instagram.driver import SandboxError
from selify_sandbox.instagram.state.errors import CATALOGUE


@pytest.fixture
async def talking(sandbox):
    await sandbox.driver.write("ana", "nord", "hi")
    return sandbox, await sandbox.driver.thread("ana", "nord")


async def received(sandbox, thread) -> list[str]:
    return [m.text for m in await sandbox.driver.messages(thread) if m.from_brand]


async def test_sent_though_an_error_was_answered(talking):
    sandbox, thread = talking
    await sandbox.driver.faults(unknown_percent=100)
    answer = await sandbox.send({"id": thread.igsid}, message={"text": "once"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (500, 1, 1357046)
    assert await received(sandbox, thread) == ["once"]
    echo = await sandbox.receiver.message("once")
    assert echo["message"]["is_echo"]


async def test_sent_and_cut_off(talking):
    sandbox, thread = talking
    await sandbox.driver.faults(cut_after_percent=100)
    with pytest.raises(httpx.TransportError):
        await sandbox.send({"id": thread.igsid}, message={"text": "once"})
    assert await received(sandbox, thread) == ["once"]


async def test_cut_off_before_anything_happened(talking):
    sandbox, thread = talking
    await sandbox.driver.faults(cut_percent=100)
    with pytest.raises(httpx.TransportError):
        await sandbox.send({"id": thread.igsid}, message={"text": "never"})
    assert await received(sandbox, thread) == []


async def test_service_down(talking):
    sandbox, thread = talking
    await sandbox.driver.faults(refuse_percent=100)
    answer = await sandbox.send({"id": thread.igsid}, message={"text": "never"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, 2)
    assert await received(sandbox, thread) == []


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80001, 80002, 80006])
async def test_forced_rate_limits(talking, code):
    sandbox, _ = talking
    await sandbox.driver.rate_limit(code, 90)
    answer = await sandbox.get("/me")
    assert answer.json()["error"]["code"] == code
    assert '"estimated_time_to_regain_access": 2' in answer.headers["x-business-use-case-usage"]
    assert '"call_count": 100' in answer.headers["x-app-usage"]
    state = (await sandbox.http.get("/sandbox/api/faults")).json()
    assert state["throttle"]["calls"] == 1
    await sandbox.driver.rate_limit(code, 0)
    assert (await sandbox.get("/me")).is_success


@pytest.mark.parametrize(("code", "subcode"), sorted(CATALOGUE))
async def test_every_error_of_the_sheet_can_be_injected(talking, code, subcode):
    sandbox, thread = talking
    await sandbox.driver.fail_next(code, subcode, on="messages")
    answer = await sandbox.send({"id": thread.igsid}, message={"text": "second"})
    error = answer.json()["error"]
    assert (error["code"], error.get("error_subcode", 0)) == (code, subcode)
    assert answer.is_error
    assert (await sandbox.send({"id": thread.igsid}, message={"text": "third"})).is_success
    assert await received(sandbox, thread) == ["third"]


async def test_injected_errors_hit_their_edge_a_number_of_times_also_after_the_effect(talking):
    sandbox, thread = talking
    await sandbox.driver.fail_next(1, 1357046, on="messages", times=2, after_effect=True)
    assert (await sandbox.get("/me/media")).is_success
    answers = [
        (await sandbox.send({"id": thread.igsid}, message={"text": str(n)})).status_code
        for n in range(3)
    ]
    assert answers == [500, 500, 200]
    assert await received(sandbox, thread) == ["0", "1", "2"]


async def test_an_error_nobody_knows_still_has_the_shape(sandbox):
    await sandbox.driver.fail_next(424242, 7)
    error = (await sandbox.get("/me")).json()["error"]
    assert (error["code"], error["error_subcode"]) == (424242, 7)


async def test_trouble_comes_by_chance_when_it_is_not_certain(talking):
    sandbox, _ = talking
    await sandbox.driver.faults(refuse_percent=50)
    codes = {(await sandbox.get("/me")).status_code for _ in range(40)}
    assert codes == {200, 503}


@pytest.mark.parametrize(
    "wrong", [{"duplicate": 11}, {"lose_percent": 101}, {"nonsense": 1}, {"answers": "x"}]
)
async def test_faults_are_validated(bare, wrong):
    with pytest.raises(SandboxError) as refused:
        await bare.driver.faults(**wrong)
    assert refused.value.status == 422
    assert next(iter(wrong)) in refused.value.detail


async def test_calm_resets_everything(bare):
    await bare.driver.faults(duplicate=3, refuse_percent=100)
    await bare.driver.rate_limit(4, 60)
    await bare.driver.fail_next(1)
    await bare.driver.calm()
    state = (await bare.http.get("/sandbox/api/faults")).json()
    assert (state["faults"]["duplicate"], state["throttle"], state["errors"]) == (0, None, [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/rate-limit", 422),
        ("POST", "/accounts/nobody/trouble", 422),
        ("POST", "/deliveries/999/again", 404),
        ("GET", "/threads/none/messages", 404),
        ("GET", "/threads/between/x/y", 404),
        ("POST", "/threads/none/close-window", 404),
    ],
)
async def test_refusals_of_the_switchboard_are_never_server_errors(bare, method, path, status):
    answer = await bare.http.request(method, f"/sandbox/api{path}", json={"code": 5})
    assert answer.status_code == status
    assert answer.json()["detail"]
