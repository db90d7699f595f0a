"""Roll-ups, plugged in: so far what one may do with the rows."""

from selify.analytics import permissions
from selify.core.wiring import Wing

WING = Wing(name="analytics", permissions=permissions.PERMISSIONS)
