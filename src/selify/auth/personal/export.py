"""Everything about a person in one file: asked for, made by a job, and fetched by a link that expires."""

import asyncio
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson

from selify.auth import keys, throttle
from selify.auth.personal import catalog
from selify.core import retention
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.files.storage import Storage
from selify.core.ids import new_id
from selify.core.logging import get_logger
from selify.core.personal_data import PersonalPart
from selify.core.queue import jobs
from selify.core.queue.jobs import Job
from selify.core.queue.payload import Payload

log = get_logger(__name__)

EXPORT: Final = "personal export"
ACTOR: Final = Actor.system("personal export")
KEPT_FOR: Final = timedelta(days=7)
LINK_LIFE: Final = timedelta(hours=1)
_REASON: Final = "personal export"


class ExportJob(Payload):
    export_id: UUID
    person: UUID


class ExportState(StrEnum):
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Export:
    """``expires_at``: its file goes then. ``file_key``: None until there is one."""

    id: UUID
    asked_at: datetime
    state: ExportState
    file_key: str | None
    expires_at: datetime


def export_limits(person: UUID) -> list[throttle.Limit]:
    return [throttle.Limit("personal export", str(person), 5)]


async def ask(tx: Tx, person: UUID, *, now: datetime) -> Export:
    """One that is being made already, or a new one, in a system transaction."""
    await tx.execute("SELECT FROM auth.users WHERE id = $1 FOR UPDATE", person)
    latest = await find_latest(tx, person, now=now)
    if latest is not None and latest.state is ExportState.MAKING:
        return latest
    export = Export(new_id(), now, ExportState.MAKING, None, now + KEPT_FOR)
    await tx.execute(
        """
        INSERT INTO internal.personal_exports (id, user_id, asked_at, state, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        export.id,
        person,
        now,
        export.state.value,
        export.expires_at,
    )
    payload = ExportJob(export_id=export.id, person=person)
    await jobs.start(tx, kind=EXPORT, key=keys.export(export.id), payload=payload, now=now)
    return export


async def find_latest(tx: Tx, person: UUID, *, now: datetime) -> Export | None:
    """Whose file has not expired."""
    return await tx.fetch_one_as(
        Export,
        """
        SELECT id, asked_at, state, file_key, expires_at FROM internal.personal_exports
         WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC LIMIT 1
        """,
        person,
        now,
    )


@dataclass(frozen=True, slots=True)
class PersonalExport:
    """The job."""

    database: Database
    clock: Clock
    storage: Storage
    parts: Sequence[PersonalPart]

    async def run(self, job: Job) -> None:
        wanted = ExportJob.read(job.payload)
        key = f"people/{wanted.person}/{wanted.export_id}.zip"
        now = self.clock.now()
        async with self.database.tx(ACTOR) as tx:
            said = await collected(tx, wanted.person, self.parts)
            await retention.keep_until(tx, key, until=now + KEPT_FOR, reason=_REASON)
        data = await asyncio.to_thread(packed, said, now)
        await self.storage.put(key, data, content_type="application/zip")
        async with self.database.tx(ACTOR) as tx:
            await _end(tx, wanted.export_id, ExportState.READY, key)

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        log.error("somebody's data could not be collected", reason=reason)
        await _end(tx, ExportJob.read(job.payload).export_id, ExportState.FAILED, None)


async def _end(tx: Tx, export_id: UUID, state: ExportState, key: str | None) -> None:
    await tx.execute(
        "UPDATE internal.personal_exports SET state = $2, file_key = $3 WHERE id = $1",
        export_id,
        state.value,
        key,
    )


async def collected(tx: Tx, person: UUID, parts: Sequence[PersonalPart]) -> dict[str, Any]:
    """What each part tells, by its name; and where else they are named."""
    said: dict[str, Any] = {}
    for name, statement in _told(parts).items():
        said[name] = await tx.fetch_value(
            f"SELECT coalesce(jsonb_agg(told), '[]') FROM ({statement}) AS told", person
        )
    return {**said, "elsewhere": await catalog.elsewhere(tx, person)}


def _told(parts: Sequence[PersonalPart]) -> dict[str, str]:
    """Raises ValueError for a name that two parts use."""
    found: dict[str, str] = {}
    for part in parts:
        if twice := found.keys() & part.told.keys():
            raise ValueError(f"two wings tell {', '.join(sorted(twice))}")
        found |= part.told
    return found


def packed(said: Mapping[str, Any], now: datetime) -> bytes:
    """A ZIP with a JSON file for each."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in said.items():
            entry = zipfile.ZipInfo(f"{name}.json", now.timetuple()[:6])
            archive.writestr(entry, orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    return file.getvalue()


async def forget_files(tx: Tx, person: UUID) -> None:
    """The next sweep deletes them."""
    files = await tx.fetch(
        "DELETE FROM internal.personal_exports WHERE user_id = $1 RETURNING file_key", person
    )
    for row in files:
        if row["file_key"] is not None:
            await retention.delete_soon(tx, row["file_key"], reason=_REASON)
