"""What can be set about signing in."""

import re

from pydantic import Field, field_validator

from selify.core.settings import Settings, Words

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII | re.IGNORECASE)


class AuthSettings(Settings):
    session_hours: int = Field(24 * 14, ge=1, description="How long a sign-in lasts, in hours.")
    sign_in_hosts: Words = Field(
        (),
        description="Other hosts of yours, by name (`vr.brand.example`), to which a sign-in may lead back.",
    )

    @field_validator("sign_in_hosts")
    @classmethod
    def _names_of_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a host, such as vr.brand.example")
        return tuple(name.lower() for name in value)
