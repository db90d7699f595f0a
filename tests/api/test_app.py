"""What the composition root refuses to build, and how much its server takes in."""

import httpx
import pytest

from selify.app import create_server
from selify.core.settings import Settings, SettingsWrong


def test_a_server_for_the_world_has_a_secret_of_its_own() -> None:
    with pytest.raises(SettingsWrong, match="SELIFY_INSTAGRAM_APP_SECRET"):
        create_server(Settings(public_url="https://brand.example"))
    create_server(Settings(public_url="https://brand.example", instagram_app_secret="ours"))


@pytest.mark.parametrize(
    ("path", "megabytes", "refused"),
    [
        ("/api/v1/workspaces", 1, True),
        ("/api/v1/workspaces/0/members/0", 1, True),
        ("/api/v1/auth/sign-in", 1, True),
        ("/wardrobe/0/category", 1, True),
        ("/api/v1/workspaces/0/garments", 39, False),
        ("/api/v1/workspaces/0/garments", 41, True),
        ("/wardrobe", 39, False),
        ("/wardrobe", 41, True),
    ],
)
async def test_only_pictures_may_be_large(path: str, megabytes: int, refused: bool) -> None:
    """Told by the length alone: nothing is read, and nobody need be signed in for the refusal."""
    app = create_server(Settings())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        length = {"Content-Length": str(megabytes * 1024 * 1024)}
        answer = await client.post(path, content=b"", headers=length)
    assert (answer.status_code == 413) is refused
