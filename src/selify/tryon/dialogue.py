"""What the bot does next: a pure function of the conversation's state and what was just said.

No database, no clock, no network: every rule of the conversation can be read and tested here.

Stages (``social_conversations.conversation_state``)::

    initial ─▶ awaiting_photo ─▶ generating ─▶ result_sent ─▶ awaiting_feedback ─▶ ended
                     ▲                │             another photo: back to generating
                     └── refused ─────┘

Two switches stand above the stages: a person who said STOP hears nothing more until START, and a
conversation in human hands hears nothing from the bot until it is handed back.

A shopper is never left without an answer or a person: whatever comes is answered, and what the bot
has no answer to more than twice goes to a person, as does whoever asks for one or is unhappy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeVar
from uuid import UUID

from selify.core.language import _
from selify.messaging.conversations import moment
from selify.messaging.types import Attachment, AttachmentKind, Handler, MessageWritten
from selify.tryon import intents
from selify.tryon.intents import Mood

MAX_NUDGES = 2
# A heart is answered with a heart, but two machines could go on like that for ever.
MAX_CHEERS = 5
_Enum = TypeVar("_Enum", bound=StrEnum)


class Stage(StrEnum):
    INITIAL = "initial"
    AWAITING_PHOTO = "awaiting_photo"
    GENERATING = "generating"
    RESULT_SENT = "result_sent"
    AWAITING_FEEDBACK = "awaiting_feedback"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class State:
    """The bot's memory of one conversation. Stored as JSON; unknown members are dropped.

    ``interaction_id``: the funnel row the next photo belongs to; ``result_id``: the row of the last
    picture sent, which feedback belongs to. ``photo_ref``: the message whose photo is being dressed:
    a try-on of any other photo is not wanted any more. ``waiting_ref``: the latest photo that came
    while another was being dressed; it is next, however that one ends. ``nudges``, ``cheers``: how
    often in a row the bot had nothing but a hint, or a kind word, to answer with, since a person last
    handed the conversation back (``bot_since``). ``spoken_at``: when they wrote what told their language.
    """

    stage: Stage = Stage.INITIAL
    handler: Handler = Handler.BOT
    opted_out: bool = False
    language: str = ""
    binding_id: UUID | None = None
    interaction_id: UUID | None = None
    result_id: UUID | None = None
    photo_ref: str = ""
    waiting_ref: str = ""
    nudges: int = 0
    cheers: int = 0
    bot_since: datetime | None = None
    spoken_at: datetime | None = None

    def speaking(self, language: str, *, at: datetime, now: datetime) -> Self:
        """Their last clear words decide, in whatever order they come. ``at``: by the platform's clock."""
        if not language or (self.spoken_at and at < self.spoken_at):
            return self
        return replace(self, language=language, spoken_at=min(at, now))

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self:
        data = data or {}
        bot_since = data.get("bot_since")
        counted = data.get("counted_since", bot_since) == bot_since
        return cls(
            stage=_member(Stage, data.get("stage"), Stage.INITIAL),
            handler=_member(Handler, data.get("handler"), Handler.BOT),
            opted_out=bool(data.get("opted_out")),
            language=str(data.get("language") or ""),
            binding_id=_uuid(data.get("binding_id")),
            interaction_id=_uuid(data.get("interaction_id")),
            result_id=_uuid(data.get("result_id")),
            photo_ref=str(data.get("photo_ref") or ""),
            waiting_ref=str(data.get("waiting_ref") or ""),
            nudges=_count(data.get("nudges")) if counted else 0,
            cheers=_count(data.get("cheers")) if counted else 0,
            bot_since=moment(bot_since),
            spoken_at=moment(data.get("spoken_at")),
        )

    def to_json(self) -> dict[str, Any]:
        """``awaiting_photo`` repeats the stage as the reference's own default does."""
        return {
            "stage": self.stage.value,
            "awaiting_photo": self.stage is Stage.AWAITING_PHOTO,
            "handler": self.handler.value,
            "opted_out": self.opted_out,
            "language": self.language,
            "binding_id": str(self.binding_id) if self.binding_id else None,
            "interaction_id": str(self.interaction_id) if self.interaction_id else None,
            "result_id": str(self.result_id) if self.result_id else None,
            "photo_ref": self.photo_ref,
            "waiting_ref": self.waiting_ref,
            "nudges": self.nudges,
            "cheers": self.cheers,
            "bot_since": self.bot_since.isoformat() if self.bot_since else None,
            "counted_since": self.bot_since.isoformat() if self.bot_since else None,
            "spoken_at": self.spoken_at.isoformat() if self.spoken_at else None,
        }


