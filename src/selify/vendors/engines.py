"""The try-on engines there are, by their names in SELIFY_TRYON_ENGINES, and those that were chosen."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from selify import billing
from selify.core.container import Container
from selify.core.database import Actor
from selify.core.money import MicroUnits
from selify.core.settings import SettingsWrong
from selify.core.wiring import Wing
from selify.tryon import own_engine
from selify.tryon.checked import CheckedEngine
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.ports import EngineChooser, TryOnEngine
from selify.tryon.settings import TryOnSettings
from selify.vendors.fal.client import FalConfig, FalEngine
from selify.vendors.fal.settings import FalSettings
from selify.vendors.gemini.client import GeminiConfig, GeminiEngine
from selify.vendors.gemini.settings import GeminiSettings
from selify.vendors.replicate.client import ReplicateConfig, ReplicateEngine
from selify.vendors.replicate.settings import ReplicateSettings
from selify.vendors.settings import EngineSettings

ACTOR = Actor.system("price book")
PAID_ENGINES = (GeminiEngine, FalEngine, ReplicateEngine)


@dataclass(frozen=True, slots=True)
class Engines:
    """``tryon.ports.EngineChooser``."""

    container: Container

    async def choose(self, embedded: EmbeddedEngine) -> list[TryOnEngine]:
        return await chosen(self.container, embedded)


@asynccontextmanager
async def _open(container: Container) -> AsyncIterator[None]:
    container.offer(EngineChooser, Engines(container))
    yield


WING = Wing(name="engines", opens=_open)


async def chosen(place: Container, embedded: EmbeddedEngine) -> list[TryOnEngine]:
    """The engines of SELIFY_TRYON_ENGINES, in their order. Raises SettingsWrong."""
    wanted = place.settings.of(EngineSettings).tryon_engines
    makers = _engine_makers(place, embedded, await _engine_prices(place))
    unknown = {name for name in wanted if not own_engine.is_own(name)} - set(makers)
    if unknown or not wanted:
        raise SettingsWrong(
            f"SELIFY_TRYON_ENGINES: {', '.join(sorted(unknown)) or 'nothing'} is no engine we know.",
            hint=f"Choose from: {', '.join(makers)}, or one of your own as package.module:factory.",
        )
    engines = (
        own_engine.make(name, place.settings) if own_engine.is_own(name) else makers[name]()
        for name in wanted
    )
    # Whom we pay is asked only for what passes the embedded check.
    return [
        CheckedEngine(engine, embedded.check) if isinstance(engine, PAID_ENGINES) else engine
        for engine in engines
    ]


def _engine_makers(
    place: Container, embedded: EmbeddedEngine, prices: Mapping[str, Mapping[str, MicroUnits]]
) -> dict[str, Callable[[], TryOnEngine]]:
    """Every engine we know, by its name in SELIFY_TRYON_ENGINES. Making one demands its key."""
    gemini = place.settings.of(GeminiSettings)
    fal = place.settings.of(FalSettings)
    replicate = place.settings.of(ReplicateSettings)
    more_hosts = _host_names(place.settings.of(TryOnSettings).tryon_media_hosts)
    return {
        "embedded": lambda: embedded,
        "gemini": lambda: GeminiEngine(
            GeminiConfig(
                api_key=_demanded(gemini.gemini_api_key.get_secret_value(), "GEMINI_API_KEY"),
                prices=prices["gemini"],
                models=gemini.gemini_models,
                base_url=gemini.gemini_url,
            ),
            place.http,
        ),
        "fal": lambda: FalEngine(
            FalConfig(
                api_key=_demanded(fal.fal_api_key.get_secret_value(), "FAL_API_KEY"),
                price=prices["fal"][fal.fal_model],
                model=fal.fal_model,
                base_url=fal.fal_url,
                result_hosts=("fal.media", *more_hosts),
            ),
            place.http,
            place.fetcher,
        ),
        "replicate": lambda: ReplicateEngine(
            ReplicateConfig(
                api_key=_demanded(
                    replicate.replicate_api_key.get_secret_value(), "REPLICATE_API_KEY"
                ),
                price=prices["replicate"][replicate.replicate_model],
                model=replicate.replicate_model,
                base_url=replicate.replicate_url,
                result_hosts=("replicate.delivery", *more_hosts),
            ),
            place.http,
            place.fetcher,
        ),
    }


async def _engine_prices(place: Container) -> dict[str, dict[str, MicroUnits]]:
    """What a picture costs by each model of each hosted engine, from the price book as it is when
    the worker starts; an engine that is not in use costs nothing.
    """
    settings, now = place.settings, place.clock.now()
    models: dict[str, tuple[str, ...]] = {
        "gemini": settings.of(GeminiSettings).gemini_models,
        "fal": (settings.of(FalSettings).fal_model,),
        "replicate": (settings.of(ReplicateSettings).replicate_model,),
    }
    prices = {name: dict.fromkeys(those, MicroUnits.zero()) for name, those in models.items()}
    async with place.database.tx(ACTOR) as tx:
        for name in models.keys() & set(settings.of(EngineSettings).tryon_engines):
            for model in models[name]:
                prices[name][model] = await billing.provider_cost(tx, name, model, now)
    return prices


def _demanded(value: str, name: str) -> str:
    if not value:
        raise SettingsWrong(
            f"SELIFY_{name} is not set.",
            hint="Set it, or take the engine out of SELIFY_TRYON_ENGINES.",
        )
    return value


def _host_names(entries: Sequence[str]) -> list[str]:
    return [entry.rpartition(":")[0] or entry for entry in entries]
