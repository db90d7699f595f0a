"""Plugged in as the engine ``gemini``."""

from collections.abc import Mapping

from selify.core.container import Container
from selify.core.money import MicroUnits
from selify.core.settings import Settings
from selify.vendors.engines import HostedEngine, demanded
from selify.vendors.gemini.client import GeminiConfig, GeminiEngine
from selify.vendors.gemini.settings import GeminiSettings


def _models(settings: Settings) -> tuple[str, ...]:
    return settings.of(GeminiSettings).gemini_models


def _make(container: Container, prices: Mapping[str, MicroUnits]) -> GeminiEngine:
    settings = container.settings.of(GeminiSettings)
    config = GeminiConfig(
        api_key=demanded(settings.gemini_api_key, "GEMINI_API_KEY"),
        prices=prices,
        models=settings.gemini_models,
        base_url=settings.gemini_url,
    )
    return GeminiEngine(config, container.http)


WING = HostedEngine("gemini", _models, _make).wing
