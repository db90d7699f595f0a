"""What is queued, and under which key. That nobody queues anything but a ``Payload``, mypy sees."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from selify.app import WINGS
from selify.auth.workspaces import Deletion
from selify.core import upkeep
from selify.core.opening import open_container
from selify.core.queue.payload import Payload
from selify.core.settings import load
from selify.core.wiring import Work
from selify.messaging import echoes, names
from selify.notifications.types import Notice

AN_ID = UUID("0199a7a0-0000-7000-8000-000000000001")
AT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)
WRITTEN_AT = "2026-03-01T12:30:00.250000+00:00"

# Rows as they were written before payloads had a version.
BEFORE: list[tuple[Payload, Mapping[str, Any]]] = [
    (Deletion(deleted_at=AT), {"deleted_at": WRITTEN_AT}),
    (names.Question(conversation_id=AN_ID), {"conversation_id": str(AN_ID)}),
    (
        echoes.Question(message_ref="m/1", person_ref="p:2", text="", at=AT),
        {"message_ref": "m/1", "person_ref": "p:2", "text": "", "at": WRITTEN_AT},
    ),
    (
        Notice(
            kind="paused",
            title="Paused",
            body="Look.",
            dedupe_key="paused/1",
            translations={"de": {"title": "Angehalten", "body": "Bitte nachsehen."}},
        ),
        {
            "kind": "paused",
            "title": "Paused",
            "body": "Look.",
            "action_url": None,
            "dedupe_key": "paused/1",
            "everyone": False,
            "translations": {"de": {"title": "Angehalten", "body": "Bitte nachsehen."}},
        },
    ),
]


@pytest.mark.parametrize(("payload", "before"), BEFORE)
def test_rows_without_a_version_are_still_read(payload: Payload, before: Mapping[str, Any]) -> None:
    assert type(payload).read(before) == payload == type(payload).read(payload.stored())


async def test_every_kind_of_job_declares_its_payload(database_url: str, tmp_path: Path) -> None:
    settings = load(database_url=database_url, data_dir=tmp_path)
    async with open_container(settings, WINGS) as container:
        work = Work.of([await wing.work(container) for wing in WINGS])
    assert upkeep.payloads(WINGS).keys() == work.jobs.keys()
