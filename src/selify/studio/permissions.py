"""What one may do with pictures for the shop and the personas in them."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import MEMBER, Permission, rows

PICTURES_READ: Final = Permission(
    "studio.pictures.read",
    MEMBER,
    _("see the studio's projects and pictures"),
    rows("studio_projects studio_creations", "SELECT"),
)
PICTURES_CHANGE: Final = Permission(
    "studio.pictures.change",
    MEMBER,
    _("make, change and delete the studio's projects and pictures"),
    rows("studio_projects studio_creations", "INSERT UPDATE DELETE"),
)
MODELS_READ: Final = Permission(
    "studio.models.read",
    MEMBER,
    _("see models, personas and how they were trained"),
    rows("studio_models ai_personas lora_training_history", "SELECT"),
)
MODELS_CHANGE: Final = Permission(
    "studio.models.change",
    MEMBER,
    _("make, change and delete models and personas"),
    rows("studio_models ai_personas", "INSERT UPDATE DELETE"),
)

PERMISSIONS: Final = (PICTURES_READ, PICTURES_CHANGE, MODELS_READ, MODELS_CHANGE)
