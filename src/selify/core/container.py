"""What a process opens once, and what its parts offer each other."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from selify.core.clock import Clock
from selify.core.database import Database
from selify.core.files.fetch import SafeFetcher
from selify.core.files.storage import Storage
from selify.core.secrets import SecretBox
from selify.core.settings import Settings
from selify.core.web.links import FileLinks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Container:
    """Opened by the composition root. A part that needs another asks for it by its type, which is a port
    of a wing that both know.
    """

    settings: Settings
    clock: Clock
    database: Database
    storage: Storage
    secrets: SecretBox
    links: FileLinks
    http: httpx.AsyncClient
    fetcher: SafeFetcher
    _offered: dict[type, list[Any]] = field(default_factory=dict)

    def offer(self, kind: type[T], thing: T) -> None:
        self._offered.setdefault(kind, []).append(thing)

    def every(self, kind: type[T]) -> list[T]:
        """All that is offered of a kind, in the order of the wings."""
        return [*self._offered.get(kind, ())]

    def one(self, kind: type[T]) -> T:
        """Raises LookupError where there is none, or a choice."""
        found = self.every(kind)
        if len(found) != 1:
            raise LookupError(f"{len(found)} parts offer a {kind.__name__}, and one was expected")
        return found[0]
