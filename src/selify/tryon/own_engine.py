"""Engines of your own: an entry ``package.module:factory`` in SELIFY_TRYON_ENGINES.

The factory takes the settings and gives a ``TryOnEngine`` (``selify.tryon.ports``). Its pictures go
through the same quality gate as a hosted engine's, unless it brings scores of its own.
"""

from collections.abc import Callable
from importlib import import_module

from selify.core.settings import Settings, SettingsWrong
from selify.tryon.ports import TryOnEngine

Factory = Callable[[Settings], TryOnEngine]


def is_own(entry: str) -> bool:
    """Whether an entry names a factory rather than one of our engines."""
    return ":" in entry


def make(entry: str, settings: Settings) -> TryOnEngine:
    """The engine behind ``package.module:factory``. Raises SettingsWrong when there is none."""
    module_name, _, factory_name = entry.partition(":")
    try:
        factory: Factory = getattr(import_module(module_name), factory_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsWrong(
            f"SELIFY_TRYON_ENGINES: {entry} cannot be loaded ({error}).",
            hint="Write package.module:factory; the package must be importable (see PYTHONPATH).",
        ) from error
    return factory(settings)
