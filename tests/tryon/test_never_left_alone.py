"""A shopper is never left without an answer or a person, in whatever state, whatever they send.

Every state and every kind of message is made here out of what the code declares (stages, handlers,
counters, kinds of attachment, buttons, kinds of words), so that a new one is asked at once. Two
silences are meant, and no others:

* who asked us not to write hears nothing until they say START; but a person gets it when one is needed;
* where a person has the conversation, the bot says nothing, and the person sees that it is unread.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from tests.infra.world import ANA, PHOTO, SYSTEM, Brand, World

from selify.core.database import Tx
from selify.core.money import MicroUnits
from selify.core.queue import inbox
from selify.core.queue.inbox import MAX_LOST, Event, InboxWorker
from selify.messaging import conversations, queries, tokens, unanswered
from selify.messaging.ports import Accepted, Action, Refused
from selify.messaging.queries import ConversationFilter
from selify.messaging.types import (
    Attachment,
    AttachmentKind,
    Handler,
    MessageEdited,
    MessageWritten,
)
from selify.tryon import bot, dialogue, intents, lifecycle, memory, texts
from selify.tryon.dialogue import (
    MAX_CHEERS,
    MAX_NUDGES,
    Button,
    Context,
    Effect,
    Stage,
    State,
    decide,
)
from selify.tryon.keywords import HUMAN_WORDS, START_WORDS, STOP_WORDS
from selify.tryon.types import Picture, Refusal, RefusalCode, Rendering

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
GARMENT, OTHER_GARMENT, ROW = UUID(int=1), UUID(int=2), UUID(int=3)

WORDS = {
    "nothing": "",
    "blanks": " \n\u200b",
    "a question": "do you ship to Norway?",
    "a German question": "Liefert ihr auch nach Österreich?",
    "a greeting": "hi",
    "a keyword": "try on please",
    "a heart": "😍",
    "fire": "🔥🔥",
    "praise": "Wow!",
    "thanks": "danke!",
    "a thumb down": "👎",
    "signs": "?!",
    "who are you": "are you a bot?",
    "a wish for a person": "Kann ich mit einem Menschen sprechen?",
    "a complaint": "where is my refund",
    "anger": "😡",
    "stop": min(STOP_WORDS),
    "start": min(START_WORDS),
    "human": min(HUMAN_WORDS),
}
SENT = [
    (),
    *((Attachment(kind, url, post),) for kind, (url, post) in product(
        AttachmentKind, [("", ""), ("https://x.example/1", ""), ("", "post")]
    )),
    (PHOTO, PHOTO),
    (PHOTO, Attachment(AttachmentKind.VIDEO, "https://x.example/2")),
    (Attachment(AttachmentKind.UNSUPPORTED), Attachment(AttachmentKind.AUDIO)),
]  # fmt: skip
BUTTONS = ["", *Button, "somebody:else's"]


def states() -> Iterator[State]:
    """Every combination of what the bot remembers."""
    counters = [(0, 0), (MAX_NUDGES, 0), (0, MAX_CHEERS), (MAX_NUDGES + 1, MAX_CHEERS + 1)]
    for stage, handler, opted_out, garment, row, (nudges, cheers) in product(
        Stage, Handler, (False, True), (None, GARMENT), (None, ROW), counters
    ):
        yield State(
            stage=stage,
            handler=handler,
            opted_out=opted_out,
            binding_id=garment,
            interaction_id=row,
            result_id=row,
            photo_ref="mid.1" if stage is Stage.GENERATING else "",
            waiting_ref="mid.0" if row else "",
            nudges=nudges,
            cheers=cheers,
        )


def facts() -> Iterator[Context]:
    for enabled, keyword, garment, shared in product(
        (True, False), (None, "try on"), (None, GARMENT, OTHER_GARMENT), (False, True)
    ):
        yield Context(enabled, keyword, garment, shared)


def message(text: str = "", sent: tuple[Attachment, ...] = (), button: str = "") -> MessageWritten:
    return MessageWritten("a", "p", "mid.2", text, NOW, sent, button)


def messages() -> list[MessageWritten]:
    """Each text with each attachment, and each button: alone, and under a title."""
    written = [message(text, sent) for text, sent in product(WORDS.values(), SENT)]
    tapped = [message(title, (), button) for title, button in product(("", "More"), BUTTONS)]
    return [*written, *tapped]


def needs_person(said: MessageWritten) -> bool:
    asked = said.button == Button.HUMAN or intents.wants_person(said.text)
    return asked or intents.complains(said.text)


def check(state: State, said: MessageWritten, known: Context) -> set[str]:
    """The texts that were used."""
    decision = decide(state, said, known)
    handed = Effect.CALL_HUMAN in decision.effects
    used = {reply.text for reply in decision.replies}
    assert handed == (state.handler is Handler.BOT and decision.state.handler is Handler.HUMAN)
    if state.handler is Handler.HUMAN:
        assert decision.replies == (), "the person has it, and finds it unread"
        assert decision.state.handler is Handler.HUMAN
    elif state.opted_out:
        back = said.button == Button.START or intents.wants_start(said.text)
        assert used == ({"started"} if back else set()), "silence by their own wish"
        assert handed == (needs_person(said) and not back)
    elif said.button == Button.STOP or intents.wants_stop(said.text):
        assert used == {"stopped"}
    else:
        assert decision.replies, "left without an answer"
        assert handed or not needs_person(said), "left without a person"
    return used


@pytest.mark.parametrize("stage", Stage)
def test_every_message_in_every_state_is_answered_or_reaches_a_person(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a text asks for is looked up once: there are millions of combinations of so few texts."""
    remember(monkeypatch)
    here = [state for state in states() if state.stage is stage]
    used: set[str] = set()
    every = messages()
    for state in here:
        # Context matter where the bot may speak: elsewhere one of each is enough.
        silent = state.opted_out or state.handler is Handler.HUMAN
        known = list(facts())[:1] if silent else list(facts())
        for number, said in enumerate(every):
            used |= check(state, said, known[number % len(known)])
    for said, known_ in product(every, facts()):
        used |= check(State(stage=stage, binding_id=GARMENT), said, known_)
    assert len(used) > 5
    for language in texts.languages():
        assert used <= texts.catalogue(language).keys()


