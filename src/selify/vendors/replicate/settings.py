"""What can be set about Replicate."""

from pydantic import Field, SecretStr

from selify.core.settings import Settings


class ReplicateSettings(Settings):
    replicate_api_key: SecretStr = Field(SecretStr(""), description="Key for Replicate.")
    replicate_url: str = Field("https://api.replicate.com", description="Base address.")
    replicate_model: str = Field(
        "google/nano-banana", description="`owner/name` or a version id on Replicate."
    )
