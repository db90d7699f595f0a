"""From the wire's events to the social domain's words: what must not be lost on the way."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from selify.messaging.event_kinds import COSTS
from selify.messaging.types import (
    Attachment,
    AttachmentKind,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    MessageWritten,
    NothingToDo,
    SocialEvent,
)
from selify.vendors.instagram.adapter import incoming, read_unmatched, translate
from selify.vendors.instagram.config import WEBHOOK_FIELDS
from selify.vendors.instagram.webhook import parse

RECEIVED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ACCOUNT, PERSON = "17841467300055120", "900"


def piece(sender: str = PERSON, **what: Any) -> dict[str, Any]:
    recipient = PERSON if sender == ACCOUNT else ACCOUNT
    update = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": 1794990600000}
    return {"id": ACCOUNT, "time": 1794990600000, "messaging": [{**update, **what}]}


def told(**what: Any) -> SocialEvent:
    document = {"object": "instagram", "entry": [piece(**what)]}
    (event,) = parse(json.dumps(document).encode(), received_at=RECEIVED).events
    stored = incoming(event)
    return translate(stored.event_type, stored.payload, RECEIVED)


@pytest.mark.parametrize("sender", [PERSON, ACCOUNT])
def test_an_edit_keeps_its_number_and_says_who_did_it(sender: str) -> None:
    change = {"mid": "m1", "text": "the blue one", "num_edit": 2}
    edit = told(sender=sender, message_edit=change)
    assert isinstance(edit, MessageEdited)
    assert (edit.message_ref, edit.text, edit.number) == ("m1", "the blue one", 2)
    assert (edit.person_ref, edit.is_own) == (PERSON, sender == ACCOUNT)


@pytest.mark.parametrize("sender", [PERSON, ACCOUNT])
def test_an_unsend_says_who_did_it(sender: str) -> None:
    message = {"mid": "m1", "is_deleted": True, "is_echo": sender == ACCOUNT}
    unsent = told(sender=sender, message=message)
    assert isinstance(unsent, MessageUnsent)
    assert (unsent.person_ref, unsent.is_own) == (PERSON, sender == ACCOUNT)


def test_each_kind_of_event_that_leads_to_anything_has_its_price() -> None:
    lead_to_nothing = {
        "messaging_referral",
        "messaging_seen",
        "messaging_optins",
        "messaging_handover",
        "standby",
    }
    assert set(WEBHOOK_FIELDS) == COSTS.keys() | lead_to_nothing
    told_of = [
        told(read={"mid": "m1"}),
        told(referral={"ref": "r"}),
        told(optin={"type": "t"}),
        told(pass_thread_control={"new_owner_app_id": "1"}),
    ]
    assert {type(one) for one in told_of} == {MessageSeen, NothingToDo}


def test_a_parked_entry_is_read_like_one_that_arrives() -> None:
    assert read_unmatched(piece(message={"text": "no id"}), RECEIVED) is None
    events = read_unmatched(piece(message={"mid": "m1", "text": "hi"}), RECEIVED)
    assert [event.message_id for event in events or ()] == ["m1"]


URL = "https://lookaside.fbsbx.com/x"


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ({"attachments": [{"type": "ephemeral"}]}, Attachment(AttachmentKind.VIEW_ONCE)),
        ({"is_unsupported": True}, Attachment(AttachmentKind.UNSUPPORTED)),
        (
            {"attachments": [{"type": "file", "payload": {"url": URL}}]},
            Attachment(AttachmentKind.FILE, URL),
        ),
        ({"attachments": [{"type": "image"}]}, Attachment(AttachmentKind.IMAGE)),
        ({"attachments": [{}]}, Attachment(AttachmentKind.OTHER)),
    ],
)
def test_what_we_cannot_see_was_sent_all_the_same(
    message: dict[str, Any], sent: Attachment
) -> None:
    written = told(message={"mid": "m1", **message})
    assert isinstance(written, MessageWritten)
    assert written.attachments == (sent,)


@pytest.mark.parametrize(
    "sent", [{"attachments": [{"type": "image", "payload": {"url": URL}}]}, {"text": "😍"}]
)
def test_what_answers_a_story_is_told_like_anything_else_and_the_story_is_not(
    sent: dict[str, Any],
) -> None:
    story = {"story": {"id": "s1", "url": "https://lookaside.fbsbx.com/s1"}}
    written = told(message={"mid": "m1", **sent, "reply_to": story})
    assert isinstance(written, MessageWritten)
    assert written == told(message={"mid": "m1", **sent})
