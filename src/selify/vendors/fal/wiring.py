"""Plugged in as the engine ``fal``."""

from collections.abc import Mapping

from selify.core.container import Container
from selify.core.money import MicroUnits
from selify.core.settings import Settings
from selify.vendors.engines import HostedEngine, demanded, more_hosts
from selify.vendors.fal.client import FalConfig, FalEngine
from selify.vendors.fal.settings import FalSettings


def _models(settings: Settings) -> tuple[str, ...]:
    return (settings.of(FalSettings).fal_model,)


def _make(container: Container, prices: Mapping[str, MicroUnits]) -> FalEngine:
    settings = container.settings.of(FalSettings)
    config = FalConfig(
        api_key=demanded(settings.fal_api_key, "FAL_API_KEY"),
        price=prices[settings.fal_model],
        model=settings.fal_model,
        base_url=settings.fal_url,
        result_hosts=("fal.media", *more_hosts(settings)),
    )
    return FalEngine(config, container.http, container.fetcher)


WING = HostedEngine("fal", _models, _make).wing