def remember(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "wants_stop",
        "wants_start",
        "wants_person",
        "complains",
        "asks_who_we_are",
        "mood",
    ):
        asked = getattr(intents, name)
        known = {text: asked(text) for text in {one.text for one in messages()}}
        monkeypatch.setattr(dialogue.intents, name, known.__getitem__)


# --- The same, by the real inbox and outbox ---

KINDS = {
    **{name: {"text": text} for name, text in WORDS.items()},
    **{
        f"{kind} {'with' if url else 'without'} an address": {
            "attachments": (Attachment(kind, url),)
        }
        for kind, url in product(AttachmentKind, ("", "https://x.example/1"))
        if kind is not AttachmentKind.POST
    },
    "a tap on something else": {"button": "somebody:else's", "text": "More"},
    **{button.value: {"button": button.value} for button in Button},
}


async def stand(world: World, brand: Brand, state: State) -> None:
    """Ana's conversation stands there."""
    async with world.database.tx(SYSTEM) as tx:
        conversation = await conversations.lock(tx, brand.account, "900000000001")
        await memory.remember(tx, replace(conversation, is_new=True), state)


async def waits_for_person(world: World, brand: Brand) -> bool:
    async with world.database.tx(SYSTEM) as tx:
        listed = await queries.list_waiting(tx, brand.workspace_id, ConversationFilter.HUMAN)
    return bool(listed)


async def unread(world: World) -> int:
    return await world.value("SELECT unread_count FROM public.social_conversations")


@pytest.mark.parametrize("stage", Stage)
async def test_an_answer_leaves_or_the_conversation_needs_a_person(
    world: World, brand: Brand, stage: Stage
) -> None:
    state = State(
        stage=stage,
        binding_id=next(iter(brand.bindings.values())),
        photo_ref="mid.before" if stage is Stage.GENERATING else "",
    )
    for name, kind in KINDS.items():
        await stand(world, brand, state)
        before = len(world.platform.sent)
        world.clock.advance(timedelta(minutes=1))  # nobody sends faster than the platform allows
        await world.say(world.message(**kind))
        assert (await world.last())[0] == "completed", name
        assert len(world.platform.sent) > before, name
        if (await world.state()).handler is Handler.HUMAN:
            assert await waits_for_person(world, brand), name
            assert await unread(world) > 0, name


