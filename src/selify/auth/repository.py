"""SQL of accounts and sessions: ``auth.users``, ``auth.sessions``, ``internal.session_secrets``.

Only system transactions may call these: no user role can read schema ``auth``.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from selify.auth import one_time_links
from selify.auth.one_time_links import LinkKind
from selify.auth.types import ClientInfo, Session, SessionOverview, User
from selify.core.database import Tx
from selify.core.ids import UserId, new_id

_USER = """u.id AS user_id, u.email, u.created_at,
           u.email_confirmed_at IS NOT NULL AS email_confirmed,
           coalesce((SELECT p.full_name FROM public.profiles p WHERE p.id = u.id),
                    u.raw_user_meta_data ->> 'full_name') AS full_name,
           u.raw_app_meta_data @> '{"team": true}' AS is_team,
           (SELECT p.language FROM public.profiles p WHERE p.id = u.id) AS language"""
# More than that nobody looks through; the oldest of them end first.
MOST_SESSIONS = 200
_MAY_SIGN_IN = "u.deleted_at IS NULL AND (u.banned_until IS NULL OR u.banned_until <= $1)"


@dataclass(frozen=True, slots=True)
class Account:
    """A user as sign-in sees it."""

    user: User
    password_hash: str | None
    may_sign_in: bool


@dataclass(frozen=True, slots=True)
class HeldSecret:
    """A session found by its secret. ``is_current``: not the one before the last rotation."""

    session: Session
    is_current: bool
    has_previous: bool
    previous_until: datetime | None
    rotated_at: datetime


async def insert_user(
    tx: Tx, *, email: str, password_hash: str, full_name: str | None, now: datetime
) -> User | None:
    """The new user, or None when the address is taken: somebody's, or theirs who may yet take it back."""
    if await one_time_links.is_out(tx, LinkKind.EMAIL_UNDO, email, now=now):
        return None
    row = await tx.fetch_one(
        f"""
        INSERT INTO auth.users AS u (id, email, encrypted_password, raw_user_meta_data, created_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING {_USER}
        """,
        new_id(),
        email,
        password_hash,
        {"full_name": full_name} if full_name else {},
        now,
    )
    return _user(row) if row else None


async def set_language(tx: Tx, user_id: UUID, language: str) -> None:
    """In which the pages speak to them."""
    await tx.execute(
        "UPDATE public.profiles SET language = $2 WHERE id = $1 AND language IS DISTINCT FROM $2",
        user_id,
        language,
    )


async def find_account(tx: Tx, *, email: str, now: datetime) -> Account | None:
    row = await tx.fetch_one(
        f"""
        SELECT {_USER}, u.encrypted_password, {_MAY_SIGN_IN} AS may_sign_in
          FROM auth.users u WHERE lower(u.email) = $2
        """,
        now,
        email,
    )
    if row is None:
        return None
    return Account(_user(row), row["encrypted_password"], row["may_sign_in"])


async def lock_account(tx: Tx, user_id: UUID, *, now: datetime) -> Account | None:
    """As it is now, and stays until the transaction ends."""
    row = await tx.fetch_one(
        f"""
        SELECT {_USER}, u.encrypted_password, {_MAY_SIGN_IN} AS may_sign_in
          FROM auth.users u WHERE u.id = $2 FOR NO KEY UPDATE
        """,
        now,
        user_id,
    )
    if row is None:
        return None
    return Account(_user(row), row["encrypted_password"], row["may_sign_in"])


async def find_user(tx: Tx, user_id: UUID) -> User | None:
    row = await tx.fetch_one(f"SELECT {_USER} FROM auth.users u WHERE u.id = $1", user_id)
    return _user(row) if row else None


async def banned_until(tx: Tx, user_id: UUID) -> datetime | None:
    """None where they are not banned, or for ever."""
    until: datetime | None = await tx.fetch_value(
        "SELECT banned_until FROM auth.users WHERE id = $1 AND isfinite(banned_until)", user_id
    )
    return until


async def lock_unchanged(tx: Tx, account: Account, *, now: datetime) -> bool:
    """Whether the user still has this password and may sign in; stays so until the transaction ends."""
    return bool(
        await tx.fetch_value(
            f"""
            SELECT true FROM auth.users u
             WHERE u.id = $2 AND u.encrypted_password IS NOT DISTINCT FROM $3 AND {_MAY_SIGN_IN}
               FOR NO KEY UPDATE
            """,
            now,
            account.user.id,
            account.password_hash,
        )
    )


async def set_password_hash(tx: Tx, user_id: UUID, new: str | None, *, now: datetime) -> None:
    """None: no password fits any more. Lock the account before."""
    await tx.execute(
        "UPDATE auth.users SET encrypted_password = $2, updated_at = $3 WHERE id = $1",
        user_id,
        new,
        now,
    )


async def confirm_email(tx: Tx, user_id: UUID, *, now: datetime) -> None:
    """Once: when it was first confirmed stays."""
    await tx.execute(
        """
        UPDATE auth.users SET email_confirmed_at = $2, updated_at = $2
         WHERE id = $1 AND email_confirmed_at IS NULL
        """,
        user_id,
        now,
    )


async def is_taken(tx: Tx, email: str, user_id: UUID, *, now: datetime) -> bool:
    """Whether an address is another user's, or theirs who may yet take it back."""
    if await one_time_links.is_out(tx, LinkKind.EMAIL_UNDO, email, now=now, but=user_id):
        return True
    account = await find_account(tx, email=email, now=now)
    return account is not None and account.user.id != user_id


async def change_email(tx: Tx, user_id: UUID, email: str, *, now: datetime) -> None:
    """To an address whose mailbox was just read. Lock the account before, and ask ``is_taken``."""
    await tx.execute(
        """
        UPDATE auth.users SET email = $2, email_confirmed_at = $3, updated_at = $3 WHERE id = $1
        """,
        user_id,
        email,
        now,
    )


