"""The delivery queue's SQL: batching events, claiming retries, recording attempts."""

import json
import time
from dataclasses import dataclass
from typing import Any

from selify_sandbox.instagram.state.signatures import webhook_body
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.switchboard import Faults


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST about to be tried; ``events`` is empty for signed requests."""

    id: int
    kind: str
    subject: str
    attempt: int
    events: tuple[tuple[str, str, dict[str, Any]], ...] = ()  # account, shape, item


def recover(tx: Tx) -> None:
    """After a crash: what was being sent may or may not have arrived, so it goes again."""
    tx.run(
        "UPDATE deliveries SET status = 'waiting', next_at = ? WHERE status = 'sending'",
        time.time(),
    )


def take_due(tx: Tx, lane: int, batch_size: int) -> Delivery | None:
    """Take the lane's due events (at most ``batch_size``) into one new delivery."""
    now = time.time()
    rows = tx.all(
        "SELECT * FROM events WHERE delivery_id IS NULL AND lane = ? AND due_at <= ? "
        "ORDER BY due_at, id LIMIT ?",
        lane,
        now,
        batch_size,
    )
    if not rows:
        return None
    label = rows[0]["label"] + (f" (+{len(rows) - 1} more)" if len(rows) > 1 else "")
    delivery_id = tx.insert(
        "INSERT INTO deliveries (kind, label, status, next_at, created_at) "
        "VALUES ('webhook', ?, 'sending', ?, ?)",
        label,
        now,
        now,
    )
    for row in rows:
        tx.run("UPDATE events SET delivery_id = ? WHERE id = ?", delivery_id, row["id"])
    tx.note("deliveries")
    return Delivery(delivery_id, "webhook", "", 1, _contents(rows))


def _contents(rows: list[Row]) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    return tuple((row["account_id"], row["shape"], json.loads(row["item"])) for row in rows)


def next_due(tx: Tx, lane: int) -> float | None:
    """When the lane's next event is due."""
    due: float | None = tx.value(
        "SELECT min(due_at) FROM events WHERE delivery_id IS NULL AND lane = ?", lane
    )
    return due


def enqueue_notice(tx: Tx, kind: str, app_scoped_id: str, label: str) -> int:
    """Queue a signed request (deauthorize or deletion)."""
    now = time.time()
    tx.note("retries")
    return tx.insert(
        "INSERT INTO deliveries (kind, subject, label, status, next_at, created_at) "
        "VALUES (?, ?, ?, 'waiting', ?, ?)",
        kind,
        app_scoped_id,
        label,
        now,
        now,
    )


def claim_retry(tx: Tx) -> Delivery | None:
    """Take the delivery that has waited longest past its time."""
    row = tx.one(
        "SELECT * FROM deliveries WHERE status = 'waiting' AND next_at <= ? "
        "ORDER BY next_at LIMIT 1",
        time.time(),
    )
    if row is None:
        return None
    tx.run("UPDATE deliveries SET status = 'sending' WHERE id = ?", row["id"])
    rows = tx.all("SELECT * FROM events WHERE delivery_id = ? ORDER BY id", row["id"])
    return Delivery(row["id"], row["kind"], row["subject"], row["attempts"] + 1, _contents(rows))


def next_retry(tx: Tx) -> float | None:
    """When the next retry is due."""
    due: float | None = tx.value("SELECT min(next_at) FROM deliveries WHERE status = 'waiting'")
    return due