@pytest.mark.parametrize("stage", Stage)
async def test_what_is_edited_into_a_message_decides_who_answers_too(
    world: World, brand: Brand, stage: Stage
) -> None:
    for name in ("a question", "a wish for a person", "a complaint", "anger", "stop", "human"):
        text = WORDS[name]
        await stand(world, brand, State(stage=stage))
        world.clock.advance(timedelta(minutes=1))
        written = world.message("hallo")
        await world.say(written, edited(world, written, text))
        state = await world.state()
        assert state.opted_out == intents.wants_stop(text), name
        assert (state.handler is Handler.HUMAN) == needs_person(message(text)), name
        if state.handler is Handler.HUMAN:
            assert await waits_for_person(world, brand), name
            assert await unread(world) > 0, name
        await world.sql("UPDATE public.social_conversations SET unread_count = 0")


def edited(world: World, written: MessageWritten, text: str, number: int = 1) -> MessageEdited:
    return MessageEdited(
        written.account_ref,
        written.person_ref,
        written.message_ref,
        text,
        world.clock.now(),
        number,
    )


async def test_in_human_hands_and_after_stop_it_is_unread(world: World, brand: Brand) -> None:
    for state in (State(handler=Handler.HUMAN), State(opted_out=True)):
        await stand(world, brand, state)
        before, sent = await unread(world), len(world.platform.sent)
        quiet = [kind for name, kind in KINDS.items() if "start" not in name]
        for kind in quiet:
            await world.say(world.message(**kind))
        assert len(world.platform.sent) == sent
        assert await unread(world) == before + len(quiet)
        assert await waits_for_person(world, brand)
        assert (await world.state()).handler is Handler.HUMAN, "they asked for one meanwhile"
    assert await world.notified() == ["human_wanted"]


async def test_whoever_gives_up_hands_over_and_begins_anew_when_it_gets_it_back(
    world: World, brand: Brand
) -> None:
    await world.say(*(world.message("do you ship to Norway?") for _ in range(MAX_NUDGES + 1)))
    assert await waits_for_person(world, brand)
    assert await world.notified() == ["human_wanted"]
    assert "called a person" in world.platform.texts[-1]
    thread = await world.value("SELECT id FROM public.social_conversations")
    async with world.database.tx(SYSTEM) as tx:
        await conversations.set_handler(tx, thread, Handler.BOT, now=world.clock.now())
    await world.say(world.message("and to Sweden?"))
    assert (await world.state()).handler is Handler.BOT
    assert "automatic try-on assistant" in world.platform.texts[-1]


async def test_a_wish_in_a_comment_reaches_whoever_answers_by_hand(
    world: World, brand: Brand
) -> None:
    await stand(world, brand, State(handler=Handler.HUMAN))
    comment = world.comment()
    await world.say(comment, comment)
    assert world.platform.sent == []
    assert await world.notified() == ["human_wanted"]


# --- Where the answer does not get there ---

STOP = Refused(Action.STOP, "bad_parameter", "The platform does not take it.")
TOO_LATE = Refused(Action.WINDOW_CLOSED, "window_closed", "Too late.")
NOT_NOW = Refused(Action.RETRY, "not_fetched", "Something is wrong with it.", 5)


async def refused(world: World, brand: Brand) -> None:
    world.platform.script.append(STOP)
    await world.deliver()


async def refused_as_too_late(world: World, brand: Brand) -> None:
    world.platform.script.append(TOO_LATE)
    await world.deliver()


async def tried_in_vain(world: World, brand: Brand) -> None:
    world.platform.script += [NOT_NOW] * 8
    for _ in range(9):
        await world.later(timedelta(minutes=1))


async def held_for_a_day(world: World, brand: Brand) -> None:
    world.platform.script.append(
        Refused(Action.PAUSE_ACCOUNT, "throttled", "Slow down.", 25 * 3600)
    )
    await world.deliver()
    await world.later(timedelta(hours=26))


async def reconnected_a_day_later(world: World, brand: Brand) -> None:
    async with world.database.tx(SYSTEM) as tx:
        sealed = await tx.fetch_value("SELECT access_token FROM public.connected_social_accounts")
        await tokens.died(tx, brand.account.id, "dead", world.clock.now(), sealed=sealed)
    await world.deliver()
    world.clock.advance(timedelta(hours=30))
    await world.connect(brand.workspace_id, brand.owner_id)
    await world.deliver()


