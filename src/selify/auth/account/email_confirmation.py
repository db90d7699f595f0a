"""Showing that one reads the mailbox of one's account."""

from selify.auth import one_time_links, repository, throttle
from selify.auth.account import mails
from selify.auth.account.links import access_link, own_account
from selify.auth.authenticator import ACTOR, Authenticator
from selify.auth.one_time_links import LinkKind
from selify.auth.sign_in_audit import SignInEvent, record
from selify.auth.types import ClientInfo, Session, User


async def send_again(authenticator: Authenticator, session: Session) -> None:
    """A new link in place of the last one; nothing for who has confirmed, or asks too often."""
    user, now = session.user, authenticator.clock.now()
    if user.email_confirmed:
        return
    async with authenticator.database.tx(ACTOR) as tx:
        limits = throttle.mail_limits("confirmation", user.email)
        if await throttle.count_attempt(tx, limits, now=now) is None:
            await mails.send_confirmation(
                tx, authenticator.mailer, user.id, user.email, language=user.language, now=now
            )


async def confirm(authenticator: Authenticator, *, secret: str, client: ClientInfo) -> User:
    """Nobody is signed in by it: whoever made the account may be somebody else, and knows its password.
    Raises LinkGone, AccountClosed, TooManyAttempts.
    """
    link = await access_link(authenticator, LinkKind.EMAIL_CONFIRMATION, secret, client)
    now = authenticator.clock.now()
    async with authenticator.database.tx(ACTOR) as tx:
        user = await own_account(tx, link, now=now)
        await one_time_links.use(tx, link, now=now)
        await repository.confirm_email(tx, user.id, now=now)
        await record(tx, SignInEvent.EMAIL_CONFIRMED, now=now, user=user, client=client)
    return user