def record_attempt(
    tx: Tx,
    delivery: Delivery,
    status: int | None,
    note: str,
    answer: str,
    delays: tuple[float, ...],
) -> None:
    """Write down how an attempt ended and when the next one comes, if any."""
    now = time.time()
    done = status == 200
    left = delivery.attempt <= len(delays)
    state = "delivered" if done else "waiting" if left else "given_up"
    pause = delays[delivery.attempt - 1] if left else 0.0
    kept = note or ("" if done else f"answered {status}")
    tx.run(
        "UPDATE deliveries SET status = ?, attempts = ?, next_at = ?, finished_at = ?, "
        "last_status = ?, answer = ?, note = CASE WHEN ? = '' OR note LIKE '%FORGED%' THEN note "
        "ELSE ? END WHERE id = ?",
        state,
        delivery.attempt,
        now + pause,
        now if state != "waiting" else None,
        status,
        answer if delivery.kind == "deletion" else "",
        kept,
        kept,
        delivery.id,
    )
    tx.note("deliveries")
    if state == "waiting":
        tx.note("retries")


def redeliver(tx: Tx, delivery_id: int) -> bool:
    """Send one delivery again, whatever became of it (only the stand-in can do this)."""
    found = tx.run(
        "UPDATE deliveries SET status = 'waiting', attempts = 0, next_at = ?, finished_at = NULL "
        "WHERE id = ? AND status <> 'sending'",
        time.time(),
        delivery_id,
    )
    tx.note("retries")
    return found > 0


def hurry(tx: Tx, lanes: int) -> int:
    """Make everything that waits due now; how many deliveries and events that was."""
    now = time.time()
    moved = tx.run(
        "UPDATE deliveries SET next_at = ? WHERE status = 'waiting' AND next_at > ?", now, now
    )
    moved += tx.run(
        "UPDATE events SET due_at = ? WHERE delivery_id IS NULL AND due_at > ?", now, now
    )
    tx.note("retries")
    for lane in range(lanes):
        tx.note(f"lane:{lane}")
    return moved


def body(delivery: Delivery, faults: Faults) -> bytes:
    """The bytes of one POST. ``entry.time`` is when it is sent, so a retry differs from its
    first attempt: milliseconds beside ``messaging``, seconds beside ``changes``.
    """
    envelope: Any = {"object": "instagram", "entry": _entries(delivery, faults)}
    return webhook_body([envelope] if faults.list_envelope else envelope)


def _entries(delivery: Delivery, faults: Faults) -> list[dict[str, Any]]:
    now = time.time()
    entries: list[dict[str, Any]] = []
    for account, shape, item in delivery.events:
        sent = int(now * 1000) if shape == "messaging" else int(now)
        flat = shape == "changes" and faults.flat_comments
        last = entries[-1] if entries else {}
        if flat:
            entries.append({"id": account, "time": sent, **item})
        elif last.get("id") == account and shape in last:
            last[shape].append(item)
        else:
            entries.append({"id": account, "time": sent, shape: [item]})
    return entries


def outstanding(tx: Tx) -> int:
    """Deliveries and events that still have to arrive."""
    waiting: int = tx.value(
        "SELECT (SELECT count(*) FROM deliveries WHERE status IN ('waiting', 'sending')) "
        "+ (SELECT count(*) FROM events WHERE delivery_id IS NULL)"
    )
    return waiting


def latest(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """The newest deliveries first, and before them what has not been packed yet."""
    queued = tx.all(
        "SELECT * FROM events WHERE delivery_id IS NULL ORDER BY id DESC LIMIT ?", limit
    )
    rows = tx.all("SELECT * FROM deliveries ORDER BY id DESC LIMIT ?", limit)
    return ([_show_queued(row) for row in queued] + [_show(row) for row in rows])[:limit]


def _show_queued(row: Row) -> dict[str, Any]:
    return {
        "id": None,
        "kind": "webhook",
        "label": row["label"],
        "status": "queued",
        "attempts": 0,
        "next_at": row["due_at"],
        "created_at": None,
        "last_status": None,
        "note": "",
        "answer": "",
    }


def _show(row: Row) -> dict[str, Any]:
    return {
        name: row[name]
        for name in (
            "id",
            "kind",
            "label",
            "status",
            "attempts",
            "next_at",
            "created_at",
            "last_status",
            "note",
            "answer",
        )
    }