NOBODY_THERE = Refusal(RefusalCode.PERSON_NOT_FOUND, "Nobody is in the photo.", "Send another.")


async def being_dressed(world: World) -> lifecycle.Request:
    """Ana wrote, sent a photo, and what was said until then has left."""
    await world.say(world.message("hm?"))
    post = Attachment(AttachmentKind.POST, "", f"post-{world.comment().account_ref}")
    await world.say(world.message(attachments=(post, PHOTO)))
    (job,) = await world.sql("SELECT key, workspace_id, payload FROM internal.jobs")
    said: dict[str, Any] = job["payload"]
    ids = {k: UUID(v) if k.endswith("_id") else v for k, v in said.items()}
    return lifecycle.Request(key=job["key"], workspace_id=job["workspace_id"], **ids)


async def finish(world: World, request: lifecycle.Request) -> bool:
    rendering = Rendering(
        Picture(b"", "image/jpeg", 80, 80), "painter", 0.5, MicroUnits(100), (), None
    )
    made = lifecycle.RenderResult(rendering, "a/b", MicroUnits(100))
    async with world.database.tx(SYSTEM) as tx:
        await lifecycle.may_continue(tx, request, now=world.clock.now())
        return await lifecycle.finish(tx, world.clock, request, made, ())


ENDS = (refused, refused_as_too_late, tried_in_vain, held_for_a_day, reconnected_a_day_later)


async def told(world: World) -> list[str]:
    """Where the notices about answers that did not arrive lead to."""
    rows = await world.sql(
        "SELECT action_url FROM public.notifications WHERE type = 'message_failed'"
        " ORDER BY created_at, ctid"
    )
    return [row["action_url"] for row in rows]


async def is_in_a_person_s_hands(world: World, brand: Brand) -> None:
    assert (await world.state()).handler is Handler.HUMAN
    assert await waits_for_person(world, brand)
    assert await unread(world) == 1
    thread = await world.value("SELECT id FROM public.social_conversations")
    assert await told(world) == [f"/conversations/{thread}"]


@pytest.mark.parametrize("end", ENDS)
async def test_an_answer_that_never_arrives_brings_a_person(
    world: World, brand: Brand, end: Any
) -> None:
    await world.handle(world.message("do you ship to Norway?"))
    assert await unread(world) == 0
    await end(world, brand)
    await is_in_a_person_s_hands(world, brand)


async def test_whatever_was_answered_in_vain(world: World, brand: Brand) -> None:
    state = State(stage=Stage.AWAITING_PHOTO, binding_id=next(iter(brand.bindings.values())))
    for name, kind in KINDS.items():
        await stand(world, brand, state)
        world.clock.advance(timedelta(minutes=1))
        world.platform.script = [STOP] * 5
        await world.say(world.message(**kind))
        now = await world.state()
        if now.stage is Stage.GENERATING or now.opted_out:
            continue  # the picture is the answer, and it comes; or silence is what they want
        assert now.handler is Handler.HUMAN, name
        assert await waits_for_person(world, brand), name
        assert await unread(world) > 0, name


@pytest.mark.parametrize("end", ENDS)
async def test_a_refusal_that_never_arrives_brings_a_person(
    world: World, brand: Brand, end: Any
) -> None:
    request = await being_dressed(world)
    async with world.database.tx(SYSTEM) as tx:
        await lifecycle.refuse(tx, world.clock, request, NOBODY_THERE)
    await end(world, brand)
    await is_in_a_person_s_hands(world, brand)


@pytest.mark.parametrize("end", ENDS)
async def test_a_picture_that_never_arrives_brings_a_person_and_the_money_back(
    world: World, brand: Brand, end: Any
) -> None:
    await finish(world, await being_dressed(world))
    await end(world, brand)
    assert await world.charges() == ["refunded"]
    await is_in_a_person_s_hands(world, brand)


async def test_a_try_on_that_takes_a_day_brings_a_person(world: World, brand: Brand) -> None:
    request = await being_dressed(world)
    world.clock.advance(timedelta(hours=25))
    assert not await finish(world, request)
    assert not await finish(world, request), "and when its job runs again"
    assert await world.charges() == ["refunded"]
    await world.deliver()
    await is_in_a_person_s_hands(world, brand)


