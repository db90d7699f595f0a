"""What crosses the border between try-on engines and everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from selify.core.files.pictures import Picture
from selify.core.money import MicroUnits

__all__ = [
    "GarmentCategory",
    "Picture",
    "QualityScores",
    "ReadPicture",
    "Refusal",
    "RefusalCode",
    "RefusalReason",
    "RenderOptions",
    "RenderWarning",
    "Rendering",
]


class GarmentCategory(StrEnum):
    """What a garment covers. It comes from the catalogue, never from a guess."""

    TOP = "top"
    DRESS = "dress"
    BOTTOM = "bottom"

    @property
    def leffa(self) -> str:
        """The same category in the words of ``wardrobe_garments.leffa_metadata``."""
        return {"top": "upper_body", "dress": "dresses", "bottom": "lower_body"}[self.value]

    @classmethod
    def from_leffa(cls, category: str) -> "GarmentCategory":
        return {"upper_body": cls.TOP, "dresses": cls.DRESS, "lower_body": cls.BOTTOM}[category]


class RefusalCode(StrEnum):
    """Why nobody can be dressed: stable codes, part of the public interface."""

    PERSON_NOT_FOUND = "person_not_found"
    PERSON_FACING_AWAY = "person_facing_away"
    PERSON_TURNED = "person_turned"
    PERSON_TOO_SMALL = "person_too_small"
    PERSON_CROPPED = "person_cropped"
    PHOTO_SIDEWAYS = "photo_sideways"
    PHOTO_BLURRED = "photo_blurred"
    GARMENT_NOT_FOUND = "garment_not_found"
    GARMENT_CATEGORY_MISSING = "garment_category_missing"
    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_TOO_LARGE = "image_too_large"
    QUALITY_TOO_LOW = "quality_too_low"
    CONTENT_REFUSED = "content_refused"
    TIMED_OUT = "timed_out"
    PHOTO_GONE = "photo_gone"


class RefusalReason(StrEnum):
    """Finer than the code, where other advice helps: ``details["reason"]`` of a refusal."""

    LEGS = "legs"  # this garment needs them in view
    SEATED = "seated"  # this garment is shown on people who stand
    SLEEVES = "sleeves"  # they are where this garment shows bare arms
    ARMS = "arms"  # they are in front of the garment
    LAYERS = "layers"  # a jacket, coat or scarf that the garment cannot hide
    LOOSE = "loose"  # wide trousers or a skirt, of which too much would be left beside the garment
    LONGER = (
        "longer"  # a top that would hang out below the garment, and no belly is made up instead
    )
    BARE_LEGS = "bare_legs"  # they are covered where this garment shows them
    DRESS = "dress"  # of which the upper half would be left above a bottom


class RenderWarning(StrEnum):
    """What a shopper or a brand should know about a picture that was made all the same."""

    SEVERAL_PEOPLE = "several_people"
    ARMS_COVER_GARMENT = "arms_cover_garment"
    BULKY_CLOTHING = "bulky_clothing"
    SKIN_PAINTED = "skin_painted"
    LOW_RESOLUTION = "low_resolution"
    GARMENT_BACKGROUND_UNCERTAIN = "garment_background_uncertain"
    GARMENT_SHOWS_PERSON = "garment_shows_person"


@dataclass(frozen=True, slots=True)
class ReadPicture(Picture):
    """A garment's picture, and what the embedded engine read out of it before (``engine/garment_file.py``)."""

    garment_file: bytes | None = None


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How to render. ``attempt`` counts from 0; an engine varies its parameters by it on re-rolls."""

    category: GarmentCategory
    attempt: int = 0
    max_side: int = 1024


@dataclass(frozen=True, slots=True)
class QualityScores:
    """Measures of one result (``None``: not measurable here), and the names of the bars it misses.

    ``doubts``: what makes a picture of the embedded engine less convincing, the worst first (engine/traits.py).
    Shares and similarities are 0 to 1. Source of measures and bars: docs/decisions, quality gate.
    """

    face: float | None = None
    hands: float | None = None
    background: float | None = None
    colour: float | None = None
    print_kept: float | None = None
    old_replaced: float | None = None
    coverage: float | None = None
    old_hidden: float | None = None
    convincing: float | None = None
    sharp: float | None = None
    pose: float | None = None
    alone: float | None = None
    limbs: float | None = None
    background_detail: float | None = None
    plain: float | None = None
    sleeve_length: float | None = None
    neck: float | None = None
    hem: float | None = None
    misses: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.misses


@dataclass(frozen=True, slots=True)
class Rendering:
    """A finished try-on. ``cost`` is what the provider charges us for it.

    ``final``: the engine made the best of it, and would answer with the same picture again. ``garment_files``: what it
    had to read out of garments' pictures, by their category, for a ``ReadPicture`` next time.
    """

    picture: Picture
    engine: str
    seconds: float
    cost: MicroUnits
    warnings: tuple[RenderWarning, ...] = ()
    scores: QualityScores | None = None
    final: bool = False
    garment_files: Mapping[GarmentCategory, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """No picture, and why. ``sentence`` and ``hint`` can be shown to a shopper as they are.

    ``cost`` is what the provider charges all the same: some bill the picture they then withhold. ``final``: the
    engine would say the same again.
    """

    code: RefusalCode
    sentence: str
    hint: str
    engine: str = ""
    details: dict[str, float | str] = field(default_factory=dict)
    cost: MicroUnits = field(default_factory=MicroUnits.zero)
    final: bool = False

    @property
    def reason(self) -> RefusalReason | None:
        """What exactly the photo lacks, where it is known."""
        said = self.details.get("reason")
        return next((reason for reason in RefusalReason if reason.value == said), None)
