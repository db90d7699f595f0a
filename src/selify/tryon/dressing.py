"""One picture of one garment, or of two: the bottom on the photo, then the top on that picture.

In this order, for a top hangs over the waistband. Each step passes the quality gate as a try-on of its own
would. Nothing is kept in between: whoever is interrupted begins again, and makes the same picture.
"""

from dataclasses import dataclass, replace

from selify.tryon.engine.refusals import refusal
from selify.tryon.routing import Attempt, NoEngineAvailable, Routed, TryOnRouter
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    ReadPicture,
    Refusal,
    RefusalCode,
    Rendering,
    RenderOptions,
)


@dataclass(frozen=True, slots=True)
class Wearable:
    """A garment whose picture is at hand."""

    picture: ReadPicture
    category: GarmentCategory


@dataclass(frozen=True, slots=True)
class Dressed:
    """``routed``: the picture, or why there is none, with all attempts for every garment.
    ``left_out``: why the second garment is not in the picture; None where it is or none was wanted.
    """

    routed: Routed
    left_out: Refusal | None = None


async def dress(
    router: TryOnRouter, photo: Picture, main: Wearable, second: Wearable | Refusal | None = None
) -> Dressed:
    """The main garment, and with it the second one where that can be. Without the main one there is no picture.

    ``second``: a top to a bottom or a bottom to a top, or why it cannot be worn. Raises
    ``NoEngineAvailable`` like the router, but not once an attempt for either has cost something.
    """
    if not isinstance(second, Wearable):
        routed = await router.render(photo, main.picture, RenderOptions(main.category))
        return Dressed(routed, second)
    return await _Outfit(router, photo, main, second).dressed()


class _Outfit:
    """Two garments on their way onto one photo."""

    def __init__(
        self, router: TryOnRouter, photo: Picture, main: Wearable, second: Wearable
    ) -> None:
        self._router = router
        self._photo = photo
        self._main = main
        self._second = second
        self._attempts: list[Attempt] = []

    async def dressed(self) -> Dressed:
        if self._main.category is GarmentCategory.BOTTOM:
            return await self._main_below()
        return await self._main_above()

    async def _main_below(self) -> Dressed:
        under = await self._wear(self._main, self._photo)
        if isinstance(under, Refusal):
            return self._end(under)
        both = await self._wear(self._second, under.picture)
        if isinstance(both, Refusal):
            return self._end(under, left_out=both)
        return self._end(_over(under, both))

    async def _main_above(self) -> Dressed:
        under = await self._wear(self._second, self._photo)
        if isinstance(under, Refusal):
            return await self._main_alone(under, left_out=under)
        both = await self._wear(self._main, under.picture)
        if isinstance(both, Refusal):
            # On the photo as it came it may do. What would help was said of another picture.
            unknown = refusal(RefusalCode.QUALITY_TOO_LOW)
            return await self._main_alone(both, left_out=unknown)
        return self._end(_over(under, both))

    async def _main_alone(self, refused: Refusal, *, left_out: Refusal) -> Dressed:
        """Unless it was the photo's content that was refused: that is not asked again (``routing``)."""
        if refused.code is RefusalCode.CONTENT_REFUSED:
            return self._end(refused)
        return self._end(await self._wear(self._main, self._photo), left_out=left_out)

    async def _wear(self, piece: Wearable, on: Picture) -> Rendering | Refusal:
        try:
            routed = await self._router.render(on, piece.picture, RenderOptions(piece.category))
        except NoEngineAvailable as error:
            if not self._routed(refusal(RefusalCode.TIMED_OUT)).cost:
                raise
            # Whoever began again would pay for the other garment again, without end.
            routed = Routed(refusal(RefusalCode.TIMED_OUT), error.attempts)
        name = piece.category.value
        self._attempts += [replace(attempt, piece=name) for attempt in routed.attempts]
        return routed.result

    def _end(self, result: Rendering | Refusal, *, left_out: Refusal | None = None) -> Dressed:
        return Dressed(self._routed(result), left_out)

    def _routed(self, result: Rendering | Refusal) -> Routed:
        return Routed(result, tuple(self._attempts))


def _over(under: Rendering, both: Rendering) -> Rendering:
    """The picture with both, and what was to be said of either."""
    return replace(
        both,
        seconds=under.seconds + both.seconds,
        cost=under.cost + both.cost,
        warnings=tuple(dict.fromkeys((*under.warnings, *both.warnings))),
        garment_files={**under.garment_files, **both.garment_files},
    )
