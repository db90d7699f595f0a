"""Catalogue texts, plugged in: so far what one may do with the rows."""

from selify.copywriting import permissions
from selify.core.wiring import Wing

WING = Wing(name="copywriting", permissions=permissions.PERMISSIONS)
