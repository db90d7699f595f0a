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
from uuid import UUID

import pytest
from tests.infra.world import PHOTO, SYSTEM, Brand, World

from selify.social import conversations, dialogue, intents, reading, texts
from selify.social.dialogue import (
    MAX_CHEERS,
    MAX_NUDGES,
    Act,
    Circumstances,
    Handler,
    Stage,
    State,
    decide,
)
from selify.social.keywords import HUMAN_WORDS, START_WORDS, STOP_WORDS
from selify.social.reading import ConversationFilter
from selify.social.types import Attachment, AttachmentKind, Button, MessageEdited, MessageWritten

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


def facts() -> Iterator[Circumstances]:
    for enabled, keyword, garment, shared in product(
        (True, False), (None, "try on"), (None, GARMENT, OTHER_GARMENT), (False, True)
    ):
        yield Circumstances(enabled, keyword, garment, shared)


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


def check(state: State, said: MessageWritten, known: Circumstances) -> set[str]:
    """The texts that were used."""
    decision = decide(state, said, known)
    handed = Act.CALL_HUMAN in decision.acts
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
        # Circumstances matter where the bot may speak: elsewhere one of each is enough.
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
        await conversations.save_state(tx, replace(conversation, is_new=True), state)


async def waits_for_person(world: World, brand: Brand) -> bool:
    async with world.database.tx(SYSTEM) as tx:
        listed = await reading.list_waiting(tx, brand.workspace_id, ConversationFilter.HUMAN)
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
        await conversations.set_handler(tx, thread, Handler.BOT)
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
