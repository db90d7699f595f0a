"""What is queued, and under which key. That nobody queues anything but a ``Payload``, mypy sees."""

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from selify.app import WINGS
from selify.auth import keys as deletion_keys
from selify.auth.workspaces import Deletion
from selify.core import upkeep
from selify.core.database import Actor, Database
from selify.core.opening import open_container
from selify.core.queue.payload import Payload
from selify.core.settings import load
from selify.core.wiring import Work
from selify.messaging import echoes, names
from selify.messaging import keys as message_keys
from selify.notifications import keys as notice_keys
from selify.notifications.types import Notice
from selify.tryon import keys as tryon_keys

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


# As rows have them that were queued before.
KEYS = {
    message_keys.message(AN_ID, message_keys.answer("typing", "m/1")): f"{AN_ID}/typing/m/1",
    message_keys.message(
        AN_ID, message_keys.numbered_answer("reply", "m", 0)
    ): f"{AN_ID}/reply/m/0",
    message_keys.private_reply(AN_ID, "c:1"): f"{AN_ID}/comment:c:1",
    message_keys.conversation(AN_ID): f"conversation:{AN_ID}",
    message_keys.commenter(AN_ID, "p"): f"comment:{AN_ID}:p",
    message_keys.typing("typing/m"): "typing:typing/m",
    message_keys.name(AN_ID): f"names:{AN_ID}",
    message_keys.echo("m"): "echo:m",
    tryon_keys.job(AN_ID, "m"): f"{AN_ID}/m",
    tryon_keys.charge(f"{AN_ID}/m"): f"tryon:{AN_ID}/m",
    notice_keys.notice(AN_ID, "paused/1"): f"{AN_ID}/paused/1",
    notice_keys.workspace(AN_ID): f"notice/{AN_ID}",
    deletion_keys.mail(AN_ID): f"account/{AN_ID}",
    deletion_keys.export(AN_ID): f"export/{AN_ID}",
    deletion_keys.key_review(AN_ID, 2): f"api key/{AN_ID}/2",
    deletion_keys.deletion(AN_ID, WRITTEN_AT): f"{AN_ID}/{WRITTEN_AT}",
    deletion_keys.deletion_again(AN_ID, WRITTEN_AT, AN_ID): f"{AN_ID}/{WRITTEN_AT}/{AN_ID}",
}
MESSAGES = (
    "m",
    "aWdf/ZAG1",
    "a:b",
    "/",
    "picture/1",
    "tryon:1",
    "ü/😀 \n'",
    f"{AN_ID}/picture/x",
    "%s{}",
)


def test_keys_look_as_they_did() -> None:
    assert list(KEYS) == list(KEYS.values())


@pytest.mark.parametrize("photo", MESSAGES)
async def test_keys_are_told_apart_as_they_were_put_together(
    database: Database, photo: str
) -> None:
    picture = message_keys.message(AN_ID, message_keys.answer(tryon_keys.PICTURE, photo))
    charge = tryon_keys.charge(tryon_keys.job(AN_ID, photo))
    async with database.tx(Actor.system("test")) as tx:
        row = await tx.fetch_one(
            f"""
            SELECT {message_keys.account_of("$1::text")} AS account,
                   {message_keys.answered("$1::text", tryon_keys.PICTURE)} AS photo,
                   {tryon_keys.charge_of_picture("$1::text")} AS charge,
                   {tryon_keys.is_charge("$2::text")} AS is_charge,
                   {tryon_keys.account_of_charge("$2::text")} AS charged
            """,
            picture,
            charge,
        )
    assert row is not None
    assert dict(row) == {
        "account": str(AN_ID),
        "photo": photo,
        "charge": charge,
        "is_charge": True,
        "charged": str(AN_ID),
    }


SOURCE = Path(__file__).parents[2] / "src" / "selify"
KEY = r"(?:\w+\.)?(?:key|ordering_key|source_id)"
# Who takes a key apart in SQL, …
TAKES_APART = re.compile(
    rf"\b(?:left|right|substr|substring|split_part|starts_with|strpos|position|regexp_\w+)\s*\("
    rf"\s*{KEY}\b|\b{KEY}\s+(?:NOT\s+)?I?LIKE\b|\b{KEY}\s*~",
    re.IGNORECASE,
)
# … who does so in Python, …
CUTS = {
    *("split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix"),
    *("startswith", "endswith", "find", "index"),
}
# … and who puts one together where something is queued, charged or taken back.
QUEUES = {"enqueue", "Entry", "start", "send", "send_all", "cancel", "forget", "Order"}
NAMED = {"key", "keys", "ordering_key", "source_id", "messages"}


def _is_key(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("key", "ordering_key", "source_id")


def handmade(source: str) -> Iterator[int]:
    """The lines that put a key together, or take one apart, themselves."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(text)) if TAKES_APART.search(text):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=of, attr=cut)) if cut in CUTS and _is_key(of):
                yield node.lineno
            case ast.Subscript(value=of) if _is_key(of):
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in QUEUES:
                given = [one.value for one in node.keywords if one.arg in NAMED]
                parts = [part for value in given for part in ast.walk(value)]
                if any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in parts):
                    yield node.lineno


@pytest.mark.parametrize(
    "line",
    [
        'SQL = "SELECT left(o.key, 36) FROM internal.outbox o"',
        "SQL = \"SELECT 1 WHERE e.source_id LIKE 'tryon:%'\"",
        "account = job.key.split('/')[0]",
        "account = delivery.key[:36]",
        "await jobs.start(tx, kind=JOB, key=f'{account.id}/{ref}')",
        "await outbox_rows.cancel(tx, keys=[f'{account_id}/{kind}' for kind in kinds])",
        "Entry(account + '/' + ref, key=account + '/' + ref)",
    ],
)
def test_a_key_that_is_made_by_hand_is_found(line: str) -> None:
    assert list(handmade(line)) == [1]


def test_keys_are_put_together_and_taken_apart_in_one_place() -> None:
    """A wing's ``keys.py``; and the queues, for what they give a key of their own."""
    elsewhere = [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "keys.py" and not path.is_relative_to(SOURCE / "core" / "queue")
    ]
    found = [
        f"{path.relative_to(SOURCE)}:{line}"
        for path in elsewhere
        for line in handmade(path.read_text())
    ]
    found += [
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.sql"))
        if TAKES_APART.search(path.read_text())
    ]
    assert found == []
