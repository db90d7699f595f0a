"""What decides whether an answer leaves, and what every refusal of the platform leads to."""

from datetime import timedelta

import pytest
from tests.infra.world import ANA, PLATFORM, SYSTEM, Brand, World

from selify.messaging import accounts, conversations, health, limits, outgoing, repository
from selify.messaging.outgoing import Kind, Outgoing
from selify.messaging.ports import (
    Accepted,
    Action,
    Credentials,
    OutgoingMessage,
    Refused,
    SentMessage,
)
from selify.messaging.sending import DOUBT_LIFE, UNEXPLAINED_PAUSE
from selify.messaging.types import Handler
from selify.tryon.dialogue import Stage


@pytest.fixture
async def thread(world: World, brand: Brand) -> Brand:
    """Ana's thread is open, and an answer to her is queued."""
    await world.say(world.comment())
    await world.handle(world.message("hm?"))
    return brand


def refused(action: Action, after: float | None = None, code: str = "some_code") -> Refused:
    return Refused(action, code, "the platform's reason", after)


async def health_of(world: World) -> dict:
    return dict((await world.sql("SELECT * FROM public.instagram_account_health"))[0])


async def test_nobody_is_written_to_after_24_hours(world: World, thread: Brand) -> None:
    await world.later(timedelta(hours=24, minutes=1))
    assert await world.failures() == ["window_closed"]
    assert len(world.platform.sent) == 1


async def test_a_private_reply_waits_no_longer_than_the_comment_lives(
    world: World, brand: Brand
) -> None:
    await world.handle(world.comment(at=world.clock.now() - timedelta(days=6, hours=23)))
    await world.later(timedelta(hours=2))
    assert await world.failures() == ["window_closed"]
    assert world.platform.sent == []


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Action.WINDOW_CLOSED, "window_closed"),
        (Action.PERSON_UNREACHABLE, "person_unreachable"),
        (Action.ALREADY_DONE, "already_done"),
        (Action.STOP, "stop"),
    ],
)
async def test_final_refusals_fail_and_what_needs_a_person_tells_them(
    world: World, thread: Brand, action: Action, code: str
) -> None:
    world.platform.script.append(refused(action))
    await world.deliver()
    assert await world.failures() == [code]
    needs_person = action in (Action.STOP, Action.WINDOW_CLOSED)
    assert await world.notified() == (["message_failed"] if needs_person else [])


async def test_a_retry_comes_back_and_gives_up_in_the_end(world: World, thread: Brand) -> None:
    world.platform.script += [refused(Action.RETRY, 5)] * 8
    for _ in range(10):
        await world.later(timedelta(seconds=6))
    assert await world.failures() == ["gave_up"]
    assert await world.notified() == ["account_failing", "message_failed"]
    assert len(world.platform.sent) == 1 + 8


