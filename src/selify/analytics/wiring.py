"""Roll-ups and what a holding sees, plugged in."""

from selify.analytics import endpoints, permissions
from selify.core.wiring import Wing

WING = Wing(name="analytics", routers=[endpoints.router], permissions=permissions.PERMISSIONS)
