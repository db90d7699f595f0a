"""The studio and its personas, plugged in: so far what one may do with the rows."""

from selify.core.wiring import Wing
from selify.studio import permissions

WING = Wing(name="studio", permissions=permissions.PERMISSIONS)