class Button(StrEnum):
    """Payloads of our quick replies. They come back from the platform, so they are an interface."""

    LIKE = "tryon:like"
    DISLIKE = "tryon:dislike"
    AGAIN = "tryon:again"
    HUMAN = "tryon:human"
    STOP = "tryon:stop"
    START = "tryon:start"


class Effect(StrEnum):
    """What must happen beside the words."""

    START_TRYON = "start_tryon"
    CALL_HUMAN = "call_human"
    OPT_OUT = "opt_out"
    RECORD_LIKE = "record_like"
    RECORD_DISLIKE = "record_dislike"
    TELL_PAUSED = "tell_paused"
    NEW_INTERACTION = "new_interaction"


@dataclass(frozen=True, slots=True)
class Reply:
    """A text by its key (``texts``), with buttons below it.

    ``patient``: it waits a few seconds, and is not said when a photo or a picture comes meanwhile.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state, what to say, what to do, and why (for the event's row and the page)."""

    state: State
    why: str
    replies: tuple[Reply, ...] = ()
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What the bot can know beside the message itself.

    ``binding_id``: the garment meant, by a shared post, or else the one the conversation is about.
    ``shared_post``: a post of ours came along with the message.
    """

    tryon_enabled: bool
    keyword: str | None = None
    binding_id: UUID | None = None
    shared_post: bool = False


FEEDBACK_BUTTONS = (Button.LIKE, Button.DISLIKE, Button.AGAIN)


def decide(state: State, message: MessageWritten, facts: Context) -> Decision:
    """The first rule that applies decides. The order is the policy."""
    said = _Said.read(message)
    if state.opted_out:
        return _opted_out(state, said)
    if said.wants_stop:
        stopped = replace(state, opted_out=True, stage=Stage.ENDED, photo_ref="", waiting_ref="")
        return Decision(
            stopped, "asked to stop", _unless_human(state, "stopped"), (Effect.OPT_OUT,)
        )
    if state.handler is Handler.HUMAN:
        return Decision(state, "a person handles this conversation")
    if said.wants_person:
        return _to_person(state, _("asked for a person"))
    if said.complains:
        return _to_person(state, _("is unhappy about something"))
    if said.verdict and (state.result_id or state.stage in _AFTER_RESULT):
        return _feedback(state, liked=said.button == Button.LIKE)
    wish = bool(facts.shared_post or facts.keyword or said.button == Button.AGAIN)
    if not facts.tryon_enabled and (said.photo or said.unreadable or wish):
        return Decision(state, "try-on is switched off", (Reply("paused"),), (Effect.TELL_PAUSED,))
    if said.photo:
        return _photo(state, message, facts)
    if wish:
        return _wants_to_try(state, facts, said)
    if state.stage is Stage.GENERATING:
        return _meanwhile(state, said)
    if said.mood and (said.mood is not Mood.SAD or state.stage in _AFTER_RESULT):
        return _kind_words(state, said.mood)
    return _small_talk(state, said, facts)


_AFTER_RESULT = (Stage.RESULT_SENT, Stage.AWAITING_FEEDBACK, Stage.ENDED)


def _opted_out(state: State, said: "_Said") -> Decision:
    if said.wants_start:
        back = replace(state, opted_out=False, stage=Stage.INITIAL, nudges=0, cheers=0)
        return Decision(back, "asked to start again", _unless_human(state, "started"))
    if (said.wants_person or said.complains) and state.handler is Handler.BOT:
        handed = replace(state, handler=Handler.HUMAN)
        return Decision(
            handed, _("asked us not to write, and needs a person"), (), (Effect.CALL_HUMAN,)
        )
    return Decision(state, "asked us not to write")


def _unless_human(state: State, text: str) -> tuple[Reply, ...]:
    """What is confirmed in words, unless a person does the talking here."""
    return () if state.handler is Handler.HUMAN else (Reply(text),)


def _to_person(state: State, why: str) -> Decision:
    handed = replace(state, handler=Handler.HUMAN)
    return Decision(handed, why, (Reply("handed_to_human"),), (Effect.CALL_HUMAN,))


def _feedback(state: State, *, liked: bool) -> Decision:
    """It may come late: what the shopper does meanwhile (another photo) goes on undisturbed."""
    if liked:
        ended = _if_after_result(state, Stage.ENDED)
        return Decision(ended, "liked the result", (Reply("liked"),), (Effect.RECORD_LIKE,))
    disliked = _if_after_result(state, Stage.AWAITING_FEEDBACK)
    reply = Reply("disliked", (Button.AGAIN, Button.HUMAN))
    return Decision(disliked, "did not like the result", (reply,), (Effect.RECORD_DISLIKE,))


def _if_after_result(state: State, stage: Stage) -> State:
    return replace(state, stage=stage) if state.stage in _AFTER_RESULT else state


def _photo(state: State, message: MessageWritten, facts: Context) -> Decision:
    if state.stage is Stage.GENERATING:
        noted = replace(state, waiting_ref=message.message_ref)
        return Decision(noted, "a try-on is under way: this photo is next", (Reply("photo_waits"),))
    if facts.binding_id is None:
        waiting = replace(state, nudges=0, cheers=0)
        return Decision(waiting, "no garment chosen yet", (Reply("photo_without_garment"),))
    effects: tuple[Effect, ...] = (Effect.START_TRYON,)
    if not _row_is_open(state, facts):
        effects = (Effect.NEW_INTERACTION, *effects)
    started = replace(
        state,
        stage=Stage.GENERATING,
        binding_id=facts.binding_id,
        photo_ref=message.message_ref,
        waiting_ref="",
        nudges=0,
        cheers=0,
    )
    return Decision(started, "photo received", (Reply("generating"),), effects)


def _row_is_open(state: State, facts: Context) -> bool:
    """Whether the funnel row at hand still waits for a photo of this garment. Every finished try-on
    is a row of its own.
    """
    waiting = state.stage is Stage.AWAITING_PHOTO and state.interaction_id is not None
    return waiting and state.binding_id == facts.binding_id


def _wants_to_try(state: State, facts: Context, said: "_Said") -> Decision:
    if facts.binding_id is None:
        text = "post_without_garment" if facts.shared_post else "which_garment"
        return Decision(state, "asked to try on, garment not known", (Reply(text),))
    if state.stage is Stage.GENERATING:
        if facts.binding_id == state.binding_id and said.button != Button.AGAIN:
            return Decision(state, "this very garment is being tried on", (_STILL_AT_IT,))
        # The picture under way stays as it is; the next photo is for the new garment.
        return Decision(
            replace(state, binding_id=facts.binding_id),
            "chose the next garment meanwhile",
            (Reply("already_generating"),),
        )
    # Saying it again while we wait for the photo is the same wish, not another one.
    effects = () if _row_is_open(state, facts) else (Effect.NEW_INTERACTION,)
    awaiting = replace(
        state, stage=Stage.AWAITING_PHOTO, binding_id=facts.binding_id, nudges=0, cheers=0
    )
    text = "greeting" if state.stage is Stage.INITIAL else "ask_photo"
    return Decision(awaiting, "asked to try on", (Reply(text),), effects)


def _meanwhile(state: State, said: "_Said") -> Decision:
    """The picture under way answers a kind word by itself, and no hint is worth giving it up."""
    if said.mood:
        return Decision(state, "a kind word while the picture is made", (_STILL_AT_IT,))
    reply = said.hint or Reply("beyond_me", (Button.HUMAN,))
    return Decision(state, "words while the picture is made", (reply,))


_STILL_AT_IT = Reply("still_generating", patient=True)


def _kind_words(state: State, mood: Mood) -> Decision:
    """No question to answer, but not nothing either."""
    if state.cheers >= MAX_CHEERS:
        return _to_person(state, _("goes on with kind words and asks for nothing"))
    cheered = replace(state, cheers=state.cheers + 1)
    if state.stage in _AFTER_RESULT and mood is not Mood.NOD:
        return _feedback(cheered, liked=mood is Mood.PRAISE)
    if state.stage is Stage.INITIAL:
        return Decision(cheered, "a kind word", (Reply("cheered_first", (Button.HUMAN,)),))
    if state.stage is Stage.AWAITING_PHOTO:
        return Decision(cheered, "a kind word before the photo", (Reply("cheered", patient=True),))
    return Decision(cheered, "a kind word after the picture", (Reply("cheered_after"),))


def _small_talk(state: State, said: "_Said", facts: Context) -> Decision:
    """What the bot has no answer to. It says twice what it can do, then a person goes on."""
    if state.nudges >= MAX_NUDGES:
        return _to_person(state, _("wrote several times what the bot has no answer to"))
    nudged = replace(state, nudges=state.nudges + 1)
    if not facts.tryon_enabled:
        return Decision(nudged, "try-on is switched off", (Reply("paused", (Button.HUMAN,)),))
    if said.hint:
        return Decision(nudged, "sent something else than a photo", (said.hint,))
    if state.stage is Stage.INITIAL or said.asks_who:
        reply = Reply("introduction", (Button.HUMAN,))
        return Decision(nudged, "wrote without saying what to try on", (reply,))
    if state.stage is Stage.AWAITING_PHOTO:
        # Words and photo often come apart, one right after the other.
        reply = Reply("ask_photo_again", (Button.HUMAN,), patient=True)
        return Decision(nudged, "waiting for a photo", (reply,))
    reply = Reply("beyond_me", (Button.AGAIN, Button.HUMAN))
    return Decision(nudged, "wrote about something else", (reply,))


_OTHER_MEDIA = frozenset({AttachmentKind.VIDEO, AttachmentKind.AUDIO})


@dataclass(frozen=True, slots=True)
class _Said:
    """A message, sorted. ``unreadable``: they sent something, and none of it can be seen by us."""

    text: str
    button: str
    photo: bool
    other_media: bool
    unreadable: bool

    @classmethod
    def read(cls, message: MessageWritten) -> Self:
        kinds = {attachment.kind for attachment in message.attachments} - {AttachmentKind.POST}
        photo = photo_of(message) is not None
        other_media = bool(kinds & _OTHER_MEDIA) and not photo
        nothing = not (message.text.strip() or message.button or message.attachments)
        return cls(
            text=message.text,
            button=message.button,
            photo=photo,
            other_media=other_media,
            unreadable=nothing or (bool(kinds) and not photo and not other_media),
        )

    @property
    def verdict(self) -> bool:
        return self.button in (Button.LIKE, Button.DISLIKE)

    @property
    def wants_stop(self) -> bool:
        return self.button == Button.STOP or intents.wants_stop(self.text)

    @property
    def wants_start(self) -> bool:
        return self.button == Button.START or intents.wants_start(self.text)

    @property
    def wants_person(self) -> bool:
        return self.button == Button.HUMAN or intents.wants_person(self.text)

    @property
    def complains(self) -> bool:
        return intents.complains(self.text)

    @property
    def asks_who(self) -> bool:
        return intents.asks_who_we_are(self.text)

    @property
    def mood(self) -> Mood:
        """Of words and emoji alone: with something attached they are about that."""
        if self.unreadable or self.other_media:
            return Mood.NONE
        return Mood.PRAISE if self.button == Button.LIKE else intents.mood(self.text)

    @property
    def hint(self) -> Reply | None:
        """What would help, where something came that cannot be dressed."""
        if self.unreadable:
            return Reply("photo_not_visible")
        return Reply("media_not_supported") if self.other_media else None


def photo_of(message: MessageWritten) -> Attachment | None:
    """The photo to dress: also one sent as the answer to a story. A story itself never counts: its
    pictures are not ours to keep.
    """
    return next((a for a in message.attachments if a.kind is AttachmentKind.IMAGE and a.url), None)


def _member(kind: type[_Enum], value: object, fallback: _Enum) -> _Enum:
    try:
        return kind(str(value))
    except ValueError:
        return fallback


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None
