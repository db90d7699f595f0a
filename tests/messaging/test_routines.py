"""Routines that take so many at a time: the longest waiting first, and nobody blocked for ever by
those that always fail.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest
from tests.infra.gateway import Gateway
from tests.infra.world import ACCOUNT, PLATFORM, SYSTEM, World

from selify import billing
from selify.core.database import Tx
from selify.core.queue import outbox
from selify.core.queue.inbox import Incoming
from selify.messaging import accounts, outcomes, outgoing, tokens, unmatched_events
from selify.messaging.clients import Clients
from selify.messaging.ports import PlatformRefused, RenewedToken

FULL = 25  # more than a routine of 20 takes at a time


async def many_accounts(world: World, number: int) -> list[UUID]:
    owner, workspace_id = await world.workspace("Many")
    refs = [f"1784140000000{n:04}" for n in range(number)]
    return [(await world.connect(workspace_id, owner, ref)).id for ref in refs]


async def test_tokens_that_are_always_refused_do_not_block_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one ends last, so that by its end alone it would never have its turn."""
    ids = await many_accounts(world, FULL + 1)
    for place, account_id in enumerate(ids):
        await world.sql(
            "UPDATE public.connected_social_accounts"
            " SET token_expires_at = $2, token_last_refreshed_at = $3 WHERE id = $1",
            account_id,
            world.clock.now() + timedelta(days=2, minutes=place),
            world.clock.now() - timedelta(days=58),
        )
    gateway = Gateway(world)
    last = f"token-of-1784140000000{FULL:04}"

    async def renew(token: str, **_: object) -> RenewedToken:
        gateway.asked.append(token)
        if token != last:
            raise PlatformRefused("busy", "Not now.")
        return RenewedToken("renewed", world.clock.now() + timedelta(days=60))

    monkeypatch.setattr(gateway, "renew", renew)
    for _ in range(2):
        await tokens.renew_due(world.database, world.clock, world.secrets, gateway)
        world.clock.advance(timedelta(minutes=10))
    assert last in gateway.asked
    assert len(set(gateway.asked)) == FULL + 1, "everybody had a turn before anybody had a second"


async def test_a_renewal_that_breaks_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await many_accounts(world, 2)
    await world.sql(
        "UPDATE public.connected_social_accounts SET access_token = 'sealed by nobody' WHERE id = $1",
        first,
    )
    world.clock.advance(timedelta(days=51))
    await tokens.renew_due(world.database, world.clock, world.secrets, Gateway(world))
    async with world.database.tx(SYSTEM) as tx:
        assert await tokens.opened(tx, world.secrets, second) == "renewed"


async def test_accounts_that_cannot_be_purged_do_not_block_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await many_accounts(world, FULL + 1)
    await world.sql(
        "UPDATE public.connected_social_accounts SET status = 'disconnected', disconnected_at ="
        " $1::timestamptz + (substr(platform_account_id, 14)::int * interval '1 second')",
        world.clock.now(),
    )
    purge = accounts.purge

    async def fail_for_all_but_the_last(tx: Tx, clients: Clients, account_id: UUID) -> None:
        if account_id != ids[-1]:
            raise RuntimeError("cannot be purged")
        await purge(tx, clients, account_id)

    monkeypatch.setattr(accounts, "purge", fail_for_all_but_the_last)
    world.clock.advance(timedelta(days=91))
    done = [await accounts.purge_due(world.database, world.clients, world.clock) for _ in range(2)]
    assert done == [0, 1]


async def test_a_charge_that_cannot_be_given_back_keeps_nobody_elses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (account_id,) = await many_accounts(world, 1)
    async with world.database.tx(SYSTEM) as tx:
        for number in range(202):
            await outbox.enqueue(
                tx,
                channel=outgoing.CHANNEL,
                key=f"k{number}",
                ordering_key=f"l{number}",
                payload=outgoing.Outgoing(
                    kind=outgoing.Kind.IMAGE,
                    client="tryon",
                    accounted_for=True,
                    about={"charge_id": f"00000000-0000-4000-8000-{number:012}"},
                ),
                account_id=account_id,
                now=world.clock.now(),
            )
        await tx.execute("UPDATE internal.outbox SET state = 'cancelled'")
    refund = billing.refund

    async def fail_for_most(tx: Tx, clock: object, charge_id: UUID, **more: object) -> object:
        if int(charge_id.hex[-4:]) < 201:
            raise RuntimeError("the books are wrong")
        return await refund(tx, world.clock, charge_id, reason="test", code="test")

    monkeypatch.setattr(billing, "refund", fail_for_most)
    done = []
    for _ in range(2):
        async with world.database.tx(SYSTEM) as tx:
            done.append(await outcomes.report_lapsed(tx, world.clients, world.clock))
        world.clock.advance(timedelta(minutes=1))
    assert done == [0, 1]


async def test_a_parked_entry_that_breaks_the_reader_blocks_no_other(world: World) -> None:
    async with world.database.tx(SYSTEM) as tx:
        await unmatched_events.keep_raw(
            tx, [(str(n), {"n": n}, "?") for n in range(3)], now=world.clock.now()
        )
    understood = Incoming(PLATFORM, "test", {"id": "e"}, ordering_key="", account_ref=ACCOUNT)

    def read(raw: Mapping[str, int], received_at: object) -> list[Incoming] | None:
        if raw["n"] == 0:
            raise RuntimeError("a fault of the new version")
        return [understood]

    world.clock.advance(timedelta(days=1, hours=1))
    async with world.database.tx(SYSTEM) as tx:
        assert await unmatched_events.retry_raw(tx, read, now=world.clock.now()) == 2


async def test_an_entry_that_only_looks_like_an_event_of_ours_blocks_no_other(
    world: World,
) -> None:
    async with world.database.tx(SYSTEM) as tx:
        await unmatched_events.keep_raw(
            tx, [(ACCOUNT, {"event_id": "-" * 36}, "?")], now=world.clock.now()
        )
    await world.handle(world.message("hello"))
    await world.brand()
    async with world.database.tx(SYSTEM) as tx:
        await unmatched_events.retry_attributed(tx, now=world.clock.now())
    status = await world.sql("SELECT status FROM public.webhook_events")
    assert [row["status"] for row in status] == ["pending"]
