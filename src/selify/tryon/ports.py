"""What the try-on needs from outside: something that can dress a person."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from selify.core.money import MicroUnits
from selify.tryon.types import Picture, Refusal, Rendering, RenderOptions

if TYPE_CHECKING:
    from selify.tryon.engine.engine import EmbeddedEngine


class EngineUnavailable(Exception):
    """The engine cannot answer now (network, quota, time-out): try the next one, or later.

    ``retry_after`` is in seconds where the provider said so; ``cost`` is what the provider charges
    all the same, for a picture that was made and lost.
    """

    def __init__(
        self,
        engine: str,
        reason: str,
        retry_after: float | None = None,
        cost: MicroUnits | None = None,
    ) -> None:
        super().__init__(f"{engine}: {reason}")
        self.engine = engine
        self.reason = reason
        self.retry_after = retry_after
        self.cost = cost or MicroUnits.zero()


class EngineChooser(Protocol):
    """Knows all engines by name, and which were chosen in what order."""

    async def choose(self, embedded: "EmbeddedEngine") -> "Sequence[TryOnEngine]":
        """Raises SettingsWrong."""


class TryOnEngine(Protocol):
    """Dresses the person in the garment, or refuses with a reason. Raises EngineUnavailable."""

    name: str

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal: ...
