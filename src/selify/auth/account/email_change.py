"""Another address for an account: asked for with the password, confirmed in the new mailbox, undone in the old."""

from selify.auth import emails, one_time_links, repository, throttle
from selify.auth.account import mails
from selify.auth.account.links import access_link, own_account
from selify.auth.authenticator import ACTOR, Authenticator
from selify.auth.one_time_links import LinkKind
from selify.auth.sign_in_audit import SignInEvent, record
from selify.auth.types import ClientInfo, Session, User
from selify.core.database import Tx
from selify.core.errors import Conflict, Invalid
from selify.core.language import _


class EmailTaken(Conflict):
    code = "email_taken"
    title = _("There is an account with this e-mail address already")


async def ask(
    authenticator: Authenticator, session: Session, *, password: str, email: str, client: ClientInfo
) -> None:
    """Until the link in the new mailbox is used everything stays as it is. Where that address has an account its
    owner is told; whoever asked cannot tell. Raises EmailInvalid, PasswordWrong, TooManyAttempts, and Invalid
    for the address there is.
    """
    address, user = emails.normalise(email), session.user
    if address == user.email:
        raise Invalid(_("This is your address already."), field="email")
    await authenticator.prove(session, password, client, field="password")
    now = authenticator.clock.now()
    async with authenticator.database.tx(ACTOR) as tx:
        await record(
            tx,
            SignInEvent.EMAIL_CHANGE_ASKED,
            now=now,
            user=user,
            metadata={"to": address},
            client=client,
        )
        limits = [limit for one in (address, str(user.id)) for limit in _limits(one)]
        if await throttle.count_attempt(tx, limits, now=now):
            return
        if await repository.is_taken(tx, address, user.id, now=now):
            owner = await repository.find_account(tx, email=address, now=now)
            await mails.send_taken(
                tx, authenticator.mailer, owner.user if owner else None, address, now=now
            )
        else:
            await mails.send_change(tx, authenticator.mailer, user, address, now=now)


def _limits(value: str) -> list[throttle.Limit]:
    return throttle.mail_limits("change", value)


async def confirm(authenticator: Authenticator, *, secret: str, client: ClientInfo) -> str:
    """The new address. Raises LinkGone, EmailTaken, AccountClosed, TooManyAttempts."""
    link = await access_link(authenticator, LinkKind.EMAIL_CHANGE, secret, client)
    now = authenticator.clock.now()
    async with authenticator.database.tx(ACTOR) as tx:
        user = await own_account(tx, link, now=now)
        await one_time_links.use(tx, link, now=now)
        if await repository.is_taken(tx, link.address, user.id, now=now):
            raise _taken()
        await _move(tx, user, link.address, authenticator)
        await record(
            tx,
            SignInEvent.EMAIL_CHANGED,
            now=now,
            user=user,
            metadata={"to": link.address},
            client=client,
        )
        await mails.send_changed(tx, authenticator.mailer, user, link.address, now=now)
    return link.address


async def undo(authenticator: Authenticator, *, secret: str, client: ClientInfo) -> str:
    """Back to the address from before; the secret of a link by which a new password is set. Somebody else may
    know the old one: it is good for nothing any more, nor is any session. Raises LinkGone, EmailTaken,
    AccountClosed, TooManyAttempts.
    """
    link = await access_link(authenticator, LinkKind.EMAIL_UNDO, secret, client)
    now = authenticator.clock.now()
    async with authenticator.database.tx(ACTOR) as tx:
        user = await own_account(tx, link, now=now)
        await one_time_links.use(tx, link, now=now)
        if await repository.is_taken(tx, link.address, user.id, now=now):
            raise _taken()
        await _move(tx, user, link.address, authenticator)
        await one_time_links.end(tx, user.id, *LinkKind)
        await repository.set_password_hash(tx, user.id, None, now=now)
        await repository.delete_sessions_of(tx, user.id)
        await record(
            tx,
            SignInEvent.EMAIL_CHANGE_UNDONE,
            now=now,
            user=user,
            metadata={"to": link.address},
            client=client,
        )
        return await one_time_links.make(
            tx, LinkKind.PASSWORD_RESET, subject=user.id, address=link.address, now=now
        )


async def _move(tx: Tx, user: User, address: str, authenticator: Authenticator) -> None:
    """What was sent to the address before is good for nothing any more."""
    await repository.change_email(tx, user.id, address, now=authenticator.clock.now())
    await one_time_links.end(
        tx,
        user.id,
        LinkKind.PASSWORD_RESET,
        LinkKind.EMAIL_CONFIRMATION,
        LinkKind.EMAIL_CHANGE,
    )


def _taken() -> EmailTaken:
    return EmailTaken(_("Nothing was changed."), hint=_("Choose another address."))
