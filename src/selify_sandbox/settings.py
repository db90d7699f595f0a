"""What can be set about the demo, beside what can be set about the product."""

from pydantic import Field

from selify.core.settings import Settings


class DemoSettings(Settings):
    phone_port: int = Field(
        8701, ge=1, le=65535, description="Port of the shopper's phone, in the demo."
    )
