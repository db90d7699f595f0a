"""What the composition root refuses to build."""

import pytest

from selify.app import create_server
from selify.core.settings import Settings, SettingsWrong


def test_a_server_for_the_world_has_a_secret_of_its_own() -> None:
    with pytest.raises(SettingsWrong, match="SELIFY_INSTAGRAM_APP_SECRET"):
        create_server(Settings(public_url="https://brand.example"))
    create_server(Settings(public_url="https://brand.example", instagram_app_secret="ours"))
