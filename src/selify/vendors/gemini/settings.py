"""What can be set about Gemini."""

from pydantic import Field, SecretStr

from selify.core.settings import Settings, Words


class GeminiSettings(Settings):
    gemini_api_key: SecretStr = Field(SecretStr(""), description="Key for Gemini image.")
    gemini_url: str = Field(
        "https://generativelanguage.googleapis.com", description="Base address of Gemini."
    )
    gemini_models: Words = Field(
        ("gemini-3.1-flash-image", "gemini-3-pro-image"),
        description="Image models in order; the next is used when one is retired.",
    )
