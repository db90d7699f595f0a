"""An account from consent to goodbye: one workspace at a time, sealed, renewed, and forgotten."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from tests.infra.gateway import Gateway
from tests.infra.world import ACCOUNT, PLATFORM, SYSTEM, Brand, World, _post

from selify.auth import Session
from selify.core.database import Tx
from selify.core.errors import BadRequest
from selify.core.queue.inbox import Incoming
from selify.core.secrets import SecretBox
from selify.messaging import (
    accounts,
    deletion,
    send_backoff,
    subscriptions,
    tokens,
    unmatched_events,
)
from selify.messaging.accounts import ConnectedElsewhere
from selify.messaging.connecting import STATE_LIFE, Attempt, Connector, PlatformSaidNo, StateInvalid
from selify.messaging.ports import Grant, PlatformRefused, PostPage, RenewedToken
from selify.tryon import posts
from selify.tryon.keys import photo_key, result_key


@pytest.fixture
def gateway(world: World) -> Gateway:
    return Gateway(world)


@pytest.fixture
def connector(world: World) -> Connector:
    return Connector(
        world.database,
        world.clients,
        world.clock,
        world.secrets,
        public_url="https://selify.example",
    )


async def row(world: World) -> dict:
    found = await world.sql("SELECT * FROM public.connected_social_accounts ORDER BY created_at")
    return dict(found[0])


async def audited(world: World) -> list[str]:
    rows = await world.sql(
        "SELECT event_type AS e FROM public.oauth_audit_logs ORDER BY created_at"
    )
    return [found["e"] for found in rows]


# --- Connecting ---


async def test_tokens_are_sealed_to_their_row(world: World, brand: Brand) -> None:
    sealed = (await row(world))["access_token"]
    assert "token-of" not in sealed
    async with world.database.tx(SYSTEM) as tx:
        token = await tokens.opened(tx, world.secrets, brand.account.id)
    assert token == f"token-of-{ACCOUNT}"
    logs = await world.sql("SELECT * FROM public.oauth_audit_logs")
    assert "token-of" not in str([dict(log) for log in logs])


async def test_an_account_is_live_in_one_workspace(world: World, brand: Brand) -> None:
    owner, workspace_id = await world.workspace("Rival")
    with pytest.raises(ConnectedElsewhere) as refused:
        await world.connect(workspace_id, owner)
    assert (refused.value.status, refused.value.code) == (409, "connected_elsewhere")


async def test_a_race_for_an_account_has_one_winner(world: World) -> None:
    rivals = [await world.workspace(f"Rival {n}") for n in range(4)]
    answers = await asyncio.gather(
        *(world.connect(workspace_id, owner) for owner, workspace_id in rivals),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert sum(isinstance(answer, ConnectedElsewhere) for answer in answers) == 3
    assert await world.value("SELECT count(*) FROM public.connected_social_accounts") == 1


async def test_the_look_and_the_writing_can_be_overtaken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unique index decides where both looked before either wrote."""

    async def saw_nothing(
        tx: Tx, platform: str, account_ref: str, workspace_id: object
    ) -> None: ...

    monkeypatch.setattr(accounts, "_check_free", saw_nothing)
    for name in ("First", "Second"):
        owner, workspace_id = await world.workspace(name)
        if name == "First":
            await world.connect(workspace_id, owner)
        else:
            with pytest.raises(ConnectedElsewhere):
                await world.connect(workspace_id, owner)


async def test_connecting_again_within_90_days_brings_everything_back(
    world: World, brand: Brand
) -> None:
    await world.say(world.comment())
    async with world.database.tx(SYSTEM) as tx:
        await accounts.disconnect(
            tx, world.clients, world.clock, brand.account, user_id=None, reason="pause"
        )
    gone = await row(world)
    assert (gone["status"], gone["access_token"]) == ("disconnected", "")
    world.clock.advance(timedelta(days=89))
    assert await accounts.purge_due(world.database, world.clients, world.clock) == 0
    again = await world.connect(brand.workspace_id, brand.owner_id)
    assert again.id == brand.account.id
    back = await row(world)
    assert (back["status"], back["disconnected_at"]) == ("active", None)
    assert await world.value("SELECT count(*) FROM public.social_conversations") == 1


