"""What can be drawn: bodies, poses, cuts, cloths, light and how a picture was taken.

Heights on the body are ``level``: 0 at the shoulders, 1 at the hips, 1.67 at the knees. Lengths of
sleeves and legs are shares of the limb: 0 none, 1 to wrist or ankle. Colours are blue, green, red.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from selify.tryon.types import GarmentCategory

Colour = tuple[float, float, float]
"""Blue, green, red, 0..255."""


class Part(IntEnum):
    """What a pixel shows. The first five as in the engine's ``Label``; OUTER is an open jacket."""

    BACKGROUND = 0
    SKIN = 1
    HAIR = 2
    UPPER = 3
    LOWER = 4
    OUTER = 5
    SHOES = 6


# --- Cloth and cut --------------------------------------------------------------------------------


class Print(StrEnum):
    PLAIN = "plain"
    STRIPES = "stripes"
    DOTS = "dots"
    BLOCKS = "blocks"
    MOTIF = "motif"


@dataclass(frozen=True, slots=True)
class Cloth:
    """``second`` is the colour of the print."""

    colour: Colour
    print: Print = Print.PLAIN
    second: Colour = (235.0, 238.0, 240.0)


class Neck(StrEnum):
    CREW = "crew"
    V = "v"
    BOAT = "boat"
    TURTLE = "turtle"
    STRAPS = "straps"
    THIN_STRAPS = "thin straps"


class Front(StrEnum):
    WHOLE = "whole"
    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Cut:
    """One for every kind of garment.

    ``waist``: level of the upper edge of a bottom; None for what hangs from the shoulders.
    ``hem``: level of the lower edge of trunk or skirt. ``legs``: share of the leg that is covered;
    0 for everything without legs. ``ease``: pixels between body and cloth, ``flare``: as many more
    at the hem. ``front``: whole, or a jacket worn closed or open.
    """

    sleeve: float = 0.0
    neck: Neck = Neck.CREW
    hem: float = 1.05
    ease: float = 7.0
    flare: float = 0.0
    legs: float = 0.0
    waist: float | None = None
    front: Front = Front.WHOLE

    @property
    def category(self) -> GarmentCategory:
        """A jumpsuit counts as a dress: it covers as much."""
        if self.waist is not None:
            return GarmentCategory.BOTTOM
        return GarmentCategory.DRESS if self.legs or self.hem > 1.4 else GarmentCategory.TOP

    @property
    def part(self) -> Part:
        """As what it is drawn."""
        if self.waist is not None:
            return Part.LOWER
        return Part.OUTER if self.front is Front.OPEN else Part.UPPER


TEE = Cut(sleeve=0.38)
V_TEE = Cut(sleeve=0.38, neck=Neck.V)
BOAT_TEE = Cut(sleeve=0.55, neck=Neck.BOAT)
CROPPED_TEE = Cut(sleeve=0.3, hem=0.72, ease=10)
LONG_SLEEVE = Cut(sleeve=0.97)
TURTLENECK = Cut(sleeve=0.97, neck=Neck.TURTLE, ease=9)
TANK = Cut(neck=Neck.STRAPS)
CAMISOLE = Cut(neck=Neck.THIN_STRAPS)
OPEN_JACKET = Cut(sleeve=0.97, neck=Neck.V, hem=1.14, ease=12, front=Front.OPEN)
CLOSED_JACKET = Cut(sleeve=0.97, neck=Neck.V, hem=1.14, ease=12, front=Front.CLOSED)
DRESS = Cut(neck=Neck.STRAPS, hem=1.62, flare=48)
SLEEVED_DRESS = Cut(sleeve=0.38, hem=1.8, flare=30)
SKIRT = Cut(waist=0.86, hem=1.55, flare=36)
TROUSERS = Cut(waist=0.86, legs=0.97, ease=8)
WIDE_TROUSERS = Cut(waist=0.86, legs=0.97, ease=8, flare=24)
SHORTS = Cut(waist=0.86, legs=0.4, ease=10)
JUMPSUIT = Cut(sleeve=0.38, neck=Neck.V, legs=0.97)


@dataclass(frozen=True, slots=True)
class Piece:
    """A garment, worn or not."""

    cut: Cut
    cloth: Cloth


class Shot(StrEnum):
    """How a garment was photographed."""

    FLAT = "flat"
    HANGER = "hanger"
    GHOST = "ghost"
    CRUMPLED = "crumpled"
    WHITE = "white"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Garment:
    """``kind`` names it in reports."""

    kind: str
    piece: Piece
    shot: Shot = Shot.FLAT
    seed: int = 1

    @property
    def category(self) -> GarmentCategory:
        return self.piece.cut.category


# --- People ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """Factors on the usual body: width of the shoulders, of belly and hips, length of the trunk."""

    shoulders: float = 1.0
    hips: float = 1.0
    trunk: float = 1.0


@dataclass(frozen=True, slots=True)
class Arm:
    """Degrees from hanging straight down, outwards, of the upper arm and of the forearm."""

    upper: float
    fore: float


@dataclass(frozen=True, slots=True)
class Pose:
    """The arms left and right in the picture."""

    left: Arm
    right: Arm


ARMS_DOWN = Pose(Arm(7, 3), Arm(7, 3))
ARMS_OUT = Pose(Arm(24, 17), Arm(24, 17))
ELBOW_BENT = Pose(Arm(10, 4), Arm(16, -84))
HAND_ON_HIP = Pose(Arm(44, -40), Arm(8, 3))


class Hair(StrEnum):
    NONE = "none"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Light:
    """``side``: -1 from the left to 1 from the right. ``cast``: factors on blue, green, red."""

    side: float = -0.2
    cast: Colour = (1.0, 1.0, 1.0)
    level: float = 1.0


DAYLIGHT = Light()
WARM = Light(side=0.3, cast=(0.78, 0.95, 1.08))
COOL = Light(side=-0.4, cast=(1.12, 1.0, 0.88))
FROM_THE_SIDE = Light(side=0.9)
DARK = Light(side=-0.5, cast=(0.9, 0.97, 1.05), level=0.52)


class Backdrop(StrEnum):
    WALL = "wall"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Person:
    """``outer`` is an open jacket over the rest; a dress leaves ``lower`` None.

    ``blur``: sigma in pixels; ``jpeg``: quality 1..100, None for a picture without loss;
    ``height``: rows of the picture, 1240 shows the feet, 1000 ends at the knees.
    """

    shape: Shape = field(default_factory=Shape)
    pose: Pose = ARMS_DOWN
    skin: Colour = (132.0, 168.0, 214.0)
    hair: Hair = Hair.SHORT
    hair_colour: Colour = (34.0, 42.0, 58.0)
    upper: Piece | None = Piece(TEE, Cloth((150.0, 146.0, 142.0)))
    lower: Piece | None = Piece(TROUSERS, Cloth((86.0, 66.0, 52.0)))
    outer: Piece | None = None
    light: Light = DAYLIGHT
    backdrop: Backdrop = Backdrop.WALL
    wall: Colour = (206.0, 202.0, 196.0)
    blur: float = 0.0
    jpeg: int | None = None
    height: int = 1240
    seed: int = 1
