"""What the composition root builds, and what it refuses to build."""

import contextlib
from pathlib import Path

import pytest

from selify import billing
from selify.ai.tryon.checked import CheckedEngine
from selify.app import _engine_prices, create_server, embedded_engine, open_house, tryon_engines
from selify.core.database import Actor
from selify.core.money import MicroUnits
from selify.core.settings import Settings, SettingsWrong


def test_a_server_for_the_world_has_a_secret_of_its_own() -> None:
    with pytest.raises(SettingsWrong, match="SELIFY_INSTAGRAM_APP_SECRET"):
        create_server(Settings(public_url="https://brand.example"))
    create_server(Settings(public_url="https://brand.example", instagram_app_secret="ours"))


async def test_whom_we_pay_is_asked_after_the_check_and_at_each_model_s_price(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=database_url,
        data_dir=tmp_path,
        tryon_engines=("gemini", "embedded", "tests.infra.engines:instant"),
        gemini_api_key="key",
        gemini_models=("gemini-3.1-flash-image", "gemini-3-pro-image", "some-other-model"),
    )
    async with (
        open_house(settings) as house,
        contextlib.aclosing(embedded_engine()) as embedded,
    ):
        async with house.database.tx(Actor.system("test")) as tx:
            await billing.seed(tx)
        hosted, ours, own = await tryon_engines(house, embedded)
        prices = await _engine_prices(house)
    assert isinstance(hosted, CheckedEngine)
    assert (hosted.name, ours, own.name) == ("gemini", embedded, "instant")
    assert prices["gemini"] == {
        "gemini-3.1-flash-image": MicroUnits(6_830),
        "gemini-3-pro-image": MicroUnits(13_400),
        "some-other-model": MicroUnits(13_400),
    }
    assert set(prices["fal"].values()) == {MicroUnits(0)}, "not in use"
