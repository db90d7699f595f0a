"""E-mail to our own users: ``Mailer.send`` queues one in the caller's transaction.

Nothing leaves before that commits, and the same key leaves once. With a mail server it goes there; without one
it lies in this machine's own mailbox, which ``/mailbox`` shows. Links are paths of ours, made whole with the
public address.
"""

from selify.notifications.email.letter import Button, Email, Letter
from selify.notifications.email.mailer import CHANNEL, Mailer

__all__ = ["CHANNEL", "Button", "Email", "Letter", "Mailer"]