async def insert_session(
    tx: Tx, user: User, *, client: ClientInfo, secret_hash: bytes, now: datetime, ends_at: datetime
) -> Session | None:
    """None for who may not sign in, whichever door they came by; a ban waits for this transaction, and
    ends the session that it made.
    """
    session_id = new_id()
    made = await tx.execute(
        f"""
        INSERT INTO auth.sessions (id, user_id, created_at, not_after, user_agent, ip)
        SELECT $2, u.id, $1, $4, $5, $6::text::inet
          FROM auth.users u WHERE u.id = $3 AND {_MAY_SIGN_IN} FOR NO KEY UPDATE
        """,
        now,
        session_id,
        user.id,
        ends_at,
        client.user_agent,
        client.address,
    )
    if not made:
        return None
    await tx.execute(
        """
        INSERT INTO internal.session_secrets (session_id, current_hash, rotated_at)
        VALUES ($1, $2, $3)
        """,
        session_id,
        secret_hash,
        now,
    )
    await tx.execute("UPDATE auth.users SET last_sign_in_at = $2 WHERE id = $1", user.id, now)
    return Session(session_id, user, ends_at)


async def find_session(tx: Tx, session_id: UUID, *, now: datetime) -> Session | None:
    """A session that has not ended, of a user who may sign in."""
    row = await tx.fetch_one(
        f"""
        SELECT s.id, s.not_after, {_USER}
          FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id
         WHERE s.id = $2 AND s.not_after > $1 AND {_MAY_SIGN_IN}
        """,
        now,
        session_id,
    )
    return _session(row) if row else None


async def find_by_secret(tx: Tx, secret_hash: bytes, *, now: datetime) -> HeldSecret | None:
    row = await tx.fetch_one(
        f"""
        SELECT s.id, s.not_after, {_USER}, k.current_hash = $2 AS is_current,
               k.previous_hash IS NOT NULL AS has_previous, k.previous_until, k.rotated_at
          FROM internal.session_secrets k
          JOIN auth.sessions s ON s.id = k.session_id
          JOIN auth.users u ON u.id = s.user_id
         WHERE (k.current_hash = $2 OR k.previous_hash = $2) AND s.not_after > $1 AND {_MAY_SIGN_IN}
        """,
        now,
        secret_hash,
    )
    if row is None:
        return None
    return HeldSecret(
        session=_session(row),
        is_current=row["is_current"],
        has_previous=row["has_previous"],
        previous_until=row["previous_until"],
        rotated_at=row["rotated_at"],
    )


async def replace_secret(
    tx: Tx, session_id: UUID, *, held: bytes, new: bytes, rotated_at: datetime, now: datetime
) -> bool:
    """``new`` becomes current and the secret just shown the previous one; false when another
    request has rotated meanwhile.
    """
    changed = await tx.execute(
        """
        UPDATE internal.session_secrets
           SET current_hash = $3, previous_hash = $2, previous_until = NULL, rotated_at = $5
         WHERE session_id = $1 AND rotated_at = $4
        """,
        session_id,
        held,
        new,
        rotated_at,
        now,
    )
    await tx.execute("UPDATE auth.sessions SET refreshed_at = $2 WHERE id = $1", session_id, now)
    return bool(changed)


async def end_previous_secret(tx: Tx, session_id: UUID, *, at: datetime) -> None:
    """The current secret has arrived: the one before it is accepted only a little longer."""
    await tx.execute(
        """
        UPDATE internal.session_secrets SET previous_until = $2
         WHERE session_id = $1 AND previous_hash IS NOT NULL AND previous_until IS NULL
        """,
        session_id,
        at,
    )


async def list_sessions(tx: Tx, user_id: UUID, *, now: datetime) -> list[SessionOverview]:
    """Those that have not ended, the newest first."""
    return await tx.fetch_as(
        SessionOverview,
        f"""
        SELECT id, host(ip) AS address, user_agent, created_at AS started_at,
               coalesce(refreshed_at, created_at) AS seen_at, not_after AS ends_at
          FROM auth.sessions WHERE user_id = $1 AND not_after > $2
         ORDER BY created_at DESC, id DESC LIMIT {MOST_SESSIONS}
        """,
        user_id,
        now,
    )


async def delete_session(tx: Tx, session_id: UUID) -> None:
    """Signed out: neither its secret nor any token made for it works from now on."""
    await tx.execute("DELETE FROM auth.sessions WHERE id = $1", session_id)


async def delete_session_of(tx: Tx, user_id: UUID, session_id: UUID) -> bool:
    """The same, of this user's; false where it is not there (any more)."""
    ended = await tx.execute(
        "DELETE FROM auth.sessions WHERE id = $2 AND user_id = $1", user_id, session_id
    )
    return bool(ended)


async def delete_sessions_of(tx: Tx, user_id: UUID, *, keep: UUID | None = None) -> int:
    """Sign a user out everywhere (but in one session); how many sessions that were."""
    return await tx.execute(
        "DELETE FROM auth.sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2", user_id, keep
    )


async def delete_ended_sessions(tx: Tx, *, now: datetime) -> int:
    return await tx.execute("DELETE FROM auth.sessions WHERE not_after < $1", now)


def _user(row: asyncpg.Record) -> User:
    return User(
        id=UserId(row["user_id"]),
        email=row["email"],
        email_confirmed=row["email_confirmed"],
        full_name=row["full_name"],
        is_team=row["is_team"],
        language=row["language"],
        created_at=row["created_at"],
    )


def _session(row: asyncpg.Record) -> Session:
    return Session(id=row["id"], user=_user(row), ends_at=row["not_after"])
