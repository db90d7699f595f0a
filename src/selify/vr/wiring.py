"""Shops to walk into, plugged in: so far what one may do with the rows."""

from selify.core.wiring import Wing
from selify.vr import permissions

WING = Wing(name="vr", permissions=permissions.PERMISSIONS)
