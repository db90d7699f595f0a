"""The switchboard's words: every fault with a title and a sentence a shop owner understands."""

import time
from dataclasses import dataclass
from typing import Any

from selify_sandbox.instagram.people import threads
from selify_sandbox.instagram.phone import feed
from selify_sandbox.instagram.state import tokens
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.switchboard import Faults
from selify_sandbox.instagram.state.world import World


@dataclass(frozen=True, slots=True)
class Control:
    """One row: off is the calm value, ``on`` what the switch sets; ``unit`` makes it adjustable."""

    name: str
    title: str
    help: str
    on: int | bool | str
    unit: str = ""
    most: int = 100


WEBHOOKS = (
    Control(
        "duplicate",
        "Deliver everything more than once",
        "Each update arrives again within two seconds. Nobody may be answered or charged twice.",
        1,
        "extra copies",
        10,
    ),
    Control(
        "reorder_seconds",
        "Shuffle the order",
        "Each update leaves at a random moment within this time, so answers overtake questions.",
        5,
        "seconds",
        600,
    ),
    Control(
        "delay_seconds",
        "Deliver late",
        "Every update waits this long before it leaves.",
        8,
        "seconds",
        3600,
    ),
    Control(
        "lose_percent",
        "Lose some and find them again",
        "This share of updates goes missing and turns up ten seconds later.",
        30,
        "percent",
    ),
    Control(
        "forge_percent",
        "Slip in forgeries",
        "Before the real update comes a copy with a wrong signature. The server must refuse it.",
        100,
        "percent",
    ),
    Control(
        "batch_size",
        "One update per delivery",
        "Normally updates that pile up travel together, twenty at a time.",
        1,
    ),
    Control(
        "list_envelope",
        "Wrap deliveries in a list",
        "A shape that some of the vendor’s own samples have.",
        True,
    ),
    Control(
        "flat_comments",
        "Comments in the other documented shape",
        "Field and value stand directly in the entry.",
        True,
    ),
    Control(
        "prompt_echoes_percent",
        "Repeat our own messages at once",
        "The echo of what the shop sends overtakes the answer to the send, however late the rest is.",
        100,
        "percent",
    ),
    Control(
        "echoes",
        "Do not repeat our own messages",
        "No echo of what the shop sends, so an unclear send cannot be confirmed that way.",
        False,
    ),
)
CALLS = (
    Control(
        "unknown_percent",
        "Send, then claim it failed",
        "The shopper gets the message, the server gets an error. Sending again would be a double.",
        100,
        "percent",
    ),
    Control(
        "cut_after_percent",
        "Send, then hang up",
        "The shopper gets the message, the server hears nothing.",
        100,
        "percent",
    ),
    Control(
        "cut_percent",
        "Hang up before doing anything",
        "The connection breaks and nothing was sent.",
        50,
        "percent",
    ),
    Control(
        "refuse_percent",
        "Answer “service down”",
        "Calls fail with a server error and nothing is done.",
        50,
        "percent",
    ),
    Control(
        "slow_ms", "Answer slowly", "Every call takes this long.", 3000, "milliseconds", 60_000
    ),
    Control(
        "usage_percent",
        "Report a nearly used-up quota",
        "The usage headers say so; a careful server slows down by itself.",
        95,
        "percent",
    ),
    Control(
        "refuse_unpermitted_fields",
        "Refuse updates without permission",
        "Who asks for updates that no permission covers gets none at all. Normally asking succeeds, "
        "and those never come. Leave out a permission when you connect the shop.",
        True,
    ),
    Control(
        "unknown_field",
        "Not know about edited messages",
        "Who asks for updates about edits gets none at all.",
        "message_edit",
    ),
)
PEOPLE = (
    Control(
        "separate_comment_ids_percent",
        "Same id in comments and messages",
        "Normally a shopper’s id under a post differs from their id in messages; only the answer "
        "to a private reply links the two. Applies to people who meet a shop from now on.",
        0,
    ),
)
GROUPS = (
    ("How updates reach the server", WEBHOOKS),
    ("How the server’s calls are answered", CALLS),
    ("Who people are", PEOPLE),
)


def _row(control: Control, faults: Faults, calm: Faults) -> dict[str, Any]:
    value = getattr(faults, control.name)
    return {
        "control": control,
        "value": value,
        "calm": getattr(calm, control.name),
        "on": value != getattr(calm, control.name),
    }


def board_values(tx: Tx, world: World, person: str) -> dict[str, Any]:
    """Everything the switchboard shows."""
    board = world.switchboard
    calm = Faults()
    groups = [
        (title, [_row(control, board.faults, calm) for control in controls])
        for title, controls in GROUPS
    ]
    shopper = feed.me(tx, person)
    shops = tx.all("SELECT * FROM accounts ORDER BY username")
    throttled = round(board.throttled_for())
    active = sum(row["on"] for _, rows in groups for row in rows) + (throttled > 0)
    return {
        "groups": groups,
        "throttled": throttled,
        "queued_errors": len(board.state.errors),
        "active": active + len(board.state.errors),
        "shops": [_shop(tx, row, shopper) for row in shops],
        "me": shopper,
    }


def _shop(tx: Tx, row: Row, shopper: Row | None) -> dict[str, Any]:
    token = tokens.newest(tx, row["id"])
    if token is None:
        state = "not connected"
    elif token["dead_subcode"]:
        state = f"token revoked ({token['dead_subcode']})"
    elif token["expires_at"] <= time.time():
        state = "token expired"
    else:
        state = "connected"
    thread = threads.find_thread(tx, row["id"], shopper["id"]) if shopper else None
    return {
        "id": row["id"],
        "username": row["username"],
        "token": state,
        "listening": bool(row["subscribed_fields"]),
        "message_access": bool(row["message_access"]),
        "restricted": row["restricted_until"] > time.time(),
        "thread": threads.show_thread(thread) if thread else None,
    }
