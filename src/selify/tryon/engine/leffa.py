"""What the embedded engine sees in a garment, in the words of ``leffa_metadata``."""

import asyncio
from datetime import UTC, datetime

from selify.commerce import DOUBTFUL, SHOWS_PERSON, LeffaMetadata, Readiness
from selify.commerce.ports import GarmentRead
from selify.core.errors import Invalid
from selify.core.language import _, sentences, stored
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.engine.reading import (
    ANALYZER_VERSION,
    GarmentReading,
    Limit,
    Misfit,
    NecklineShape,
    Pattern,
    SleeveLength,
    WornFault,
)
from selify.tryon.garment_pictures import open_garment
from selify.tryon.types import GarmentCategory, Picture, Refusal, RenderWarning

_SLEEVES = {
    SleeveLength.NONE: "sleeveless",
    SleeveLength.SHORT: "short",
    SleeveLength.LONG: "long",
}
_NECKLINES = {
    NecklineShape.HIGH: "high",
    NecklineShape.CREW: "crew",
    NecklineShape.SCOOP: "scoop",
    NecklineShape.V: "v-neck",
    # A boat neck lies on the shoulders: leffa has no word for it, and "off-shoulder" is another cut.
}
_LENGTHS = {"cropped": "crop", "long": "tunic", "midi": "midi", "maxi": "maxi"}
_FITS = {"slim": "fitted", "regular": "regular", "loose": "relaxed"}
_PATTERNS = {
    Pattern.PLAIN: "solid",
    Pattern.STRIPED: "stripes",
    Pattern.PRINTED: "graphic",
    # Dots, checks and flowers repeat; which of them it is, the outline reader cannot tell.
    Pattern.ALL_OVER: "graphic",
    Pattern.COLOUR_BLOCK: "graphic",
}
_WARNINGS = {
    RenderWarning.GARMENT_SHOWS_PERSON: SHOWS_PERSON,
    RenderWarning.GARMENT_BACKGROUND_UNCERTAIN: _(
        "The background is busy: a picture on a plain background gives better try-ons."
    ),
    RenderWarning.LOW_RESOLUTION: _("The picture is small: a larger one gives sharper try-ons."),
}


_LIMITS = {
    Limit.WORN: _(
        "It is cut out of a picture in which somebody wears it: a picture of it alone gives better try-ons."
    ),
    Limit.BUSY_BACKGROUND: _WARNINGS[RenderWarning.GARMENT_BACKGROUND_UNCERTAIN],
    Limit.LOW_RESOLUTION: _WARNINGS[RenderWarning.LOW_RESOLUTION],
    Limit.CUT_OFF: _("The picture ends before the garment does: show all of it."),
    Limit.FAINT_OUTLINE: _(
        "The garment has nearly the colour of its background: lay it on a darker or lighter one."
    ),
    Limit.UNEVEN_OUTLINE: _(
        "Its left and right halves differ: lay it straight and flat, with nothing folded over."
    ),
    Limit.DOUBTFUL_OUTLINE: _(
        "It is not clear where the garment ends: lay it alone on a plain ground of another colour."
    ),
    Limit.PARTS_UNCLEAR: _(
        "Its sleeves cannot be told from its body: lay them out to the sides, and nothing folded over."
    ),
    Limit.ASLANT: _("It lies aslant: lay it so that it hangs straight down in the picture."),
    Limit.ON_HANGER: _(
        "Its hanger and the inside of its waist are in the picture: lay it flat, seen from the front."
    ),
    Limit.FOLDED: _("It is folded in its picture: lay its legs straight down, side by side."),
    Limit.LINING_SHOWS: _(
        "It is open in its picture and shows its lining, which is then worn like a front: close it for the picture."
    ),
}
_MISFITS = {
    Misfit.TEXTURE: (
        _("No outline of a garment can be made out in this picture."),
        _("Show the whole piece, laid flat on a plain background."),
    ),
}
_ALONE = _("Or take a picture of the piece alone, laid flat or on a hanger.")
_WORN = {
    WornFault.TURNED: (
        _("Whoever wears the garment in this picture does not stand straight to the camera."),
        sentences(_("Take the picture from the front, both shoulders in view."), _ALONE),
    ),
    WornFault.ARMS: (
        _("An arm is raised, or lies across the garment."),
        sentences(_("Let both arms hang, a little away from the body."), _ALONE),
    ),
    WornFault.CUT_OFF: (
        _("The picture ends before the garment does."),
        sentences(_("Show all of it, with its hem and both sleeves."), _ALONE),
    ),
    WornFault.COVERED: (
        _("Hair, hands or other clothes cover too much of the garment."),
        sentences(_("Let nothing lie over it, from the top to the hem."), _ALONE),
    ),
    WornFault.PIECES: (
        _("The piece you chose cannot be told from what is worn with it."),
        sentences(_("Check whether it is a top, a dress or a bottom."), _ALONE),
    ),
    WornFault.SEVERAL: (
        _("Several people are in this picture."),
        sentences(_("Show the garment on one person only."), _ALONE),
    ),
    WornFault.UNCLEAR: (
        _("Somebody wears the garment in this picture, and it cannot be told from them."),
        _("Take a picture of the piece alone, laid flat or on a hanger."),
    ),
}
_NAMED = {
    GarmentCategory.TOP: _("a top"),
    GarmentCategory.DRESS: _("a dress"),
    GarmentCategory.BOTTOM: _("a bottom"),
}
_SEEN = {
    GarmentCategory.TOP: _("a top or a dress"),
    GarmentCategory.BOTTOM: _("trousers"),
}


