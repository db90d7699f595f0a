"""Setting a new password by a mailed link. Only the newest link is good, once, for an hour; it dies with a sign-in,
with a change of the password, and with a change of the address.
"""

from selify.auth import emails, one_time_links, passwords, repository, sessions, throttle
from selify.auth.account import mails
from selify.auth.account.links import access_link, own_account
from selify.auth.api_keys import repository as api_keys
from selify.auth.authenticator import ACTOR, Authenticator
from selify.auth.one_time_links import Link, LinkKind
from selify.auth.sign_in_audit import SignInEvent, record
from selify.auth.types import ClientInfo, SignedIn, User
from selify.core.database import Tx
from selify.core.ids import new_id


async def ask(authenticator: Authenticator, *, email: str, client: ClientInfo) -> None:
    """A link, if there is such an account; whoever asks cannot tell. Raises EmailInvalid, TooManyAttempts."""
    address, now = emails.normalise(email), authenticator.clock.now()
    await authenticator.count(throttle.reset_limits(client.address), now)
    async with authenticator.database.tx(ACTOR) as tx:
        over = await throttle.count_attempt(tx, throttle.mail_limits("reset", address), now=now)
        account = await repository.find_account(tx, email=address, now=now)
        user = account.user if account and account.may_sign_in else None
        refused = "too_many_mails" if over else None if user else "account_unknown"
        await record(
            tx,
            SignInEvent.PASSWORD_RESET_ASKED,
            now=now,
            user=user,
            email=address,
            error_code=refused,
            client=client,
        )
        if over:
            return
        # Nobody's takes as long, and nobody gets it.
        subject = user.id if user else new_id()
        secret = await one_time_links.make(
            tx, LinkKind.PASSWORD_RESET, subject=subject, address=address, now=now
        )
        if user:
            await mails.send_reset(tx, authenticator.mailer, user, secret, now=now)


async def reset(
    authenticator: Authenticator, *, secret: str, password: str, client: ClientInfo
) -> SignedIn:
    """The password is set, every session ended, and a new one begun. Raises LinkGone, PasswordInvalid,
    AccountClosed, TooManyAttempts.
    """
    link = await access_link(authenticator, LinkKind.PASSWORD_RESET, secret, client)
    passwords.demand_good(password, email=link.address)
    hashed = await authenticator.passwords.hash(password)
    async with authenticator.database.tx(ACTOR) as tx:
        user = await own_account(tx, link, now=authenticator.clock.now())
        return await _set(tx, authenticator, link, user, hashed, client)


async def _set(
    tx: Tx,
    authenticator: Authenticator,
    link: Link,
    user: User,
    hashed: str,
    client: ClientInfo,
) -> SignedIn:
    now = authenticator.clock.now()
    await one_time_links.use(tx, link, now=now)
    if not user.email_confirmed:
        await claim(tx, user, client, authenticator)
    await repository.set_password_hash(tx, user.id, hashed, now=now)
    await repository.delete_sessions_of(tx, user.id)
    await one_time_links.end(tx, user.id, LinkKind.PASSWORD_RESET, LinkKind.EMAIL_CHANGE)
    await record(tx, SignInEvent.PASSWORD_RESET, now=now, user=user, client=client)
    await mails.send_password_changed(tx, authenticator.mailer, user, now=now)
    return await sessions.start(tx, user, client=client, now=now, lifetime=authenticator.lifetime)


async def claim(tx: Tx, user: User, client: ClientInfo, authenticator: Authenticator) -> None:
    """Whoever reads the mailbox has the account, and not whoever made it with that address: all that it held
    until now ends. (Its password is about to be another.)
    """
    now = authenticator.clock.now()
    await repository.confirm_email(tx, user.id, now=now)
    await repository.delete_sessions_of(tx, user.id)
    await one_time_links.end(tx, user.id, *LinkKind)
    await api_keys.revoke_those_of(tx, user.id, now=now)
    await record(tx, SignInEvent.ADDRESS_CLAIMED, now=now, user=user, client=client)
