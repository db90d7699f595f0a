"""Why nobody can be dressed, in words for the shopper."""

from selify.core.files import formats
from selify.core.language import _, sentences
from selify.tryon.types import Refusal, RefusalCode

_FRONT = _("A photo from the front, head to hips in view, in good light, works best.")

_WORDS: dict[RefusalCode, tuple[str, str]] = {
    RefusalCode.PERSON_NOT_FOUND: (_("We could not find a person in this photo."), _FRONT),
    RefusalCode.PERSON_FACING_AWAY: (
        _("We cannot see a person who faces the camera in this photo."),
        sentences(_("Please send a photo in which you look at the camera."), _FRONT),
    ),
    RefusalCode.PERSON_TURNED: (
        _("You are standing sideways in this photo."),
        _("Please face the camera with both shoulders in view."),
    ),
    RefusalCode.PERSON_TOO_SMALL: (
        _("You are too far away in this photo."),
        _("Please step closer, or send the photo without cropping it down."),
    ),
    RefusalCode.PERSON_CROPPED: (
        _("Too little of you is in the picture."),
        _("Please step back a little: head, shoulders and hips should be in view."),
    ),
    RefusalCode.PHOTO_SIDEWAYS: (
        _("This photo seems to lie on its side or upside down."),
        _("Please turn it upright and send it again."),
    ),
    RefusalCode.PHOTO_BLURRED: (
        _("This photo is too blurred to work with."),
        _("Please hold the camera still and try again in good light."),
    ),
    RefusalCode.GARMENT_NOT_FOUND: (
        _("The garment cannot be told from its background."),
        _("A picture of the garment laid flat on a plain background works best."),
    ),
    RefusalCode.GARMENT_CATEGORY_MISSING: (
        _("It is not known yet what kind of garment this is."),
        _("Please choose top, dress or bottom for it in the wardrobe."),
    ),
    RefusalCode.IMAGE_UNREADABLE: (
        _("This picture cannot be opened."),
        _("Please send it as one of these: %(formats)s.", formats=formats.NAMES),
    ),
    RefusalCode.IMAGE_TOO_LARGE: (
        _("This picture is too large."),
        _("Please send a smaller version of it."),
    ),
    RefusalCode.QUALITY_TOO_LOW: (
        _("The try-on did not turn out well enough to send it to you."),
        _("Another photo may work better."),
    ),
    RefusalCode.CONTENT_REFUSED: (
        _("This picture cannot be used for a try-on."),
        _("Please send another photo."),
    ),
    RefusalCode.PHOTO_GONE: (
        _("Your photo is no longer here."),
        _("Please send it again: we keep photos only for a short time."),
    ),
    RefusalCode.TIMED_OUT: (
        _("This took longer than we allow."),
        _("Please try again in a moment, or send another photo."),
    ),
}


class Refused(Exception):
    """Raised inside the engine; the port turns it into a ``Refusal``."""

    def __init__(
        self, code: RefusalCode, *, hint: str = "", details: dict[str, float | str] | None = None
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.hint = hint
        self.details = details or {}


def refusal(
    code: RefusalCode,
    *,
    hint: str = "",
    engine: str = "",
    details: dict[str, float | str] | None = None,
) -> Refusal:
    """The refusal with its standard sentence, and a hint for this case where one is given."""
    sentence, usual_hint = _WORDS[code]
    return Refusal(code, sentence, hint or usual_hint, engine, details or {})