async def test_what_was_disconnected_can_go_elsewhere(world: World, brand: Brand) -> None:
    async with world.database.tx(SYSTEM) as tx:
        await accounts.disconnect(
            tx, world.clients, world.clock, brand.account, user_id=None, reason="sold"
        )
    owner, workspace_id = await world.workspace("New owner")
    moved = await world.connect(workspace_id, owner)
    assert moved.id != brand.account.id
    with pytest.raises(ConnectedElsewhere):
        await world.connect(brand.workspace_id, brand.owner_id)


# --- The consent ---


async def consent(world: World, connector: Connector, gateway: Gateway) -> tuple[Session, str]:
    """A signed-in owner on the platform's consent page, and the state they will come back with."""
    owner, workspace_id = await world.workspace("Atelier")
    session = await world.sign_in(owner)
    url = await connector.begin(gateway, Attempt(workspace_id, owner, session.id, PLATFORM))
    return session, url.partition("state=")[2].partition("&")[0]


async def test_the_whole_consent(world: World, connector: Connector, gateway: Gateway) -> None:
    gateway.items = (_post("p1", world.clock.now()),)
    session, state = await consent(world, connector, gateway)
    params = {"state": state, "code": "c"}
    connected = await connector.finish(gateway, params, session=session)
    assert (await row(world))["id"] == connected.account_id
    assert gateway.asked == ["exchange", "subscribe", "posts"]
    assert await world.value("SELECT count(*) FROM public.social_posts") == 1
    status = await world.sql("SELECT * FROM public.instagram_webhook_subscriptions")
    assert status[0]["subscription_status"] == "active"
    assert set(await audited(world)) == {
        "oauth_initiated",
        "oauth_callback_success",
        "account_connected",
    }


@pytest.mark.parametrize(
    "trouble",
    ["forged", "changed", "empty", "late", "other user", "other session", "no base64"],
)
async def test_a_state_that_is_not_ours_not_now_or_not_theirs(
    world: World, connector: Connector, gateway: Gateway, trouble: str
) -> None:
    session, state = await consent(world, connector, gateway)
    match trouble:
        case "forged":
            other = SecretBox.parse([SecretBox.new_key("k1")])
            forger = Connector(
                world.database, world.clients, world.clock, other, public_url="https://x.example"
            )
            workspace_id = await world.value("SELECT id FROM public.workspaces")
            state = forger._seal(Attempt(workspace_id, session.user.id, session.id, PLATFORM))
        case "changed":
            body, _, signature = state.partition(".")
            state = f"{body[:-1]}{'A' if body[-1] != 'A' else 'B'}.{signature}"
        case "empty":
            state = ""
        case "late":
            world.clock.advance(STATE_LIFE + timedelta(seconds=1))
        case "other user":
            session = await world.sign_in((await world.workspace("Somebody"))[0])
        case "other session":
            session = await world.sign_in(session.user.id)
        case "no base64":
            state = "\udcff☃.☃"
    with pytest.raises(StateInvalid):
        await connector.finish(gateway, {"state": state, "code": "c"}, session=session)
    assert gateway.asked == []
    assert "invalid_state" in await audited(world)


async def test_a_state_survives_a_key_rotation(
    world: World, connector: Connector, gateway: Gateway
) -> None:
    key = SecretBox.new_key("old")
    before = Connector(
        world.database,
        world.clients,
        world.clock,
        SecretBox.parse([key]),
        public_url="https://x.example",
    )
    after = Connector(
        world.database,
        world.clients,
        world.clock,
        SecretBox.parse([SecretBox.new_key("new"), key]),
        public_url="https://x.example",
    )
    session, state = await consent(world, before, gateway)
    await after.finish(gateway, {"state": state, "code": "c"}, session=session)


