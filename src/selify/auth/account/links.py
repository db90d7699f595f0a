"""Using the one-time links that are about an account."""

from datetime import datetime

from selify.auth import one_time_links, repository, throttle
from selify.auth.authenticator import ACTOR, Authenticator
from selify.auth.one_time_links import Link, LinkGone, LinkKind
from selify.auth.sessions import AccountClosed
from selify.auth.types import ClientInfo, User
from selify.core.database import Tx


async def access_link(
    authenticator: Authenticator, kind: LinkKind, secret: str, client: ClientInfo
) -> Link:
    """One that is good. Raises LinkGone; TooManyAttempts for whoever guesses."""
    now = authenticator.clock.now()
    try:
        async with authenticator.database.tx(ACTOR) as tx:
            return await one_time_links.find(tx, kind, secret, now=now)
    except LinkGone:
        await authenticator.count(throttle.link_limits(client.address), now)
        raise


async def own_account(tx: Tx, link: Link, *, now: datetime) -> User:
    """Whose link it is, locked. Raises LinkGone where the account has another address meanwhile, which a new one
    is about to change (``EMAIL_CHANGE``, ``EMAIL_UNDO``), AccountClosed where they may not sign in.
    """
    account = await repository.lock_account(tx, link.subject, now=now)
    changes_it = link.kind in (LinkKind.EMAIL_CHANGE, LinkKind.EMAIL_UNDO)
    if account is None or (account.user.email != link.address and not changes_it):
        raise one_time_links.gone()
    if not account.may_sign_in:
        raise AccountClosed(await repository.banned_until(tx, account.user.id), now=now)
    return account.user


async def own_user(authenticator: Authenticator, link: Link) -> User:
    """Whose it is, to look at. Raises LinkGone, AccountClosed."""
    async with authenticator.database.tx(ACTOR) as tx:
        return await own_account(tx, link, now=authenticator.clock.now())
