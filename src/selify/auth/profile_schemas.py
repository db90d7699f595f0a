"""The JSON of profiles. What somebody says of themselves ends on others' screens."""

from functools import cache
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from babel.core import get_global
from pydantic import AfterValidator, BaseModel, Field, model_validator

from selify.auth.profiles import OwnProfile, PublicProfile
from selify.auth.schemas import Input, Name
from selify.core.language import LANGUAGES, _
from selify.core.text import OneLine

_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"
_LONGEST_ADDRESS = 2000


def _web_address(text: str) -> str:
    """One that a link may lead to without harm."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme == "https" and parts.hostname and "." in parts.hostname
        odd = parts.username is not None or parts.port is not None
    except ValueError:
        usable, odd = False, True
    if not usable or odd or any(letter in text for letter in ' "<>\\'):
        raise ValueError(_("must be an address that begins with https://"))
    return text


def _zone(name: str) -> str:
    if name not in zones():
        raise ValueError(_("must be the name of a time zone, such as Europe/Berlin"))
    return name


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(_("must be a language that these pages speak"))
    return code


@cache
def zones() -> frozenset[str]:
    """The names of the IANA's time zones."""
    return frozenset({*get_global("zone_territories"), *get_global("zone_aliases"), "UTC"})


Username = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,28}[a-z0-9])?$")]
WebAddress = Annotated[
    OneLine, Field(min_length=1, max_length=_LONGEST_ADDRESS), AfterValidator(_web_address)
]
Zone = Annotated[OneLine, Field(max_length=64), AfterValidator(_zone)]
Language = Annotated[OneLine, Field(max_length=16), AfterValidator(_language)]


class ProfileInput(Input):
    """What is left out stays as it is; null removes it."""

    username: Username | None = Field(None, examples=["mira.holm"])
    full_name: Annotated[Name, Field(examples=["Mira Holm"])] | None = None
    avatar_url: WebAddress | None = Field(None, examples=["https://nordlicht.example/mira.png"])
    website: WebAddress | None = Field(None, examples=["https://nordlicht.example"])
    location: Annotated[OneLine, Field(min_length=1, max_length=120)] | None = Field(
        None, examples=["Kiel"]
    )
    language: Language | None = Field(None, examples=["de"])
    timezone: Zone | None = Field(None, examples=["Europe/Berlin"])

    @model_validator(mode="after")
    def _keeps_a_language(self) -> Self:
        if "language" in self.model_fields_set and self.language is None:
            raise ValueError(_("A language can be changed, and not removed."))
        return self

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class PublicProfileOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    username: str | None = Field(examples=["mira.holm"])
    full_name: str | None = Field(examples=["Mira Holm"])
    avatar_url: str | None = Field(examples=["https://nordlicht.example/mira.png"])

    @classmethod
    def of(cls, profile: PublicProfile) -> Self:
        return cls.model_validate(profile, from_attributes=True)


class OwnProfileOutput(PublicProfileOutput):
    """``email`` is changed elsewhere."""

    email: str | None = Field(examples=["mira@nordlicht.example"])
    website: str | None = Field(examples=["https://nordlicht.example"])
    location: str | None = Field(examples=["Kiel"])
    language: str | None = Field(examples=["de"])
    timezone: str | None = Field(examples=["Europe/Berlin"])

    @classmethod
    def of_mine(cls, profile: OwnProfile) -> Self:
        return cls(
            id=profile.id,
            username=profile.username,
            full_name=profile.full_name,
            avatar_url=profile.avatar_url,
            email=profile.email,
            website=profile.website,
            location=profile.location,
            language=profile.language,
            timezone=profile.timezone,
        )
