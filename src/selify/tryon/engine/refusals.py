"""Why nobody can be dressed, in words for the shopper."""

from selify.tryon.types import Refusal, RefusalCode

_FRONT = "A photo from the front, head to hips in view, in good light, works best."

_WORDS: dict[RefusalCode, tuple[str, str]] = {
    RefusalCode.PERSON_NOT_FOUND: ("We could not find a person in this photo.", _FRONT),
    RefusalCode.PERSON_FACING_AWAY: (
        "We cannot see a person who faces the camera in this photo.",
        "Please send a photo in which you look at the camera. " + _FRONT,
    ),
    RefusalCode.PERSON_TURNED: (
        "You are standing sideways in this photo.",
        "Please face the camera with both shoulders in view.",
    ),
    RefusalCode.PERSON_TOO_SMALL: (
        "You are too far away in this photo.",
        "Please step closer, or send the photo without cropping it down.",
    ),
    RefusalCode.PERSON_CROPPED: (
        "Too little of you is in the picture.",
        "Please step back a little: head, shoulders and hips should be in view.",
    ),
    RefusalCode.PHOTO_SIDEWAYS: (
        "This photo seems to lie on its side or upside down.",
        "Please turn it upright and send it again.",
    ),
    RefusalCode.PHOTO_BLURRED: (
        "This photo is too blurred to work with.",
        "Please hold the camera still and try again in good light.",
    ),
    RefusalCode.GARMENT_NOT_FOUND: (
        "The garment cannot be told from its background.",
        "A picture of the garment laid flat on a plain background works best.",
    ),
    RefusalCode.GARMENT_CATEGORY_MISSING: (
        "It is not known yet what kind of garment this is.",
        "Please choose top, dress or bottom for it in the wardrobe.",
    ),
    RefusalCode.IMAGE_UNREADABLE: (
        "This picture cannot be opened.",
        "Please send it as a JPEG, PNG or WebP picture.",
    ),
    RefusalCode.IMAGE_TOO_LARGE: (
        "This picture is too large.",
        "Please send a smaller version of it.",
    ),
    RefusalCode.QUALITY_TOO_LOW: (
        "The try-on did not turn out well enough to send it to you.",
        "Another photo may work better.",
    ),
    RefusalCode.CONTENT_REFUSED: (
        "This picture cannot be used for a try-on.",
        "Please send another photo.",
    ),
    RefusalCode.PHOTO_GONE: (
        "Your photo is no longer here.",
        "Please send it again: we keep photos only for a short time.",
    ),
    RefusalCode.TIMED_OUT: (
        "This took longer than we allow.",
        "Please try again in a moment, or send another photo.",
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
