"""Which try-on engines are used, ours and others'."""

from pydantic import Field

from selify.core.settings import Settings, Words


class EngineSettings(Settings):
    tryon_engines: Words = Field(
        ("embedded",),
        description="Engines in order of preference: embedded, a vendor below by its name, or one of"
        " your own as package.module:factory.",
    )
