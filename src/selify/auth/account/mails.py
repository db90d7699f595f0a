"""What is mailed to people about their account, and the links in it."""

from datetime import datetime
from uuid import UUID

from selify.auth import keys, one_time_links, throttle
from selify.auth.one_time_links import LIFETIMES, LinkKind
from selify.auth.types import User
from selify.core.database import Tx
from selify.core.ids import new_id
from selify.core.language import _
from selify.notifications.email import Button, Email, Mailer

CONFIRM, RESET, CHANGE, UNDO = "/confirm-email", "/reset", "/change-email", "/undo-email"
_NOT_ME = _("If that was not you, you need do nothing: without the button nothing happens.")


async def send_confirmation(
    tx: Tx, mailer: Mailer, user_id: UUID, address: str, *, language: str | None, now: datetime
) -> None:
    """The link that shows that an account's address is its owner's."""
    secret = await one_time_links.make(
        tx, LinkKind.EMAIL_CONFIRMATION, subject=user_id, address=address, now=now
    )
    email = Email(
        to=address,
        subject=_("Please confirm your e-mail address"),
        paragraphs=[_("An account was made with this address. Press the button to confirm it.")],
        language=language,
        button=Button(_("Confirm address"), one_time_links.path(CONFIRM, secret)),
        closing=[
            _("If that was not you, do not press it: whoever made the account knows its password.")
        ],
    )
    await _send(tx, mailer, email, now)


async def send_taken(
    tx: Tx, mailer: Mailer, owner: User | None, address: str, *, now: datetime
) -> None:
    """Somebody wanted an account with an address that has one: its owner is told, not whoever asked."""
    if await throttle.count_attempt(tx, throttle.mail_limits("taken", address), now=now):
        return
    email = Email(
        to=address,
        subject=_("You have an account already"),
        paragraphs=[
            _("Somebody wanted to use this address for an account. There is one with it already."),
            _("If that was you, sign in. If you do not know the password, set a new one."),
        ],
        language=owner.language if owner else None,
        button=Button(_("Set a new password"), "/forgot"),
        closing=[_NOT_ME],
    )
    await _send(tx, mailer, email, now)


async def send_reset(tx: Tx, mailer: Mailer, user: User, secret: str, *, now: datetime) -> None:
    minutes = int(LIFETIMES[LinkKind.PASSWORD_RESET].total_seconds() // 60)
    email = Email(
        to=user.email,
        subject=_("Set a new password"),
        paragraphs=[
            _("Somebody asked for a new password for your account."),
            _(
                "The button is good for %(minutes)s minutes, once. You are signed out everywhere else then.",
                minutes=minutes,
            ),
        ],
        language=user.language,
        button=Button(_("Set a new password"), one_time_links.path(RESET, secret)),
        closing=[_NOT_ME],
    )
    await _send(tx, mailer, email, now)


async def send_password_changed(tx: Tx, mailer: Mailer, user: User, *, now: datetime) -> None:
    email = Email(
        to=user.email,
        subject=_("Your password was changed"),
        paragraphs=[
            _("The password of your account was changed. You are signed out everywhere else.")
        ],
        language=user.language,
        button=Button(_("That was not me"), "/forgot"),
        closing=[_("If that was you, you need do nothing.")],
    )
    await _send(tx, mailer, email, now)


async def send_change(tx: Tx, mailer: Mailer, user: User, address: str, *, now: datetime) -> None:
    """To the new address: the link that makes it the account's."""
    secret = await one_time_links.make(
        tx, LinkKind.EMAIL_CHANGE, subject=user.id, address=address, now=now
    )
    email = Email(
        to=address,
        subject=_("Please confirm your new e-mail address"),
        paragraphs=[
            _("This is to be the address of an account that is still %(email)s.", email=user.email)
        ],
        language=user.language,
        button=Button(_("Use this address"), one_time_links.path(CHANGE, secret)),
        closing=[_NOT_ME],
    )
    await _send(tx, mailer, email, now)


async def send_changed(tx: Tx, mailer: Mailer, user: User, address: str, *, now: datetime) -> None:
    """After the change: to the old address (``user``'s) with a way back, and to the new one."""
    secret = await one_time_links.make(
        tx,
        LinkKind.EMAIL_UNDO,
        subject=user.id,
        address=user.email,
        now=now,
        beside_others=True,  # who changes it twice takes no way back from whom it was before
    )
    days = LIFETIMES[LinkKind.EMAIL_UNDO].days
    undo = Email(
        to=user.email,
        subject=_("The e-mail address of your account was changed"),
        paragraphs=[
            _("Your account now belongs to %(email)s.", email=address),
            _(
                "If that was not you, take it back. That is possible for %(days)s days;"
                " everybody is signed out then, and you set a new password.",
                days=days,
            ),
        ],
        language=user.language,
        button=Button(_("Undo this change"), one_time_links.path(UNDO, secret)),
        closing=[_("If that was you, you need do nothing.")],
    )
    welcome = Email(
        to=address,
        subject=_("This is your new e-mail address"),
        paragraphs=[_("From now on you sign in with %(email)s.", email=address)],
        language=user.language,
    )
    await _send(tx, mailer, undo, now)
    await _send(tx, mailer, welcome, now)


async def _send(tx: Tx, mailer: Mailer, email: Email, now: datetime) -> None:
    await mailer.send(tx, email, key=keys.mail(new_id()), now=now)