async def test_a_pause_holds_the_whole_account_and_gives_the_count_back(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(refused(Action.PAUSE_ACCOUNT, 600))
    await world.deliver()
    await world.handle(world.comment(person_ref="ben"))
    await world.deliver()
    assert len(world.platform.sent) == 2, "nothing leaves while it is paused"
    counted = await world.value("SELECT messages_sent_today FROM public.instagram_rate_limits")
    assert counted == 1, "the greeting"
    await world.later(timedelta(seconds=601))
    await world.later(timedelta(seconds=1))
    assert await world.queued("sent") == ["greeting", "ask_photo_again", "greeting"]


async def test_an_unexplained_pause_lasts_half_an_hour(world: World, thread: Brand) -> None:
    world.platform.script.append(refused(Action.PAUSE_ACCOUNT))
    await world.deliver()
    until = await world.value("SELECT max(not_before) FROM internal.outbox WHERE state = 'queued'")
    assert until == world.clock.now() + UNEXPLAINED_PAUSE + limits.TURN


async def test_a_high_usage_header_slows_us_down(world: World, thread: Brand) -> None:
    world.platform.script.append(Accepted("mid.x", ANA, usage=0.97))
    await world.deliver()
    await world.handle(world.message("hm??"))
    await world.deliver()
    assert len(world.platform.sent) == 2
    await world.later(timedelta(minutes=3))
    assert len(world.platform.sent) == 3


async def test_the_hourly_limit_makes_messages_wait_and_not_disappear(
    world: World, brand: Brand
) -> None:
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 2")
    await world.say(*(world.comment(person_ref=f"p{n}") for n in range(5)))
    assert len(world.platform.sent) == 2
    for _ in range(3):
        await world.later(timedelta(hours=1))
    assert len(world.platform.sent) == 5


async def test_a_dead_token_stops_everything_until_the_owner_connects_again(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(refused(Action.REAUTHORISE, code="token_expired"))
    await world.deliver()
    account = await world.value("SELECT status FROM public.connected_social_accounts")
    assert account == "expired"
    row = await health_of(world)
    assert (row["health_status"], row["token_valid"]) == ("unhealthy", False)
    assert await world.notified() == ["account_expired"]
    await world.later(timedelta(hours=1))
    assert len(world.platform.sent) == 2, "nobody asks with a dead token"
    again = await world.connect(thread.workspace_id, thread.owner_id)
    assert again.id == thread.account.id
    await world.deliver()
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    row = await health_of(world)
    assert (row["health_status"], row["token_valid"]) == ("healthy", True)


async def test_events_of_an_expired_account_are_parked_and_come_back(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(refused(Action.REAUTHORISE))
    await world.deliver()
    await world.handle(world.photo())
    assert (await world.last())[0] == "skipped"
    await world.connect(thread.workspace_id, thread.owner_id)
    while await world.inbox.run_once():
        pass
    assert await world.charges() == ["reserved"]


# --- In doubt ---


async def test_what_may_have_arrived_is_looked_up_in_the_thread(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(ConnectionError("the answer never came"))
    await world.deliver()
    world.platform.thread = [
        SentMessage("mid.found", world.platform.texts[-1], world.clock.now(), has_attachment=False)
    ]
    await world.later(timedelta(seconds=20))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    assert len(world.platform.sent) == 2
    mid = await world.value(
        "SELECT result ->> 'message_ref' FROM internal.outbox"
        " WHERE payload ->> 'purpose' = 'ask_photo_again'"
    )
    assert mid == "mid.found"


async def test_what_is_not_in_the_thread_is_sent_again(world: World, thread: Brand) -> None:
    world.platform.script.append(refused(Action.UNKNOWN))
    await world.deliver()
    known = await world.value("SELECT platform_message_id FROM public.social_messages LIMIT 1")
    world.platform.thread = [
        SentMessage(str(known), world.platform.texts[-1], world.clock.now(), has_attachment=False),
        SentMessage(
            "older", world.platform.texts[-1], world.clock.now() - timedelta(days=1), False
        ),
        SentMessage("other", "something else", world.clock.now(), has_attachment=False),
    ]
    await world.later(timedelta(seconds=20))
    await world.later(timedelta(seconds=20))
    assert len(world.platform.sent) == 3


async def test_doubt_does_not_hold_a_conversation_for_ever(world: World, thread: Brand) -> None:
    world.platform.thread = None
    world.platform.script.append(refused(Action.UNKNOWN))
    await world.deliver()
    await world.handle(world.message("and?"))
    await world.later(timedelta(minutes=5))
    assert await world.queued("unknown") == ["ask_photo_again"]
    await world.later(DOUBT_LIFE)
    assert await world.failures() == ["unconfirmed"]
    await world.deliver()
    assert len(world.platform.sent) == 3, "the next one leaves"


async def test_a_disconnected_account_s_doubts_end(world: World, thread: Brand) -> None:
    world.platform.script.append(refused(Action.UNKNOWN))
    await world.deliver()
    async with world.database.tx(SYSTEM) as tx:
        await accounts.disconnect(
            tx, world.clients, world.clock, thread.account, user_id=None, reason="bye"
        )
    await world.later(timedelta(seconds=20))
    assert await world.failures() == ["not_connected"]


async def test_what_cannot_even_be_prepared_surely_did_not_arrive(
    world: World, thread: Brand
) -> None:
    sealed = await world.value("SELECT access_token FROM public.connected_social_accounts")
    await world.sql("UPDATE public.connected_social_accounts SET access_token = 'v1.k9.xx'")
    await world.deliver()
    assert await world.queued() == ["ask_photo_again"]
    await world.sql("UPDATE public.connected_social_accounts SET access_token = $1", sealed)
    await world.later(timedelta(seconds=10))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]


# --- Silence ---


async def test_taking_over_on_our_page_silences_what_is_queued(world: World, thread: Brand) -> None:
    conversation_id = await world.value("SELECT id FROM public.social_conversations")
    async with world.database.tx(SYSTEM) as tx:
        await conversations.set_handler(tx, conversation_id, Handler.HUMAN, now=world.clock.now())
    await world.deliver()
    assert await world.failures() == ["silenced"]
    async with world.database.tx(SYSTEM) as tx:
        await conversations.set_handler(tx, conversation_id, Handler.BOT, now=world.clock.now())
    await world.say(world.message("hm?"))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]


async def test_a_queued_private_reply_to_somebody_who_said_stop_is_not_sent(
    world: World, thread: Brand
) -> None:
    await world.handle(world.comment(), world.message("stop"))
    await world.deliver()
    assert await world.queued("sent") == ["greeting", "stopped"]
    assert await world.failures() == ["silenced"]


# --- What is sent, and what it leaves behind ---


async def test_a_picture_is_sent_as_a_link_made_now(world: World, thread: Brand) -> None:
    async with world.database.tx(SYSTEM) as tx:
        conversation = await conversations.find(tx, thread.account.id, ANA)
        account = await repository.live_account(tx, PLATFORM, thread.account.platform_account_id)
        assert conversation
        assert account
        picture = Outgoing(
            kind=Kind.IMAGE, client="tryon", purpose="result_picture", storage_key="a/b.jpg"
        )
        await outgoing.send(tx, account, conversation, picture, key="p", now=world.clock.now())
    await world.deliver()
    link = world.platform.sent[-1].image_url
    assert link.startswith("https://selify.example/files/")
    row = (
        await world.sql("SELECT * FROM public.social_messages ORDER BY created_at DESC, id DESC")
    )[0]
    assert row["message_type"] in ("image", "text")
    pictures = await world.sql(
        "SELECT attachments FROM public.social_messages WHERE message_type = 'image'"
    )
    assert pictures[0]["attachments"] == [{"type": "image", "storage_key": "a/b.jpg"}]


async def test_the_question_how_they_like_it_moves_the_conversation(
    world: World, thread: Brand
) -> None:
    await world.sql(
        "UPDATE public.social_conversations"
        ' SET conversation_state = conversation_state || \'{"stage": "result_sent"}\''
    )
    await world.sql(
        'UPDATE internal.outbox SET payload = payload || \'{"purpose": "feedback"}\''
        " WHERE state = 'queued' AND payload ->> 'kind' = 'text'"
    )
    await world.deliver()
    assert (await world.state()).stage is Stage.AWAITING_FEEDBACK


async def test_health_follows_the_calls_of_the_day(world: World, brand: Brand) -> None:
    async def call(code: str | None = None) -> dict:
        async with world.database.tx(SYSTEM) as tx:
            if code:
                await health.failed(tx, brand.account.id, at=world.clock.now(), code=code)
            else:
                await health.succeeded(tx, brand.account.id, at=world.clock.now(), milliseconds=100)
        return await health_of(world)

    assert (await call())["health_status"] == "healthy"
    assert (await call("busy"))["health_status"] == "degraded"
    for _ in range(4):
        row = await call("busy")
    assert (row["health_status"], row["error_types"]) == ("unhealthy", {"busy": 5})
    assert row["messages_failed_today"] == 5
    row = await call()
    assert (row["health_status"], row["consecutive_failures"]) == ("healthy", 0)
    assert (row["messages_processed_today"], row["avg_response_time_ms"]) == (2, 100)
    world.clock.advance(timedelta(days=1))
    await world.sql("UPDATE public.instagram_account_health SET webhook_delivery_rate = 99")
    row = await call()
    assert (row["messages_processed_today"], row["messages_failed_today"]) == (1, 0)


# --- The platform is not there ---

NOT_THERE = Refused(Action.PAUSE_ACCOUNT, "not_reached", "Nobody answers.", 5, grows=True)


async def test_hours_without_the_platform_lose_nothing_and_count_nothing(
    world: World, thread: Brand
) -> None:
    began = world.clock.now().date()
    for _ in range(60):
        world.platform.script.append(NOT_THERE)
        await world.later(timedelta(minutes=3))
    tried = len(world.platform.sent)
    assert tried > 40, "never more than a few minutes apart"
    world.platform.script.clear()
    await world.later(timedelta(minutes=3))
    await world.later(timedelta(seconds=1))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    counted = await world.value("SELECT messages_sent_today FROM public.instagram_rate_limits")
    assert counted == (2 if world.clock.now().date() == began else 1), "the greeting was yesterday"


async def test_without_the_platform_the_window_is_the_end(world: World, thread: Brand) -> None:
    for _ in range(26):
        world.platform.script.append(NOT_THERE)
        await world.later(timedelta(hours=1))
    assert await world.failures() == ["window_closed"]


async def test_what_must_wait_for_its_turn_stops_nobody_else(world: World, brand: Brand) -> None:
    world.platform.script.append(refused(Action.LATER, 3600))
    await world.say(world.comment(person_ref="ben", username="ben"))
    await world.say(world.comment())
    assert await world.queued("sent") == ["greeting"]
    await world.later(timedelta(hours=1, seconds=1))
    assert await world.queued("sent") == ["greeting", "greeting"]


async def test_doubt_counts_from_when_it_began(world: World, thread: Brand) -> None:
    world.platform.script.append(refused(Action.PAUSE_ACCOUNT, 7200))
    await world.deliver()
    world.platform.thread = None
    world.platform.script.append(refused(Action.UNKNOWN))
    await world.later(timedelta(hours=2, seconds=1))
    await world.later(timedelta(minutes=5))
    assert await world.failures() == []
    assert await world.queued("unknown") == ["ask_photo_again"]
    await world.later(DOUBT_LIFE)
    assert await world.failures() == ["unconfirmed"]


async def test_a_new_doubt_has_its_own_hour(world: World, thread: Brand) -> None:
    world.platform.script.append(refused(Action.UNKNOWN))
    await world.deliver()
    world.platform.script.append(refused(Action.PAUSE_ACCOUNT, 7200))
    await world.later(timedelta(seconds=20))
    world.platform.thread = None
    world.platform.script.append(refused(Action.UNKNOWN))
    await world.later(timedelta(hours=2, seconds=1))
    await world.later(timedelta(minutes=5))
    assert await world.failures() == []


async def test_a_private_reply_of_a_deleted_account_ends(world: World, brand: Brand) -> None:
    await world.handle(world.comment())
    world.platform.script.append(refused(Action.UNKNOWN))
    await world.deliver()
    await world.sql("DELETE FROM public.connected_social_accounts WHERE id = $1", brand.account.id)
    await world.later(timedelta(seconds=20))
    assert await world.failures() == ["not_connected"]


# --- Somebody must act ---


@pytest.mark.parametrize("action", [Action.PAUSE_ACCOUNT, Action.ASK_OWNER])
async def test_what_needs_a_person_is_told_and_waits(
    world: World, thread: Brand, action: Action
) -> None:
    switch = Refused(action, "message_access_off", "Please allow access to messages.", alert=True)
    lengths, days = [], set()
    for _ in range(3):
        world.platform.script.append(switch)
        days.add(world.clock.now().date())
        await world.deliver()
        until = await world.value("SELECT paused_until FROM internal.send_pace")
        lengths.append((until - world.clock.now()) / UNEXPLAINED_PAUSE)
        world.clock.advance(until - world.clock.now() + timedelta(seconds=1))
    assert lengths == [1, 2, 4]
    assert await world.notified() == ["sending_blocked"] * len(days), "once a day"
    told = await world.value("SELECT description FROM public.notifications")
    assert told == "Please allow access to messages."
    await world.deliver()
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]


async def test_a_permission_that_comments_lack_leaves_messages_alone(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(
        Refused(Action.ASK_OWNER, "permission_missing", "Connect again.", alert=True)
    )
    soon = world.clock.now() + timedelta(minutes=10)
    await world.sql(
        "UPDATE internal.outbox SET not_before = $1, last_error = 'later' WHERE state = 'queued'",
        soon,
    )
    await world.say(world.comment(person_ref="ben", username="ben"))
    await world.later(timedelta(minutes=10))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    assert await world.queued() == ["greeting"]
    assert await world.notified() == ["sending_blocked"]


async def test_a_refused_old_token_does_not_kill_a_new_one(
    world: World, thread: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = world.platform.send

    async def send(sender: Credentials, message: OutgoingMessage) -> Accepted | Refused:
        """The owner connects again while the send is under way."""
        if message.typing:
            return await accept(sender, message)
        monkeypatch.undo()
        await world.connect(thread.workspace_id, thread.owner_id)
        world.platform.script.append(refused(Action.REAUTHORISE, code="token_expired"))
        return await accept(sender, message)

    monkeypatch.setattr(world.platform, "send", send)
    await world.deliver()
    account = await world.value("SELECT status FROM public.connected_social_accounts")
    row = await health_of(world)
    assert (account, row["health_status"], row["token_valid"]) == ("active", "healthy", True)
    assert await world.notified() == []
    await world.later(timedelta(seconds=2))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]


async def test_typing_dots_are_no_messages(world: World, thread: Brand) -> None:
    await world.deliver()
    row = await health_of(world)
    assert row["messages_processed_today"] == 2
    assert await world.value("SELECT count(*) FROM internal.outbox WHERE state = 'sent'") == 3
