"""What can be set about the toy."""

from pydantic import Field

from selify.core.settings import Settings


class ToySettings(Settings):
    toy_colour: str = Field("red", description="Colour of the first block.")
