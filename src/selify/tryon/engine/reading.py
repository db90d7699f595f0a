"""What there is to say about a garment's picture. Loads nothing heavy: who asks the engine's process
for a reading gets one without the mathematics behind it.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from selify.tryon.types import GarmentCategory, RenderWarning

ANALYZER_VERSION = "selify-outline-7"


class Pattern(StrEnum):
    PLAIN = "plain"
    STRIPED = "striped"
    COLOUR_BLOCK = "colour_block"
    ALL_OVER = "all_over"
    PRINTED = "printed"


@dataclass(frozen=True, slots=True)
class NamedColour:
    """``hex`` is the measured colour (#rrggbb), ``name`` the nearest everyday word."""

    name: str
    hex: str
    share: float


class SleeveLength(StrEnum):
    NONE = "none"
    SHORT = "short"
    LONG = "long"


class NecklineShape(StrEnum):
    HIGH = "high"
    CREW = "crew"
    SCOOP = "scoop"
    V = "v"
    BOAT = "boat"
    UNKNOWN = "unknown"


class Misfit(StrEnum):
    """Why a picture cannot become a garment: ``details["reason"]`` of the refusal."""

    WORN = "worn"
    TEXTURE = "texture"
    CATEGORY = "category"  # ``details``: "named" and "seen"


class WornFault(StrEnum):
    """Why a garment that somebody wears cannot be cut out: ``details["fault"]`` beside the reason WORN."""

    TURNED = "turned"
    ARMS = "arms"
    CUT_OFF = "cut_off"
    COVERED = "covered"
    PIECES = "pieces"
    SEVERAL = "several"
    UNCLEAR = "unclear"


class Limit(StrEnum):
    """What keeps a garment's try-ons from being good."""

    WORN = "worn"
    BUSY_BACKGROUND = "busy_background"
    LOW_RESOLUTION = "low_resolution"
    CUT_OFF = "cut_off"
    FAINT_OUTLINE = "faint_outline"
    UNEVEN_OUTLINE = "uneven_outline"
    DOUBTFUL_OUTLINE = "doubtful_outline"
    PARTS_UNCLEAR = "parts_unclear"
    ASLANT = "aslant"
    ON_HANGER = "on_hanger"
    FOLDED = "folded"
    LINING_SHOWS = "lining_shows"


@dataclass(frozen=True, slots=True)
class GarmentReading:
    """What the picture of a garment says. ``confidence`` 0..1; low ones want a human's look.

    ``sleeve`` and ``neckline`` are None for bottoms. ``unfit``: no try-on will be good.
    """

    category: GarmentCategory
    category_guessed: bool
    confidence: float
    colours: tuple[NamedColour, ...]
    pattern: Pattern
    sleeve: SleeveLength | None
    neckline: NecklineShape | None
    length: str
    fit: str
    warnings: tuple[RenderWarning, ...]
    limits: tuple[Limit, ...] = ()
    unfit: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the way between processes; ``from_json`` reads it back."""
        plain = asdict(self)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "GarmentReading":
        sleeve, neckline = plain["sleeve"], plain["neckline"]
        return cls(
            category=GarmentCategory(plain["category"]),
            category_guessed=bool(plain["category_guessed"]),
            confidence=float(plain["confidence"]),
            colours=tuple(NamedColour(**colour) for colour in plain["colours"]),
            pattern=Pattern(plain["pattern"]),
            sleeve=None if sleeve is None else SleeveLength(sleeve),
            neckline=None if neckline is None else NecklineShape(neckline),
            length=str(plain["length"]),
            fit=str(plain["fit"]),
            warnings=tuple(RenderWarning(warning) for warning in plain["warnings"]),
            limits=tuple(Limit(limit) for limit in plain["limits"]),
            unfit=bool(plain["unfit"]),
        )
