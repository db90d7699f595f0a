"""A paid engine behind the embedded check: what is wrong with a photo is said before anybody is paid.

The quality gate reads the photo as the check does, so a picture made of a photo that the check
refuses could not be measured, and would not be sent.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from selify.tryon.ports import EngineUnavailable, TryOnEngine
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    Refusal,
    Rendering,
    RenderOptions,
    RenderWarning,
)

# Person, garment, category. What a shopper should be told with the picture, or why there is none.
Check = Callable[
    [Picture, Picture, GarmentCategory], Awaitable[tuple[RenderWarning, ...] | Refusal]
]


class CheckedEngine:
    """Implements ``TryOnEngine``, by the name of the engine inside."""

    def __init__(self, engine: TryOnEngine, check: Check) -> None:
        self.name = engine.name
        self._engine = engine
        self._check = check

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        """Raises EngineUnavailable too when the check cannot be made: then nothing was spent."""
        try:
            found = await self._check(person, garment, options.category)
        except EngineUnavailable as error:
            reason = f"the photo cannot be checked first: {error.reason}"
            raise EngineUnavailable(self.name, reason, error.retry_after) from error
        if isinstance(found, Refusal):
            return found
        result = await self._engine.render(person, garment, options)
        if isinstance(result, Refusal):
            return result
        return replace(result, warnings=tuple(dict.fromkeys((*result.warnings, *found))))
