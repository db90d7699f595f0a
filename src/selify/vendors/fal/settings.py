"""What can be set about fal."""

from pydantic import Field, SecretStr

from selify.core.settings import Settings


class FalSettings(Settings):
    fal_api_key: SecretStr = Field(SecretStr(""), description="Key for fal.")
    fal_url: str = Field("https://queue.fal.run", description="Base address of fal's queue.")
    fal_model: str = Field("fal-ai/leffa/virtual-tryon", description="fal's try-on model.")
