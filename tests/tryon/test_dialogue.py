"""Every rule of the conversation, and what no sequence of messages may ever do."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selify.messaging.types import Attachment, AttachmentKind, Handler, MessageWritten
from selify.tryon.dialogue import (
    MAX_CHEERS,
    MAX_NUDGES,
    Button,
    Context,
    Decision,
    Effect,
    Stage,
    State,
    decide,
    photo_of,
)

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
TEE, DRESS, ROW = UUID(int=1), UUID(int=2), UUID(int=3)
PHOTO = Attachment(AttachmentKind.IMAGE, "https://photos.example/1.jpg")
VIDEO = Attachment(AttachmentKind.VIDEO, "https://photos.example/1.mp4")
SEEN = {
    AttachmentKind.IMAGE,
    AttachmentKind.VIDEO,
    AttachmentKind.AUDIO,
    AttachmentKind.POST,
}
TEE_MEANT = Context(tryon_enabled=True, binding_id=TEE)
WAITING = State(stage=Stage.AWAITING_PHOTO, binding_id=TEE, interaction_id=ROW)
GENERATING = replace(WAITING, stage=Stage.GENERATING, photo_ref="mid.1")
SHOWN = replace(WAITING, stage=Stage.AWAITING_FEEDBACK, result_id=ROW)


def wrote(text: str = "", *attachments: Attachment, button: str = "", **more) -> MessageWritten:
    return MessageWritten("a", "p", "mid.2", text, NOW, attachments, button, **more)


def told(state: State, message: MessageWritten, facts: Context = TEE_MEANT) -> Decision:
    return decide(state, message, facts)


def texts(decision: Decision) -> list[str]:
    return [reply.text for reply in decision.replies]


# --- Rule by rule ---


@pytest.mark.parametrize("word", ["STOP", "stopp!", "Unsubscribe"])
def test_stop_is_confirmed_and_ends_everything(word: str) -> None:
    decision = told(GENERATING, wrote(word))
    assert texts(decision) == ["stopped"]
    assert decision.effects == (Effect.OPT_OUT,)
    assert decision.state.opted_out
    assert decision.state.photo_ref == "", "the try-on under way is not wanted any more"


def test_after_stop_only_start_is_heard() -> None:
    stopped = told(WAITING, wrote(button=Button.STOP)).state
    for message in (wrote("hello"), wrote("", PHOTO), wrote("😍"), wrote(button=Button.LIKE)):
        assert told(stopped, message).replies == ()
        assert told(stopped, message).state == stopped
    back = told(stopped, wrote("Start"))
    assert texts(back) == ["started"]
    assert (back.state.opted_out, back.state.stage) == (False, Stage.INITIAL)


@pytest.mark.parametrize("said", ["human please", "where is my refund?"])
def test_after_stop_a_person_may_still_be_needed_but_the_bot_keeps_quiet(said: str) -> None:
    stopped = told(WAITING, wrote("stop")).state
    decision = told(stopped, wrote(said))
    assert (decision.replies, decision.effects) == ((), (Effect.CALL_HUMAN,))
    assert decision.state == replace(stopped, handler=Handler.HUMAN)
    assert told(decision.state, wrote(said)).effects == (), "the person has it"


def test_in_human_hands_the_bot_is_silent_even_about_stop_and_start() -> None:
    theirs = replace(WAITING, handler=Handler.HUMAN)
    assert told(theirs, wrote("try on"), replace(TEE_MEANT, keyword="try on")).replies == ()
    stopped = told(theirs, wrote("stop"))
    assert (stopped.replies, stopped.effects) == ((), (Effect.OPT_OUT,))
    back = told(stopped.state, wrote("start"))
    assert (back.replies, back.state.opted_out) == ((), False)


@pytest.mark.parametrize("state", [State(), WAITING, GENERATING, SHOWN], ids=lambda s: s.stage)
@pytest.mark.parametrize("said", ["this is a scam", "Das ist eine Frechheit", "wo ist mein Paket"])
def test_whoever_is_unhappy_reaches_a_person(state: State, said: str) -> None:
    for message in (wrote(said), wrote(said, PHOTO), wrote(f"try on! {said}")):
        decision = told(state, message, replace(TEE_MEANT, keyword="try on"))
        assert texts(decision) == ["handed_to_human"]
        assert decision.effects == (Effect.CALL_HUMAN,)
        assert decision.state.handler is Handler.HUMAN


@pytest.mark.parametrize("message", [wrote("Mensch"), wrote("help"), wrote(button=Button.HUMAN)])
def test_asking_for_a_person(message: MessageWritten) -> None:
    decision = told(WAITING, message)
    assert texts(decision) == ["handed_to_human"]
    assert decision.effects == (Effect.CALL_HUMAN,)
    assert decision.state.handler is Handler.HUMAN


def test_a_photo_starts_the_try_on_of_the_row_that_waited_for_it() -> None:
    decision = told(WAITING, wrote("", PHOTO))
    assert decision.effects == (Effect.START_TRYON,)
    assert (decision.state.stage, decision.state.photo_ref) == (Stage.GENERATING, "mid.2")
    assert texts(decision) == ["generating"]


@pytest.mark.parametrize(
    "state",
    [
        State(binding_id=TEE),
        State(binding_id=TEE, interaction_id=ROW),
        replace(WAITING, binding_id=DRESS),
        replace(SHOWN, stage=Stage.RESULT_SENT),
        SHOWN,
        replace(SHOWN, stage=Stage.ENDED),
    ],
)
def test_every_other_photo_is_a_row_of_its_own(state: State) -> None:
    assert told(state, wrote("", PHOTO)).effects == (Effect.NEW_INTERACTION, Effect.START_TRYON)


def test_a_photo_while_generating_waits_and_one_without_garment_asks() -> None:
    assert texts(told(GENERATING, wrote("", PHOTO))) == ["photo_waits"]
    assert told(GENERATING, wrote("", PHOTO)).state == replace(GENERATING, waiting_ref="mid.2")
    lost = told(State(), wrote("", PHOTO), Context(tryon_enabled=True))
    assert texts(lost) == ["photo_without_garment"]


def test_pictures_of_stories_are_no_photos() -> None:
    assert photo_of(wrote("", Attachment(AttachmentKind.STORY, "https://x"))) is None
    assert photo_of(wrote("", Attachment(AttachmentKind.IMAGE, ""))) is None


@pytest.mark.parametrize("facts", [{"keyword": "try on"}, {"shared_post": True}])
def test_wanting_to_try(facts: dict) -> None:
    meant = replace(TEE_MEANT, **facts)
    first = told(State(), wrote("try on"), meant)
    assert (texts(first), first.effects) == (["greeting"], (Effect.NEW_INTERACTION,))
    assert first.state.stage is Stage.AWAITING_PHOTO
    again = told(WAITING, wrote("try on"), meant)
    assert (texts(again), again.effects) == (["ask_photo"], ())
    other = told(WAITING, wrote("try on"), replace(meant, binding_id=DRESS))
    assert other.effects == (Effect.NEW_INTERACTION,)
    busy = told(GENERATING, wrote("try on"), replace(meant, binding_id=DRESS))
    assert (texts(busy), busy.effects) == (["already_generating"], ())
    assert (busy.state.stage, busy.state.binding_id) == (Stage.GENERATING, DRESS)
    same = told(GENERATING, wrote("try on please"), meant)
    assert (texts(same), same.effects, same.state) == (["still_generating"], (), GENERATING)
    assert same.replies[0].patient, "unless the picture is there first"
    tapped = told(GENERATING, wrote(button=Button.AGAIN), meant)
    assert texts(tapped) == ["already_generating"]


def test_wanting_to_try_we_do_not_know_what() -> None:
    nowhere = Context(tryon_enabled=True, keyword="try on")
    assert texts(told(State(), wrote("try on"), nowhere)) == ["which_garment"]
    unknown = Context(tryon_enabled=True, shared_post=True)
    assert texts(told(State(), wrote(), unknown)) == ["post_without_garment"]


def test_switched_off() -> None:
    off = Context(tryon_enabled=False, keyword="try on", binding_id=TEE)
    for message in (wrote("try on"), wrote("", PHOTO), wrote(button=Button.AGAIN)):
        decision = told(WAITING, message, off)
        assert (texts(decision), decision.effects) == (["paused"], (Effect.TELL_PAUSED,))


def test_feedback() -> None:
    liked = told(SHOWN, wrote(button=Button.LIKE))
    assert (texts(liked), liked.effects, liked.state.stage) == (
        ["liked"],
        (Effect.RECORD_LIKE,),
        Stage.ENDED,
    )
    disliked = told(SHOWN, wrote(button=Button.DISLIKE))
    assert (texts(disliked), disliked.effects) == (["disliked"], (Effect.RECORD_DISLIKE,))
    assert disliked.replies[0].buttons == (Button.AGAIN, Button.HUMAN)


def test_another_try_is_a_row_of_its_own() -> None:
    again = told(SHOWN, wrote(button=Button.AGAIN))
    assert (texts(again), again.effects) == (["ask_photo"], (Effect.NEW_INTERACTION,))
    assert again.state.stage is Stage.AWAITING_PHOTO
    twice = told(again.state, wrote(button=Button.AGAIN))
    assert twice.effects == ()


def test_late_feedback_is_recorded_and_disturbs_nothing() -> None:
    busy = replace(GENERATING, result_id=uuid4())
    late = told(busy, wrote(button=Button.LIKE))
    assert late.effects == (Effect.RECORD_LIKE,)
    assert late.state == busy
    assert told(WAITING, wrote(button=Button.LIKE)).effects == (), "there was nothing to like"


def test_it_asks_twice_and_then_leaves_the_floor_to_people() -> None:
    state, said, acts = WAITING, [], []
    for _ in range(5):
        decision = told(state, wrote("hm?"))
        state, said = decision.state, [*said, *texts(decision)]
        acts += decision.effects
    assert said == ["ask_photo_again"] * MAX_NUDGES + ["handed_to_human"]
    assert (state.handler, acts) == (Handler.HUMAN, [Effect.CALL_HUMAN])
    assert texts(told(WAITING, wrote("", VIDEO))) == ["media_not_supported"]


@pytest.mark.parametrize("kind", [k for k in AttachmentKind if k not in SEEN])
def test_what_we_cannot_see_is_answered_with_what_helps(kind: AttachmentKind) -> None:
    for sent in (Attachment(kind), Attachment(kind, "https://lookaside.example/x")):
        decision = told(WAITING, wrote("", sent))
        assert (texts(decision), decision.effects) == (["photo_not_visible"], ())
    assert texts(told(WAITING, wrote("", Attachment(AttachmentKind.IMAGE)))) == [
        "photo_not_visible"
    ]
    assert texts(told(WAITING, wrote())) == ["photo_not_visible"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State(), "introduction"),
        (WAITING, "ask_photo_again"),
        (GENERATING, "beyond_me"),
        (replace(SHOWN, stage=Stage.RESULT_SENT), "beyond_me"),
        (SHOWN, "beyond_me"),
        (replace(SHOWN, stage=Stage.ENDED), "beyond_me"),
    ],
    ids=lambda value: getattr(value, "stage", value),
)
def test_small_talk_shows_the_way_to_a_person(state: State, said: str) -> None:
    decision = told(state, wrote("do you ship to Norway?"))
    assert texts(decision) == [said]
    assert Button.HUMAN in decision.replies[0].buttons


@pytest.mark.parametrize("said", ["😍", "🔥", "Wow!", "love it", "gefällt mir"])
def test_kind_words_get_a_friendly_answer(said: str) -> None:
    assert texts(told(State(), wrote(said))) == ["cheered_first"]
    assert texts(told(WAITING, wrote(said))) == ["cheered"]
    assert texts(told(GENERATING, wrote(said))) == ["still_generating"]
    liked = told(SHOWN, wrote(said))
    assert (texts(liked), liked.effects, liked.state.stage) == (
        ["liked"],
        (Effect.RECORD_LIKE,),
        Stage.ENDED,
    )


def test_thanks_are_no_verdict_and_dislike_is_one() -> None:
    thanked = told(SHOWN, wrote("thanks!"))
    assert (texts(thanked), thanked.effects, thanked.state.stage) == (
        ["cheered_after"],
        (),
        SHOWN.stage,
    )
    for said in ("👎", "gefällt mir nicht", "I don't like it"):
        assert told(SHOWN, wrote(said)).effects == (Effect.RECORD_DISLIKE,)
        assert texts(told(WAITING, wrote(said))) == ["ask_photo_again"]


def test_kind_words_do_not_go_on_for_ever() -> None:
    state = SHOWN
    for _ in range(MAX_CHEERS):
        state = told(state, wrote("thanks")).state
        assert state.handler is Handler.BOT
    assert told(state, wrote("thanks")).effects == (Effect.CALL_HUMAN,)
    assert told(state, wrote("", PHOTO)).state.cheers == 0


def test_a_picture_under_way_is_not_given_up_for_questions() -> None:
    state = GENERATING
    for _ in range(2 * MAX_CHEERS):
        state = told(state, wrote("which size?")).state
    assert state == GENERATING


def test_who_asks_whether_it_is_a_bot_is_told() -> None:
    for state in (State(), WAITING, SHOWN):
        assert texts(told(state, wrote("are you a bot?"))) == ["introduction"]


def test_switched_off_nobody_is_asked_for_a_photo() -> None:
    off = Context(tryon_enabled=False, binding_id=TEE)
    for said in (
        wrote("hello?"),
        wrote("", VIDEO),
        wrote("", Attachment(AttachmentKind.VIEW_ONCE)),
    ):
        assert texts(told(WAITING, said, off)) == ["paused"]
    tired = replace(WAITING, nudges=MAX_NUDGES)
    assert told(tired, wrote("hello?"), off).effects == (Effect.CALL_HUMAN,)


# --- Whatever happens ---

MESSAGES = st.builds(
    wrote,
    st.sampled_from(["", "try on", "hello", "stop", "start", "human", "\u202e💥"])
    | st.text(max_size=40),
    button=st.sampled_from(["", *Button, "else:where"]),
).flatmap(
    lambda message: st.lists(
        st.sampled_from([PHOTO, VIDEO, Attachment(AttachmentKind.POST, "", "p1")]), max_size=2
    ).map(lambda found: replace(message, attachments=tuple(found)))
)
FACTS = st.builds(
    Context,
    tryon_enabled=st.sampled_from([True, True, True, False]),
    keyword=st.sampled_from([None, None, "try on"]),
    binding_id=st.sampled_from([None, TEE, DRESS]),
    shared_post=st.booleans(),
)
# What happens beside messages: the result arrives, or is refused; a person takes over or hands back.
ELSEWHERE = st.sampled_from(["result", "refusal", "take over", "hand back"])


def aside(state: State, what: str) -> State:
    match what:
        case "result" if state.stage is Stage.GENERATING:
            return replace(state, stage=Stage.RESULT_SENT, photo_ref="", result_id=ROW)
        case "refusal" if state.stage is Stage.GENERATING:
            return replace(state, stage=Stage.AWAITING_PHOTO, photo_ref="")
        case "take over":
            return replace(state, handler=Handler.HUMAN)
        case "hand back":
            return replace(state, handler=Handler.BOT, nudges=0, cheers=0)
    return state


@settings(max_examples=300)
@given(st.lists(st.tuples(MESSAGES, FACTS) | ELSEWHERE, max_size=30))
def test_no_conversation_breaks_a_promise(story: list) -> None:
    state, nudges = State(), 0
    for step in story:
        if isinstance(step, str):
            state, nudges = aside(state, step), 0 if step == "hand back" else nudges
            continue
        message, facts = step
        decision = decide(state, message, facts)
        if state.opted_out or state.handler is Handler.HUMAN:
            assert not [reply for reply in decision.replies if reply.text != "started"]
            assert decision.state.handler is state.handler or Effect.CALL_HUMAN in decision.effects
            assert Effect.START_TRYON not in decision.effects
        if state.handler is Handler.HUMAN:
            assert decision.replies == ()
        if Effect.START_TRYON in decision.effects:
            assert facts.binding_id is not None
            assert photo_of(message) is not None
            assert state.stage is not Stage.GENERATING
            assert decision.state.photo_ref == message.message_ref
        assert (decision.state.photo_ref != "") == (decision.state.stage is Stage.GENERATING)
        nudged = {"ask_photo_again", "introduction", "beyond_me"} & set(texts(decision))
        moved = decision.state.stage is not state.stage or decision.state.nudges == 0
        nudges = 0 if moved else nudges + 1 if nudged else nudges
        assert nudges <= MAX_NUDGES
        assert decision.why
        assert State.from_json(decision.state.to_json()) == decision.state
        state = replace(decision.state, interaction_id=decision.state.interaction_id or ROW)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "stage",
                "handler",
                "binding_id",
                "interaction_id",
                "result_id",
                "photo_ref",
                "nudges",
                "new",
            ]
        ),
        st.none() | st.integers() | st.text(max_size=9) | st.booleans() | st.lists(st.integers()),
    )
)
def test_whatever_is_stored_can_be_read(stored: dict) -> None:
    state = State.from_json(stored)
    assert State.from_json(state.to_json()) == state
    assert State.from_json(None) == State()
    assert isinstance(state.binding_id, UUID | None)
