"""People and garments of this world that tests and figures use: each differs from the others in
several things at once, so that a few show much.
"""

from collections.abc import Mapping

from selify_sandbox.drawn_world import specs
from selify_sandbox.drawn_world.specs import (
    ARMS_OUT,
    ELBOW_BENT,
    HAND_ON_HIP,
    Backdrop,
    Cloth,
    Garment,
    Hair,
    Person,
    Piece,
    Print,
    Shape,
    Shot,
)

_INK, _SAND, _MOSS = (92.0, 62.0, 46.0), (120.0, 160.0, 190.0), (70.0, 110.0, 90.0)
_SLIM, _BROAD = Shape(0.9, 0.88, 1.05), Shape(1.1, 1.18, 0.96)

PEOPLE: Mapping[str, Person] = {
    "tee": Person(),
    "long sleeves": Person(
        shape=_SLIM,
        pose=ARMS_OUT,
        skin=(72.0, 104.0, 158.0),
        hair=Hair.LONG,
        upper=Piece(specs.LONG_SLEEVE, Cloth((150.0, 160.0, 60.0))),
        lower=Piece(specs.TROUSERS, Cloth((60.0, 60.0, 66.0))),
    ),
    "tank": Person(
        shape=_BROAD,
        skin=(150.0, 186.0, 228.0),
        hair=Hair.NONE,
        upper=Piece(specs.TANK, Cloth((96.0, 92.0, 90.0))),
        lower=Piece(specs.SHORTS, Cloth(_SAND)),
        light=specs.WARM,
        jpeg=80,
    ),
    "dress": Person(
        shape=Shape(0.92, 1.06, 1.0),
        pose=HAND_ON_HIP,
        skin=(40.0, 62.0, 98.0),
        upper=Piece(specs.DRESS, Cloth((170.0, 120.0, 150.0))),
        lower=None,
        light=specs.FROM_THE_SIDE,
    ),
    "open jacket": Person(
        pose=ARMS_OUT,
        hair=Hair.LONG,
        hair_colour=(36.0, 84.0, 132.0),
        upper=Piece(specs.TEE, Cloth((200.0, 204.0, 206.0))),
        outer=Piece(specs.OPEN_JACKET, Cloth((70.0, 60.0, 54.0))),
        lower=Piece(specs.SKIRT, Cloth(_MOSS)),
        wall=(160.0, 176.0, 190.0),
        blur=0.8,
    ),
    "arm in front": Person(
        shape=Shape(1.05, 1.0, 0.94),
        pose=ELBOW_BENT,
        skin=(110.0, 150.0, 200.0),
        upper=Piece(specs.V_TEE, Cloth((140.0, 130.0, 60.0))),
        lower=Piece(specs.WIDE_TROUSERS, Cloth((104.0, 110.0, 118.0))),
        light=specs.COOL,
        backdrop=Backdrop.ROOM,
    ),
    "dark": Person(
        shape=_SLIM,
        skin=(92.0, 128.0, 180.0),
        upper=Piece(specs.TEE, Cloth((120.0, 80.0, 64.0))),
        light=specs.DARK,
        blur=0.6,
        jpeg=70,
    ),
    "striped": Person(
        shape=Shape(1.0, 1.1, 1.06),
        skin=(120.0, 160.0, 212.0),
        upper=Piece(
            specs.BOAT_TEE, Cloth((226.0, 228.0, 228.0), Print.STRIPES, (110.0, 60.0, 40.0))
        ),
        lower=Piece(specs.SHORTS, Cloth(_INK)),
        height=1000,
    ),
}

_RED, _PLUM, _GREEN = (52.0, 46.0, 190.0), (110.0, 44.0, 120.0), (62.0, 120.0, 34.0)
_ORANGE, _WHITE = (40.0, 120.0, 226.0), (240.0, 242.0, 243.0)


def _garment(kind: str, cut: specs.Cut, cloth: Cloth, shot: Shot = Shot.FLAT) -> Garment:
    return Garment(kind, Piece(cut, cloth), shot)


GARMENTS: tuple[Garment, ...] = (
    _garment("tee", specs.TEE, Cloth(_RED)),
    _garment("tee with motif", specs.TEE, Cloth(_GREEN, Print.MOTIF)),
    _garment("striped V neck", specs.V_TEE, Cloth(_WHITE, Print.STRIPES, _RED), Shot.HANGER),
    _garment("white on white", specs.TEE, Cloth(_WHITE), Shot.WHITE),
    _garment("dotted boat neck", specs.BOAT_TEE, Cloth(_PLUM, Print.DOTS), Shot.GHOST),
    _garment("cropped tee", specs.CROPPED_TEE, Cloth(_ORANGE)),
    _garment("long sleeve", specs.LONG_SLEEVE, Cloth(_PLUM)),
    _garment(
        "blocks on busy ground", specs.LONG_SLEEVE, Cloth(_GREEN, Print.BLOCKS, _ORANGE), Shot.BUSY
    ),
    _garment("turtleneck, crumpled", specs.TURTLENECK, Cloth(_ORANGE), Shot.CRUMPLED),
    _garment("tank", specs.TANK, Cloth(_RED)),
    _garment("jacket, open", specs.OPEN_JACKET, Cloth(_PLUM)),
    _garment("jacket, closed", specs.CLOSED_JACKET, Cloth(_GREEN), Shot.HANGER),
    _garment("dress", specs.DRESS, Cloth(_RED, Print.DOTS)),
    _garment("dress with sleeves", specs.SLEEVED_DRESS, Cloth(_ORANGE)),
    _garment("skirt", specs.SKIRT, Cloth(_RED)),
    _garment("trousers", specs.TROUSERS, Cloth(_PLUM)),
    _garment("wide trousers", specs.WIDE_TROUSERS, Cloth(_GREEN)),
    _garment("shorts", specs.SHORTS, Cloth(_ORANGE)),
    _garment("jumpsuit", specs.JUMPSUIT, Cloth(_PLUM)),
)
