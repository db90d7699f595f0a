"""What can be set about signing in."""

from pydantic import Field

from selify.core.settings import Settings


class AuthSettings(Settings):
    session_hours: int = Field(24 * 14, ge=1, description="How long a sign-in lasts, in hours.")
