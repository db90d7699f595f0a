"""The try-on engines there are, by their names in SELIFY_TRYON_ENGINES, and those that were chosen."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from selify import billing
from selify.core.container import Container
from selify.core.database import Actor
from selify.core.money import MicroUnits
from selify.core.settings import Settings, SettingsWrong
from selify.core.wiring import Wing
from selify.tryon import own_engine
from selify.tryon.checked import CheckedEngine
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.ports import EngineChooser, TryOnEngine
from selify.tryon.settings import TryOnSettings
from selify.vendors.settings import EngineSettings

ACTOR = Actor.system("price book")
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class HostedEngine:
    """One that a vendor brings. ``models``: what the price book knows it by, as it is set up. ``make`` gets what
    a picture costs by each of them, and demands its key (``demanded``).
    """

    name: str
    models: Callable[[Settings], Sequence[str]]
    make: Callable[[Container, Mapping[str, MicroUnits]], TryOnEngine]

    @property
    def wing(self) -> Wing:
        @asynccontextmanager
        async def offered(container: Container) -> AsyncIterator[None]:
            container.offer(HostedEngine, self)
            yield

        return Wing(name=self.name, opens=offered)


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
    hosted = {engine.name: engine for engine in place.every(HostedEngine)}
    known = [EMBEDDED, *hosted]
    unknown = {name for name in wanted if not own_engine.is_own(name)} - set(known)
    if unknown or not wanted:
        raise SettingsWrong(
            f"SELIFY_TRYON_ENGINES: {', '.join(sorted(unknown)) or 'nothing'} is no engine we know.",
            hint=f"Choose from: {', '.join(known)}, or one of your own as package.module:factory.",
        )
    prices = await _engine_prices(place)
    engines: list[TryOnEngine] = []
    for name in wanted:
        if own_engine.is_own(name):
            engines.append(own_engine.make(name, place.settings))
        elif name == EMBEDDED:
            engines.append(embedded)
        else:
            # Whom we pay is asked only for what passes the embedded check.
            made = hosted[name].make(place, prices[name])
            engines.append(CheckedEngine(made, embedded.check))
    return engines


async def _engine_prices(place: Container) -> dict[str, dict[str, MicroUnits]]:
    """What a picture costs by each model of each hosted engine, from the price book as it is when
    the worker starts; an engine that is not in use costs nothing.
    """
    settings, now = place.settings, place.clock.now()
    models = {engine.name: engine.models(settings) for engine in place.every(HostedEngine)}
    prices = {name: dict.fromkeys(those, MicroUnits.zero()) for name, those in models.items()}
    async with place.database.tx(ACTOR) as tx:
        for name in models.keys() & set(settings.of(EngineSettings).tryon_engines):
            for model in models[name]:
                prices[name][model] = await billing.provider_cost(tx, name, model, now)
    return prices


def demanded(value: SecretStr, name: str) -> str:
    """A key without which an engine cannot be used. Raises SettingsWrong."""
    if not value.get_secret_value():
        raise SettingsWrong(
            f"SELIFY_{name} is not set.",
            hint="Set it, or take the engine out of SELIFY_TRYON_ENGINES.",
        )
    return value.get_secret_value()


def more_hosts(settings: Settings) -> list[str]:
    """From where else the picture that an engine made may be fetched."""
    entries = settings.of(TryOnSettings).tryon_media_hosts
    return [entry.rpartition(":")[0] or entry for entry in entries]
