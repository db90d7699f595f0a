"""What a garment looks like: ``wardrobe_garments.leffa_metadata``, as its comment has it, and what we read beside."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from selify.core.language import _

# Below this, somebody must have looked before a garment is bound to a post.
LOW_CONFIDENCE = 0.6
# Until somebody says that it is right so. A reader is then never surer than ``DOUBTFUL``.
SHOWS_PERSON = _(
    "This looks like a photo of a person: try-ons would be poor. Take a picture of the piece alone,"
    " laid flat or on a hanger, or confirm below that it shall stay."
)
DOUBTFUL = 0.4


class Readiness(BaseModel):
    """How good try-ons of a garment will be, read from its picture. ``reasons``: English sentences,
    none where it is ready.
    """

    model_config = ConfigDict(frozen=True)

    state: Literal["ready", "limited", "unfit"]
    reasons: list[str] = Field(default_factory=list)


class LeffaMetadata(BaseModel):
    """Checked whenever it is written. ``category_confidence`` is 0 to 1."""

    model_config = ConfigDict(extra="allow", frozen=True)

    leffa_category: Literal["upper_body", "lower_body", "dresses"]
    category_confidence: float = Field(ge=0, le=1)
    sleeve_type: Literal["sleeveless", "cap", "short", "3/4", "long"] | None = None
    neckline: Literal["crew", "v-neck", "scoop", "high", "off-shoulder"] | None = None
    length: Literal["crop", "regular", "tunic", "midi", "maxi"] | None = None
    fit: Literal["fitted", "regular", "relaxed", "oversized"] | None = None
    has_print: bool = False
    has_pattern: bool = False
    pattern_type: Literal["solid", "stripes", "plaid", "floral", "graphic"] | None = None
    warnings: list[str] = Field(default_factory=list)
    # Not known of what was uploaded before it was read.
    readiness: Readiness | None = None
    recommended_body_visible: Literal["upper", "lower", "full"] = "upper"
    recommended_pose: Literal["front_standing", "side", "back"] = "front_standing"
    analyzed_at: datetime
    analyzer_version: str
