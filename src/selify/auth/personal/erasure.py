"""Being forgotten: the account is closed at once, for a while it can be opened again, then it is nobody's.

The row of the account stays without name and address, so that the books and the trails that refer to it stay
whole; what would have gone with it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from selify.auth import keys, owners, repository
from selify.auth.personal import catalog, export
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.personal_data import PersonalPart
from selify.core.queue import jobs
from selify.core.queue.defer import Defer
from selify.core.queue.jobs import Job
from selify.core.queue.payload import Payload

log = get_logger(__name__)

ERASURE: Final = "erasure"
ACTOR: Final = Actor.system("erasure")
GRACE: Final = timedelta(days=14)
TRIED_AGAIN_AFTER: Final = timedelta(hours=1)


class ErasureJob(Payload):
    """Of a person, as they asked at that moment: who kept their account and asked again has another."""

    person: UUID
    asked_at: datetime


class NothingAsked(NotFound):
    code = "no_erasure_asked"
    title = _("Nobody asked for this account to be deleted")


async def ask(tx: Tx, person: UUID, *, now: datetime) -> datetime:
    """From this transaction's end on nobody signs in; when it is over for good. In a system transaction, after the
    password was checked. Raises LastOwner.
    """
    await owners.check_leaves_none_alone(tx, person, now=now)
    await tx.execute(
        """
        INSERT INTO internal.erasures (user_id, asked_at, due_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id) DO NOTHING
        """,
        person,
        now,
        now + GRACE,
    )
    await tx.execute("UPDATE auth.users SET deleted_at = $2 WHERE id = $1", person, now)
    await repository.delete_sessions_of(tx, person)
    await jobs.start(
        tx,
        kind=ERASURE,
        key=keys.erasure(person, now.isoformat()),
        payload=ErasureJob(person=person, asked_at=now),
        run_after=now + GRACE,
        now=now,
    )
    return now + GRACE


async def keep(tx: Tx, person: UUID, *, now: datetime) -> None:
    """Taken back: they can sign in again. In a system transaction, after the password was checked. Raises
    NothingAsked.
    """
    taken_back = await tx.execute(
        "DELETE FROM internal.erasures WHERE user_id = $1 AND done_at IS NULL AND due_at > $2",
        person,
        now,
    )
    if not taken_back:
        raise NothingAsked(_("There is nothing to take back."))
    await tx.execute("UPDATE auth.users SET deleted_at = NULL WHERE id = $1", person)


@dataclass(frozen=True, slots=True)
class Erasure:
    """The job."""

    database: Database
    clock: Clock
    parts: Sequence[PersonalPart]

    async def run(self, job: Job) -> None:
        wanted = ErasureJob.read(job.payload)
        left = wanted.asked_at + GRACE - self.clock.now()
        if left > timedelta():
            raise Defer("They may still want to keep their account.", left)
        async with self.database.tx(ACTOR) as tx:
            if await _still_wanted(tx, wanted):
                await erase(tx, wanted.person, self.parts, now=self.clock.now())

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        """Not for good: what was promised to be forgotten is. It goes on in an hour."""
        log.error("an account could not be erased", job=str(job.id), reason=reason)
        now, wanted = self.clock.now(), ErasureJob.read(job.payload)
        await jobs.start(
            tx,
            kind=ERASURE,
            key=keys.erasure_again(wanted.person, wanted.asked_at.isoformat(), job.id),
            payload=wanted,
            run_after=now + TRIED_AGAIN_AFTER,
            now=now,
        )


async def _still_wanted(tx: Tx, wanted: ErasureJob) -> bool:
    """Locked, or they could keep what is being erased."""
    return bool(
        await tx.fetch_value(
            """
            SELECT true FROM internal.erasures
             WHERE user_id = $1 AND asked_at = $2 AND done_at IS NULL FOR UPDATE
            """,
            wanted.person,
            wanted.asked_at,
        )
    )


async def erase(tx: Tx, person: UUID, parts: Sequence[PersonalPart], *, now: datetime) -> None:
    """Of an account that is closed."""
    # Histories are append-only for everybody else.
    await tx.execute("SET LOCAL selify.purge = 'on'")
    await _leave_workspaces(tx, person)
    await export.forget_files(tx, person)
    await catalog.forget(tx, person)
    for statement in [one for part in parts for one in part.forget]:
        await tx.execute(statement, person, *([now] if "$2" in statement else []))
    await tx.execute("UPDATE internal.erasures SET done_at = $2 WHERE user_id = $1", person, now)


async def _leave_workspaces(tx: Tx, person: UUID) -> None:
    """Whoever has become a last owner meanwhile stays one in name, and the name is nobody's: our team finds another."""
    rows = await tx.fetch(
        "SELECT id, workspace_id FROM public.workspace_members WHERE user_id = $1 ORDER BY id",
        person,
    )
    for row in rows:
        try:
            async with tx.savepoint():
                await tx.execute("DELETE FROM public.workspace_members WHERE id = $1", row["id"])
        except asyncpg.CheckViolationError:
            log.exception("a workspace has no owner any more", workspace=str(row["workspace_id"]))
