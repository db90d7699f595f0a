"""Another password, for who knows the one there is."""

from selify.auth import one_time_links, passwords, repository
from selify.auth.account import mails
from selify.auth.authenticator import ACTOR, Authenticator, PasswordWrong
from selify.auth.one_time_links import LinkKind
from selify.auth.sign_in_audit import SignInEvent, record
from selify.auth.types import ClientInfo, Session
from selify.core.language import _


async def change(
    authenticator: Authenticator, session: Session, *, old: str, new: str, client: ClientInfo
) -> int:
    """Every other session of the user ends; how many did. Raises PasswordWrong, PasswordInvalid,
    TooManyAttempts.
    """
    user = session.user
    passwords.demand_good(new, email=user.email)
    account = await authenticator.prove(session, old, client, field="old_password")
    hashed = await authenticator.passwords.hash(new)
    now = authenticator.clock.now()
    async with authenticator.database.tx(ACTOR) as tx:
        if not await repository.lock_unchanged(tx, account, now=now):
            raise PasswordWrong(_("It was changed meanwhile."), field="old_password")
        await repository.set_password_hash(tx, user.id, hashed, now=now)
        ended = await repository.delete_sessions_of(tx, user.id, keep=session.id)
        await one_time_links.end(tx, user.id, LinkKind.PASSWORD_RESET, LinkKind.EMAIL_CHANGE)
        await record(tx, SignInEvent.PASSWORD_CHANGED, now=now, user=user, client=client)
        await mails.send_password_changed(tx, authenticator.mailer, user, now=now)
    return ended
