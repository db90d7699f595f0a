"""Plugged in as the engine ``replicate``."""

from collections.abc import Mapping

from selify.core.container import Container
from selify.core.money import MicroUnits
from selify.core.settings import Settings
from selify.vendors.engines import HostedEngine, demanded, more_hosts
from selify.vendors.replicate.client import ReplicateConfig, ReplicateEngine
from selify.vendors.replicate.settings import ReplicateSettings


def _models(settings: Settings) -> tuple[str, ...]:
    return (settings.of(ReplicateSettings).replicate_model,)


def _make(container: Container, prices: Mapping[str, MicroUnits]) -> ReplicateEngine:
    settings = container.settings.of(ReplicateSettings)
    config = ReplicateConfig(
        api_key=demanded(settings.replicate_api_key, "REPLICATE_API_KEY"),
        price=prices[settings.replicate_model],
        model=settings.replicate_model,
        base_url=settings.replicate_url,
        result_hosts=("replicate.delivery", *more_hosts(settings)),
    )
    return ReplicateEngine(config, container.http, container.fetcher)


WING = HostedEngine("replicate", _models, _make).wing
