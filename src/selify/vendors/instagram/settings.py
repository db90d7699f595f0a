"""What can be set about our Instagram app."""

from typing import Annotated, Final

from pydantic import Field, SecretStr

from selify.core.settings import SECRET, BaseUrl, HostsAndPorts, Settings, SettingsWrong, Words

DEMO_SECRET: Final = SecretStr("selify-demo-secret")


class InstagramSettings(Settings):
    instagram_app_id: str = Field("selify-demo-app", description="The Instagram app id.")
    instagram_app_secret: SecretStr = Field(
        DEMO_SECRET, description="The Instagram app secret; signs webhooks."
    )
    instagram_previous_secrets: Annotated[Words, SECRET] = Field(
        (), description="Earlier app secrets that may still sign webhooks, while rotating."
    )
    instagram_verify_token: SecretStr = Field(
        SecretStr("selify-demo-verify"), description="The word of the webhook handshake."
    )
    instagram_www_url: BaseUrl = Field(
        "https://www.instagram.com", description="Base address of the consent page."
    )
    instagram_api_url: BaseUrl = Field(
        "https://api.instagram.com", description="Base address of the token endpoint."
    )
    instagram_graph_url: BaseUrl = Field(
        "https://graph.instagram.com", description="Base address of the Graph API."
    )
    instagram_version: str = Field("v26.0", description="Graph API version.")
    instagram_media_hosts: HostsAndPorts = Field(
        (), description="Further `host:port` from which shoppers' photos may be fetched."
    )

    def check_exposed(self) -> None:
        """Whoever knows the demo's secret can forge events, and have accounts deleted."""
        if self.instagram_app_secret == DEMO_SECRET:
            raise SettingsWrong(
                "SELIFY_INSTAGRAM_APP_SECRET is still the demo's, which everybody knows.",
                hint="Set it to your app's secret; while there is no app, to anything secret.",
            )
