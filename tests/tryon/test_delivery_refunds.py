"""Whoever pays for a picture gets it delivered, or the money back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.infra.world import SYSTEM, Brand, World

from selify.core.money import MicroUnits
from selify.messaging import accounts, outcomes
from selify.messaging.ports import Action, Refused
from selify.tryon import lifecycle
from selify.tryon.dialogue import Stage
from selify.tryon.lifecycle import RenderResult, Request
from selify.tryon.types import Picture, Rendering


@pytest.fixture
async def request_(world: World, brand: Brand) -> Request:
    """Ana's photo is being worked on."""
    await world.say(world.comment(), world.photo())
    return await waiting_request(world)


async def waiting_request(world: World) -> Request:
    (job,) = await world.sql("SELECT key, workspace_id, payload FROM internal.jobs")
    said: dict[str, Any] = job["payload"]
    ids = {k: UUID(v) if k.endswith("_id") else v for k, v in said.items()}
    return Request(key=job["key"], workspace_id=job["workspace_id"], **ids)


async def finish(world: World, request: Request) -> bool:
    """Its picture is made: charged, and queued to leave."""
    picture = Picture(b"", "image/jpeg", 80, 80)
    made = RenderResult(
        Rendering(picture, "painter", 0.5, MicroUnits(100), (), None), "a/b", MicroUnits(100)
    )
    async with world.database.tx(SYSTEM) as tx:
        await lifecycle.may_continue(tx, request, now=world.clock.now())
        return await lifecycle.finish(tx, world.clock, request, made, ())


async def sweep(world: World) -> int:
    async with world.database.tx(SYSTEM) as tx:
        return await outcomes.report_lapsed(tx, world.clients, world.clock)


async def codes(world: World) -> list[str]:
    rows = await world.sql("SELECT error_code FROM public.workspace_usage_events")
    return [row["error_code"] for row in rows]


@pytest.mark.parametrize("action", [Action.STOP, Action.PERSON_UNREACHABLE, Action.WINDOW_CLOSED])
async def test_a_refused_picture_is_refunded_and_nothing_is_said_about_it(
    world: World, request_: Request, action: Action
) -> None:
    assert await finish(world, request_)
    assert await world.charges() == ["completed"]
    heard = len(world.platform.sent)
    world.platform.script.append(Refused(action, "some_code", "no"))
    await world.deliver()
    assert await world.charges() == ["refunded"]
    assert world.platform.texts[heard:] == ["[picture]"]
    assert await world.queued("cancelled") == ["result", "feedback"]
    assert (await world.state()).stage is Stage.AWAITING_PHOTO
    assert await sweep(world) == 0


async def test_a_picture_that_waits_past_the_window_is_refunded(
    world: World, request_: Request
) -> None:
    assert await finish(world, request_)
    world.platform.script.append(Refused(Action.PAUSE_ACCOUNT, "throttled", "wait", 90_000))
    await world.deliver()
    await world.later(timedelta(hours=26))
    assert await world.failures() == ["window_closed"]
    assert await world.charges() == ["refunded"]
    assert await world.queued("cancelled") == ["result", "feedback"]


async def test_a_picture_taken_back_before_it_left_is_refunded_once(
    world: World, request_: Request
) -> None:
    assert await finish(world, request_)
    await world.say(world.message("stop"))
    assert await world.charges() == ["completed"]
    assert await sweep(world) == 1
    assert await world.charges() == ["refunded"]
    assert await sweep(world) == 0


async def test_a_disconnected_account_s_pictures_are_refunded_at_once(
    world: World, brand: Brand, request_: Request
) -> None:
    assert await finish(world, request_)
    async with world.database.tx(SYSTEM) as tx:
        await accounts.disconnect(
            tx, world.clients, world.clock, brand.account, user_id=None, reason="bye"
        )
        await accounts.purge(tx, world.clients, brand.account.id)
    assert await world.charges() == ["refunded"]


async def test_an_unconfirmed_picture_is_charged_while_its_echo_may_come(
    world: World, request_: Request
) -> None:
    assert await finish(world, request_)
    world.platform.thread = None
    world.platform.script.append(Refused(Action.UNKNOWN, "maybe_sent", "?"))
    await world.deliver()
    for _ in range(3):
        await world.later(timedelta(minutes=31))
    assert await world.failures() == ["unconfirmed"]
    assert await sweep(world) == 0
    assert await world.charges() == ["completed"]
    world.clock.advance(outcomes.NO_ECHO_AFTER)
    assert await sweep(world) == 1
    assert await world.charges() == ["refunded"]


async def test_a_delivered_picture_stays_paid(world: World, request_: Request) -> None:
    assert await finish(world, request_)
    await world.deliver()
    assert await sweep(world) == 0
    assert await world.charges() == ["completed"]
    assert (await world.state()).stage is Stage.AWAITING_FEEDBACK


async def test_an_old_photo_is_not_charged(world: World, brand: Brand) -> None:
    await world.say(world.comment())
    await world.handle(world.photo(at=world.clock.now() - timedelta(hours=25)))
    assert await world.charges() == []
    assert (await world.state()).stage is Stage.AWAITING_PHOTO


async def test_what_is_made_too_late_is_not_charged(world: World, request_: Request) -> None:
    world.clock.advance(timedelta(hours=24, minutes=1))
    async with world.database.tx(SYSTEM) as tx:
        assert not await lifecycle.may_continue(tx, request_, now=world.clock.now())
    assert not await finish(world, request_)
    assert await world.charges() == ["refunded"]
