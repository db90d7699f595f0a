"""What one may do with the brand's voice and its catalogue texts."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import MEMBER, Permission, rows

VOICE_READ: Final = Permission(
    "copywriting.voice.read",
    MEMBER,
    _("read how the brand speaks"),
    rows("brand_settings", "SELECT"),
)
VOICE_CHANGE: Final = Permission(
    "copywriting.voice.change",
    MEMBER,
    _("say how the brand speaks"),
    rows("brand_settings", "INSERT UPDATE DELETE"),
)
CATALOGUES_READ: Final = Permission(
    "copywriting.catalogues.read",
    MEMBER,
    _("see catalogues that are being written"),
    rows("catalog_generation_jobs", "SELECT"),
)
CATALOGUES_WRITE: Final = Permission(
    "copywriting.catalogues.write",
    MEMBER,
    _("have catalogues written"),
    rows("catalog_generation_jobs", "INSERT UPDATE"),
)

PERMISSIONS: Final = (VOICE_READ, VOICE_CHANGE, CATALOGUES_READ, CATALOGUES_WRITE)
