"""Request bodies of ``/sandbox/api``. Ids and usernames are interchangeable everywhere."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Username = Annotated[str, Field(pattern=r"^[a-z0-9._]{1,30}$")]


class Input(BaseModel):
    """A request body; unknown members are mistakes."""

    model_config = ConfigDict(extra="forbid")


class NewAccount(Input):
    """A brand's professional account."""

    username: Username
    name: str = ""
    biography: str = ""
    followers: int = Field(0, ge=0)


class NewShopper(Input):
    """A person with a phone."""

    username: Username
    name: str = ""
    follows: list[str] = []


class NewComment(Input):
    """A comment under a post, or under another comment."""

    post: str
    text: str = Field(min_length=1, max_length=2200)
    parent: str | None = None


class NewMessage(Input):
    """A text message; ``ref`` marks one that started from an advertisement."""

    account: str
    text: str = Field(min_length=1, max_length=1000)
    reply_to: str = ""
    ref: str = ""


class Tap(Input):
    """Which chip or button of which message."""

    mid: str
    payload: str = ""
    title: str = ""


class Reaction(Input):
    """An emoji, or nothing to take it back."""

    mid: str
    emoji: str = Field("❤️", max_length=16)


class Edit(Input):
    """A message's new text."""

    mid: str
    text: str = Field(min_length=1, max_length=1000)


class OneMessage(Input):
    """A message."""

    mid: str


class OneAccount(Input):
    """An account."""

    account: str


class Relation(Input):
    """Follow, block; what is left out stays."""

    account: str
    follows: bool | None = None
    blocked: bool | None = None


class Like(Input):
    """Like a post or take it back."""

    post: str
    on: bool = True


class Share(Input):
    """Send a post into the conversation with an account."""

    account: str
    post: str


class StoryReply(Input):
    """Answer an account's story."""

    account: str
    post: str
    text: str = Field(min_length=1, max_length=1000)


class Link(Input):
    """Come by an ig.me link."""

    account: str
    ref: str = Field(max_length=1000)


class IceBreaker(Input):
    """Tap one of the account's ice breakers."""

    account: str
    payload: str


class OwnerMessage(Input):
    """A person of the brand types in the app itself."""

    shopper: str
    text: str = Field(min_length=1, max_length=1000)


class OwnerComment(Input):
    """The account comments under its own post in the app itself."""

    post: str
    text: str = Field(min_length=1, max_length=2200)
    parent: str | None = None


class Age(Input):
    """Days."""

    days: float = Field(gt=0, le=400)


class RateLimit(Input):
    """An error code of the rate-limit family and how long it lasts; 0 seconds lifts it."""

    code: Literal[4, 17, 32, 613, 80001, 80002, 80006] = 80002
    seconds: float = Field(60, ge=0, le=86_400)


class AccountTrouble(Input):
    """What happens to an account; ``subcode`` belongs to revoke, ``hours`` to age_token."""

    action: Literal[
        "expire_token",
        "revoke_token",
        "age_token",
        "disable_messages",
        "enable_messages",
        "restrict",
        "lift_restriction",
        "ban",
        "lift_ban",
        "unsubscribe",
        "deauthorize",
        "request_deletion",
    ]
    subcode: Literal[458, 459, 460, 464, 467, 492] = 460
    hours: float = Field(25, gt=0, le=10_000)