async def test_an_owner_who_says_no_and_a_platform_that_says_no(
    world: World, connector: Connector, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, state = await consent(world, connector, gateway)
    params = {"state": state, "error": "access_denied"}
    with pytest.raises(BadRequest):
        await connector.finish(gateway, params, session=session)

    async def refuse(code: str, *, redirect_uri: str) -> Grant:
        raise PlatformRefused("busy", "Not now.")

    monkeypatch.setattr(gateway, "exchange", refuse)
    with pytest.raises(PlatformSaidNo):
        await connector.finish(gateway, {"state": state, "code": "c"}, session=session)
    assert (await audited(world)).count("oauth_callback_failed") == 2


async def test_a_failed_subscription_is_tried_again(
    world: World, connector: Connector, gateway: Gateway
) -> None:
    session, state = await consent(world, connector, gateway)
    gateway.refusal = PlatformRefused("busy", "Not now.")
    await connector.finish(gateway, {"state": state, "code": "c"}, session=session)
    found = await world.sql("SELECT * FROM public.instagram_webhook_subscriptions")
    assert (found[0]["subscription_status"], found[0]["error_count"]) == ("error", 1)
    gateway.refusal = None
    due = (world.database, world.clock, world.secrets, gateway)
    assert await subscriptions.confirm_due(*due) == 0, "not at once"
    world.clock.advance(subscriptions.FIRST_RETRY + timedelta(seconds=1))
    assert await subscriptions.confirm_due(*due) == 1
    assert await subscriptions.confirm_due(*due) == 0
    world.clock.advance(timedelta(days=1, seconds=1))
    assert await subscriptions.confirm_due(*due) == 1, "once a day"


# --- Keeping ---


async def test_tokens_are_renewed_before_they_end(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    due = (world.database, world.clock, world.secrets, gateway)
    assert await tokens.renew_due(*due) == 0
    world.clock.advance(timedelta(days=51))
    assert await tokens.renew_due(*due) == 1
    async with world.database.tx(SYSTEM) as tx:
        assert await tokens.opened(tx, world.secrets, brand.account.id) == "renewed"
    assert await tokens.renew_due(*due) == 0
    assert "token_refreshed" in await audited(world)


@pytest.mark.parametrize("dead", [True, False])
async def test_a_refused_renewal(world: World, brand: Brand, gateway: Gateway, dead: bool) -> None:
    world.clock.advance(timedelta(days=51))
    gateway.refusal = PlatformRefused("expired", "No.", token_dead=dead)
    await tokens.renew_due(world.database, world.clock, world.secrets, gateway)
    await world.deliver()
    assert (await row(world))["status"] == ("expired" if dead else "active")
    assert await world.notified() == (["account_expired"] if dead else [])
    world.clock.advance(timedelta(days=10))
    await tokens.renew_due(world.database, world.clock, world.secrets, gateway)
    assert (await row(world))["status"] == "expired", "over is over, whatever was said"


@pytest.mark.parametrize("refusal", [None, PlatformRefused("expired", "No.", token_dead=True)])
async def test_a_token_that_was_replaced_while_it_was_renewed_stays(
    world: World,
    brand: Brand,
    gateway: Gateway,
    refusal: PlatformRefused | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The owner connects again while the platform still thinks about the old token."""
    world.clock.advance(timedelta(days=51))
    gateway.refusal = refusal
    renew = gateway.renew

    async def meanwhile(token: str, *, expires_at: datetime, since: datetime) -> RenewedToken:
        await world.connect(brand.workspace_id, brand.owner_id)
        return await renew(token, expires_at=expires_at, since=since)

    monkeypatch.setattr(gateway, "renew", meanwhile)
    assert await tokens.renew_due(world.database, world.clock, world.secrets, gateway) == 1
    await world.deliver()
    async with world.database.tx(SYSTEM) as tx:
        token = await tokens.opened(tx, world.secrets, brand.account.id)
    assert token == f"token-of-{ACCOUNT}"
    assert (await row(world))["status"] == "active"
    assert await world.notified() == []


async def test_posts_refused_with_an_old_token_do_not_kill_a_new_one(
    world: World, brand: Brand, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def meanwhile(token: str, after: str | None) -> PostPage:
        await world.connect(brand.workspace_id, brand.owner_id)
        raise PlatformRefused("expired", "No.", token_dead=True)

    monkeypatch.setattr(gateway, "posts", meanwhile)
    await posts.sync_account(world.database, world.clock, world.secrets, gateway, brand.account.id)
    assert (await row(world))["status"] == "active"


async def test_a_dead_token_is_noticed_while_posts_are_copied(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    gateway.refusal = PlatformRefused("expired", "No.", token_dead=True)
    assert await posts.sync_due(world.database, world.clock, world.secrets, gateway) == 1
    assert (await row(world))["status"] == "expired"


async def test_secrets_are_sealed_anew_after_a_rotation(world: World, brand: Brand) -> None:
    old = world.secrets
    new_key = SecretBox.new_key("k2")
    both = SecretBox({**SecretBox.parse([new_key])._keys, **old._keys})
    async with world.database.tx(SYSTEM) as tx:
        assert await tokens.reseal_tokens(tx, both) == 1
        assert await tokens.reseal_tokens(tx, both) == 0
        alone = SecretBox.parse([new_key])
        assert await tokens.opened(tx, alone, brand.account.id) == f"token-of-{ACCOUNT}"


# --- Leaving ---


async def test_disconnecting_asks_the_platform_and_does_not_depend_on_its_answer(
    world: World, brand: Brand, connector: Connector, gateway: Gateway
) -> None:
    await world.handle(world.comment())
    gateway.refusal = PlatformRefused("busy", "Not now.")
    await connector.disconnect(gateway, brand.account, user_id=brand.owner_id)
    assert gateway.asked == ["unsubscribe"]
    assert (await row(world))["status"] == "disconnected"
    assert await world.queued("cancelled") == ["greeting"]
    await connector.disconnect(gateway, brand.account, user_id=brand.owner_id)


async def test_after_90_days_people_are_forgotten_and_the_books_kept(
    world: World, brand: Brand
) -> None:
    await world.say(world.comment(), world.photo(text="this is Ana"))
    await world.sql(
        "UPDATE public.social_messages"
        ' SET attachments = \'[{"type": "image", "storage_key": "results/ana.jpg"}]\''
    )
    async with world.database.tx(SYSTEM) as tx:
        await accounts.disconnect(
            tx, world.clients, world.clock, brand.account, user_id=None, reason="bye"
        )
    await world.handle(world.message("are you still there?"))
    world.clock.advance(timedelta(days=90, seconds=1))
    assert await accounts.purge_due(world.database, world.clients, world.clock) == 1
    assert await accounts.purge_due(world.database, world.clients, world.clock) == 0
    assert (await row(world))["status"] == "purged"
    for table in (
        "public.social_conversations",
        "public.social_messages",
        "public.webhook_events",
        "public.instagram_message_queue",
        "internal.jobs",
    ):
        assert await world.value(f"SELECT count(*) FROM {table}") == 0, table
    left = await world.value("SELECT count(*) FROM internal.outbox WHERE channel = 'messages'")
    assert left == 0
    (interaction,) = await world.interactions()
    assert (interaction["instagram_user_id"], interaction["original_message"]) == ("purged", None)
    (charge,) = await world.sql("SELECT * FROM public.workspace_usage_events")
    assert "shopper" not in charge["metadata"]
    assert charge["cost_credits"] == 383
    due = await world.sql("SELECT object_key FROM internal.retention WHERE delete_after < now()")
    assert "results/ana.jpg" in [found["object_key"] for found in due]
    assert "account_connected" in await audited(world)
    again = await world.connect(brand.workspace_id, brand.owner_id)
    assert again.id == brand.account.id


async def test_deauthorising_stops_everything(world: World, brand: Brand) -> None:
    await world.handle(world.comment())
    stopped = await deletion.deauthorise(
        world.database, world.clients, world.clock, PLATFORM, f"app-{ACCOUNT}"
    )
    assert stopped == 1
    assert await world.queued("cancelled") == ["greeting"]
    assert (
        await deletion.deauthorise(world.database, world.clients, world.clock, PLATFORM, "nobody")
        == 0
    )


async def deauthorised(world: World, issued_at: datetime | None) -> int:
    return await deletion.deauthorise(
        world.database, world.clients, world.clock, PLATFORM, f"app-{ACCOUNT}", issued_at
    )


async def test_what_was_taken_back_before_it_was_granted_again_stops_nothing(
    world: World, brand: Brand
) -> None:
    """The platform tells it late, or twice, and the owner has connected the account meanwhile."""
    removed = world.clock.advance(timedelta(minutes=5))
    assert await deauthorised(world, removed) == 1
    world.clock.advance(timedelta(minutes=5))
    await world.connect(brand.workspace_id, brand.owner_id)
    assert await deauthorised(world, removed) == 0
    status = "SELECT status FROM public.connected_social_accounts"
    assert await world.value(status) == "active"
    # A later one is meant, and so is one of which nobody knows when it was issued.
    assert await deauthorised(world, world.clock.advance(timedelta(minutes=5))) == 1
    await world.connect(brand.workspace_id, brand.owner_id)
    assert await deauthorised(world, None) == 1


async def test_a_consent_written_by_a_clock_that_was_ahead_can_be_taken_back(
    world: World, brand: Brand
) -> None:
    world.clock.advance(timedelta(days=2))
    await world.connect(brand.workspace_id, brand.owner_id)
    assert await deauthorised(world, world.clock.advance(timedelta(days=-1))) == 1


async def test_a_deletion_request_is_carried_out_and_can_be_followed(
    world: World, brand: Brand
) -> None:
    await world.say(world.comment(), world.message("hi"))
    request = (world.database, world.clients, world.clock, PLATFORM, f"app-{ACCOUNT}")
    code = await deletion.request_deletion(*request)
    assert (await row(world))["status"] == "purged"
    assert await world.value("SELECT count(*) FROM public.social_conversations") == 0
    async with world.database.tx(SYSTEM) as tx:
        state, asked = await deletion.deletion_state(tx, code)
        assert (state, asked[:4]) == ("completed", f"{world.clock.now():%Y}")
        with pytest.raises(deletion.DeletionUnknown):
            await deletion.deletion_state(tx, "0" * 16)
    assert await deletion.request_deletion(*request) != code, "asking again is harmless"


async def test_a_purge_takes_what_was_never_sent_and_leaves_no_name(
    world: World, brand: Brand
) -> None:
    await world.say(world.comment(username="ana.secret"))
    photo = world.photo()
    await world.say(photo, world.message("human"))
    await deletion.request_deletion(
        world.database, world.clients, world.clock, PLATFORM, f"app-{ACCOUNT}"
    )
    due = await world.sql("SELECT object_key FROM internal.retention WHERE delete_after < now()")
    key = f"{brand.account.id}/{photo.message_ref}"
    assert {found["object_key"] for found in due} == {
        photo_key(brand.workspace_id, key),
        result_key(brand.workspace_id, key),
    }
    assert await world.notified() == ["human_wanted"]
    for table in ("public.notifications", "internal.outbox", "public.bot_interactions"):
        named = await world.value(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%secret%'")
        assert named == 0, table


# --- What nobody could attribute ---


async def test_raw_entries_stay_and_stop_nothing(world: World) -> None:
    raw = [
        ("unknown", {"odd": True}, "no account"),
        ("1", "event_id", "?"),
        ("2", ["event_id"], "?"),
        (ACCOUNT, {"event_id": "no uuid"}, "?"),
    ]
    async with world.database.tx(SYSTEM) as tx:
        await unmatched_events.keep_raw(tx, raw, now=world.clock.now())
    await world.handle(world.message("hello"))
    await world.brand()
    async with world.database.tx(SYSTEM) as tx:
        assert await unmatched_events.retry_attributed(tx, now=world.clock.now()) == 0, (
            "all that could be, was when it connected"
        )
    left = await world.sql("SELECT status FROM public.instagram_message_queue ORDER BY created_at")
    assert sorted(found["status"] for found in left) == ["completed", *["pending"] * 4]


async def test_a_raw_entry_is_read_again_until_a_version_understands_it(world: World) -> None:
    async with world.database.tx(SYSTEM) as tx:
        await unmatched_events.keep_raw(
            tx, [("1", {"new": "thing"}, "?"), ("2", {"odd": "thing"}, "?")], now=world.clock.now()
        )

    def read(raw: Mapping[str, str], received_at: datetime) -> list[Incoming] | None:
        understood = Incoming(PLATFORM, "test", {"id": "e"}, ordering_key="", account_ref=ACCOUNT)
        return [understood] if "new" in raw else None

    async def again(after: timedelta) -> tuple[int, list[tuple[str, int, object]]]:
        world.clock.advance(after)
        async with world.database.tx(SYSTEM) as tx:
            count = await unmatched_events.retry_raw(tx, read, now=world.clock.now())
        rows = await world.sql("SELECT * FROM public.instagram_message_queue ORDER BY entry_id")
        return count, [(r["status"], r["attempts"], r["webhook_payload"]) for r in rows]

    odd = {"odd": "thing"}
    assert await again(timedelta(hours=23)) == (
        0,
        [("pending", 0, {"new": "thing"}), ("pending", 0, odd)],
    )
    assert await again(timedelta(hours=2)) == (1, [("completed", 1, {}), ("pending", 1, odd)])
    assert await world.value("SELECT count(*) FROM public.webhook_events") == 1
    assert (await again(timedelta(hours=1)))[1][1] == ("pending", 1, odd)
    await again(timedelta(days=1, hours=1))
    assert (await again(timedelta(days=1, hours=1)))[1][1] == ("failed", 3, odd)
    assert (await again(timedelta(days=2)))[0] == 0, "three times, and no more"


async def test_pause_is_the_longest_that_was_asked_for(world: World, brand: Brand) -> None:
    now = world.clock.now()
    async with world.database.tx(SYSTEM) as tx:
        for hours in (2, 1):
            await send_backoff.pause(tx, brand.account.id, now=now, length=timedelta(hours=hours))
        until = await send_backoff.paused_until(tx, brand.account.id, world.clock.now())
    assert until == now + timedelta(hours=2)
