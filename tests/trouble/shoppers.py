"""Shoppers of many kinds, each with a conversation of their own through the stand-in.

A shopper waits for the bot's answers as a person would, and remembers what they did; what they must
have received in the end is told by ``Kind``, and checked in ``verdict``.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.infra.engines import Colour, plain_photo

from selify.tryon.dialogue import Button
from selify_sandbox.demo import USERNAME
from selify_sandbox.instagram.driver import Message, SandboxDriver, Thread

NOBODY: Colour = (4, 4, 4)
NOT_A_PICTURE = b"These are words. A phone may send anything as a photo."
LEVELS = range(40, 240, 25)


class Kind(StrEnum):
    """What a shopper does."""

    PLAIN = "plain"
    TWO_COMMENTS = "two comments"
    PHOTO_TWICE = "two photos at once"
    TAKES_BACK = "takes the photo back"
    STOPS = "says STOP"
    TEXT_FIRST = "writes before sending"
    NO_PICTURE = "sends no picture first"
    NOBODY_THERE = "photo of nobody"
    SHARES_POST = "shares the post"
    ANOTHER_TRY = "wants another try"


SHARES = {
    Kind.PLAIN: 40,
    Kind.TWO_COMMENTS: 8,
    Kind.PHOTO_TWICE: 8,
    Kind.TAKES_BACK: 6,
    Kind.STOPS: 6,
    Kind.TEXT_FIRST: 6,
    Kind.NO_PICTURE: 6,
    Kind.NOBODY_THERE: 6,
    Kind.SHARES_POST: 6,
    Kind.ANOTHER_TRY: 8,
}
"""In per cent. The odd ones are more frequent here than in life."""


@dataclass(slots=True)
class Shopper:
    """One person. ``sent`` maps the photo's message to its colour; ``None``: not a picture."""

    name: str
    kind: Kind
    colour: Colour
    post: str
    starts_after: float
    rng: random.Random
    patience: float
    thread: Thread | None = None
    comments: list[str] = field(default_factory=list)
    sent: dict[str, Colour | None] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)
    trouble: str = ""
    over: bool = False

    async def live(self, phone: SandboxDriver) -> None:
        """The whole conversation; what went wrong is kept in ``trouble``."""
        await asyncio.sleep(self.starts_after)
        try:
            await _Conversation(self, phone).go()
        except Exception as error:  # noqa: BLE001 - the others go on; the verdict reports it
            self.trouble = f"{type(error).__name__}: {error}"
        self.over = True


def crowd(
    count: int, posts: list[str], *, seed: int, spread: float, patience: float
) -> list[Shopper]:
    """That many shoppers, the same for the same seed. They begin within ``spread`` seconds."""
    rng = random.Random(seed)
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    # Every kind appears, however small the crowd.
    chosen = [*Kind, *(rng.choice(kinds) for _ in range(count))][:count]
    rng.shuffle(chosen)
    colours = [(r, g, b) for r in LEVELS for g in LEVELS for b in LEVELS]
    rng.shuffle(colours)
    return [
        Shopper(
            name=f"shopper{number:04}",
            kind=kind,
            colour=colours[number % len(colours)],
            post=rng.choice(posts),
            starts_after=rng.uniform(0, spread),
            rng=random.Random(rng.random()),
            patience=patience,
        )
        for number, kind in enumerate(chosen)
    ]