class GarmentUnreadable(Invalid):
    """No garment can be made out."""

    code = "garment_unreadable"
    title = _("We could not find a garment in this picture")


class EmbeddedGarmentReader:
    """The wardrobe's reader (commerce.ports), by the embedded engine."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine

    async def __call__(self, picture: Picture, category: str | None) -> GarmentRead:
        """``category``: a leffa category, or None to guess. Raises GarmentUnreadable."""
        known = GarmentCategory.from_leffa(category) if category else None
        # What is read is the very picture that try-ons will come with: the engine then knows it.
        worn = await asyncio.to_thread(open_garment, picture.data)
        read = await self._engine.read_garment(worn, known)
        if isinstance(read, Refusal):
            raise _unreadable(read)
        return GarmentRead(as_leffa(read.reading), read.file)


def _unreadable(refusal: Refusal) -> GarmentUnreadable:
    reason = refusal.details.get("reason")
    if reason == Misfit.CATEGORY:
        named, seen = (GarmentCategory(str(refusal.details[key])) for key in ("named", "seen"))
        return GarmentUnreadable(
            _(
                "You chose %(named)s, but the picture shows %(seen)s.",
                named=_NAMED[named],
                seen=_SEEN[seen],
            ),
            hint=_("Choose what it is once more, or let us read it from the picture."),
        )
    if reason == Misfit.WORN:
        sentence, hint = _WORN[WornFault(str(refusal.details.get("fault", WornFault.UNCLEAR)))]
        return GarmentUnreadable(sentence, hint=hint)
    if reason in _MISFITS:
        sentence, hint = _MISFITS[Misfit(reason)]
        return GarmentUnreadable(sentence, hint=hint)
    return GarmentUnreadable(stored(refusal.sentence), hint=stored(refusal.hint))


def as_leffa(reading: GarmentReading) -> LeffaMetadata:
    """A category that somebody named is certain; a guessed one is as sure as the guess. What shows
    a person wants a look in any case.
    """
    sure = reading.confidence if reading.category_guessed else 1.0
    if RenderWarning.GARMENT_SHOWS_PERSON in reading.warnings:
        sure = min(sure, DOUBTFUL)
    bottom = reading.category is GarmentCategory.BOTTOM
    fields = {
        "leffa_category": reading.category.leffa,
        "category_confidence": sure,
        "sleeve_type": _SLEEVES.get(reading.sleeve) if reading.sleeve else None,
        "neckline": _NECKLINES.get(reading.neckline) if reading.neckline else None,
        "length": None if bottom else _LENGTHS.get(reading.length, "regular"),
        "fit": _FITS.get(reading.fit),
        "has_print": reading.pattern is Pattern.PRINTED,
        "has_pattern": reading.pattern is not Pattern.PLAIN,
        "pattern_type": _PATTERNS[reading.pattern],
        "warnings": [_WARNINGS.get(warning, warning.value) for warning in reading.warnings],
        "readiness": readiness_of(reading),
        "recommended_body_visible": _visible(reading.category),
        "colours": [{"name": c.name, "hex": c.hex, "share": c.share} for c in reading.colours],
        "analyzed_at": datetime.now(UTC),
        "analyzer_version": ANALYZER_VERSION,
    }
    return LeffaMetadata.model_validate(fields)


def readiness_of(reading: GarmentReading) -> Readiness:
    state = "unfit" if reading.unfit else "limited" if reading.limits else "ready"
    return Readiness.model_validate(
        {"state": state, "reasons": [_LIMITS[limit] for limit in reading.limits]}
    )


def _visible(category: GarmentCategory) -> str:
    return {"top": "upper", "dress": "full", "bottom": "lower"}[category.value]