async def test_what_nobody_waits_for_calls_nobody(world: World, brand: Brand) -> None:
    """The picture arrived; its question did not."""
    await finish(world, await being_dressed(world))
    world.platform.script = [Accepted("mid.picture", ANA), STOP, STOP]
    await world.deliver()
    assert await world.failures() == ["stop", "stop"]
    assert (await world.state()).handler is Handler.BOT
    assert await told(world) == ["/accounts"]


async def test_a_thousand_unanswered_shoppers_ring_the_bell_a_few_times(
    world: World, brand: Brand
) -> None:
    for number in range(unanswered.MOST_NOTICES + 3):
        world.platform.script = [STOP]
        world.clock.advance(timedelta(seconds=10))  # nobody sends faster than the platform allows
        await world.say(world.message("do you ship to Norway?", person_ref=f"shopper {number}"))
    links = await told(world)
    assert len(set(links)) == len(links) == unanswered.MOST_NOTICES + 1
    assert links[-1] == "/?wanted=human"
    async with world.database.tx(SYSTEM) as tx:
        listed = await queries.list_waiting(tx, brand.workspace_id, ConversationFilter.HUMAN)
    assert len(listed) == unanswered.MOST_NOTICES + 3


@pytest.mark.parametrize("end", [refused, tried_in_vain])
async def test_a_comment_that_gets_no_answer_is_told_to_its_brand(
    world: World, brand: Brand, end: Any
) -> None:
    await world.handle(world.comment())
    await end(world, brand)
    assert await told(world) == ["/accounts"]


async def test_a_comment_that_waited_for_a_week_is_told_to_its_brand(
    world: World, brand: Brand
) -> None:
    await world.handle(world.comment(at=world.clock.now() - timedelta(days=6, hours=23)))
    await world.later(timedelta(hours=2))
    assert await told(world) == ["/accounts"]


# --- Where what they wrote cannot be handled ---


async def fails(*_: Any) -> None:
    raise ValueError("something is wrong with us")


async def until_given_up(world: World) -> None:
    for _ in range(5):
        await world.later(timedelta(minutes=5))
    assert (await world.last())[0] == "failed"
    await world.deliver()


@pytest.mark.parametrize("known", [True, False])
async def test_a_message_that_is_given_up_brings_a_person(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    if known:
        await world.say(world.message("hm?"))
    monkeypatch.setattr(bot, "_circumstances", fails)
    await world.handle(world.message("do you ship to Norway?"))
    await until_given_up(world)
    assert (await world.state()).handler is Handler.HUMAN
    assert await waits_for_person(world, brand)
    thread = await world.value("SELECT id FROM public.social_conversations")
    assert await told(world) == [f"/conversations/{thread}"]


async def test_a_message_that_stops_its_workers_brings_a_person(world: World, brand: Brand) -> None:
    await world.arrive(world.message("do you ship to Norway?"))
    for _ in range(MAX_LOST):
        async with world.database.tx(SYSTEM) as tx:
            assert await inbox.claim(tx, worker_id="dead", now=world.clock.now(), limit=1)
        world.clock.advance(timedelta(minutes=1))
        await world.inbox.recover()
        world.clock.advance(timedelta(minutes=1))
    await world.deliver()
    assert await waits_for_person(world, brand)
    assert len(await told(world)) == 1


async def test_what_cannot_even_be_read_is_told_to_the_account_s_brand(
    world: World, brand: Brand
) -> None:
    await world.arrive(world.message("hm?"), world.comment())
    world.waiting.clear()
    await until_given_up(world)
    assert await told(world) == ["/accounts"]


async def test_a_message_given_up_in_a_person_s_hands_is_told(
    world: World, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stand(world, brand, State(handler=Handler.HUMAN))
    monkeypatch.setattr(bot, "_circumstances", fails)
    await world.handle(world.message("and now?"))
    await until_given_up(world)
    assert await told(world) == ["/accounts"]


async def test_that_nobody_could_be_told_keeps_no_event_from_its_end(
    world: World, brand: Brand
) -> None:
    async def broken(tx: Tx, event: Event) -> None:
        await tx.execute("SELECT 1 / 0")

    world.inbox = InboxWorker(
        world.database,
        {"instagram": fails},
        dead_letters={"instagram": broken},
        clock=world.clock,
        worker_id="w",
    )
    await world.handle(world.message("hm?"))
    await until_given_up(world)
    async with world.database.tx(SYSTEM) as tx:
        assert len(await inbox.dead_letters(tx)) == 1