class _Conversation:
    """A shopper in action."""

    def __init__(self, shopper: Shopper, phone: SandboxDriver) -> None:
        self.me = shopper
        self.phone = phone
        self.seq = 0

    async def go(self) -> None:
        me = self.me
        await self.phone.create_shopper(me.name)
        me.thread = await self.phone.thread(me.name, USERNAME)
        if me.kind is Kind.SHARES_POST:
            await self.phone.share(me.name, USERNAME, me.post)
        else:
            await self.comment("Try on please! 😍")
        if me.kind is Kind.TWO_COMMENTS:
            await self.comment("Hello? I would like to TRY ON this one")
        await self.hear(lambda m: bool(m.text))
        acts: dict[Kind, Callable[[], Awaitable[None]]] = {
            Kind.PHOTO_TWICE: self.photo_twice,
            Kind.TAKES_BACK: self.cancel,
            Kind.STOPS: self.stop,
            Kind.TEXT_FIRST: self.text_first,
            Kind.NO_PICTURE: self.no_picture,
            Kind.NOBODY_THERE: self.nobody_there,
            Kind.ANOTHER_TRY: self.another_try,
        }
        await acts.get(me.kind, self.photo_and_feedback)()

    # What they do

    async def photo_and_feedback(self) -> None:
        await self.photo(self.me.colour)
        await self.picture()
        question = await self.hear(lambda m: bool(m.quick_replies))
        if self.me.rng.random() < 0.7:
            button = self.me.rng.choice((Button.LIKE, Button.LIKE, Button.DISLIKE))
            await self.phone.tap(self.me.name, question.mid, payload=button.value)
            await self.hear(lambda m: bool(m.text))

    async def photo_twice(self) -> None:
        await self.photo(self.me.colour)
        await self.photo(_other(self.me.colour))
        for _ in range(2):
            await self.picture()
            await self.hear(lambda m: bool(m.quick_replies))

    async def cancel(self) -> None:
        await self.photo(self.me.colour)
        await asyncio.sleep(self.me.rng.uniform(0, 1))
        regretted = next(iter(self.me.sent))
        self.me.taken_back.add(regretted)
        await self.phone.unsend(self.me.name, regretted)
        # Perhaps "I'm still working on your photo from before" comes first: this one is next then. Unless
        # the bot finds the first one gone before it hears why: then it asks for another.
        await self.photo(_other(self.me.colour))
        answer = await self.hear(lambda m: bool(m.pictures) or "send it once again" in m.text)
        if not answer.pictures:
            await self.photo(_other(self.me.colour))
            await self.picture()

    async def stop(self) -> None:
        await self.write("STOP")
        await self.hear(lambda m: "START" in m.text)
        await self.photo(self.me.colour)

    async def text_first(self) -> None:
        await self.write("Hm, how does this work?")
        await self.hear(lambda m: "HUMAN" in m.text)
        await self.photo_and_feedback()

    async def no_picture(self) -> None:
        await self.photo(None)
        await self.hear(lambda m: "couldn't open" in m.text)
        await self.photo_and_feedback()

    async def nobody_there(self) -> None:
        await self.photo(NOBODY)
        await self.hear(lambda m: "couldn't find a person" in m.text)

    async def another_try(self) -> None:
        await self.photo(self.me.colour)
        question = await self.hear(lambda m: bool(m.quick_replies))
        await self.phone.tap(self.me.name, question.mid, payload=Button.AGAIN.value)
        await self.hear(lambda m: "Send me one photo" in m.text)
        await self.photo(_other(self.me.colour))
        await self.picture()

    # What that takes

    async def comment(self, text: str) -> None:
        self.me.comments.append(await self.phone.comment(self.me.name, self.me.post, text))

    async def write(self, text: str) -> None:
        await self.phone.write(self.me.name, USERNAME, text)

    async def photo(self, colour: Colour | None) -> None:
        data = NOT_A_PICTURE if colour is None else plain_photo(colour)
        [message] = await self.phone.send_photo(self.me.name, USERNAME, data)
        self.me.sent[message.mid] = colour

    async def picture(self) -> Message:
        return await self.hear(lambda m: bool(m.pictures))

    async def hear(self, fits: Callable[[Message], bool]) -> Message:
        """The next message of the brand that fits. Raises NothingCame."""
        assert self.me.thread is not None
        heard = await self.phone.wait_for_message(
            self.me.thread,
            lambda m: m.from_brand and fits(m),
            self.me.patience,
            after=self.seq,
        )
        self.seq = heard.seq
        return heard


def _other(colour: Colour) -> Colour:
    """A colour nobody else has, for a second photo: outside the levels of the first ones."""
    red, green, blue = colour
    return red + 12, green + 12, blue + 12
