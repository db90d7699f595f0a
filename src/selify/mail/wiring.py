"""Mailboxes, plugged in: so far what one may do with the rows."""

from selify.core.wiring import Wing
from selify.mail import permissions

WING = Wing(name="mail", permissions=permissions.PERMISSIONS)
